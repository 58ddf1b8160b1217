"""What is wrong with a store, why that matters, and what would mend it.

Nothing is changed here, but for `drop_altered`, which removes a blob that is proven bad.

Source: reference/ollama.md 4.4 and 6.
"""

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
from ollm_tui.providers.local.store import BLOBS, MANIFESTS, STAGING, Entry, Scan, Store

_HASH_BYTES = 1024 * 1024


def inspect_store(
    store: Store,
    *,
    verify: bool = False,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    stop: StopSignal | None = None,
) -> tuple[Finding, ...]:
    """Everything that is wrong with a store, the store's own troubles first.

    Args:
        verify: also hash every file, which reads all of them.
        on_progress: called while hashing with the bytes done and all of them.

    Raises:
        Stopped: asked for meanwhile.
    """
    findings = list(_permissions(store))
    try:
        scan = store.scan()
    except StoreError as error:
        finding = Finding(FindingKind.PERMISSION, store.display, error.cause, error.actions[0])
        return (*findings, finding)
    findings += _strays(scan)
    findings += _confusable(scan)
    altered = _altered(store, scan, on_progress, stop or StopSignal()) if verify else {}
    for entry in scan.entries:
        findings += _entry_findings(store, entry, altered)
    return tuple(findings)


def drop_altered(store: Store, blob: Blob, stop: StopSignal) -> bool:
    """Hash a blob, and remove it if it is not what its name says; False if it is whole.

    Raises:
        Stopped: asked for meanwhile.
        StoreError: it cannot be removed.
    """
    if store.blob_size(blob.digest) is None:
        return False
    is_whole = not blob_damage(store, blob) and _hash(store, blob.digest, stop) == blob.digest
    return not is_whole and remove_blob(store, blob.digest)


def _entry_findings(store: Store, entry: Entry, altered: dict[str, str]) -> Iterator[Finding]:
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
        if not blob_damage(store, blob) and (reason := _weights_reason(store, blob)):
            fix = f"Repair {name}, or pull another tag of it."
            yield Finding(FindingKind.UNREADABLE_WEIGHTS, name, reason, fix, model=name)


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


def _permissions(store: Store) -> Iterator[Finding]:
    if not store.root.is_dir():
        if store.root.exists():
            fix = "Name a directory (OLLAMA_MODELS)."
            yield Finding(FindingKind.PERMISSION, store.display, "it is not a directory", fix)
        return
    for part in ("", BLOBS, MANIFESTS, STAGING):
        place = store.root / part
        shown = clean_line(str(place))
        if place.is_symlink() and part:
            reason = "it is a symbolic link, and nothing is written or removed through one"
            fix = "Let OLLAMA_MODELS name the real directory."
            yield Finding(FindingKind.PERMISSION, shown, reason, fix)
        elif place.is_dir() and not os.access(place, os.R_OK | os.X_OK):
            fix = "Let your user read it, or use the server that owns it."
            yield Finding(FindingKind.PERMISSION, shown, "it may not be read", fix)
        elif place.is_dir() and not os.access(place, os.W_OK):
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

        if _hash(store, digest, stop, tell) != digest:
            found[digest] = f"its {blob.kind or 'file'} {blob.short_digest} was altered"
        done += blob.size_bytes
    return found


def _hash(
    store: Store,
    digest: str,
    stop: StopSignal,
    on_bytes: Callable[[int], None] = lambda count: None,
) -> str:
    """The digest that a blob's file really has; empty when it cannot be read."""
    result, done = hashlib.sha256(), 0
    buffer = bytearray(_HASH_BYTES)
    try:
        with store.open_blob(digest) as file, memoryview(buffer) as view:
            while count := os.readv(file.fileno(), [view]):
                stop.check()
                result.update(view[:count])
                done += count
                on_bytes(done)
    except (OSError, StoreError):
        return ""
    return f"sha256:{result.hexdigest()}"
