"""Where the bytes are, what is left over, and what reclaiming removes."""

import fcntl
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ollm_tui.core.store import LeftoverKind
from ollm_tui.providers.local.journal import claim
from ollm_tui.providers.local.store import STAGING, Store
from ollm_tui.providers.local.usage import disk_usage, leftovers, reclaim
from tests.store_builder import digest_of
from tests.unit.local.conftest import LLAMA, QWEN

NOW = datetime.now(UTC) + timedelta(hours=2)
SERVER_PART = "sha256-" + "a" * 64 + "-partial"
ORPHAN = b"whole, and nobody's"


def add_leftovers(root: Path, store: Store) -> None:
    blobs = root / "blobs"
    with (blobs / SERVER_PART).open("wb") as sparse:
        sparse.truncate(10**9)
        sparse.write(b"x" * 8192)
    (blobs / f"{SERVER_PART}-0").write_bytes(b'{"N":0}')
    (blobs / "sha256-123456").write_bytes(b"temporary")
    (blobs / digest_of(ORPHAN).replace(":", "-")).write_bytes(ORPHAN)
    staged = claim(store, "sha256:" + "b" * 64, 2_000_000, "mistral:7b")
    assert staged is not None
    staged.prepare()
    staged.append(memoryview(bytes(500_000)))
    staged.close()


def test_shared_bytes_are_counted_once_and_apart(store: Store) -> None:
    usage = disk_usage(store)
    shared = sum(len(LLAMA.blobs[digest]) for digest in set(LLAMA.blobs) & set(QWEN.blobs))
    models = {model.name: model for model in usage.models}
    llama = models["llama3:latest"]
    assert (llama.unique_bytes, llama.shared_bytes) == (LLAMA.total_bytes - shared, shared)
    assert usage.blob_bytes == LLAMA.total_bytes + QWEN.total_bytes - shared
    assert (usage.partial_bytes, usage.orphaned_bytes, usage.is_exact) == (0, 0, True)


def test_leftovers_have_kind_size_and_age(root: Path, store: Store) -> None:
    add_leftovers(root, store)
    found = {item.name: item for item in leftovers(store)}
    part = found.pop(SERVER_PART)
    assert part.kind is LeftoverKind.SERVER_DOWNLOAD
    assert part.size_bytes < 100_000  # on disk, not as the sparse file says
    assert found.pop(f"{SERVER_PART}-0").kind is LeftoverKind.SERVER_DOWNLOAD
    assert found.pop("sha256-123456").kind is LeftoverKind.TEMPORARY
    orphan = found.pop(digest_of(ORPHAN).replace(":", "-"))
    assert (orphan.kind, orphan.size_bytes) == (LeftoverKind.ORPHAN, len(ORPHAN))
    assert 7100 < orphan.age_s(datetime.now(UTC) + timedelta(hours=2)) < 7300
    (own,) = found.values()
    assert (own.kind, own.model) == (LeftoverKind.DOWNLOAD, "mistral:7b")
    assert (own.completed_bytes, own.total_bytes, own.is_active) == (500_000, 2_000_000, False)
    usage = disk_usage(store)
    assert usage.orphaned_bytes == len(ORPHAN)
    assert usage.partial_bytes > 2_000_000


def test_only_what_is_old_and_nobodys_can_be_reclaimed(root: Path, store: Store) -> None:
    add_leftovers(root, store)
    assert disk_usage(store).reclaimable(datetime.now(UTC)) == ()
    items = disk_usage(store).reclaimable(NOW)
    assert len(items) == 5
    freed = reclaim(store, items)
    assert freed == sum(item.size_bytes for item in items)
    assert leftovers(store) == ()
    assert {path.name for path in (root / "blobs").iterdir()} == {
        digest.replace(":", "-") for model in (LLAMA, QWEN) for digest in model.blobs
    }


def test_what_became_part_of_a_model_after_the_preview_stays(root: Path, store: Store) -> None:
    manifest = root / "manifests/registry.ollama.ai/library/llama3/latest"
    away = root / "away"
    manifest.rename(away)
    items = disk_usage(store).reclaimable(NOW)
    assert {item.kind for item in items} == {LeftoverKind.ORPHAN}
    away.rename(manifest)
    assert reclaim(store, items) == 0
    assert all((root / "blobs" / item.name).exists() for item in items)


def test_what_was_written_to_after_the_preview_stays(root: Path, store: Store) -> None:
    add_leftovers(root, store)
    items = [item for item in disk_usage(store).reclaimable(NOW) if item.name == SERVER_PART]
    os.utime(root / "blobs" / SERVER_PART, (1e9, 1e9))
    assert reclaim(store, items) == 0


def test_what_a_process_works_on_stays(root: Path, store: Store) -> None:
    add_leftovers(root, store)
    items = [
        item for item in disk_usage(store).reclaimable(NOW) if item.kind is LeftoverKind.DOWNLOAD
    ]
    with (root / STAGING / items[0].name).open("rb") as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)
        assert [item.is_active for item in leftovers(store) if item.model] == [True]
        assert reclaim(store, items) == 0


def test_while_a_manifest_cannot_be_read_no_whole_blob_is_reclaimed(
    root: Path, store: Store
) -> None:
    add_leftovers(root, store)
    before = disk_usage(store).reclaimable(NOW)
    (root / "manifests/registry.ollama.ai/library/llama3/broken").write_bytes(b"{")
    after = disk_usage(store).reclaimable(NOW)
    assert {item.kind for item in before} - {item.kind for item in after} == {LeftoverKind.ORPHAN}
    reclaim(store, before)
    assert (root / "blobs" / digest_of(ORPHAN).replace(":", "-")).exists()
    assert not disk_usage(store).is_exact


@pytest.mark.parametrize("part", ["blobs", STAGING])
def test_links_among_the_files_are_left_alone(root: Path, store: Store, part: str) -> None:
    (root / part).mkdir(exist_ok=True)
    (root / part / "sha256-link").symlink_to("/etc/passwd")
    assert leftovers(store) == ()
