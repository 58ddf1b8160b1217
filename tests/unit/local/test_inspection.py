"""What an inspection of a store finds."""

import os
from pathlib import Path

import pytest

from ollm_tui.core.store import FindingKind
from ollm_tui.providers.local.inspection import drop_altered, inspect_store
from ollm_tui.providers.local.manifest import parse_manifest
from ollm_tui.providers.local.stop import Stopped, StopSignal
from ollm_tui.providers.local.store import Store
from tests.store_builder import digest_of, install, made_model
from tests.unit.local.conftest import LLAMA, QWEN

LIBRARY = "manifests/registry.ollama.ai/library"


@pytest.fixture
def healthy(root: Path, store: Store) -> Store:
    """The store without the model whose weights are none."""
    (root / "manifests/hf.co/Some/Qwen/Q4").unlink()
    return store


def kinds(store: Store, *, verify: bool = False) -> dict[str, FindingKind]:
    return {finding.subject: finding.kind for finding in inspect_store(store, verify=verify)}


def blob(root: Path, data: bytes) -> Path:
    return root / "blobs" / digest_of(data).replace(":", "-")


def test_a_healthy_store_has_no_findings(healthy: Store) -> None:
    seen: list[tuple[int, int]] = []
    assert inspect_store(healthy, verify=True, on_progress=lambda *at: seen.append(at)) == ()
    assert seen[-1] == (LLAMA.total_bytes, LLAMA.total_bytes)


def test_a_store_still_to_be_made_has_no_findings(tmp_path: Path) -> None:
    assert inspect_store(Store(tmp_path / "none")) == ()


def test_each_trouble_is_named_with_its_fix(root: Path, healthy: Store) -> None:
    library = root / LIBRARY
    (library / "llama3/cut").write_bytes(b"{")
    (library / "llama3/.tmp").write_bytes(b"")
    (library / "llama3/gone").symlink_to("nowhere")
    (library / "LLama3").mkdir()
    (library / "LLama3/latest").write_bytes(LLAMA.manifest)
    install(root, "registry.ollama.ai/library/short/latest", made_model(template=b"1234"))
    blob(root, b"1234").write_bytes(b"1")
    install(root, "registry.ollama.ai/library/noise/latest", QWEN)
    found = {(finding.kind, finding.subject): finding for finding in inspect_store(healthy)}
    wanted = {
        (FindingKind.UNUSABLE_MANIFEST, "llama3:cut"): "Pull llama3:cut again, or delete it.",
        (FindingKind.STRAY_FILE, f"{LIBRARY}/llama3/.tmp"): "Remove it by hand.",
        (FindingKind.UNUSABLE_MANIFEST, "llama3:gone"): "Pull llama3:gone again, or delete it.",
        (FindingKind.DAMAGED_FILE, "short:latest"): "only this file is fetched again",
        (FindingKind.UNREADABLE_WEIGHTS, "noise:latest"): "Repair noise:latest",
    }
    assert {key for key in found if key[0] is not FindingKind.CONFUSABLE_NAMES} == set(wanted)
    for key, fix in wanted.items():
        assert fix in found[key].fix
    assert [key for key in found if key[0] is FindingKind.CONFUSABLE_NAMES]
    assert "lists nothing" in found[FindingKind.UNUSABLE_MANIFEST, "llama3:gone"].reason


def test_an_altered_file_is_found_by_hashing_only(root: Path, healthy: Store) -> None:
    path = blob(root, LLAMA.layers["license"])
    path.write_bytes(path.read_bytes()[::-1])
    assert kinds(healthy) == {}
    assert kinds(healthy, verify=True) == {"llama3:latest": FindingKind.DAMAGED_FILE}


def test_hashing_can_be_stopped(healthy: Store) -> None:
    stop = StopSignal()
    stop.set()
    with pytest.raises(Stopped):
        inspect_store(healthy, verify=True, stop=stop)


def test_directories_that_are_links_are_named(root: Path, healthy: Store, tmp_path: Path) -> None:
    (root / "blobs").rename(tmp_path / "elsewhere")
    (root / "blobs").symlink_to(tmp_path / "elsewhere")
    assert kinds(healthy) == {str(root / "blobs"): FindingKind.PERMISSION}


def test_directories_that_may_not_be_written_to_are_named(
    root: Path, healthy: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the system would say to anybody but root."""
    monkeypatch.setattr(
        os, "access", lambda path, mode: not (Path(path).name == "blobs" and mode == os.W_OK)
    )
    (finding,) = inspect_store(healthy)
    assert (finding.kind, finding.subject) == (FindingKind.PERMISSION, str(root / "blobs"))
    assert finding.reason == "it may not be written to"


def test_only_a_blob_that_is_proven_bad_is_dropped(root: Path, healthy: Store) -> None:
    blobs = {item.digest: item for item in parse_manifest(LLAMA.manifest).blobs}
    for item in blobs.values():
        assert not drop_altered(healthy, item, StopSignal())
    data = LLAMA.layers["license"]
    blob(root, data).write_bytes(data[::-1])
    assert drop_altered(healthy, blobs[digest_of(data)], StopSignal())
    assert not blob(root, data).exists()
    assert not drop_altered(healthy, blobs[digest_of(data)], StopSignal())
