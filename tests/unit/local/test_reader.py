"""Models read from a store."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ollm_tui.core.error import ModelNotFound, StoreError
from ollm_tui.providers.local.reader import ModelReader
from ollm_tui.providers.local.store import Store
from tests.gguf_writer import gguf, llama
from tests.store_builder import digest_of, install, made_model
from tests.unit.local.conftest import LLAMA, QWEN

LLAMA_PATH = "registry.ollama.ai/library/llama3/latest"


def test_a_list_has_the_facts_of_ollama(root: Path, store: Store) -> None:
    os.utime(root / "manifests" / LLAMA_PATH, (2e9, 2e9))
    listed = ModelReader(store).list_models()
    assert [model.name for model in listed.models] == ["llama3:latest", "hf.co/Some/Qwen:Q4"]
    assert listed.problems == ()
    model = listed.models[0]
    assert model.digest == LLAMA.digest
    assert model.size_bytes == LLAMA.total_bytes
    assert model.modified_at == datetime.fromtimestamp(2e9, UTC)
    assert (model.architecture, model.parameters_billions) == ("llama", 8.0)
    assert (model.quantization, model.context_window) == ("Q4_K_M", 8192)
    assert model.capabilities is not None
    assert model.capabilities.tool_calling
    assert model.capabilities.streaming
    assert model.sources["context_window"] == "gguf"
    assert model.sources["quantization"] == "config"
    assert listed.models[1].capabilities is None


def test_a_second_listing_reads_no_weights(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = ModelReader(store)
    first = reader.list_models()
    monkeypatch.setattr(store, "open_blob", None)
    assert reader.list_models() == first


def test_an_empty_or_missing_store_is_an_empty_list(tmp_path: Path) -> None:
    assert ModelReader(Store(tmp_path / "none")).list_models().models == ()


def test_broken_entries_become_problems_and_hide_nothing_else(root: Path, store: Store) -> None:
    library = root / "manifests/registry.ollama.ai/library"
    (library / "empty").mkdir()
    (library / "empty/latest").touch()
    (library / "cut").mkdir()
    (library / "cut/latest").write_bytes(LLAMA.manifest[:100])
    (library / "llama3/.DS_Store").write_bytes(b"x")
    (library / "llama3/dangling").symlink_to("nowhere")
    (library / "too-high").write_bytes(LLAMA.manifest)
    missing = made_model(model=llama(**{"general.name": "other"}))
    install(root, "registry.ollama.ai/library/missing/latest", missing)
    (root / "blobs" / digest_of(missing.layers["model"]).replace(":", "-")).unlink()
    install(root, "registry.ollama.ai/library/short/latest", made_model(template=b"1234"))
    (root / "blobs" / digest_of(b"1234").replace(":", "-")).write_bytes(b"123")
    listed = ModelReader(store).list_models()
    assert {model.name for model in listed.models} == {"llama3:latest", "hf.co/Some/Qwen:Q4"}
    reasons = {problem.subject: problem.reason for problem in listed.problems}
    assert "it is empty" in reasons.pop("empty:latest")
    assert "not JSON" in reasons.pop("cut:latest")
    assert "is missing; pull it again" in reasons.pop("missing:latest")
    assert "3 bytes and not 4" in reasons.pop("short:latest")
    assert "not one of a model" in reasons.pop("registry.ollama.ai/library/llama3/.DS_Store")
    assert "link to nothing" in reasons.pop("llama3:dangling")
    assert reasons == {}


def test_a_pipe_in_a_files_place_does_not_hang(root: Path, store: Store) -> None:
    path = root / "manifests/registry.ollama.ai/library/pipe/latest"
    path.parent.mkdir()
    os.mkfifo(path)
    problems = ModelReader(store).list_models().problems
    assert [problem.subject for problem in problems] == ["pipe:latest"]


def test_a_directory_in_a_blobs_place_is_no_blob(root: Path, store: Store) -> None:
    path = root / "blobs" / digest_of(QWEN.layers["model"]).replace(":", "-")
    path.unlink()
    path.mkdir()
    with pytest.raises(StoreError, match="not a regular file"):
        store.open_blob(digest_of(QWEN.layers["model"]))
    assert [model.name for model in ModelReader(store).list_models().models] == ["llama3:latest"]


def test_details_tell_all_of_a_model(store: Store) -> None:
    details = ModelReader(store).details("LLAMA3")
    assert details.info.name == "llama3:latest"
    assert details.info.parameters_billions == pytest.approx(40256 / 1e9)
    assert details.info.metadata["llama.embedding_length"] == 64
    assert details.parameters == (("stop", "<a>"), ("stop", "<b>"), ("num_ctx", "2048"))
    assert details.template.startswith("{{ if .Tools")
    assert details.license == "Do as you like.\n"
    assert details.requires == "0.6.0"
    assert "PARAMETER num_ctx 2048" in details.modelfile


def test_details_of_what_is_not_there_or_not_whole_say_so(root: Path, store: Store) -> None:
    for name in ("mistral", "no such name!", "../../etc/passwd"):
        with pytest.raises(ModelNotFound):
            ModelReader(store).details(name)
    (root / "blobs" / digest_of(QWEN.layers["model"]).replace(":", "-")).unlink()
    with pytest.raises(StoreError, match="is damaged"):
        ModelReader(store).details("hf.co/Some/Qwen:Q4")


def test_texts_of_strangers_are_sanitised(root: Path, store: Store) -> None:
    evil = made_model(license=b"a\x1b[2Jb\xff")
    evil.config["model_family"] = "x\x07"
    install(root, "registry.ollama.ai/library/evil/latest", evil)
    details = ModelReader(store).details("evil")
    assert details.license == "a\ufffd[2Jb\ufffd"
    assert details.info.architecture == "x\ufffd"


def test_a_quantization_at_the_end_of_the_header_is_found(root: Path, store: Store) -> None:
    """llama.cpp's tools write it after the vocabulary, where a quick reading does not come."""
    values = {"general.architecture": "llama", "tokenizer.ggml.tokens": ["a"] * 9}
    model = made_model(gguf({**values, "general.file_type": 7}))
    model.config["file_type"] = "unknown"
    install(root, "registry.ollama.ai/library/late/latest", model)
    listed = {model.name: model for model in ModelReader(store).list_models().models}
    assert listed["late:latest"].quantization == "Q8_0"
    assert listed["late:latest"].sources["quantization"] == "gguf"


def test_the_files_of_a_model_name_who_shares_them(root: Path, store: Store) -> None:
    install(root, "registry.ollama.ai/library/copy/latest", LLAMA)
    files = ModelReader(store).files("llama3")
    assert [file.size_bytes for file in files] == sorted(
        (file.size_bytes for file in files), reverse=True
    )
    assert sum(file.size_bytes for file in files) == LLAMA.total_bytes
    assert {file.kind for file in files} >= {"model", "config"}
    assert files[0].shared_with == ("copy:latest",)
    assert all("copy:latest" in file.shared_with for file in files)
    assert all(file.digest.startswith("sha256:") for file in files)
    with pytest.raises(ModelNotFound):
        ModelReader(store).files("nobody")
