"""The queue of another process, as the state file tells: watched, and told what is wished for.

Owns what this process wants of that queue and who here waits for it. When the other process is gone
it says so, and hands what is wanted to the queue of this one.

Source: ruling Z28.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from typing import TYPE_CHECKING

from ollm_tui.core.error import DownloadFailed, OllmError
from ollm_tui.core.event import QueueItem
from ollm_tui.core.name import name_key
from ollm_tui.core.progress import ProgressEvent, PullState
from ollm_tui.core.text import clean_line
from ollm_tui.service.download import ProgressCallback, cancelled
from ollm_tui.service.queue_share import Order, SharedQueue, Wish
from ollm_tui.service.subscriber import call_all, log_bug

if TYPE_CHECKING:
    from ollm_tui.service.memory import Memory
    from ollm_tui.service.queue import DownloadQueue

POLL_S = 1.0
WISH_TRIES = 5
HISTORY_COUNT = 50


class Wanted:
    """A download that this process wants of the other one's queue."""

    def __init__(self, number: int, name: str, now: datetime) -> None:
        self.number = number
        self.name = name
        self.key = name_key(name)
        self.callbacks: list[ProgressCallback] = []
        self.since = now
        self.is_looked_up = False
        """Whether how it ended is being looked for in the history."""
        self.wish_number: int | None = None
        """None until the wish is in the file."""
        self.error: OllmError | None = None
        self.ended = asyncio.Event()
        self.progress = ProgressEvent(clean_line(name), PullState.QUEUED, 0.0, 0, 0, 0.0, now)

    @property
    def item(self) -> QueueItem:
        """What is shown until the other process has taken it in."""
        return QueueItem(
            id=self.number,
            name=self.name,
            display_name=self.progress.model,
            progress=self.progress,
            detail="handed to the ollm-tui that keeps the queue",
        )

    def tell(self, progress: ProgressEvent) -> None:
        """Tell everybody how it stands, if that is news; never less than before."""
        if progress == self.progress or self.ended.is_set():
            return
        if progress.percentage < self.progress.percentage and not progress.status.is_final:
            return
        self.progress = progress
        call_all(self.callbacks, progress)


