"""Deleting, copying and publishing: what is written and removed, and what never is."""

import os
import stat
import threading
from pathlib import Path

import pytest

from ollm_tui.core.error import ModelNotFound, StoreError
from ollm_tui.core.name import parse_name
from ollm_tui.providers.local.manifest import parse_manifest
from ollm_tui.providers.local.publish import copy_model, publish_blob, publish_model
from ollm_tui.providers.local.removal import freed_bytes, remove_model
from ollm_tui.providers.local.store import STAGING, Store, blob_file_name
from tests.store_builder import digest_of, install, made_model, tree
from tests.unit.local.conftest import LLAMA, QWEN

LIBRARY = "manifests/registry.ollama.ai/library"


def blob_names(root: Path) -> set[str]:
    return {path.name for path in (root / "blobs").iterdir()}


def files_of(*models: object) -> set[str]:
    return {digest.replace(":", "-") for model in models for digest in model.blobs}  # type: ignore[attr-defined]


def test_a_deleted_model_leaves_what_others_need(root: Path, store: Store) -> None:
    removal = remove_model(store, "llama3")
    assert blob_names(root) == files_of(QWEN)
    alone = set(LLAMA.blobs) - set(QWEN.blobs)
    assert removal.freed_bytes == sum(len(LLAMA.blobs[digest]) for digest in alone)
    assert removal.blob_count == len(alone)
    assert not (root / "manifests/registry.ollama.ai").exists()
    with pytest.raises(ModelNotFound):
        remove_model(store, "llama3")


def test_deleting_one_of_two_names_frees_nothing(root: Path, store: Store) -> None:
    copy_model(store, "llama3", parse_name("mine"))
    before = blob_names(root)
    assert remove_model(store, "mine").freed_bytes == 0
    assert blob_names(root) == before


@pytest.mark.parametrize("breakage", ["cut", "link"])
def test_with_an_unreadable_manifest_only_the_manifest_goes(
    root: Path, store: Store, breakage: str
) -> None:
    broken = root / LIBRARY / "llama3" / "broken"
    if breakage == "cut":
        broken.write_bytes(b"{")
    else:
        broken.symlink_to("nowhere")
    before = blob_names(root)
    removal = remove_model(store, "llama3")
    assert "broken" in removal.kept_because
    assert blob_names(root) == before
    assert tree(root / LIBRARY) == {"llama3/broken"}


def test_a_broken_entry_itself_can_be_deleted(root: Path, store: Store) -> None:
    (root / LIBRARY / "llama3" / "broken").write_bytes(b"{")
    (root / LIBRARY / "llama3" / "link").symlink_to(root / LIBRARY / "llama3" / "latest")
    remove_model(store, "llama3:broken")
    remove_model(store, "llama3:link")
    assert tree(root / LIBRARY) == {"llama3/latest"}


