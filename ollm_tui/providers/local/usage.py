"""Where the bytes of a store are: each model's own, shared ones, leftovers and nobody's.

Source: reference/ollama.md 3.6, 4.5 and 6.
"""

import contextlib
import fcntl
import os
import re
import stat
from collections.abc import Iterable
from datetime import UTC, datetime

from ollm_tui.core.store import DiskUsage, Leftover, LeftoverKind, ModelUsage
from ollm_tui.providers.local.journal import JOURNAL, PART, discard, read_journal
from ollm_tui.providers.local.manifest import is_digest
from ollm_tui.providers.local.removal import remove_blob
from ollm_tui.providers.local.store import BLOBS, STAGING, Scan, Store, blob_file_name, let_go

_SERVER_PART = re.compile(r"sha256-([0-9a-f]{64})(-partial(-\d{1,4})?|\.tmp)", re.ASCII)


def disk_usage(store: Store) -> DiskUsage:
    """Measure a store."""
    scan = store.scan()
    referenced = scan.referenced()
    sizes = _blob_sizes(store)
    models = []
    for entry in scan.entries:
        digests = {blob.digest for blob in entry.manifest.blobs} if entry.manifest else set()
        unique = sum(sizes.get(digest, 0) for digest in digests if referenced[digest] == 1)
        total = sum(sizes.get(digest, 0) for digest in digests)
        models.append(ModelUsage(entry.name.short, unique, total - unique))
    found = leftovers(store, scan)
    orphaned = sum(item.size_bytes for item in found if item.kind is LeftoverKind.ORPHAN)
    return DiskUsage(
        models=tuple(models),
        leftovers=found,
        blob_bytes=sum(sizes.values()),
        partial_bytes=sum(item.size_bytes for item in found) - orphaned,
        orphaned_bytes=orphaned,
        free_bytes=store.free_bytes,
        is_exact=not scan.unusable,
    )


def leftovers(store: Store, scan: Scan | None = None) -> tuple[Leftover, ...]:
    """Every file that is part of no model, largest first."""
    referenced = (scan or store.scan()).referenced()
    found = []
    for name, status in _files(store, BLOBS):
        digest = name.replace("sha256-", "sha256:")
        part = _SERVER_PART.fullmatch(name)
        if is_digest(digest):
            if digest not in referenced:
                found.append(_leftover(LeftoverKind.ORPHAN, name, digest, status))
        elif part:
            digest = f"sha256:{part[1]}"
            found.append(_leftover(LeftoverKind.SERVER_DOWNLOAD, name, digest, status))
        else:
            found.append(_leftover(LeftoverKind.TEMPORARY, name, "", status))
    found += [
        _own_download(store, name, status)
        for name, status in _files(store, STAGING)
        if name.endswith(PART)
    ]
    found += [
        _leftover(LeftoverKind.TEMPORARY, name, "", status)
        for name, status in _files(store, STAGING)
        if name.startswith("manifest-") or name.endswith(".new")
    ]
    return tuple(sorted(found, key=lambda item: -item.size_bytes))


def reclaim(store: Store, items: Iterable[Leftover]) -> int:
    """Remove leftovers that were shown; those that have become part of a model or busy stay.

    Returns:
        The bytes freed.

    Raises:
        StoreError: the store cannot be written to.
    """
    freed_bytes = 0
    with store.lock():
        scan = store.scan()
        still_there = {(item.kind, item.name): item for item in leftovers(store, scan)}
        for wanted in items:
            item = still_there.get((wanted.kind, wanted.name))
            if item is None or item.modified_at != wanted.modified_at or item.is_active:
                continue
            if item.kind is LeftoverKind.ORPHAN and scan.unusable:
                continue
            if _remove(store, item):
                freed_bytes += item.size_bytes
    return freed_bytes


def _remove(store: Store, item: Leftover) -> bool:
    if item.kind is LeftoverKind.ORPHAN:
        return remove_blob(store, item.digest)
    if item.kind is LeftoverKind.DOWNLOAD:
        return discard(store, item.digest)
    place = BLOBS if item.kind is LeftoverKind.SERVER_DOWNLOAD else ""
    for part in (place,) if place else (BLOBS, STAGING):
        with store.directory(part) as directory, contextlib.suppress(OSError):
            os.unlink(item.name, dir_fd=directory)
            return True
    return False


def _blob_sizes(store: Store) -> dict[str, int]:
    named = ((name.replace("sha256-", "sha256:"), status) for name, status in _files(store, BLOBS))
    return {digest: status.st_size for digest, status in named if is_digest(digest)}


def _files(store: Store, directory: str) -> list[tuple[str, os.stat_result]]:
    found = []
    with contextlib.suppress(OSError), os.scandir(store.root / directory) as items:
        for item in items:
            status = item.stat(follow_symlinks=False)
            if stat.S_ISREG(status.st_mode):
                found.append((item.name, status))
    return found


def _leftover(kind: LeftoverKind, name: str, digest: str, status: os.stat_result) -> Leftover:
    return Leftover(
        kind,
        name,
        digest,
        size_bytes=min(status.st_size, status.st_blocks * 512),
        modified_at=datetime.fromtimestamp(status.st_mtime, UTC),
    )


def _own_download(store: Store, name: str, status: os.stat_result) -> Leftover:
    stem = name.removesuffix(PART)
    digest = stem.replace("sha256-", "sha256:")
    if not is_digest(digest):
        return _leftover(LeftoverKind.TEMPORARY, name, "", status)
    journal = read_journal(store.staging / (blob_file_name(digest) + JOURNAL))
    return Leftover(
        LeftoverKind.DOWNLOAD,
        name,
        digest,
        size_bytes=status.st_blocks * 512,
        modified_at=datetime.fromtimestamp(status.st_mtime, UTC),
        model=journal.model if journal else "",
        completed_bytes=journal.kept_bytes if journal else 0,
        total_bytes=journal.size_bytes if journal else status.st_size,
        is_active=_is_locked(store, name),
    )


def _is_locked(store: Store, name: str) -> bool:
    try:
        file = os.open(store.staging / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        let_go(file)
