"""The download queue: order, bounded concurrency, cancel, retry, heartbeat.

Owns every download from asked for to ended. Knows nothing of how a provider transfers bytes.
"""

import asyncio
import contextlib
import functools
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime

from ollm_tui.core.error import DownloadFailed, OllmError
from ollm_tui.core.event import QueueItem, QueueState
from ollm_tui.core.name import name_key
from ollm_tui.core.progress import ProgressEvent, PullPhase, PullState, PullStep
from ollm_tui.core.text import clean_line
from ollm_tui.service.progress import ProgressTracker
from ollm_tui.service.subscriber import as_bug, call_all

_LOG = logging.getLogger(__name__)

HEARTBEAT_S = 1.0
PUBLISH_EVERY_S = 0.1
SPEED_SAMPLES = 60
LOG_LINES = 200

ProgressCallback = Callable[[ProgressEvent], None]


class _Download:
    """One entry of the queue while it lives; `item` is what others see of it."""

    def __init__(self, number: int, name: str, tracker: ProgressTracker) -> None:
        self.number = number
        self.name = name
        self.tracker = tracker
        self.task: asyncio.Task[None] | None = None
        self.ended = asyncio.Event()
        self.error: OllmError | None = None
        self.detail = ""
        self.log: deque[str] = deque(maxlen=LOG_LINES)
        self.speeds: deque[float] = deque(maxlen=SPEED_SAMPLES)
        self.callbacks: list[ProgressCallback] = []
        self.last_told_s = 0.0
        self.dirty = True
        self.progress = tracker.event(PullState.QUEUED)

    @property
    def state(self) -> PullState:
        return self.progress.status

    def item(self) -> QueueItem:
        return QueueItem(
            id=self.number,
            name=self.name,
            display_name=clean_line(self.name),
            progress=self.progress,
            layers=self.tracker.layers,
            detail=self.detail,
            error=self.error,
            speeds=tuple(self.speeds),
            log=tuple(self.log),
        )


