"""The files of a model store: where they lie, which there are, and safe ways to open them.

A path is only ever made from a digest or a name that has been checked, and the last part of it is
never followed if it is a link. Directories to write in are entered one by one, none of them
through a link. Knows nothing of what is in the files, but manifests.

Source: reference/ollama.md 4.
"""

import contextlib
import errno
import fcntl
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from ollm_tui.core.error import (
    InvalidName,
    ModelNotFound,
    NotEnoughSpace,
    OllmError,
    StoreError,
)
from ollm_tui.core.name import ModelName, name_from_store_path, parse_name
from ollm_tui.core.text import clean_line
from ollm_tui.providers.local.manifest import (
    MANIFEST_LIMIT_BYTES,
    Manifest,
    is_digest,
    parse_manifest,
)

BLOBS = "blobs"
MANIFESTS = "manifests"
STAGING = ".ollm-tui"
"""Beside the other two: a server removes what it does not know from `blobs` when it starts."""
_LOCK = "store.lock"
_DEPTH = 4


@dataclass(frozen=True, slots=True)
class Entry:
    """A file where the manifest of a model lies."""

    name: ModelName
    manifest: Manifest | None
    """None when it cannot be used; then `reason` says why."""
    modified_at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Stray:
    """A file among the manifests that cannot be one."""

    path: str
    """Below `manifests`, sanitised."""
    reason: str


@dataclass(frozen=True, slots=True)
class Scan:
    """All that lies where manifests lie."""

    entries: tuple[Entry, ...]
    strays: tuple[Stray, ...]

    @property
    def unusable(self) -> tuple[Entry, ...]:
        """The entries that nobody can tell the files of."""
        return tuple(entry for entry in self.entries if entry.manifest is None)

    def referenced(self) -> dict[str, int]:
        """Every digest that a readable manifest names, and how many manifests do."""
        counts: dict[str, int] = {}
        for entry in self.entries:
            for blob in entry.manifest.blobs if entry.manifest else ():
                counts[blob.digest] = counts.get(blob.digest, 0) + 1
        return counts


