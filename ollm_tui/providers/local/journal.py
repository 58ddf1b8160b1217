"""A blob that is still arriving: its file in the staging directory, and how much of it counts.

The file has its whole length from the start, so its size says nothing. Beside it lies a journal
with two numbers at fixed places, changed in place so that a full disk cannot harm them: `written`
is right unless the power fails, `durable` even then. The machine's boot id tells which to believe.

Large files are written past the page cache where the system can: nobody reads them soon, and the
memory for it costs more time than the disk.

The file is locked while a process works on it; the lock goes with the process, however it ends.

Source: reference/downloads.md 6, reference/ollama.md 8.4.
"""

import contextlib
import errno
import fcntl
import functools
import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ollm_tui.core.text import clean_line
from ollm_tui.providers.local.manifest import is_digest
from ollm_tui.providers.local.store import STAGING, Store, blob_file_name, let_go, storage_error
from ollm_tui.providers.ollama_json import as_count, as_line, as_object, as_text

_HEAD = b"ollm-tui download 1\n"
_WRITTEN = b"written "
_DURABLE = b"durable "
_DIGITS = 20
_WRITTEN_AT = len(_HEAD) + len(_WRITTEN)
_DURABLE_AT = _WRITTEN_AT + _DIGITS + 1 + len(_DURABLE)
_FACTS_AT = _DURABLE_AT + _DIGITS + 1
_JOURNAL_LIMIT_BYTES = 64 * 1024
_JOURNALLED_FROM_BYTES = 1024 * 1024
"""Less than this comes again sooner than a journal is made durable."""
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
ALIGNMENT = 4096
"""Writes that begin and end at multiples of this go past the page cache."""
PART = ".part"
JOURNAL = ".journal"


@dataclass(frozen=True, slots=True)
class Journal:
    """What is known of a blob that is still arriving."""

    digest: str
    size_bytes: int
    model: str
    """Which to pull for it, as a name."""
    written_bytes: int = 0
    durable_bytes: int = 0
    etag: str = ""
    boot_id: str = ""

    @property
    def kept_bytes(self) -> int:
        """How much of the file's beginning is as it was sent."""
        same_boot = bool(self.boot_id) and self.boot_id == boot_id()
        kept = self.written_bytes if same_boot else self.durable_bytes
        return kept if kept <= self.size_bytes else 0


def boot_id() -> str:
    """Names the time since this machine was started; empty where nothing does."""
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


def read_journal(path: Path) -> Journal | None:
    """Read a journal; None when there is none, or none that can be believed."""
    try:
        with path.open("rb") as file:
            raw = file.read(_JOURNAL_LIMIT_BYTES)
        facts = as_object(json.loads(raw[_FACTS_AT:]))
        numbers = [int(raw[at : at + _DIGITS]) for at in (_WRITTEN_AT, _DURABLE_AT)]
    except (OSError, ValueError, RecursionError):
        return None
    digest, size = as_text(facts.get("digest")), as_count(facts.get("size"))
    if not raw.startswith(_HEAD) or not is_digest(digest) or size is None or min(numbers) < 0:
        return None
    return Journal(
        digest,
        size,
        model=as_line(facts.get("model")),
        written_bytes=numbers[0],
        durable_bytes=numbers[1],
        etag=clean_line(as_text(facts.get("etag"))),
        boot_id=as_text(facts.get("boot")),
    )


