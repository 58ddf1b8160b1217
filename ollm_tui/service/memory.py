"""What one provider's service remembers from run to run, over the state file.

Owns what is written when; of several processes only the one that holds the lock keeps a queue.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from ollm_tui.core.event import Notice, QueueItem
from ollm_tui.core.model import ModelList
from ollm_tui.core.name import name_key
from ollm_tui.core.progress import PullState
from ollm_tui.providers.base import Provider
from ollm_tui.service.list_store import KnownList, load_list, save_list
from ollm_tui.service.lock import ProcessLock
from ollm_tui.service.queue_store import (
    EndedDownload,
    SavedDownload,
    add_to_history,
    load_history,
    load_queue,
    save_queue,
)
from ollm_tui.service.retry import may_pass
from ollm_tui.service.state import StateFile


class Memory:
    """The memory of one provider at one host.

    Args:
        path: of the state file.
        provider: its kind and host are what its memory is kept under.
        on_notice: told once when the file cannot be used.
    """

    def __init__(self, path: Path, provider: Provider, on_notice: Callable[[Notice], None]) -> None:
        self._file = StateFile(path, on_notice)
        self._lock = ProcessLock(path.with_name("queue.lock"))
        self._provider = provider
        self._saved: tuple[tuple[str, PullState], ...] = ()

    @property
    def is_ready(self) -> bool:
        """Whether the provider is known, which may be made only when it is first asked."""
        return bool(self._provider.kind)

    @property
    def _owner(self) -> tuple[str, str]:
        return self._provider.kind, self._provider.host

    async def last_list(self) -> KnownList | None:
        """The list last known, or None."""
        if not self.is_ready:
            return None
        return await self._file.run(lambda file: load_list(file, *self._owner), None)

    def keep_list(self, models: ModelList, as_of: datetime) -> None:
        """Remember a list."""
        self._file.post(lambda file: save_list(file, *self._owner, KnownList(models, as_of)))

    def own_queue(self) -> bool:
        """Be the process that keeps the queue, unless another one is."""
        return self._lock.acquire()

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
        await self._file.close()
        self._lock.release()

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