class Store:
    """One model store. Its methods block: call them in a thread."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def display(self) -> str:
        """Its path for people."""
        return clean_line(str(self.root))

    @property
    def staging(self) -> Path:
        """Where downloads lie until they are whole."""
        return self.root / STAGING

    @property
    def free_bytes(self) -> int:
        """What the disk has left for us, whether the store is there yet or not."""
        return _free_bytes(self.root)

    def blob_path(self, digest: str) -> Path:
        """Where the file of a digest lies.

        Raises:
            StoreError: it is no digest.
        """
        return Path(self._blob_path(digest))

    def scan(self) -> Scan:
        """Read every manifest, newest first; broken ones are entries, too."""
        entries: list[Entry] = []
        strays: list[Stray] = []
        for path in self._manifest_files(""):
            name = name_from_store_path(path)
            if name is None:
                strays.append(Stray(clean_line(path), "its name is not one of a model"))
            else:
                entries.append(self._entry(name))
        entries.sort(key=lambda entry: entry.modified_at, reverse=True)
        return Scan(tuple(entries), tuple(strays))

    def find(self, name: str) -> Entry:
        """The entry of a model, spelled as given or else in other letters' case.

        Raises:
            ModelNotFound: there is none.
        """
        with contextlib.suppress(InvalidName):
            wanted = parse_name(name)
            if (found := self.spelling(wanted)) is not None:
                return self._entry(found)
        raise ModelNotFound(f"{clean_line(name)} is not in the store {self.display}")

    def spelling(self, name: ModelName) -> ModelName | None:
        """How the store spells this model: as given, or else in another case; None = not there."""
        if (self.root / MANIFESTS / name.store_path).is_file():
            return name
        for path in self._manifest_files(""):
            found = name_from_store_path(path)
            if found is not None and found.key == name.key:
                return replace(found, scheme=name.scheme)
        return None

    def blob_size(self, digest: str) -> int | None:
        """The size of a blob's file in bytes; None when there is no such regular file."""
        try:
            status = os.lstat(self._blob_path(digest))
        except OSError:
            return None
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def open_blob(self, digest: str) -> BinaryIO:
        """Open a blob for reading, unbuffered.

        Raises:
            StoreError: it is missing, no regular file, or may not be read.
        """
        return _open(self._blob_path(digest))

    def read_blob(self, digest: str, limit_bytes: int = MANIFEST_LIMIT_BYTES) -> bytes:
        """The bytes of a small blob, at most `limit_bytes` of them.

        Raises:
            StoreError: as `open_blob`.
        """
        with self.open_blob(digest) as file:
            return file.read(limit_bytes)

    @contextlib.contextmanager
    def directory(self, *parts: str, create: bool = False) -> Iterator[int]:
        """Enter a directory of the store, and give its descriptor for `dir_fd`.

        Raises:
            StoreError: it is not there, is reached through a link, or may not be entered.
            NotEnoughSpace: it cannot even be made.
        """
        descriptor = -1
        place = self.root
        try:
            if create:
                self.root.mkdir(mode=0o755, parents=True, exist_ok=True)
            descriptor = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
            for part in parts:
                place = place / part
                if create:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(part, 0o755, dir_fd=descriptor)
                flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
                inner = os.open(part, flags, dir_fd=descriptor)
                let_go(descriptor)
                descriptor = inner
                if create:
                    self.hand_to_owner(descriptor)
        except OSError as error:
            if descriptor >= 0:
                let_go(descriptor)
            raise storage_error(place, error) from error
        try:
            yield descriptor
        finally:
            let_go(descriptor)

    def hand_to_owner(self, descriptor: int) -> None:
        """Give a file or directory that root made to the store's owner, who must tend it."""
        if os.geteuid() == 0:
            owner = self.root.stat()
            if os.fstat(descriptor).st_uid == 0 != owner.st_uid:
                os.fchown(descriptor, owner.st_uid, owner.st_gid)

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Keep every other process of ours from changing what the store lists, meanwhile."""
        with self.directory(STAGING, create=True) as staging:
            descriptor = _open_lock(self.root, staging)
            try:
                self.hand_to_owner(descriptor)
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                yield
            finally:
                let_go(descriptor)

    def _manifest_files(self, below: str, depth: int = 1) -> Iterator[str]:
        """The paths of everything at the depth of manifests that is no directory."""
        try:
            with os.scandir(self.root / MANIFESTS / below) as found:
                items = sorted(found, key=lambda item: item.name)
        except FileNotFoundError:
            return
        except OSError as error:
            raise storage_error(self.root / MANIFESTS / below, error) from error
        for item in items:
            path = f"{below}{item.name}"
            is_directory = item.is_dir(follow_symlinks=False)
            if depth == _DEPTH and not is_directory:
                yield path
            elif depth < _DEPTH and is_directory:
                yield from self._manifest_files(f"{path}/", depth + 1)

    def _blob_path(self, digest: str) -> str:
        # Text, because a long list makes thousands of these and `Path` takes a third of its time.
        return f"{self.root}/{BLOBS}/{blob_file_name(digest)}"

    def _entry(self, name: ModelName) -> Entry:
        path = f"{self.root}/{MANIFESTS}/{name.store_path}"
        modified_at = datetime.fromtimestamp(0, UTC)
        try:
            status = os.lstat(path)
            modified_at = datetime.fromtimestamp(status.st_mtime, UTC)
            if stat.S_ISLNK(status.st_mode):
                kind = "a symbolic link" if os.path.exists(path) else "a symbolic link to nothing"
                return Entry(name, None, modified_at, f"it is {kind}")
            with _open(path) as file:
                manifest = parse_manifest(file.read(MANIFEST_LIMIT_BYTES + 1))
        except OSError as error:
            return Entry(name, None, modified_at, clean_line(error.strerror or str(error)))
        except OllmError as error:
            return Entry(name, None, modified_at, error.cause)
        return Entry(name, manifest, modified_at)


def blob_file_name(digest: str) -> str:
    """The name of a digest's file.

    Raises:
        StoreError: it is no digest.
    """
    if not is_digest(digest):
        raise StoreError("A file of the model has no proper digest", cause=clean_line(digest, 100))
    return digest.replace(":", "-")


def _open(path: str) -> BinaryIO:
    try:
        # A pipe in a file's place would let the opening wait for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        reason = "it is a symbolic link" if error.errno == errno.ELOOP else error.strerror
        raise StoreError(f"Could not read {os.path.basename(path)}", cause=str(reason)) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        let_go(descriptor)
        raise StoreError(
            f"Could not read {os.path.basename(path)}", cause="it is not a regular file"
        )
    return os.fdopen(descriptor, "rb", buffering=0)


def _open_lock(root: Path, staging: int) -> int:
    try:
        return os.open(_LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644, dir_fd=staging)
    except OSError as error:
        raise storage_error(root / STAGING / _LOCK, error) from error


def let_go(descriptor: int) -> None:
    """Close what has nothing left to lose: a directory, or a file that was made durable."""
    with contextlib.suppress(OSError):  # it is closed all the same
        os.close(descriptor)


def storage_error(path: Path, error: OSError, needed_bytes: int = 0) -> OllmError:
    """The error of ours for one of the system about a place in a store.

    Args:
        needed_bytes: what was to be written; told when the disk is full.
    """
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NotEnoughSpace(
            f"The disk with {path} is full",
            needed_bytes=needed_bytes,
            free_bytes=_free_bytes(path),
        )
    reason = error.strerror or str(error)
    actions: tuple[str, ...] = ()
    if path.is_symlink():
        reason = "it is a symbolic link, and nothing is written or removed through one"
        actions = ("Let OLLAMA_MODELS name the real directory.",)
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        actions = (
            "Let the program's user write to the store, or use the server that owns it.",
            "Name a store of your own (OLLAMA_MODELS).",
        )
    return StoreError(f"The model store cannot be used at {path}", cause=reason, actions=actions)


def _free_bytes(path: Path) -> int:
    place = next((above for above in (path, *path.parents) if above.exists()), Path("/"))
    return shutil.disk_usage(place).free
