"""The download queue: order, bounded concurrency, cancel, retry, heartbeat.

Owns every download from asked for to ended. Knows nothing of how a provider transfers bytes.
"""

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from ollm_tui.core.error import DownloadFailed, OllmError
from ollm_tui.core.event import QueueState
from ollm_tui.core.name import name_key
from ollm_tui.core.progress import PullPhase, PullState
from ollm_tui.service.download import Download, ProgressCallback, Pull
from ollm_tui.service.subscriber import as_bug

_LOG = logging.getLogger(__name__)

HEARTBEAT_S = 1.0
PUBLISH_EVERY_S = 0.1


class DownloadQueue:
    """Downloads in the order asked for, at most `concurrency` at once.

    Args:
        pull: the provider's pull.
        on_change: called with the whole queue, at most every 0.1 s while bytes arrive and at
            once when an entry starts or ends.
        on_settled: called with the name when an entry that had started ends.
        concurrency: 1 or more.
        clock: monotonic seconds.
        sleep: waits for seconds of that clock.
        now: the wall clock, for time stamps.
    """

    def __init__(
        self,
        pull: Pull,
        *,
        on_change: Callable[[QueueState], None],
        on_settled: Callable[[str], None],
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        concurrency: int = 2,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._pull = pull
        self._on_change = on_change
        self._on_settled = on_settled
        self._clock = clock
        self._sleep = sleep
        self._concurrency = concurrency
        self._now = now
        self._downloads: dict[int, Download] = {}
        self._next_number = 1
        self._ticker: asyncio.Task[None] | None = None
        self._is_closing = False

    @property
    def state(self) -> QueueState:
        """The whole queue as of now."""
        return QueueState(tuple(download.item for download in self._downloads.values()))

    def add(self, name: str, on_progress: ProgressCallback | None = None) -> int:
        """Queue a download, or join the one of the same model that has not ended.

        Returns:
            The id of the entry.
        """
        download = self._unfinished(name)
        if download is None:
            download = Download(self._next_number, name, self._clock, self._now)
            self._next_number += 1
            self._downloads[download.number] = download
        download.join(on_progress)
        if self._is_closing:
            self._end(download, PullState.CANCELLED)
        self._start_next()
        self._publish()
        return download.number

    async def wait(self, number: int) -> None:
        """Wait until the entry has ended.

        Raises:
            OllmError: what ended it, unless it succeeded.
        """
        download = self._downloads[number]
        await download.ended.wait()
        if download.error is not None:
            raise download.error
        if download.state is PullState.CANCELLED:
            raise DownloadFailed(
                f"The download of {download.display_name} was cancelled",
                actions=("Pull it again; what has arrived is kept for some time.",),
            )

    async def leave(self, number: int, on_progress: ProgressCallback | None = None) -> None:
        """Take back one `add`; the download is cancelled when nobody else wants it."""
        download = self._downloads.get(number)
        if download is None or download.state.is_final:
            return
        if download.wanted_by > 1:
            download.leave(on_progress)
        else:
            await self._stop(download)

    async def cancel(self, number: int) -> None:
        """End a download now; returns once its stream is closed. Ended ones are left alone."""
        download = self._downloads.get(number)
        if download is not None and not download.state.is_final:
            await self._stop(download)

    def retry(self, number: int) -> None:
        """Queue an entry that failed or was cancelled once more; what had arrived is kept."""
        download = self._downloads.get(number)
        if download is None or download.state not in (PullState.ERROR, PullState.CANCELLED):
            return
        del self._downloads[number]
        self.add(download.name)

    def clear_finished(self) -> None:
        """Forget the entries that have ended."""
        self._downloads = {
            number: download
            for number, download in self._downloads.items()
            if not download.state.is_final
        }
        self._publish()

    def is_downloading(self, name: str) -> bool:
        """Whether this model is being transferred now; merely queued does not count."""
        download = self._unfinished(name)
        return download is not None and download.state.is_active

    def is_pending(self, name: str) -> bool:
        """Whether this model is queued or being transferred."""
        return self._unfinished(name) is not None

    async def close(self) -> None:
        """Cancel everything and wait until every stream is closed."""
        self._is_closing = True
        unfinished = [item for item in self._downloads.values() if not item.state.is_final]
        await asyncio.gather(*(self._stop(download) for download in unfinished))
        if self._ticker is not None:
            self._ticker.cancel()
            await asyncio.gather(self._ticker, return_exceptions=True)

    async def _stop(self, download: Download) -> None:
        if download.task is None:
            self._end(download, PullState.CANCELLED)
            return
        has_succeeded = download.tracker.phase is PullPhase.SUCCESS
        # Once it is closing its stream, a cancel would only interrupt that.
        if not has_succeeded and not download.task.cancelling():
            download.task.cancel()
        await download.ended.wait()

    def _unfinished(self, name: str) -> Download | None:
        key = name_key(name)
        for download in self._downloads.values():
            if download.key == key and not download.state.is_final:
                return download
        return None

    def _start_next(self) -> None:
        """Fill the free places. What is told on the way may change the queue."""
        while not self._is_closing and self._active_count() < self._concurrency:
            waiting = (item for item in self._downloads.values() if item.state is PullState.QUEUED)
            download = next(waiting, None)
            if download is None:
                break
            download.task = asyncio.create_task(self._run(download), name="download")
            download.task.add_done_callback(functools.partial(self._stopped, download))
            download.tell(PullState.DOWNLOADING)
        if self._active_count() and (self._ticker is None or self._ticker.done()):
            self._ticker = asyncio.create_task(self._tick(), name="download ticker")

    def _active_count(self) -> int:
        return sum(download.state.is_active for download in self._downloads.values())

    async def _run(self, download: Download) -> None:
        try:
            await download.transfer(self._pull)
        except OllmError as error:
            self._end(download, PullState.ERROR, error)
        else:
            self._end(download, PullState.COMPLETE)

    def _stopped(self, download: Download, task: asyncio.Task[None]) -> None:
        # A task that is cancelled before its first step never runs its body, so the end of a
        # cancelled download is noticed here and not inside it.
        if download.state.is_final:
            return
        if task.cancelled():
            self._end(download, PullState.CANCELLED)
        elif (bug := task.exception()) is not None:
            _LOG.error("a download broke", exc_info=bug)
            self._end(download, PullState.ERROR, as_bug(bug))

    def _end(self, download: Download, state: PullState, error: OllmError | None = None) -> None:
        download.error = error
        download.note(str(error) if error else state.value)
        download.tell(state)
        download.ended.set()
        if download.task is not None:
            self._on_settled(download.name)
        self._start_next()
        self._publish()

    def _publish(self) -> None:
        self._on_change(self.state)

    async def _tick(self) -> None:
        sample_at_s = self._clock() + 1.0
        while self._active_count():
            await self._sleep(PUBLISH_EVERY_S)
            is_sample_due = self._clock() >= sample_at_s
            if is_sample_due:
                sample_at_s = self._clock() + 1.0
            if self._beat(is_sample_due=is_sample_due):
                self._publish()

    def _beat(self, *, is_sample_due: bool) -> bool:
        """Tell of every active download that has news or whose heartbeat is due."""
        has_told = False
        for download in tuple(self._downloads.values()):
            if not download.state.is_active:
                continue
            if download.is_news or self._clock() - download.told_at_s >= HEARTBEAT_S:
                download.tell(download.tracker.state())
                has_told = True
            if is_sample_due:
                download.sample_speed()
        return has_told
