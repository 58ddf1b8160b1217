"""The download queue: order, places, pause, cancel, retry.

Owns every download from asked for to ended. Knows nothing of how a provider transfers bytes.
"""

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ollm_tui.core.error import ModelNotFound, NotEnoughSpace, OllmError
from ollm_tui.core.event import QueueItem, QueueState
from ollm_tui.core.name import name_key
from ollm_tui.core.progress import PullPhase, PullState
from ollm_tui.service import retry
from ollm_tui.service.download import Download, ProgressCallback, Pull, cancelled
from ollm_tui.service.heartbeat import Heartbeat
from ollm_tui.service.subscriber import as_bug

if TYPE_CHECKING:
    from ollm_tui.service.preflight import Preflight
    from ollm_tui.service.queue_store import SavedDownload

_LOG = logging.getLogger(__name__)


class DownloadQueue:
    """Downloads in the order asked for, at most `concurrency` at once.

    Args:
        pull: the provider's pull.
        preflight: says which may begin; all may when absent.
        on_change: called with the whole queue, at most every 0.2 s while bytes arrive and at
            once when an entry starts or ends.
        on_settled: called with each entry that ends and that the provider was asked for.
        on_broken: called with why a try failed that is followed by another.
        concurrency: 1 or more.
        clock: monotonic seconds.
        sleep: waits for seconds of that clock.
        dice: for the waits between tries, 0 <= result < 1.
        now: the wall clock, for time stamps.
    """

    def __init__(
        self,
        pull: Pull,
        *,
        preflight: "Preflight | None" = None,
        on_change: Callable[[QueueState], None],
        on_settled: Callable[[QueueItem], None],
        on_broken: Callable[[OllmError], None] = lambda _: None,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        dice: Callable[[], float] = retry.roll,
        concurrency: int = 2,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._pull = pull
        self._preflight = preflight
        if preflight is not None:
            preflight.on_news = self._look_again
        self._on_change = on_change
        self._on_settled = on_settled
        self._on_broken = on_broken
        self._clock = clock
        self._sleep = sleep
        self._dice = dice
        self._concurrency = concurrency
        self._tries = retry.TRIES
        self._now = now
        self._downloads: dict[int, Download] = {}
        self._next_number = 1
        self._heartbeat = Heartbeat(lambda: self._downloads.values(), self._publish, clock, sleep)
        self._is_closing = False

    @property
    def state(self) -> QueueState:
        """The whole queue as of now."""
        return QueueState(tuple(download.item for download in self._downloads.values()))

    def add(self, name: str, on_progress: ProgressCallback | None = None) -> int:
        """Queue a download, or join the one of the same model that has not ended.

        Joining one that is paused resumes it.

        Returns:
            The id of the entry.
        """
        download = self._unfinished(name)
        if download is None:
            download = self._new(self._next_number, name)
            self._next_number += 1
            self._downloads[download.number] = download
        download.join(on_progress)
        if self._is_closing:
            self._end(download, PullState.CANCELLED)
        self.resume(download.number)
        self._start_next()
        self._publish()
        return download.number

    def restore(self, saved: "Iterable[SavedDownload]") -> None:
        """Queue what an earlier run had not finished; paused ones stay paused."""
        for known in saved:
            if self.is_pending(known.name):
                continue
            number = self._next_number
            self._next_number += 1
            self._downloads[number] = download = self._new(number, known.name)
            download.recall(known)
            download.join(None)
        self._start_next()
        self._publish()

    def number_of(self, name: str) -> int | None:
        """The id of the entry of this model: the one that has not ended, else the last one."""
        key = name_key(name)
        found = [item for item in self._downloads.values() if item.key == key]
        found.sort(key=lambda download: not download.state.is_final)
        return found[-1].number if found else None

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
            raise cancelled(download.display_name)

    async def leave(self, number: int, on_progress: ProgressCallback | None = None) -> None:
        """Take back one `add`; the download is cancelled when nobody else wants it."""
        download = self._downloads.get(number)
        if download is None or download.state.is_final:
            return
        if download.wanted_by > 1:
            download.leave(on_progress)
        else:
            await self._stop(download, PullState.CANCELLED)

    async def cancel(self, number: int) -> None:
        """End a download now; returns once its stream is closed. Ended ones are left alone."""
        download = self._downloads.get(number)
        if download is not None and not download.state.is_final:
            await self._stop(download, PullState.CANCELLED)

    async def pause(self, number: int) -> None:
        """Close the stream of a download and keep its entry; what has arrived stays."""
        download = self._downloads.get(number)
        if download is not None and not download.state.is_final:
            await self._stop(download, PullState.PAUSED)

    def resume(self, number: int) -> None:
        """Queue a download that is paused once more."""
        download = self._downloads.get(number)
        if download is None:
            return
        if download.state is PullState.PAUSED:
            download.tell(PullState.QUEUED)
            self._start_next()
            self._publish()
        elif download.stops_as is PullState.PAUSED:
            download.stops_as = PullState.QUEUED  # its stream is still being closed

    def retry(self, number: int) -> None:
        """Try again now: one that failed or was cancelled, is paused or waits for its next try."""
        download = self._downloads.get(number)
        if download is None:
            return
        if download.state not in (PullState.ERROR, PullState.CANCELLED):
            download.wake()
            self.resume(number)
        elif self.is_pending(download.name):
            del self._downloads[number]
            self._publish()
        else:
            # A new entry in the old one's place: that one has told its end.
            self._downloads[number] = again = self._new(number, download.name)
            again.join(None)
            self._start_next()
            self._publish()

    def retry_waiting(self) -> None:
        """Try everything again now that waits for its next try."""
        for download in self._downloads.values():
            download.wake()

    def move(self, number: int, by: int) -> None:
        """Move an entry down the queue, or up if negative; it stops at either end."""
        if number not in self._downloads:
            return
        order = list(self._downloads)
        place = order.index(number)
        order.insert(max(0, min(place + by, len(order) - 1)), order.pop(place))
        self._downloads = {key: self._downloads[key] for key in order}
        self._publish()

    def set_concurrency(self, concurrency: int) -> None:
        """Have so many downloads at once, 1 or more; those that run are left alone."""
        self._concurrency = max(1, concurrency)
        self._start_next()
        self._publish()

    def set_tries(self, tries: int) -> None:
        """End a download after so many tries in a row without a byte more, 1 or more."""
        self._tries = max(1, tries)

    def clear_finished(self) -> None:
        """Forget the entries that have ended."""
        self._downloads = {
            number: download
            for number, download in self._downloads.items()
            if not download.state.is_final
        }
        self._publish()

    def forget(self, number: int) -> None:
        """Forget one entry that has ended."""
        download = self._downloads.get(number)
        if download is not None and download.state.is_final:
            del self._downloads[number]
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
        await asyncio.gather(
            *(self._stop(download, PullState.CANCELLED) for download in unfinished)
        )
        await self._heartbeat.close()
        if self._preflight is not None:
            await self._preflight.close()

    async def _stop(self, download: Download, state: PullState) -> None:
        """Make it cancelled or paused; returns once its stream is closed."""
        task = download.task
        if task is None:
            self._settle(download, state)
            return
        is_stopping = task.cancelling() > 0
        if not is_stopping or state is PullState.CANCELLED:
            download.stops_as = state
        # Once it is closing its stream, a cancel would only interrupt that.
        if not is_stopping and download.tracker.phase is not PullPhase.SUCCESS:
            task.cancel()
        await asyncio.wait([task])

    def _new(self, number: int, name: str) -> Download:
        return Download(number, name, self._clock, self._now)

    def _unfinished(self, name: str) -> Download | None:
        key = name_key(name)
        for download in self._downloads.values():
            if download.key == key and not download.state.is_final:
                return download
        return None

    def _start_next(self) -> None:
        """Fill the free places. What is told on the way may change the queue."""
        while (download := self._next()) is not None:
            download.task = asyncio.create_task(self._run(download), name="download")
            download.task.add_done_callback(functools.partial(self._stopped, download))
            download.tell(PullState.DOWNLOADING)
        self._heartbeat.start()

    def _next(self) -> Download | None:
        """The next to begin, if there is one and a place for it."""
        waiting = [item for item in self._downloads.values() if item.state is PullState.QUEUED]
        running = [item for item in self._downloads.values() if item.state.is_active]
        if self._is_closing:
            return None
        if self._preflight is not None:
            self._preflight.see(waiting, running)
        if not waiting or len(running) >= self._concurrency:
            return None
        if self._preflight is None:
            return waiting[0]
        return self._preflight.choose(waiting, running)

    def _look_again(self) -> None:
        if not self._is_closing:
            self._start_next()
            self._publish()

    async def _run(self, download: Download) -> None:
        try:
            await self._transfer(download)
        except NotEnoughSpace as error:
            if self._preflight is None or not await self._preflight.is_too_full(download):
                if self._preflight is not None:
                    await self._preflight.advise(download)
                download.complete(error)
                _LOG.warning("%s", error)
                self._end(download, PullState.ERROR, error)
                return
            download.note(str(error))
            download.tell(PullState.QUEUED)  # until there is room
            self._look_again()
        except OllmError as error:
            _LOG.warning("%s", error)
            if isinstance(error, ModelNotFound):
                _suggest(error, download.display_name)
            self._end(download, PullState.ERROR, error)
        else:
            self._end(download, PullState.COMPLETE)

    async def _transfer(self, download: Download) -> None:
        """Try until it succeeds or there is no hope."""
        download.failed_tries = 0
        download.tries = self._tries
        while True:
            reached = download.tracker.downloaded_bytes
            try:
                return await download.transfer(self._pull)
            except OllmError as error:
                has_grown = download.tracker.downloaded_bytes > reached
                download.failed_tries = 0 if has_grown else download.failed_tries + 1
                is_over = download.failed_tries >= download.tries
                if is_over or not retry.may_pass(error, has_begun=download.has_begun):
                    raise
                self._on_broken(error)
                wait_s = retry.wait_s(error, download.failed_tries, self._dice)
                await download.rest(wait_s, self._sleep, error)
            download.tell(PullState.DOWNLOADING)

    def _stopped(self, download: Download, task: asyncio.Task[None]) -> None:
        # A task that is cancelled before its first step never runs its body, so the end of a
        # cancelled download is noticed here and not inside it.
        download.task = None
        if download.state.is_final:
            return
        if task.cancelled():
            self._settle(download, download.stops_as)
        elif (bug := task.exception()) is not None:
            _LOG.error("a download broke", exc_info=bug)
            self._end(download, PullState.ERROR, as_bug(bug))

    def _settle(self, download: Download, state: PullState) -> None:
        if state.is_final:
            self._end(download, state)
            return
        download.stops_as = PullState.CANCELLED
        download.note(state.value)
        download.tell(state)
        self._start_next()
        self._publish()

    def _end(self, download: Download, state: PullState, error: OllmError | None = None) -> None:
        download.error = error
        download.note(str(error) if error else state.value)
        download.tell(state)
        download.ended.set()
        if download.is_asked_for:
            self._on_settled(download.item)
        self._start_next()
        self._publish()

    def _publish(self) -> None:
        self._on_change(self.state)


def _suggest(error: ModelNotFound, name: str) -> None:
    """Name the models that exist and are spelled nearly so."""
    from ollm_tui.catalogue.catalogue import near  # rarely needed

    if found := near(name):
        error.actions = (f"Did you mean {' or '.join(found)}?", *error.actions)
