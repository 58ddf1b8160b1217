"""What one provider's service remembers from run to run, over the state file.

Owns what is written when; of several processes only the one that holds the lock keeps a queue.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from zlib import crc32

from ollm_tui.core.error import OllmError
from ollm_tui.core.event import Notice, QueueItem
from ollm_tui.core.model import ModelList
from ollm_tui.core.name import name_key
from ollm_tui.core.progress import PullState
from ollm_tui.providers.base import Provider, StandIn
from ollm_tui.service.list_store import KnownList, load_list, save_list
from ollm_tui.service.lock import ProcessLock
from ollm_tui.service.queue_share import (
    SharedQueue,
    Wish,
    load_shared,
    save_shared,
    save_wish,
    take_wishes,
)
from ollm_tui.service.queue_store import (
    EndedDownload,
    SavedDownload,
    add_to_history,
    load_history,
    load_queue,
    save_queue,
)
from ollm_tui.service.retry import may_pass
from ollm_tui.service.state import Job, StateFile

if TYPE_CHECKING:
    import sqlite3

KEEP_LIST_AFTER_S = 3.0
"""Putting ten thousand models into JSON takes 0.14 s of CPU, for which keys would have to wait."""

T = TypeVar("T")


class Memory:
    """The memory of one provider at one host.

    Args:
        path: of the state file.
        provider: its kind and host are what its memory is kept under.
        on_notice: told once when the file cannot be used.
        sleep: waits for seconds.
    """

    def __init__(
        self,
        path: Path,
        provider: Provider,
        on_notice: Callable[[Notice], None],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._file = StateFile(path, on_notice)
        self._sleep = sleep
        self._list: KnownList | None = None
        """What is yet to be written."""
        self._list_writer: asyncio.Task[None] | None = None
        self._path = path
        self._provider = provider
        self._locks: tuple[ProcessLock, ProcessLock] | None = None
        self._saved: tuple[tuple[str, PullState], ...] = ()
        self._seen_version: int | None = None

    @property
    def is_ready(self) -> bool:
        """Whether the provider is known, which may be made only when it is first asked."""
        return bool(self._provider.kind)

    async def get_ready(self) -> None:
        """Have the provider made; where that fails, what is asked of it next says why."""
        if not self.is_ready and isinstance(self._provider, StandIn):
            with suppress(OllmError):
                await self._provider.stands_for()

    @property
    def _owner(self) -> tuple[str, str]:
        return self._provider.kind, self._provider.host

    async def last_list(self) -> KnownList | None:
        """The list last known, or None."""
        if self._list is not None or not self.is_ready:
            return self._list
        if not self._path.exists():
            return None  # before SQLite is loaded: this is on the way to the first frame
        return await self._file.run(lambda file: load_list(file, *self._owner), None)

    def keep_list(self, models: ModelList, as_of: datetime) -> None:
        """Remember a list. It is written a little later, when a start has less to do."""
        self._list = KnownList(models, as_of)
        if self._list_writer is None:
            self._list_writer = asyncio.create_task(self._write_list_later(), name="list writer")

    async def _write_list_later(self) -> None:
        await self._sleep(KEEP_LIST_AFTER_S)
        self._list_writer = None
        self._write_list()

    def _write_list(self) -> None:
        known, self._list = self._list, None
        if known is not None:
            self._file.post(lambda file: save_list(file, *self._owner, known))

    def own_queue(self) -> bool:
        """Be the process that keeps the queue, unless another one is."""
        return self.is_ready and self._keeping.acquire()

    @property
    def is_kept_elsewhere(self) -> bool:
        """Whether another process keeps the queue; else this one does from now on, if any can."""
        return self.is_ready and not self.own_queue() and self._keeping.is_usable

    # For the process that keeps the queue.

    @property
    def is_watched(self) -> bool:
        """Whether any other process watches the queue."""
        is_alone = self._watching.acquire()
        self._watching.release()
        return not is_alone and self._watching.is_usable

    async def wishes(self) -> tuple[Wish, ...]:
        """Take what others wish for, if the file has changed since it was last looked at."""
        return await self._if_changed(lambda file: take_wishes(file, *self._owner), ())

    def share(self, shared: SharedQueue) -> None:
        """Let others see the queue as it is now."""
        self._file.post(lambda file: save_shared(file, *self._owner, shared))

    # For those that watch it.

    def start_watching(self) -> None:
        """Be seen to watch the queue."""
        self._watching.acquire(shared=True)

    def stop_watching(self) -> None:
        """Watch no more."""
        if self._locks is not None:
            self._watching.release()

    def wish(self, wish: Wish) -> None:
        """Leave a wish for the process that keeps the queue."""
        self._file.post(lambda file: save_wish(file, *self._owner, wish))

    async def wish_and_wait(self, wish: Wish) -> int | None:
        """Leave a wish and return its number; None if that failed."""
        return await self._file.run(lambda file: save_wish(file, *self._owner, wish), None)

    async def shared_if_new(self) -> SharedQueue | None:
        """As `shared`, but None if the file has not changed since it was last looked at."""
        return await self._if_changed(lambda file: load_shared(file, *self._owner), None)

    async def _if_changed(self, job: Job[T], default: T) -> T:
        def look(file: "sqlite3.Connection") -> T:
            (version,) = file.execute("PRAGMA data_version").fetchone()
            if version == self._seen_version:
                return default
            result = job(file)
            self._seen_version = version
            return result

        return await self._file.run(look, default)

    @property
    def _keeping(self) -> ProcessLock:
        return self._both_locks()[0]

    @property
    def _watching(self) -> ProcessLock:
        return self._both_locks()[1]

    def _both_locks(self) -> tuple[ProcessLock, ProcessLock]:
        """The lock of who keeps the queue, and that of those who watch it."""
        if self._locks is None:
            kind, host = self._owner
            words = re.sub(r"[^A-Za-z0-9.]+", "-", f"{kind}-{host}").strip("-")[:60]
            name = f"queue-{words}-{crc32(f'{kind} {host}'.encode()):08x}"
            self._locks = (
                ProcessLock(self._path.with_name(f"{name}.lock")),
                ProcessLock(self._path.with_name(f"{name}.watch")),
            )
        return self._locks

    # What is kept.

    async def take_over(
        self,
    ) -> tuple[SharedQueue, tuple[Wish, ...], tuple[SavedDownload, ...]]:
        """What the process that kept the queue last told, what is wished for, and what to go on
        with, in one step."""
        owner = self._owner

        def take(
            file: "sqlite3.Connection",
        ) -> tuple[SharedQueue, tuple[Wish, ...], tuple[SavedDownload, ...]]:
            wishes = take_wishes(file, *owner)
            return load_shared(file, *owner), wishes, load_queue(file, *owner)

        return await self._file.run(take, (SharedQueue(), (), ()))

    async def unfinished(self) -> tuple[SavedDownload, ...]:
        """The downloads to go on with; none while another process sees to them."""
        return await self._rows() if self.own_queue() else ()

    async def is_downloaded_elsewhere(self, name: str) -> bool:
        """Whether the process that keeps the queue is another one and downloads this model."""
        if self.own_queue():
            return False
        key = name_key(name)
        return any(
            name_key(row.name) == key and row.state is PullState.DOWNLOADING
            for row in await self._rows()
        )

    def keep_queue(self, items: tuple[QueueItem, ...], *, bytes_count: bool = False) -> None:
        """Remember the downloads that are to be gone on with, if there is any news of them.

        Args:
            bytes_count: whether more bytes are news.
        """
        downloads = tuple(saved for item in items if (saved := _saved(item)) is not None)
        essence = tuple((download.name, download.state) for download in downloads)
        is_news = essence != self._saved or (bytes_count and downloads)
        if not is_news or not self.is_ready or not self.own_queue():
            return
        kept = {name_key(download.name) for download in downloads}
        gone = {name_key(name) for name, _ in self._saved} - kept
        self._saved = essence
        self._file.post(lambda file: save_queue(file, *self._owner, downloads, gone))

    def keep_ending(self, item: QueueItem, ended_at: datetime) -> None:
        """Remember how a download ended."""
        ended = EndedDownload(
            item.name,
            item.progress.status,
            item.progress.downloaded_bytes,
            ended_at,
            str(item.error or ""),
        )
        self._file.post(lambda file: add_to_history(file, *self._owner, ended))

    async def history(self, count: int) -> tuple[EndedDownload, ...]:
        """The last `count` downloads that ended, latest first."""
        return await self._file.run(lambda file: load_history(file, *self._owner, count), ())

    async def close(self) -> None:
        """Write what is left to write, and let others keep the queue."""
        if self._list_writer is not None:
            self._list_writer.cancel()
            self._write_list()
        await self._file.close()
        for lock in self._locks or ():
            lock.release()

    async def _rows(self) -> tuple[SavedDownload, ...]:
        return await self._file.run(lambda file: load_queue(file, *self._owner), ())


def _saved(item: QueueItem) -> SavedDownload | None:
    """What to go on with at the next start: all that did not end, or ended for what may pass."""
    state = item.progress.status
    is_broken = item.error is not None and may_pass(item.error, has_begun=True)
    if state.is_final and not (state is PullState.ERROR and is_broken):
        return None
    if state is not PullState.PAUSED:
        state = PullState.DOWNLOADING if state.is_active else PullState.QUEUED
    return SavedDownload(
        item.name,
        state,
        item.progress.downloaded_bytes,
        item.progress.total_bytes,
    )
