"""What is wrong with a store, why that matters, and what would mend it.

Nothing is changed here, but for `drop_altered`, which removes a blob that is proven bad.

Source: reference/ollama.md 4.4 and 6.
"""

import errno
import hashlib
import os
from collections.abc import Callable, Iterator

from ollm_tui.core.error import StoreError
from ollm_tui.core.store import Finding, FindingKind
from ollm_tui.core.text import clean_line
from ollm_tui.providers.local.gguf import read_header
from ollm_tui.providers.local.manifest import Blob
from ollm_tui.providers.local.reader import blob_damage
from ollm_tui.providers.local.removal import remove_blob
from ollm_tui.providers.local.stop import StopSignal
from ollm_tui.providers.local.store import (
    BLOBS,
    MANIFESTS,
    STAGING,
    Entry,
    Scan,
    Store,
    blob_file_name,
)

_HASH_BYTES = 1024 * 1024


def inspect_store(
    store: Store,
    *,
    verify: bool = False,
    needs_write: bool = True,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    stop: StopSignal | None = None,
) -> tuple[Finding, ...]:
    """Everything that is wrong with a store, the store's own troubles first.

    Args:
        verify: also hash every file, which reads all of them.
        needs_write: whether it matters that this process may write to it.
        on_progress: called while hashing with the bytes done and all of them.

    Raises:
        Stopped: asked for meanwhile.
    """
    findings = list(_permissions(store, needs_write=needs_write))
    try:
        scan = store.scan()
    except StoreError as error:
        finding = Finding(FindingKind.PERMISSION, store.display, error.cause, error.actions[0])
        return (*findings, finding)
    findings += _strays(scan)
    findings += _confusable(scan)
    altered = _altered(store, scan, on_progress, stop or StopSignal()) if verify else {}
    for entry in scan.entries:
        findings += _entry_findings(store, entry, altered, verify=verify)
    return tuple(findings)


def drop_altered(store: Store, blob: Blob, stop: StopSignal) -> bool:
    """Hash a blob, and remove it if it is not what its name says; False if it is whole.

    Raises:
        Stopped: asked for meanwhile.
        StoreError: it cannot be removed.
    """
    return is_altered(store, blob, stop) and remove_blob(store, blob.digest)


def is_altered(store: Store, blob: Blob, stop: StopSignal) -> bool:
    """Hash a blob: whether it is there and not what its name says.

    Raises:
        Stopped: asked for meanwhile.
        StoreError: it cannot be read, so nobody can tell.
    """
    if store.blob_size(blob.digest) is None:
        return False
    return bool(blob_damage(store, blob)) or _hash(store, blob.digest, stop) != blob.digest


def _entry_findings(
    store: Store, entry: Entry, altered: dict[str, str], *, verify: bool
) -> Iterator[Finding]:
    name = entry.name.short
    if entry.manifest is None:
        effect = "lists nothing" if "to nothing" in entry.reason else "tidies up nothing"
        yield Finding(
            FindingKind.UNUSABLE_MANIFEST,
            name,
            f"{entry.reason}; until it is gone, a server {effect}",
            f"Pull {name} again, or delete it.",
            model=name,
        )
        return
    for blob in entry.manifest.blobs:
        if reason := blob_damage(store, blob) or altered.get(blob.digest, ""):
            fix = f"Repair {name}: only this file is fetched again."
            yield Finding(FindingKind.DAMAGED_FILE, name, reason, fix, model=name)
    for blob in entry.manifest.of_kind("model"):
        if blob_damage(store, blob) or blob.digest in altered:
            continue
        if reason := _weights_reason(store, blob):
            fix = f"Repair {name}, or pull another tag of it."
            if verify:  # so nothing would be fetched
                fix = "The registry has it like this: pull another tag, or delete it."
            model = "" if verify else name
            yield Finding(FindingKind.UNREADABLE_WEIGHTS, name, reason, fix, model=model)


