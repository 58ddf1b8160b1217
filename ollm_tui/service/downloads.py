"""The download queue as people use it: by the names they type, and across runs."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING

from ollm_tui.core.event import QueueItem, QueueState
from ollm_tui.core.name import parse_reference
from ollm_tui.providers.base import DiskSupport, PlanSupport, Provider
from ollm_tui.service.download import ProgressCallback
from ollm_tui.service.preflight import Preflight
from ollm_tui.service.queue import DownloadQueue

if TYPE_CHECKING:
    from ollm_tui.service.memory import Memory
    from ollm_tui.service.queue_store import EndedDownload


class Downloads:
    """A queue, and its memory for the next run.

    Args:
        provider: whom to ask.
        memory: keeps the queue for the next run; nobody does when absent.
        on_change: told the whole queue.
        on_settled: told the name of a model that a download has ended for.
        The others are those of `DownloadQueue`.
    """

    def __init__(
        self,
        provider: Provider,
        memory: "Memory | None",
        *,
        on_change: Callable[[QueueState], None],
        on_settled: Callable[[str], None],
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        dice: Callable[[], float],
        concurrency: int,
        now: Callable[[], datetime],
    ) -> None:
        self._memory = memory
        self._on_change = on_change
        self._on_settled = on_settled
        self._now = now
        self.is_restored = memory is None
        """Whether what an earlier run left has been gone on with."""
        self._is_closing = False
        preflight = Preflight(
            provider if isinstance(provider, PlanSupport) else None,
            provider if isinstance(provider, DiskSupport) else None,
            clock=clock,
            sleep=sleep,
        )
        self.queue = DownloadQueue(
            provider.pull,
            preflight=preflight if preflight.is_possible else None,
            on_change=self._changed,
            on_settled=self._settled,
            concurrency=concurrency,
            clock=clock,
            sleep=sleep,
            dice=dice,
            now=now,
        )

    def enqueue(self, name: str, on_progress: ProgressCallback | None = None) -> int:
        """Queue a download and return its id.

        Raises:
            InvalidName: the name fails the grammar.
        """
        parsed = parse_reference(name)
        wanted = f"{parsed.scheme}://{parsed.short}" if parsed.is_plain_http else parsed.short
        return self.queue.add(wanted, on_progress)

    async def pull(self, name: str, on_progress: ProgressCallback | None = None) -> None:
        """Download a model and wait for it; cancelling this takes it back.

        Raises:
            InvalidName: before anything is asked.
            OllmError: what ended it.
        """
        number = self.enqueue(name, on_progress)
        try:
            await self.queue.wait(number)
        except asyncio.CancelledError:
            await self.queue.leave(number, on_progress)
            raise

    async def restore(self) -> None:
        """Go on with what an earlier run left, unless another process sees to that."""
        memory = self._memory
        if memory is None or self.is_restored or not memory.is_ready or not memory.own_queue():
            return
        self.is_restored = True
        self.queue.restore(await memory.unfinished())

    async def history(self, count: int = 100) -> "tuple[EndedDownload, ...]":
        """The last downloads that ended, of earlier runs too, latest first."""
        return await self._memory.history(count) if self._memory else ()

    async def close(self) -> None:
        """End every download; what was not finished is left to the next run."""
        if self._memory is not None and not self._is_closing:
            self._memory.keep_queue(self.queue.state.items, bytes_count=True)
        self._is_closing = True
        await self.queue.close()

    def _changed(self, state: QueueState) -> None:
        self._on_change(state)
        if self._memory is not None and not self._is_closing:
            self._memory.keep_queue(state.items)

    def _settled(self, item: QueueItem) -> None:
        if self._memory is not None and not self._is_closing:
            self._memory.keep_ending(item, self._now())
        self._on_settled(item.name)