class DownloadQueue:
    """Downloads in the order asked for, at most `concurrency` at once.

    Args:
        pull: the provider's pull.
        on_change: called with the whole queue, at most every 0.1 s while bytes arrive and at
            once when an entry starts or ends.
        on_settled: called with the name and the final state when an entry ends.
        concurrency: 1 or more.
        clock: monotonic seconds.
        now: the wall clock, for time stamps.
    """

    def __init__(
        self,
        pull: Callable[[str], AsyncGenerator[PullStep, None]],
        *,
        on_change: Callable[[QueueState], None],
        on_settled: Callable[[str, PullState], None],
        clock: Callable[[], float],
        concurrency: int = 2,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._pull = pull
        self._on_change = on_change
        self._on_settled = on_settled
        self._clock = clock
        self._concurrency = concurrency
        self._now = now
        self._downloads: dict[int, _Download] = {}
        self._next_number = 1
        self._ticker: asyncio.Task[None] | None = None

    @property
    def state(self) -> QueueState:
        """The whole queue as of now."""
        return QueueState(tuple(download.item() for download in self._downloads.values()))

    def add(self, name: str, on_progress: ProgressCallback | None = None) -> int:
        """Queue a download, or join the one of the same model that has not ended.

        Returns:
            The id of the entry.
        """
        download = self._unfinished(name)
        if download is None:
            tracker = ProgressTracker(clean_line(name), self._clock, self._now)
            download = _Download(self._next_number, name, tracker)
            self._next_number += 1
            self._downloads[download.number] = download
        if on_progress is not None:
            download.callbacks.append(on_progress)
            call_all([on_progress], download.progress)
        self._start_next()
        self._publish()
        return download.number

    async def wait(self, number: int) -> ProgressEvent:
        """Wait until the entry has ended and return its last event.

        Raises:
            OllmError: what ended it, unless it succeeded or was cancelled.
        """
        download = self._downloads[number]
        await download.ended.wait()
        if download.error is not None:
            raise download.error
        return download.progress

    async def cancel(self, number: int) -> None:
        """End a download now; returns once its stream is closed. Ended ones are left alone."""
        download = self._downloads.get(number)
        if download is None or download.state.is_final:
            return
        if download.task is None:
            self._end(download, PullState.CANCELLED)
            return
        download.task.cancel()
        await download.ended.wait()

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
        return download is not None and download.task is not None

    def is_pending(self, name: str) -> bool:
        """Whether this model is queued or being transferred."""
        return self._unfinished(name) is not None

    async def close(self) -> None:
        """Cancel everything and wait until every stream is closed."""
        tasks = [download.task for download in self._downloads.values() if download.task]
        for download in self._downloads.values():
            if not download.state.is_final and download.task is None:
                self._end(download, PullState.CANCELLED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._ticker is not None:
            self._ticker.cancel()
            await asyncio.gather(self._ticker, return_exceptions=True)

    def _unfinished(self, name: str) -> _Download | None:
        key = name_key(name)
        for download in self._downloads.values():
            if not download.state.is_final and name_key(download.name) == key:
                return download
        return None

    def _start_next(self) -> None:
        active = sum(1 for download in self._downloads.values() if download.state.is_active)
        for download in self._downloads.values():
            if active >= self._concurrency:
                return
            if download.state is PullState.QUEUED:
                task = asyncio.create_task(self._run(download), name="download")
                task.add_done_callback(functools.partial(self._stopped_by, download))
                download.task = task
                self._tell(download, PullState.DOWNLOADING)
                active += 1
        if active and (self._ticker is None or self._ticker.done()):
            self._ticker = asyncio.create_task(self._tick(), name="download ticker")

    async def _run(self, download: _Download) -> None:
        try:
            await self._transfer(download)
        except OllmError as error:
            self._end(download, PullState.ERROR, error)
        else:
            self._end(download, PullState.COMPLETE)

    async def _transfer(self, download: _Download) -> None:
        async with contextlib.aclosing(self._pull(download.name)) as steps:
            async for step in steps:
                download.tracker.feed(step)
                download.dirty = True
                if step.detail and step.detail != download.detail:
                    download.detail = step.detail
                    self._log(download, step.detail)
                if step.phase is PullPhase.SUCCESS:
                    return
        raise DownloadFailed(
            f"Downloading {download.name} ended without success",
            cause="the provider stopped reporting",
        )

    def _stopped_by(self, download: _Download, task: asyncio.Task[None]) -> None:
        # A task that is cancelled before its first step never runs its body, so the end of a
        # cancelled download is noticed here and not inside it.
        if download.state.is_final:
            return
        if task.cancelled():
            self._end(download, PullState.CANCELLED)
        elif (bug := task.exception()) is not None:
            _LOG.error("download of %s broke", download.name, exc_info=bug)
            self._end(download, PullState.ERROR, as_bug(bug))

    def _end(self, download: _Download, state: PullState, error: OllmError | None = None) -> None:
        download.error = error
        self._log(download, str(error) if error else state.value)
        self._tell(download, state)
        download.ended.set()
        self._on_settled(download.name, state)
        self._start_next()
        self._publish()

    def _tell(self, download: _Download, state: PullState) -> None:
        error = str(download.error) if download.error else None
        download.progress = download.tracker.event(state, error)
        download.last_told_s = self._clock()
        download.dirty = False
        call_all(download.callbacks, download.progress)

    def _log(self, download: _Download, text: str) -> None:
        download.log.append(f"{self._now().astimezone():%H:%M:%S} {text}")

    def _publish(self) -> None:
        self._on_change(self.state)

    async def _tick(self) -> None:
        next_sample_s = self._clock() + 1.0
        while any(download.state.is_active for download in self._downloads.values()):
            await asyncio.sleep(PUBLISH_EVERY_S)
            is_sample_due = self._clock() >= next_sample_s
            if is_sample_due:
                next_sample_s += 1.0
            if self._beat(is_sample_due=is_sample_due):
                self._publish()

    def _beat(self, *, is_sample_due: bool) -> bool:
        """Tell of every active download that has news or whose heartbeat is due."""
        has_news = False
        for download in self._downloads.values():
            if not download.state.is_active:
                continue
            is_due = self._clock() - download.last_told_s >= HEARTBEAT_S
            if download.dirty or is_due:
                self._tell(download, download.tracker.state())
                has_news = True
            if is_sample_due:
                download.speeds.append(download.progress.download_speed)
        return has_news