class StagedBlob:
    """The file of one blob that is arriving, locked for this process."""

    def __init__(self, store: Store, file: int, journal: Journal) -> None:
        self._store = store
        self._file = file
        self._direct_file = -1
        self._journal_file = -1
        self._journal = journal
        self._replacing = threading.Lock()
        self._restarts = 0
        self.etag = journal.etag
        self.written_bytes = min(journal.kept_bytes, os.fstat(file).st_size)
        self.durable_bytes = min(journal.durable_bytes, self.written_bytes)

    @property
    def part_name(self) -> str:
        """The name of the file in the staging directory."""
        return blob_file_name(self._journal.digest) + PART

    def prepare(self) -> None:
        """Take the disk space for the whole file, and begin to keep the journal.

        Raises:
            NotEnoughSpace: there is not enough of it.
            StoreError: the store cannot be written to.
        """
        size_bytes = self._journal.size_bytes
        with self._writing():
            self._store.hand_to_owner(self._file)
            allocated_bytes = os.fstat(self._file).st_blocks * 512
            if size_bytes and allocated_bytes < size_bytes:
                _allocate(self._file, size_bytes)
            with self._replacing:
                self._replace_journal()
            self._open_direct()

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """Read back what has arrived."""
        with self._writing():
            return self._past_cache(functools.partial(_read, buffer, offset), buffer, offset)

    def append(self, data: memoryview) -> None:
        """Write what arrived next, all of it.

        Raises:
            NotEnoughSpace: the disk is full.
            StoreError: the store cannot be written to.
        """
        with self._writing():
            while data:
                at = self.written_bytes
                done = self._past_cache(functools.partial(_write, data, at), data, at)
                data = data[done:]
                self.written_bytes += done
            self._note(_WRITTEN_AT, self.written_bytes)

    def sync(self) -> None:
        """Make durable what has been written up to now; may run beside `append`."""
        written, restarts = self.written_bytes, self._restarts
        if written <= self.durable_bytes:
            return
        with self._writing():
            _sync_data(self._file)
            with self._replacing:
                if restarts == self._restarts and self._journal_file >= 0:
                    self.durable_bytes = written
                    self._note(_DURABLE_AT, written)
                    _sync_data(self._journal_file)

    def restart(self) -> None:
        """Count nothing of what has arrived any more."""
        with self._writing(), self._replacing:
            self._restarts += 1
            self.written_bytes = self.durable_bytes = 0
            self.etag = ""
            self._replace_journal()

    def finish(self) -> None:
        """Make the whole file durable, before it gets its final name."""
        with self._writing():
            os.ftruncate(self._file, self._journal.size_bytes)
            os.fchmod(self._file, 0o644)
            self._store.hand_to_owner(self._file)
            os.fsync(self._file)

    def remember(self, etag: str) -> None:
        """Note what the registry calls this version of the file."""
        if etag != self.etag:
            with self._writing(), self._replacing:
                self.etag = etag
                self._replace_journal()

    def close(self) -> None:
        """Let go of the file and its lock; what has arrived stays."""
        for file in (self._file, self._direct_file, self._journal_file):
            if file >= 0:
                let_go(file)

    def _open_direct(self) -> None:
        if self._journal.size_bytes < _JOURNALLED_FROM_BYTES or not hasattr(os, "O_DIRECT"):
            return
        flags = os.O_RDWR | os.O_DIRECT | os.O_NOFOLLOW | os.O_CLOEXEC
        with self._store.directory(STAGING) as staging, contextlib.suppress(OSError):
            self._direct_file = os.open(self.part_name, flags, dir_fd=staging)

    def _past_cache(self, work: Callable[[int], int], data: memoryview, offset: int) -> int:
        """Do `work` with the file, past the page cache if all is aligned and the system can."""
        if self._direct_file >= 0 and not offset % ALIGNMENT and not len(data) % ALIGNMENT:
            try:
                return work(self._direct_file)
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise
                let_go(self._direct_file)  # this disk, or this buffer, is not for that
                self._direct_file = -1
        return work(self._file)

    def _note(self, place: int, number: int) -> None:
        if self._journal_file >= 0:
            os.pwrite(self._journal_file, b"%0*d" % (_DIGITS, number), place)

    def _replace_journal(self) -> None:
        """Write the journal anew: all of the new one is there, or all of the old one.

        `sync` makes it durable, when there is something worth it; a journal that a power cut
        leaves old or broken costs time and never a wrong file, since the hash decides.
        """
        if self._journal.size_bytes < _JOURNALLED_FROM_BYTES:
            return
        facts = {
            "digest": self._journal.digest,
            "size": self._journal.size_bytes,
            "model": self._journal.model,
            "etag": self.etag,
            "boot": boot_id(),
        }
        numbers = b"%s%0*d\n%s%0*d\n" % (
            *(_WRITTEN, _DIGITS, self.written_bytes),
            *(_DURABLE, _DIGITS, self.durable_bytes),
        )
        name = blob_file_name(self._journal.digest) + JOURNAL
        with self._store.directory(STAGING) as staging:
            flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
            file = os.open(name + ".new", flags, 0o644, dir_fd=staging)
            try:
                self._store.hand_to_owner(file)
                os.write(file, _HEAD + numbers + json.dumps(facts).encode() + b"\n")
                os.rename(name + ".new", name, src_dir_fd=staging, dst_dir_fd=staging)
            except OSError:
                let_go(file)
                raise
            if self._journal_file >= 0:
                let_go(self._journal_file)
            self._journal_file = file

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            allocated_bytes = os.fstat(self._file).st_blocks * 512
            needed_bytes = max(0, self._journal.size_bytes - allocated_bytes)
            raise storage_error(self._store.staging, error, needed_bytes) from error


def claim(store: Store, digest: str, size_bytes: int, model: str) -> StagedBlob | None:
    """Lock the file of an arriving blob; None while another transfer has it.

    Raises:
        StoreError: the store cannot be written to.
    """
    name = blob_file_name(digest)
    with store.directory(STAGING, create=True) as staging:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            file = os.open(name + PART, flags, 0o644, dir_fd=staging)
        except OSError as error:
            raise storage_error(store.staging, error, size_bytes) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found = os.stat(name + PART, dir_fd=staging, follow_symlinks=False)
            is_there = os.path.samestat(found, os.fstat(file))
        except OSError:
            is_there = False
        if not is_there:  # locked, or given its final name between opening and locking
            let_go(file)
            return None
    journal = read_journal(store.staging / (name + JOURNAL))
    if journal is None or (journal.digest, journal.size_bytes) != (digest, size_bytes):
        journal = Journal(digest, size_bytes, model)
    return StagedBlob(store, file, journal)


def discard(store: Store, digest: str) -> bool:
    """Remove what has arrived of a blob; False if nothing has, or a transfer is at work on it.

    Raises:
        StoreError: the store cannot be written to.
    """
    name = blob_file_name(digest)
    if not (store.staging / (name + PART)).exists():
        return False
    staged = claim(store, digest, 0, "")
    if staged is None:
        return False
    try:
        forget(store, digest)
    finally:
        staged.close()
    return True


def forget(store: Store, digest: str) -> None:
    """Remove the files of an arriving blob, as far as they are there."""
    name = blob_file_name(digest)
    with store.directory(STAGING) as staging:
        for suffix in (PART, JOURNAL, f"{JOURNAL}.new"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name + suffix, dir_fd=staging)


def _allocate(file: int, size_bytes: int) -> None:
    if not hasattr(os, "posix_fallocate"):  # macOS
        os.ftruncate(file, size_bytes)
        return
    try:
        os.posix_fallocate(file, 0, size_bytes)
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
            raise
        os.ftruncate(file, size_bytes)


def _read(buffer: memoryview, offset: int, file: int) -> int:
    return os.preadv(file, [buffer], offset)


def _write(data: memoryview, offset: int, file: int) -> int:
    return os.pwrite(file, data, offset)


def _sync_data(file: int) -> None:
    getattr(os, "fdatasync", os.fsync)(file)