class QueueWatch:
    """Watches the queue that another process keeps. Its downloads have negative ids here.

    Args:
        memory: the state file.
        on_change: called when `items` has changed.
        on_settled: told the name of each download that ended.
        on_free: called once the other process is gone and the queue is this one's.
        sleep: waits for seconds.
        now: the wall clock.
    """

    def __init__(
        self,
        memory: "Memory",
        *,
        on_change: Callable[[], None],
        on_settled: Callable[[str], None],
        on_free: Callable[[], Awaitable[None]],
        sleep: Callable[[float], Awaitable[None]],
        now: Callable[[], datetime],
    ) -> None:
        self._memory = memory
        self._on_change = on_change
        self._on_settled = on_settled
        self._on_free = on_free
        self._sleep = sleep
        self._now = now
        self._shared = SharedQueue()
        self._valid_from = 0
        self._queue: DownloadQueue | None = None
        """This process's own, once the other one is gone."""
        self._wanted: dict[int, Wanted] = {}
        self._next_number = -1
        self._ids: dict[tuple[int, str], int] = {}
        self._task: asyncio.Task[None] | None = None
        self._jobs: set[asyncio.Task[None]] = set()

    @property
    def is_watching(self) -> bool:
        """Whether the other process is being watched."""
        return self._task is not None and not self._task.done()

    @property
    def items(self) -> tuple[QueueItem, ...]:
        """The other process's queue, then what it has yet to take in."""
        if not self.is_watching:
            return ()
        shown = [item._replace(id=self._id(item)) for item in self._shared.items]
        shown += [one.item for one in self._wanted.values() if not self._is_taken(one)]
        return tuple(shown)

    def start(self) -> None:
        """Watch from now on."""
        if not self.is_watching:
            self._task = asyncio.create_task(self._watch(), name="queue watch")
            self._task.add_done_callback(log_bug)

    def add(self, name: str, on_progress: ProgressCallback | None) -> int:
        """Wish for a download; returns its id here."""
        wanted = Wanted(self._new_number(), name, self._now())
        self._wanted[wanted.number] = wanted
        if on_progress is not None:
            wanted.callbacks.append(on_progress)
            call_all([on_progress], wanted.progress)
        self._do(self._wish_for(wanted))
        self.start()
        self._on_change()
        return wanted.number

    async def wait(self, number: int) -> None:
        """Wait until a download wished for here has ended.

        Raises:
            OllmError: what ended it, unless it succeeded.
        """
        wanted = self._wanted[number]
        await wanted.ended.wait()
        if wanted.error is not None:
            raise wanted.error

    def leave(self, number: int) -> None:
        """Take back one `add`."""
        wanted = self._wanted.pop(number, None)
        if wanted is None or wanted.ended.is_set():
            return
        wanted.tell(_as(wanted.progress, PullState.CANCELLED, self._now()))
        wanted.ended.set()
        self._memory.wish(Wish(Order.LEAVE, wanted.name))

    def order(self, order: Order, number: int = 0, argument: int = 0) -> None:
        """Wish for something to be done with a download, by its id here."""
        name = self._name_of(number)
        if number and name is None:
            return
        self._memory.wish(Wish(order, name or "", argument))

    def is_pending(self, name: str) -> bool:
        """Whether the other process has this model queued or is downloading it."""
        key = name_key(name)
        return any(
            name_key(item.name) == key and not item.progress.status.is_final for item in self.items
        )

    def take_last(self, shared: SharedQueue) -> None:
        """Take in what the other process said last, before this one goes on."""
        if self._wanted or self._shared.items:
            self._take(shared)

    def hand_over(self, queue: "DownloadQueue") -> None:
        """Have this process's own queue download what is still wanted."""
        self._queue = queue
        for wanted in tuple(self._wanted.values()):
            if not wanted.is_looked_up:
                self._download(wanted, queue)
        self._shared = SharedQueue()

    async def close(self) -> None:
        """Watch no more; whoever still waits is told that it is over."""
        tasks = [*self._jobs, *([self._task] if self._task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for wanted in self._wanted.values():
            wanted.error = DownloadFailed(f"{wanted.progress.model} is left to the other ollm-tui")
            wanted.ended.set()
        self._memory.stop_watching()

    async def _watch(self) -> None:
        # What lies in the file may be of a time when somebody else watched.
        self._shared = SharedQueue()
        self._valid_from = await self._memory.wish_and_wait(Wish(Order.LOOK)) or 0
        while True:
            self._memory.start_watching()
            if self._memory.own_queue():
                self._memory.stop_watching()
                await self._on_free()
                return
            shared = await self._memory.shared_if_new()
            if shared is not None and shared.taken >= self._valid_from:
                self._take(shared)
            await self._sleep(POLL_S)

    async def _wish_for(self, wanted: Wanted) -> None:
        for _ in range(WISH_TRIES):
            wanted.wish_number = await self._memory.wish_and_wait(Wish(Order.PULL, wanted.name))
            if wanted.wish_number is not None or wanted.ended.is_set():
                return
            await self._sleep(POLL_S)
        self._end(
            wanted,
            DownloadFailed(
                f"{wanted.progress.model} was not handed to the ollm-tui that downloads",
                cause="the state file cannot be written",
            ),
        )

    def _download(self, wanted: Wanted, queue: "DownloadQueue") -> None:
        number = queue.add(wanted.name, wanted.tell)
        self._do(self._follow(wanted, queue, number))

    async def _follow(self, wanted: Wanted, queue: "DownloadQueue", number: int) -> None:
        try:
            await queue.wait(number)
        except OllmError as error:
            self._end(wanted, error)
        else:
            self._end(wanted)

    async def _look_up(self, wanted: Wanted) -> None:
        """Find out in the history how a download ended; wish for it again if it is not there."""
        for ended in await self._memory.history(HISTORY_COUNT):
            if name_key(ended.name) == wanted.key and ended.ended_at >= wanted.since:
                wanted.tell(_as(wanted.progress, ended.state, self._now()))
                if ended.state is PullState.COMPLETE:
                    self._end(wanted)
                elif ended.state is PullState.CANCELLED:
                    self._end(wanted, cancelled(wanted.progress.model))
                else:
                    self._end(
                        wanted,
                        DownloadFailed(
                            f"Could not download {wanted.progress.model}", cause=ended.error
                        ),
                    )
                return
        wanted.is_looked_up = False
        if self._queue is not None:
            self._download(wanted, self._queue)
        else:
            await self._wish_for(wanted)

    def _take(self, shared: SharedQueue) -> None:
        """Take in the other process's queue, and tell those who wait."""
        before = {item.id: item.progress.status for item in self._shared.items}
        self._shared = shared
        latest = {name_key(item.name): item for item in shared.items}
        for item in shared.items:
            if not item.progress.status.is_final:
                latest[name_key(item.name)] = item  # rather than one that ended earlier
        for wanted in tuple(self._wanted.values()):
            if self._is_taken(wanted) and not wanted.ended.is_set():
                self._bring_news(wanted, latest.get(wanted.key))
        for item in shared.items:
            state = item.progress.status
            if state.is_final and item.id in before and not before[item.id].is_final:
                self._on_settled(item.name)
        self._on_change()

    def _bring_news(self, wanted: Wanted, item: QueueItem | None) -> None:
        if item is None:
            # It ended, and whoever kept the queue was killed or cleared it before telling.
            wanted.wish_number = None
            wanted.is_looked_up = True
            self._do(self._look_up(wanted))
            return
        wanted.tell(item.progress)
        state = item.progress.status
        if not state.is_final:
            return
        error = item.error
        if error is None and state is not PullState.COMPLETE:
            error = cancelled(wanted.progress.model)
        self._end(wanted, error)
        self._on_settled(wanted.name)

    def _end(self, wanted: Wanted, error: OllmError | None = None) -> None:
        self._wanted.pop(wanted.number, None)
        wanted.error = error
        wanted.ended.set()

    def _is_taken(self, wanted: Wanted) -> bool:
        """Whether the other process's queue has this wish in it."""
        number = wanted.wish_number
        return number is not None and number <= self._shared.taken

    def _id(self, item: QueueItem) -> int:
        """An id that no download of this process has, the same each time."""
        known = (item.id, item.name)
        if known not in self._ids:
            key, used = name_key(item.name), self._ids.values()
            mine = (one.number for one in self._wanted.values() if one.key == key)
            self._ids[known] = (
                next((number for number in mine if number not in used), 0) or self._new_number()
            )
        return self._ids[known]

    def _name_of(self, number: int) -> str | None:
        if number in self._wanted:
            return self._wanted[number].name
        return next((item.name for item in self.items if item.id == number), None)

    def _new_number(self) -> int:
        number = self._next_number
        self._next_number -= 1
        return number

    def _do(self, job: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(job)
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)
        task.add_done_callback(log_bug)


def _as(progress: ProgressEvent, state: PullState, now: datetime) -> ProgressEvent:
    """How it stands when it has become that, and nothing more is known."""
    is_complete = state is PullState.COMPLETE
    return ProgressEvent(
        progress.model,
        state,
        100.0 if is_complete else progress.percentage,
        progress.total_bytes if is_complete else progress.downloaded_bytes,
        progress.total_bytes,
        0.0,
        now,
    )