def test_nothing_is_removed_through_a_link(root: Path, store: Store, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (root / "blobs").rename(outside)
    (root / "blobs").symlink_to(outside)
    before = tree(outside)
    with pytest.raises(StoreError, match="symbolic link"):
        remove_model(store, "llama3")
    assert tree(outside) == before


def test_a_linked_blob_is_unlinked_and_its_target_stays(
    root: Path, store: Store, tmp_path: Path
) -> None:
    blob = root / "blobs" / digest_of(LLAMA.layers["template"]).replace(":", "-")
    target = tmp_path / "precious"
    blob.rename(target)
    blob.symlink_to(target)
    remove_model(store, "llama3")
    assert target.exists()


def test_a_copy_has_the_same_bytes_and_takes_no_space(root: Path, store: Store) -> None:
    before = blob_names(root)
    copy_model(store, "LLama3", parse_name("ns/mine:v1"))
    copied = root / "manifests/registry.ollama.ai/ns/mine/v1"
    assert copied.read_bytes() == LLAMA.manifest
    assert blob_names(root) == before
    assert stat.S_IMODE(copied.stat().st_mode) == 0o644
    with pytest.raises(ModelNotFound):
        copy_model(store, "nothing", parse_name("x"))


def test_a_copy_over_a_model_uses_its_spelling_and_removes_what_was_its_alone(
    root: Path, store: Store
) -> None:
    copy_model(store, "llama3", parse_name("hf.co/some/qwen:q4"))
    assert (root / "manifests/hf.co/Some/Qwen/Q4").read_bytes() == LLAMA.manifest
    assert not (root / "manifests/hf.co/some").exists()
    assert blob_names(root) == files_of(LLAMA)


def test_a_model_is_listed_only_when_all_its_blobs_are_there(root: Path, store: Store) -> None:
    model = made_model(weights=b"new weights")
    manifest = parse_manifest(model.manifest)
    missing = publish_model(store, parse_name("new"), manifest)
    assert {blob.digest for blob in missing} == {digest_of(b"new weights")}
    assert not (root / LIBRARY / "new").exists()
    staged = root / STAGING / "part"
    staged.write_bytes(b"new weights")
    publish_blob(store, "part", digest_of(b"new weights"))
    old = root / "blobs" / blob_file_name(manifest.config.digest)
    os.utime(old, (1e9, 1e9))
    assert publish_model(store, parse_name("new"), manifest) == ()
    assert (root / LIBRARY / "new/latest").read_bytes() == model.manifest
    assert not staged.exists()
    blob = root / "blobs" / blob_file_name(digest_of(b"new weights"))
    assert stat.S_IMODE(blob.stat().st_mode) == 0o644
    assert old.stat().st_mtime > 1e9 + 1  # so that a starting server spares it


def test_an_update_removes_what_only_the_old_version_had(root: Path, store: Store) -> None:
    model = made_model(weights=b"better weights")
    for digest, data in model.blobs.items():
        (root / "blobs" / blob_file_name(digest)).write_bytes(data)
    publish_model(store, parse_name("llama3"), parse_manifest(model.manifest))
    assert blob_names(root) == files_of(model, QWEN)


def test_a_store_is_made_where_there_is_none(tmp_path: Path) -> None:
    store = Store(tmp_path / "new" / "models")
    with store.lock():
        pass
    (store.staging / "part").write_bytes(b"x")
    publish_blob(store, "part", digest_of(b"x"))
    assert store.blob_size(digest_of(b"x")) == 1
    assert stat.S_IMODE((store.root / "blobs").stat().st_mode) == 0o755


@pytest.mark.parametrize("digest", ["sha256:../../x", "", "sha256:" + "A" * 64, "../x"])
def test_no_path_is_made_from_what_is_no_digest(store: Store, digest: str) -> None:
    with pytest.raises(StoreError, match="no proper digest"):
        store.blob_path(digest)


def test_the_lock_keeps_others_out(store: Store) -> None:
    order = []
    entered = threading.Event()

    def second() -> None:
        entered.set()
        with store.lock():
            order.append("second")

    with store.lock():
        thread = threading.Thread(target=second)
        thread.start()
        entered.wait()
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_models_are_found_in_any_case(root: Path, store: Store) -> None:
    install(root, "registry.ollama.ai/library/LLama3/LATEST", QWEN)
    assert store.find("llama3:latest").name.model == "llama3"
    assert store.find("LLama3:LATEST").name.model == "LLama3"
    assert store.find("HF.co/some/qwen:q4").name.short == "hf.co/Some/Qwen:Q4"


def test_what_a_removal_frees_is_known_before(root: Path, store: Store) -> None:
    alone = set(LLAMA.blobs) - set(QWEN.blobs)
    expected = sum(len(LLAMA.blobs[digest]) for digest in alone)
    assert freed_bytes(store, ["LLAMA3", "nobody", "not a name"]) == expected
    copy_model(store, "llama3", parse_name("mine"))
    assert freed_bytes(store, ["llama3"]) == 0
    assert freed_bytes(store, ["llama3", "mine"]) == expected
    remove_model(store, "mine")
    assert remove_model(store, "llama3").freed_bytes == expected


def test_what_a_removal_frees_is_unknown_while_a_manifest_cannot_be_read(
    root: Path, store: Store
) -> None:
    install(root, "registry.ollama.ai/library/broken/latest", made_model()).write_bytes(b"{")
    assert freed_bytes(store, ["llama3"]) is None
