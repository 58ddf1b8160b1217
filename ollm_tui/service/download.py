"""One entry of the download queue: what is known of it, and who is told.

Knows nothing of the other entries; `queue` decides when it runs.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ollm_tui.core.error import DownloadFailed, NotEnoughSpace, OllmError
from ollm_tui.core.event import QueueItem
from ollm_tui.core.name import name_key
from ollm_tui.core.progress import ProgressEvent, PullPhase, PullState, PullStep
from ollm_tui.core.text import clean_line
from ollm_tui.service.progress import STALL_AFTER_S, ProgressTracker
from ollm_tui.service.retry import TRIES
from ollm_tui.service.subscriber import call_all

if TYPE_CHECKING:
    from ollm_tui.core.plan import PullPlan
    from ollm_tui.core.unused import UnusedModel
    from ollm_tui.service.queue_store import SavedDownload

SPEED_SAMPLES = 60
LOG_LINES = 200

ProgressCallback = Callable[[ProgressEvent], None]
Pull = Callable[[str], AsyncGenerator[PullStep, None]]


def cancelled(display_name: str) -> DownloadFailed:
    """What those are told who waited for a download that somebody cancelled."""
    return DownloadFailed(
        f"The download of {display_name} was cancelled",
        actions=("Pull it again; what has arrived is kept for some time.",),
    )


class Download:
    """A download from asked for to ended.

    Every state it takes is told once to each callback, and nothing after a final one.

    Args:
        number: its id.
        name: what the provider is asked for.
        clock: monotonic seconds.
        now: the wall clock, for time stamps.
    """

    def __init__(
        self,
        number: int,
        name: str,
        clock: Callable[[], float],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.number = number
        self.name = name
        self.key = name_key(name)
        self.display_name = clean_line(name)
        self.tracker = ProgressTracker(self.display_name, clock, now)
        self.task: asyncio.Task[None] | None = None
        self.ended = asyncio.Event()
        self.error: OllmError | None = None
        self.wanted_by = 0
        self.stops_as = PullState.CANCELLED
        """What it becomes when its task has been cancelled."""
        self.failed_tries = 0
        self.tries = TRIES
        """As many in a row without a byte more end it."""
        self.callbacks: list[ProgressCallback] = []
        self.plan: PullPlan | None = None
        """What it will fetch, where a manifest said so."""
        self.is_prepared = False
        """Whether it may begin: its manifest was read, or could not be in time."""
        self.preparing: asyncio.Task[None] | None = None
        self.free_bytes: int | None = None
        """What the disk has for it; None = unknown."""
        self.unused: tuple[UnusedModel, ...] | None = None
        """What could be deleted to make room for it; None = nobody has looked."""
        self.is_news = False
        """Whether steps have come since it was last told of."""
        self.told_at_s = clock()
        self._clock = clock
        self._now = now
        self._next_try_at: datetime | None = None
        self._nap: asyncio.Future[None] | None = None
        self._limit: asyncio.Timeout | None = None
        self._is_asked_for = self._has_begun = False
        self._detail = ""
        self._log: deque[str] = deque(maxlen=LOG_LINES)
        self._speeds: deque[float] = deque(maxlen=SPEED_SAMPLES)
        self._progress = self.tracker.event(PullState.QUEUED)
        self._item: QueueItem | None = None

    @property
    def state(self) -> PullState:
        """The state last told."""
        return self._progress.status

    @property
    def item(self) -> QueueItem:
        """What others see of it."""
        if self._item is None:
            self._item = QueueItem(
                id=self.number,
                name=self.name,
                display_name=self.display_name,
                progress=self._progress,
                layers=self.tracker.layers,
                detail=self._detail,
                error=self.error,
                speeds=tuple(self._speeds),
                log=tuple(self._log),
                failed_tries=self.failed_tries,
                tries=self.tries,
                next_try_at=self._next_try_at,
                needed_bytes=self.needed_bytes,
                free_bytes=self.free_bytes,
                unused=self.unused,
            )
        return self._item

    @property
    def is_asked_for(self) -> bool:
        """Whether the provider has ever been asked for it."""
        return self._is_asked_for

    @property
    def has_begun(self) -> bool:
        """Whether the provider has ever reported on it."""
        return self._has_begun

    @property
    def active_state(self) -> PullState:
        """What it is doing now, while it has a task."""
        return PullState.STALLED if self._next_try_at else self.tracker.state()

    @property
    def needed_bytes(self) -> int | None:
        """What it will still write to the disk; None = unknown."""
        if self.plan is None:
            return None
        present_bytes = self.plan.total_bytes - self.plan.missing_bytes
        return max(0, self.plan.total_bytes - max(self.tracker.downloaded_bytes, present_bytes))

    def expect(self, plan: "PullPlan") -> None:
        """Take in what a manifest says."""
        if self.state.is_final:
            return
        self.plan = plan
        self.tracker.expect(plan.total_bytes)
        if self.state.is_active:
            self.is_news = True
        else:
            self.tell(self.state)

    def has_room(self, free_bytes: int | None) -> bool:
        """Take in what the disk has for it; whether that is enough, as far as known."""
        if free_bytes != self.free_bytes:
            self.free_bytes = free_bytes
            self._item = None
        needed_bytes = self.needed_bytes
        return free_bytes is None or needed_bytes is None or needed_bytes <= free_bytes

    def advise(self, unused: "tuple[UnusedModel, ...] | None") -> None:
        """Take in what could be deleted to make room for it."""
        if unused != self.unused:
            self.unused = unused
            self._item = None

    def complete(self, error: NotEnoughSpace) -> None:
        """Add to an error what is known here of the room that is missing."""
        progress = self._progress
        left_bytes = self.needed_bytes or progress.total_bytes - progress.downloaded_bytes
        error.needed_bytes = error.needed_bytes or max(0, left_bytes)
        if error.free_bytes is None:
            error.free_bytes = self.free_bytes
        error.unused = self.unused or ()

    def recall(self, known: "SavedDownload") -> None:
        """Become what an earlier run left."""
        self._has_begun = True  # so that a server which starts late is waited for
        self.tracker.recall(known.downloaded_bytes, known.total_bytes)
        is_paused = known.state is PullState.PAUSED
        self.tell(PullState.PAUSED if is_paused else PullState.QUEUED)

    def join(self, callback: ProgressCallback | None) -> None:
        """Somebody else wants it too, and is told how it stands."""
        self.wanted_by += 1
        if callback is not None:
            self.callbacks.append(callback)
            call_all([callback], self._progress)

    def leave(self, callback: ProgressCallback | None) -> None:
        """Somebody does not want it any more, and is told nothing more."""
        self.wanted_by -= 1
        if callback is not None:
            self.callbacks.remove(callback)

    def tell(self, state: PullState) -> None:
        """Take a state and tell everybody how it stands."""
        error = str(self.error) if self.error else None
        self._progress = self.tracker.event(state, error)
        self._item = None
        self.told_at_s = self._clock()
        self.is_news = False
        call_all(self.callbacks, self._progress)

    def sample_speed(self) -> None:
        """Remember the speed last told."""
        self._speeds.append(self._progress.download_speed)
        self._item = None

    def note(self, text: str) -> None:
        """Write a line into its log."""
        self._log.append(f"{self._now().astimezone():%H:%M:%S} {text}")
        self._item = None

    async def transfer(self, pull: Pull) -> None:
        """Have it downloaded: one try; the stream is closed whatever happens.

        Raises:
            OllmError: what ended it.
        """
        self._is_asked_for = True
        self.tracker.start()
        try:
            async with (
                asyncio.timeout(None) as self._limit,
                contextlib.aclosing(pull(self.name)) as steps,
            ):
                async for step in steps:
                    self._take(step)
                    if step.phase is PullPhase.SUCCESS:
                        return
        except TimeoutError:
            raise self._failed(f"nothing has come for {STALL_AFTER_S:g} s") from None
        finally:
            self._limit = None
        raise self._failed("the provider stopped reporting")

    def break_off(self) -> None:
        """Make a try that is stalled fail."""
        if self._limit is not None:
            self._limit.reschedule(asyncio.get_running_loop().time())

    async def rest(
        self, seconds: float, sleep: Callable[[float], Awaitable[None]], why: OllmError
    ) -> None:
        """Wait for the next try, or until `wake`."""
        self._next_try_at = self._now() + timedelta(seconds=seconds)
        self._detail = str(why)
        self.note(f"{why}; trying again in {seconds:.0f} s")
        self.tell(PullState.STALLED)
        self._nap = asyncio.ensure_future(sleep(seconds))
        try:
            await asyncio.wait([self._nap])
        finally:
            self._nap.cancel()
            self._nap = self._next_try_at = None
            self._item = None

    def wake(self) -> None:
        """Have the next try begin now, if it waits for that."""
        if self._nap is not None:
            self._nap.cancel()

    def _take(self, step: PullStep) -> None:
        self.tracker.feed(step)
        self.is_news = self._has_begun = True
        if step.detail and step.detail != self._detail:
            self._detail = step.detail
            self.note(step.detail)

    def _failed(self, why: str) -> DownloadFailed:
        return DownloadFailed(f"Could not download {self.display_name}", cause=why)