def _weights_reason(store: Store, blob: Blob) -> str:
    try:
        with store.open_blob(blob.digest) as file:
            read_header(file, blob.size_bytes)
    except StoreError as error:
        return error.cause
    return ""


def _strays(scan: Scan) -> Iterator[Finding]:
    for stray in scan.strays:
        yield Finding(
            FindingKind.STRAY_FILE,
            f"{MANIFESTS}/{stray.path}",
            f"{stray.reason}; because of it a server tidies up nothing",
            "Remove it by hand.",
        )


def _confusable(scan: Scan) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for entry in scan.entries:
        other = seen.setdefault(entry.name.key, entry.name.short)
        if other != entry.name.short:
            yield Finding(
                FindingKind.CONFUSABLE_NAMES,
                entry.name.short,
                f"{other} differs in the case of letters only; a server takes one for the other",
                "Delete one of the two.",
            )


def _permissions(store: Store, *, needs_write: bool) -> Iterator[Finding]:
    if not store.root.is_dir():
        if store.root.exists():
            fix = "Name a directory (OLLAMA_MODELS)."
            yield Finding(FindingKind.PERMISSION, store.display, "it is not a directory", fix)
        return
    for part in ("", BLOBS, MANIFESTS, STAGING):
        place = store.root / part
        shown = clean_line(str(place))
        if needs_write and place.is_symlink() and part:
            reason = "it is a symbolic link, and nothing is written or removed through one"
            fix = "Let OLLAMA_MODELS name the real directory."
            yield Finding(FindingKind.PERMISSION, shown, reason, fix)
        elif place.is_dir() and not os.access(place, os.R_OK | os.X_OK):
            fix = "Let your user read it, or use the server that owns it."
            yield Finding(FindingKind.PERMISSION, shown, "it may not be read", fix)
        elif needs_write and place.is_dir() and not os.access(place, os.W_OK):
            fix = "Let your user write to it, or use the server that owns it."
            yield Finding(FindingKind.PERMISSION, shown, "it may not be written to", fix)


def _altered(
    store: Store, scan: Scan, on_progress: Callable[[int, int], None], stop: StopSignal
) -> dict[str, str]:
    """Hash each blob that has the right size; the digests of altered ones, with the reason."""
    blobs = {
        blob.digest: blob
        for entry in scan.entries
        for blob in (entry.manifest.blobs if entry.manifest else ())
        if not blob_damage(store, blob)
    }
    total = sum(blob.size_bytes for blob in blobs.values())
    found, done = {}, 0
    for digest, blob in blobs.items():
        before = done

        def tell(count: int, before: int = before) -> None:
            on_progress(before + count, total)

        what = f"its {blob.kind or 'file'} {blob.short_digest}"
        try:
            if _hash(store, digest, stop, tell) != digest:
                found[digest] = f"{what} was altered"
        except StoreError as error:
            found[digest] = f"{what} cannot be read: {error.cause}"
        done += blob.size_bytes
    return found


def _hash(
    store: Store,
    digest: str,
    stop: StopSignal,
    on_bytes: Callable[[int], None] = lambda count: None,
) -> str:
    """The digest that a blob's file really has; empty when the disk has lost a part of it.

    Raises:
        StoreError: it may not be read, which says nothing about what is in it.
    """
    result, done = hashlib.sha256(), 0
    buffer = bytearray(_HASH_BYTES)
    try:
        with store.open_blob(digest) as file, memoryview(buffer) as view:
            while count := os.readv(file.fileno(), [view]):
                stop.check()
                result.update(view[:count])
                done += count
                on_bytes(done)
    except OSError as error:
        if error.errno != errno.EIO:
            raise StoreError(
                f"Could not read {blob_file_name(digest)}", cause=error.strerror or str(error)
            ) from error
        return ""
    return f"sha256:{result.hexdigest()}"
