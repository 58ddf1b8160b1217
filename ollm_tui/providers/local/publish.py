"""Putting models into a store so that a server, now or later, accepts and keeps them.

Whole files only, under their final names by renaming; blobs first, the manifest last, its bytes
as the registry sent them.

Source: reference/ollama.md 4.6.
"""

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

from ollm_tui.core.error import OllmError, StoreError
from ollm_tui.core.name import ModelName, name_from_store_path
from ollm_tui.providers.local.manifest import Blob, Manifest
from ollm_tui.providers.local.removal import remove_unreferenced
from ollm_tui.providers.local.store import (
    BLOBS,
    MANIFESTS,
    STAGING,
    Store,
    blob_file_name,
    storage_error,
)

_FILE_MODE = 0o644


def publish_blob(store: Store, staged_name: str, digest: str) -> None:
    """Give a verified, synced file of the staging directory its final name.

    Raises:
        StoreError: the store cannot be written to.
    """
    final = blob_file_name(digest)
    with (
        store.directory(STAGING) as staging,
        store.directory(BLOBS, create=True) as blobs,
        _writing(store.root / BLOBS / final),
    ):
        os.chmod(staged_name, _FILE_MODE, dir_fd=staging)
        os.utime(staged_name, dir_fd=staging, follow_symlinks=False)
        os.rename(staged_name, final, src_dir_fd=staging, dst_dir_fd=blobs)


def publish_model(store: Store, name: ModelName, manifest: Manifest) -> tuple[Blob, ...]:
    """List a model whose blobs are all there.

    Returns:
        The blobs that are not there; unless empty, nothing was listed. Fetch them, and try again.

    Raises:
        StoreError: the store cannot be written to.
    """
    with store.lock():
        missing = _missing(store, manifest)
        if missing:
            return missing
        name = store.spelling(name) or name
        before = _listed(store, name)
        _touch(store, manifest)
        _write_manifest(store, name, manifest.raw)
        # A server that deletes a model meanwhile knows nothing of our lock.
        missing = _missing(store, manifest)
        if before is not None and not missing:
            kept = {blob.digest for blob in manifest.blobs}
            remove_unreferenced(store, [blob for blob in before.blobs if blob.digest not in kept])
        return missing


def copy_model(store: Store, source: str, destination: ModelName) -> None:
    """Give a model a second name. One that has it already is replaced.

    Raises:
        ModelNotFound: `source` is not in the store.
        StoreError: its manifest cannot be used, or the store cannot be written to.
    """
    entry = store.find(source)
    if entry.manifest is None:
        raise StoreError(f"{entry.name.short} cannot be copied", cause=entry.reason)
    if entry.name.key == destination.key:
        return
    missing = publish_model(store, destination, entry.manifest)
    if missing:
        raise StoreError(
            f"{entry.name.short} cannot be copied",
            cause=f"its {missing[0].kind} {missing[0].short_digest} is missing",
            actions=("Pull it again: only what is missing is fetched.",),
        )


def _missing(store: Store, manifest: Manifest) -> tuple[Blob, ...]:
    return tuple(blob for blob in manifest.blobs if store.blob_size(blob.digest) != blob.size_bytes)


def _listed(store: Store, name: ModelName) -> Manifest | None:
    with contextlib.suppress(OllmError):
        return store.find(name.canonical).manifest
    return None


def _touch(store: Store, manifest: Manifest) -> None:
    """A starting server spares what is younger than an hour, by its time of change."""
    with store.directory(BLOBS) as blobs:
        for blob in manifest.blobs:
            with contextlib.suppress(OSError):  # another user's file; its age harms nobody listed
                os.utime(blob_file_name(blob.digest), dir_fd=blobs, follow_symlinks=False)
        os.fsync(blobs)  # their names, before the manifest counts on them


def _write_manifest(store: Store, name: ModelName, raw: bytes) -> None:
    if name_from_store_path(name.store_path) != ModelName(
        name.host, name.namespace, name.model, name.tag
    ):
        raise StoreError("The model's name cannot be one of a file", cause=name.canonical)
    *above, tag = name.store_path.split("/")
    staged = f"manifest-{uuid.uuid4().hex}"
    with (
        store.directory(STAGING, create=True) as staging,
        store.directory(MANIFESTS, *above, create=True) as directory,
        _writing(store.root / MANIFESTS / name.store_path, len(raw)),
    ):
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            with os.fdopen(os.open(staged, flags, _FILE_MODE, dir_fd=staging), "wb") as file:
                os.fchmod(file.fileno(), _FILE_MODE)
                store.hand_to_owner(file.fileno())
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            os.rename(staged, tag, src_dir_fd=staging, dst_dir_fd=directory)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(staged, dir_fd=staging)
            raise
        os.fsync(directory)


@contextlib.contextmanager
def _writing(path: Path, needed_bytes: int = 0) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise storage_error(path, error, needed_bytes) from error
