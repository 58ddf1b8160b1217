"""One blob on its way from a registry into a store, by a thread of its own.

Network and writing are one thread's, hashing another's, and making durable a third's, so that none
waits for the others. Whoever wants to know how it stands reads plain numbers; nothing is sent
across threads per chunk. A blob gets its final name only with the right hash.

Source: reference/downloads.md 6.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from ollm_tui.core.error import DownloadFailed, OllmError, StoreError
from ollm_tui.providers.local.attempt import MIB, Attempts, TransferPolicy, TryAgain
from ollm_tui.providers.local.digester import Digester
from ollm_tui.providers.local.journal import (
    ALIGNMENT,
    JOURNAL,
    StagedBlob,
    claim,
    forget,
    read_journal,
)
from ollm_tui.providers.local.manifest import Blob
from ollm_tui.providers.local.publish import publish_blob
from ollm_tui.providers.local.rate import RateLimit
from ollm_tui.providers.local.stop import StopSignal
from ollm_tui.providers.local.store import Store, blob_file_name

_LOCK_POLL_S = 0.2


class ByteStream(Protocol):
    """The bytes of a blob, from `start` on."""

    @property
    def start(self) -> int: ...
    @property
    def etag(self) -> str: ...
    def read_into(self, buffer: memoryview) -> int: ...


class BlobSource(Protocol):
    """Where the bytes come from."""

    def __call__(
        self, blob: Blob, start: int, etag: str, stop: StopSignal
    ) -> AbstractContextManager[ByteStream]: ...


class Transfer:
    """Brings one blob into the store, however often the connection fails.

    Attributes:
        completed_bytes: of the blob, here; may fall when a part has to be fetched again.
        note: what is going on besides receiving, for people; or empty.
        error: what ended it, once `is_done`; None after success.
    """

    def __init__(
        self,
        store: Store,
        blob: Blob,
        source: BlobSource,
        *,
        model: str,
        policy: TransferPolicy,
        limit: RateLimit,
    ) -> None:
        self.blob = blob
        self.completed_bytes = 0
        self.note = ""
        self.error: BaseException | None = None
        self._store = store
        self._source = source
        self._model = model
        self._policy = policy
        self._limit = limit
        self._stop = StopSignal()
        self._lock = threading.Lock()
        self._is_done = False
        self._listeners: list[Callable[[], None]] = []
        self._thread = threading.Thread(target=self._run, name="transfer", daemon=True)
        self._digester = self._new_digester()
        self._sync_wanted = threading.Event()
        self._found = ""

    @property
    def is_done(self) -> bool:
        """Whether it has ended, well or not."""
        return self._is_done

    @property
    def is_stopping(self) -> bool:
        """Whether it was told to end."""
        return self._stop.is_set

    def start(self) -> None:
        """Begin, in a thread that does not keep the program from ending."""
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        """Wait until a started one has ended, so long at most."""
        self._thread.join(timeout_s)

    def stop(self) -> None:
        """End it now; what has arrived stays for the next time."""
        self._stop.set()

    def when_done(self, listener: Callable[[], None]) -> None:
        """Have `listener` called, by any thread, once it has ended."""
        with self._lock:
            if not self._is_done:
                self._listeners.append(listener)
                return
        listener()

    def _run(self) -> None:
        try:
            self._bring()
        except BaseException as error:  # a bug, too, is for whoever waits
            self.error = error
        finally:
            with self._lock:
                self._is_done = True
                listeners, self._listeners = self._listeners, []
            for listener in listeners:
                listener()

    def _bring(self) -> None:
        staged = self._claim()
        if staged is None:
            return
        with contextlib.closing(staged):
            staged.prepare()
            try:
                if not self._fetch(staged) and not self._fetch(staged):
                    forget(self._store, self.blob.digest)
                    raise self._altered()
            finally:
                self._digester.finish()
            staged.finish()
            publish_blob(self._store, staged.part_name, self.blob.digest)
            forget(self._store, self.blob.digest)

    def _claim(self) -> StagedBlob | None:
        """Wait for whoever is at work on this blob; None if it is there then."""
        while True:
            staged = claim(self._store, self.blob.digest, self.blob.size_bytes, self._model)
            if self._store.blob_size(self.blob.digest) == self.blob.size_bytes:
                if staged is not None:
                    forget(self._store, self.blob.digest)
                    staged.close()
                self.completed_bytes = self.blob.size_bytes
                return None
            if staged is not None:
                self.note = ""
                return staged
            self.note = "another transfer is at work on it"
            journal = read_journal(
                self._store.staging / (blob_file_name(self.blob.digest) + JOURNAL)
            )
            self.completed_bytes = journal.kept_bytes if journal else 0
            self._stop.wait(_LOCK_POLL_S)

    def _fetch(self, staged: StagedBlob) -> bool:
        """Have all of the file; returns whether it is the right one, else counts nothing of it."""
        self._check_kept(staged)
        with self._syncing(staged):
            self._receive(staged)
        self.note = "checking"
        digest = self._digester.finish()
        self.note = ""
        if digest == self.blob.digest:
            return True
        self._found = digest
        staged.restart()
        return False

    def _check_kept(self, staged: StagedBlob) -> None:
        """Hash what is there already."""
        self._renew_digester()
        self.completed_bytes = staged.written_bytes
        if staged.written_bytes:
            self.note = "checking what has arrived"
        done = 0
        while done < staged.written_bytes:
            self._stop.check()
            buffer = self._digester.buffer()
            with memoryview(buffer) as view:
                count = staged.read_into(view[: staged.written_bytes - done], done)
            if not count:
                raise StoreError(
                    f"Could not read what has arrived of {self._model}",
                    cause=f"somebody changed {staged.part_name} meanwhile",
                )
            self._digester.hand_over(buffer, count)
            done += count
        self.note = ""

    def _receive(self, staged: StagedBlob) -> None:
        attempts = Attempts(self._model, self._policy, self._stop)
        furthest = staged.written_bytes
        while staged.written_bytes < self.blob.size_bytes:
            try:
                self._receive_once(staged)
            except TryAgain as failure:
                self._stop.check()
                self.note = f"trying again: {failure.reason}"
                self.completed_bytes = staged.written_bytes
                attempts.failed(failure, progressed=staged.written_bytes > furthest)
                furthest = max(furthest, staged.written_bytes)

    def _receive_once(self, staged: StagedBlob) -> None:
        """Receive over one connection until the file is whole."""
        start = staged.written_bytes
        with self._source(self.blob, start, staged.etag, self._stop) as stream:
            if start and stream.start == 0:
                # All of it comes again, because the server cannot do otherwise or has another
                # file: nothing of the old one is mixed with it.
                self._renew_digester()
                staged.restart()
                self.completed_bytes = 0
            staged.remember(stream.etag)
            self.note = ""
            while staged.written_bytes < self.blob.size_bytes:
                self._receive_buffer(staged, stream)

    def _receive_buffer(self, staged: StagedBlob, stream: ByteStream) -> None:
        """Fill one buffer, write it and have it hashed; a cut one as far as it came."""
        buffer = self._digester.buffer()
        wanted = min(
            len(buffer) - staged.written_bytes % ALIGNMENT,
            self.blob.size_bytes - staged.written_bytes,
        )
        filled = 0
        try:
            with memoryview(buffer) as view:
                while filled < wanted:
                    self._stop.check()
                    portion = self._limit.portion(wanted - filled)
                    count = stream.read_into(view[filled : filled + portion])
                    if not count:
                        self._stop.check()
                        raise TryAgain("the connection was closed too early")
                    filled += count
                    self.completed_bytes += count
                    self._limit.take(count, self._stop)
        finally:
            with memoryview(buffer) as view:
                staged.append(view[:filled])
            self._digester.hand_over(buffer, filled)
            if staged.written_bytes - staged.durable_bytes >= self._policy.sync_bytes:
                self._sync_wanted.set()

    @contextlib.contextmanager
    def _syncing(self, staged: StagedBlob) -> Iterator[None]:
        """Make durable what arrives meanwhile, every so many bytes and seconds."""
        if self.blob.size_bytes <= 2 * MIB:  # `finish` is soon
            yield
            return
        ended = threading.Event()
        failure: list[OllmError] = []

        def work() -> None:
            try:
                while not ended.is_set():
                    self._sync_wanted.wait(self._policy.sync_s)
                    self._sync_wanted.clear()
                    staged.sync()
            except OllmError as error:
                failure.append(error)
                self._stop.set()

        thread = threading.Thread(target=work, name="sync", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            self._sync_wanted.set()
            thread.join()
            if failure:
                raise failure[0]

    def _renew_digester(self) -> None:
        self._digester.finish()
        self._digester = self._new_digester()

    def _new_digester(self) -> Digester:
        return Digester(self._policy.buffer_bytes, self._policy.buffer_count)

    def _altered(self) -> DownloadFailed:
        return DownloadFailed(
            f"Could not download {self._model}",
            cause=f"its {self.blob.kind} should be {self.blob.digest} and came as {self._found}, "
            "twice",
            actions=(
                "Pull again later; if it stays, a proxy or a virus scanner changes the data.",
            ),
        )
