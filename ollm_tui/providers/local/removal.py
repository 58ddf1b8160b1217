"""Taking models out of a store: the manifest, then the blobs that no other manifest names.

While any manifest cannot be read, nobody knows whose its blobs are, so none is removed.

Source: reference/ollama.md 4.5.
"""

import contextlib
import os
from collections.abc import Iterable
from dataclasses import dataclass

from ollm_tui.core.error import DeleteFailed
from ollm_tui.core.name import name_key
from ollm_tui.providers.local.manifest import Blob
from ollm_tui.providers.local.store import BLOBS, MANIFESTS, Store, blob_file_name


@dataclass(frozen=True, slots=True)
class Removal:
    """What was removed."""

    freed_bytes: int
    blob_count: int
    kept_because: str = ""
    """Why blobs stay that may be nobody's; empty if there are none."""


def remove_model(store: Store, name: str) -> Removal:
    """Remove a model, and the blobs that were its alone.

    Raises:
        ModelNotFound: it is not in the store.
        DeleteFailed: nothing, or not all of it, could be removed.
        StoreError: a directory on the way is a link, or may not be entered.
    """
    with store.lock():
        entry = store.find(name)
        _remove_manifest(store, entry.name.short, entry.name.store_path.split("/"))
        return remove_unreferenced(store, entry.manifest.blobs if entry.manifest else ())


def freed_bytes(store: Store, names: Iterable[str]) -> int | None:
    """What removing all these models would free; names that are not there free nothing.

    Returns:
        None while a manifest cannot be read, since then nothing but manifests is removed.
    """
    going = {name_key(name) for name in names}
    scan = store.scan()
    if scan.unusable:
        return None
    blobs: set[Blob] = set()
    kept: set[str] = set()
    for entry in scan.entries:
        assert entry.manifest is not None
        if entry.name.key in going:
            blobs.update(entry.manifest.blobs)
        else:
            kept.update(blob.digest for blob in entry.manifest.blobs)
    gone = {blob.digest for blob in blobs} - kept
    return sum(store.blob_size(digest) or 0 for digest in gone)


def remove_unreferenced(store: Store, blobs: Iterable[Blob]) -> Removal:
    """Remove those of `blobs` that no manifest names. The store must be locked.

    Raises:
        DeleteFailed: a file could not be removed.
    """
    scan = store.scan()
    if scan.unusable:
        name = scan.unusable[0].name.short
        return Removal(0, 0, f"{name} cannot be read, so what it needs is not known")
    referenced = scan.referenced()
    freed_bytes, count = 0, 0
    for blob in blobs:
        if blob.digest not in referenced:
            size = store.blob_size(blob.digest)
            if size is not None and remove_blob(store, blob.digest):
                freed_bytes += size
                count += 1
    return Removal(freed_bytes, count)


def remove_blob(store: Store, digest: str) -> bool:
    """Remove the file of a digest, whoever names it; False if there is none.

    Raises:
        DeleteFailed: it is there and stays.
    """
    with store.directory(BLOBS) as directory:
        try:
            os.unlink(blob_file_name(digest), dir_fd=directory)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise DeleteFailed(
                f"Could not remove the file {blob_file_name(digest)}",
                cause=error.strerror or str(error),
            ) from error
    return True


def _remove_manifest(store: Store, name: str, parts: list[str]) -> None:
    *above, tag = parts
    with store.directory(MANIFESTS, *above) as directory:
        try:
            os.unlink(tag, dir_fd=directory)
        except OSError as error:
            raise DeleteFailed(
                f"Could not delete {name}", cause=error.strerror or str(error)
            ) from error
    # Directories that are empty now go too; one that is not empty ends it.
    with contextlib.suppress(OSError):
        while above:
            with store.directory(MANIFESTS, *above[:-1]) as directory:
                os.rmdir(above.pop(), dir_fd=directory)
