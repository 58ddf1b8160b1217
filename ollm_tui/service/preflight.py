"""Which downloads may begin: what each will need, and what the disk has for it.

Owns when manifests and the disk are asked. Whoever cannot be asked is done without: nothing here
stops a download that is not known to find no room.

Source: ruling Z21; decision P15.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import TYPE_CHECKING

from ollm_tui.core.error import DownloadFailed, OllmError
from ollm_tui.core.name import parse_name
from ollm_tui.core.unused import UnusedModel
from ollm_tui.providers.base import DiskSupport, PlanSupport
from ollm_tui.service.download import Download
from ollm_tui.service.subscriber import log_bug

if TYPE_CHECKING:
    from ollm_tui.core.plan import PullPlan

_LOG = logging.getLogger(__name__)

PLAN_WAIT_S = 2.0
"""A download does not wait longer than this for its manifest, and takes it whenever it comes."""
LOOK_EVERY_S = 5.0
SILENCE_S = 60.0
"""How long a registry that does not answer is left alone."""
PLANS_AT_ONCE = 4


class Preflight:
    """Asks one provider.

    Args:
        plans: reads manifests; nobody does when absent.
        disk: looks at the disk; nobody does when absent.
        find_unused: what could be deleted to make room, largest first.
        clock: monotonic seconds.
        sleep: waits for seconds of that clock.
    """

    def __init__(
        self,
        plans: PlanSupport | None,
        disk: DiskSupport | None,
        *,
        find_unused: Callable[[], Awaitable[tuple[UnusedModel, ...]]],
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._plans = plans
        self._disk = disk
        self._find_unused = find_unused
        self._clock = clock
        self._sleep = sleep
        self.on_news: Callable[[], None] = lambda: None
        """Called when more may be allowed to begin than before."""
        self._places = asyncio.Semaphore(PLANS_AT_ONCE)
        self._silent_until_s: dict[str, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._looker: asyncio.Task[None] | None = None
        self._looked_at_s = float("-inf")
        self._free_bytes: int | None = None
        self._unused: tuple[UnusedModel, ...] | None = None
        self._advised_at_s = float("-inf")
        self._adviser: asyncio.Task[None] | None = None

    @property
    def is_possible(self) -> bool:
        """Whether there is anyone to ask."""
        return self._plans is not None or self._disk is not None

    def see(self, waiting: Iterable[Download], running: Sequence[Download]) -> None:
        """Learn what these will need, and have them know what the disk has for them."""
        room_bytes = self._room_beside(running)
        for download in waiting:
            if not download.is_prepared and download.preparing is None:
                download.preparing = self._start(self._prepare(download))
            if download.has_room(room_bytes):
                download.advise(None)
            else:
                download.advise(self._unused)
                self._advise_on()

    def choose(self, waiting: Sequence[Download], running: Sequence[Download]) -> Download | None:
        """The first that may begin; those that the disk has no room for are passed by.

        Args:
            waiting: in the order in which they shall begin.
            running: those that are being transferred.
        """
        for download in waiting:
            if not download.is_prepared:
                return None  # which it soon will be, and nobody overtakes it
            if self._is_due:
                self._look_on()
                return None
            if download.has_room(self._room_beside(running)):
                return download
            self._look_on()
        return None

    async def is_too_full(self, download: Download) -> bool:
        """Whether the disk, looked at now, is known to have no room for a download."""
        await self._look()
        return not download.has_room(self._free_bytes)

    async def advise(self, download: Download) -> None:
        """Find out what could be deleted for a download that found no room."""
        await self._learn_unused()
        download.advise(self._unused)

    async def close(self) -> None:
        """Ask no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def _is_due(self) -> bool:
        """Whether what is known of the disk is too old to begin a download by."""
        return self._disk is not None and self._clock() - self._looked_at_s >= LOOK_EVERY_S

    def _room_beside(self, running: Sequence[Download]) -> int | None:
        """What the disk has when all that run will have got what they need."""
        if self._free_bytes is None:
            return None
        return max(0, self._free_bytes - sum(item.needed_bytes or 0 for item in running))

    async def _prepare(self, download: Download) -> None:
        """Learn what a download needs, and let it begin when that takes too long."""
        planning = asyncio.ensure_future(self._plan(download.name))
        limit = asyncio.ensure_future(self._sleep(PLAN_WAIT_S))
        try:
            await asyncio.wait((planning, limit), return_when=asyncio.FIRST_COMPLETED)
            if not planning.done():
                download.is_prepared = True
                self.on_news()
            plan = await planning
            if plan is not None:
                download.expect(plan)
            if self._is_due:
                await self._look()
        finally:
            planning.cancel()
            limit.cancel()
            download.is_prepared = True
            download.preparing = None
        self.on_news()

    async def _plan(self, name: str) -> "PullPlan | None":
        if self._plans is None:
            return None
        registry = parse_name(name).host
        async with self._places:
            if self._clock() < self._silent_until_s.get(registry, 0.0):
                return None
            try:
                return await self._plans.plan(name)
            except OllmError as error:
                _LOG.info("no manifest of %s: %s", name, error)
                if isinstance(error, DownloadFailed) and error.retryable:
                    self._silent_until_s[registry] = self._clock() + SILENCE_S
                return None

    def _look_on(self) -> None:
        if self._looker is None or self._looker.done():
            self._looker = self._start(self._keep_looking())

    async def _keep_looking(self) -> None:
        """Look at the disk now or when that is due, and let the queue see what may begin."""
        if not self._is_due:
            await self._sleep(LOOK_EVERY_S)
        await self._look()
        self._looker = None
        self.on_news()  # which looks on if there is still no room

    def _advise_on(self) -> None:
        """Find out what could be deleted, and what could be later."""
        is_due = self._clock() - self._advised_at_s >= LOOK_EVERY_S
        if is_due and (self._adviser is None or self._adviser.done()):
            self._adviser = self._start(self._advise_all())

    async def _advise_all(self) -> None:
        before = self._unused
        await self._learn_unused()
        if self._unused != before:
            self.on_news()

    async def _learn_unused(self) -> None:
        self._unused = await self._find_unused()
        self._advised_at_s = self._clock()

    async def _look(self) -> None:
        if self._disk is None:
            return
        try:
            self._free_bytes = await self._disk.free_bytes()
        except OllmError as error:
            _LOG.info("the disk cannot be seen: %s", error)
            self._free_bytes = None
        self._looked_at_s = self._clock()

    def _start(self, job: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(job, name="download preflight")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(log_bug)
        return task
