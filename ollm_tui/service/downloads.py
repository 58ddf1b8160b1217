"""Downloads as people use them: by the names they type, across runs, and across processes.

One process keeps the queue of a provider and downloads; others hand it their wishes and watch. Owns
which of the two this one is, and what is done for those that watch. Source: ruling Z28.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from typing import TYPE_CHECKING

from ollm_tui.core.error import OllmError, Unsupported
from ollm_tui.core.event import QueueItem, QueueState
from ollm_tui.core.name import parse_reference
from ollm_tui.providers.base import DiscardSupport, DiskSupport, PlanSupport, Provider
from ollm_tui.service.download import ProgressCallback
from ollm_tui.service.preflight import Preflight
from ollm_tui.service.queue import DownloadQueue
from ollm_tui.service.queue_share import Order, SharedQueue, Wish
from ollm_tui.service.queue_watch import POLL_S, QueueWatch
from ollm_tui.service.subscriber import log_bug

if TYPE_CHECKING:
    from ollm_tui.core.unused import UnusedModel
    from ollm_tui.service.memory import Memory
    from ollm_tui.service.queue_store import EndedDownload


class Downloads:
    """The queue of this process or of another one, and its memory for the next run.

    Downloads of another process have negative ids; what is done to them is wished for there.

    Args:
        provider: whom to ask.
        memory: keeps the queue for the next run; nobody does when absent.
        on_change: told the whole queue.
        on_settled: told the name of a model that a download has ended for.
        find_unused: what could be deleted to make room, largest first.
        The others are those of `DownloadQueue`.
    """

    def __init__(
        self,
        provider: Provider,
        memory: "Memory | None",
        *,
        on_change: Callable[[QueueState], None],
        on_settled: Callable[[str], None],
        on_broken: Callable[[OllmError], None],
        find_unused: "Callable[[], Awaitable[tuple[UnusedModel, ...]]]",
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        dice: Callable[[], float],
        concurrency: int,
        now: Callable[[], datetime],
    ) -> None:
        self._provider = provider
        self._memory = memory
        self._on_change = on_change
        self._on_settled = on_settled
        self._sleep = sleep
        self._now = now
        self.is_restored = memory is None
        """Whether what an earlier run left has been gone on with."""
        self._is_closing = False
        self._is_restore_wished = False
        self._restoring = asyncio.Lock()
        self._server: asyncio.Task[None] | None = None
        self._orders: set[asyncio.Task[None]] = set()
        self._taken = 0
        self._is_news = False
        preflight = Preflight(
            provider if isinstance(provider, PlanSupport) else None,
            provider if isinstance(provider, DiskSupport) else None,
            find_unused=find_unused,
            clock=clock,
            sleep=sleep,
        )
        self.queue = DownloadQueue(
            provider.pull,
            preflight=preflight if preflight.is_possible else None,
            on_change=self._changed,
            on_settled=self._settled,
            on_broken=on_broken,
            concurrency=concurrency,
            clock=clock,
            sleep=sleep,
            dice=dice,
            now=now,
        )
        """Of this process alone."""
        self._watch: QueueWatch | None = None
        if memory is not None:
            self._watch = QueueWatch(
                memory,
                on_change=self._publish,
                on_settled=on_settled,
                on_free=self.restore,
                sleep=sleep,
                now=now,
            )

    @property
    def state(self) -> QueueState:
        """Every download of this run, and those of the process that keeps the queue."""
        own = self.queue.state
        elsewhere = self._watch.items if self._watch else ()
        return QueueState((*own.items, *elsewhere)) if elsewhere else own

    @property
    def is_elsewhere(self) -> bool:
        """Whether another process keeps the queue and downloads."""
        return self._memory is not None and self._memory.is_kept_elsewhere

    def enqueue(self, name: str, on_progress: ProgressCallback | None = None) -> int:
        """Queue a download, here or where the queue is kept.

        Returns:
            Its id; 0 while it is not known where, and it is queued as soon as it is.

        Raises:
            InvalidName: the name fails the grammar.
        """
        wanted = _wanted(name)
        if self._is_owner_known:
            return self._add(wanted, on_progress)
        self._do(self._add_once_known(wanted, on_progress))
        return 0

    async def pull(self, name: str, on_progress: ProgressCallback | None = None) -> None:
        """Download a model and wait for it; cancelling this takes it back.

        Raises:
            InvalidName: before anything is asked.
            OllmError: what ended it.
        """
        wanted = _wanted(name)
        if self._memory is not None:
            await self._memory.get_ready()
        number = self._add(wanted, on_progress)
        try:
            await (self._watch if number < 0 and self._watch else self.queue).wait(number)
        except asyncio.CancelledError:
            if number < 0 and self._watch is not None:
                self._watch.leave(number)
            else:
                await self.queue.leave(number, on_progress)
            raise

    async def cancel(self, number: int) -> None:
        """Cancel a download; returns once its stream is closed, or that is wished for."""
        if not self._wished(Order.CANCEL, number):
            await self.queue.cancel(number)

    @property
    def can_discard(self) -> bool:
        """Whether what has arrived can be removed."""
        return isinstance(self._provider, DiscardSupport) and self._provider.can_discard()

    @property
    def is_kept(self) -> bool:
        """Whether the next run goes on with what this one leaves."""
        return self._memory is not None

    async def discard(self, number: int) -> None:
        """Cancel a download, forget it, and remove what has arrived of it.

        Raises:
            Unsupported: the provider keeps what has arrived.
            ProviderError: it cannot be removed.
        """
        name = next((item.name for item in self.queue.state.items if item.id == number), None)
        if self._wished(Order.DISCARD, number) or name is None:
            return
        if not isinstance(self._provider, DiscardSupport):
            raise Unsupported(f"The {self._provider.kind} provider keeps what has arrived")
        await self.queue.cancel(number)
        await self._provider.discard(name)
        self.queue.forget(number)

    async def pause(self, number: int) -> None:
        """Stop a download and keep its entry; returns once its stream is closed."""
        if not self._wished(Order.PAUSE, number):
            await self.queue.pause(number)

    def resume(self, number: int) -> None:
        """Queue a paused download once more."""
        if not self._wished(Order.RESUME, number):
            self.queue.resume(number)

    def retry(self, number: int) -> None:
        """Try a download again now that failed, was cancelled or waits for its next try."""
        if not self._wished(Order.RETRY, number):
            self.queue.retry(number)

    def move(self, number: int, by: int) -> None:
        """Move a download down the queue, or up if negative."""
        if not self._wished(Order.MOVE, number, by):
            self.queue.move(number, by)

    def clear_finished(self) -> None:
        """Forget the downloads that have ended."""
        self.queue.clear_finished()
        if self._watch is not None and self._watch.is_watching:
            self._watch.order(Order.CLEAR)

    def is_pending(self, name: str) -> bool:
        """Whether this model is queued or being transferred, here or where the queue is kept."""
        return self.queue.is_pending(name) or (
            self._watch is not None and self._watch.is_pending(name)
        )

    async def restore(self) -> None:
        """Go on with what an earlier run left; while another process keeps the queue, watch it."""
        memory, watch = self._memory, self._watch
        if memory is None or watch is None or self._is_closing or not memory.is_ready:
            return
        if memory.is_kept_elsewhere:
            watch.start()
            if not self._is_restore_wished:
                self._is_restore_wished = True
                watch.order(Order.RESTORE)
            return
        async with self._restoring:
            if self.is_restored or not memory.own_queue():
                return
            shared, wishes, unfinished = await memory.take_over()
            self.is_restored = True
            watch.take_last(shared)
            self.queue.restore(unfinished)
            for wish in wishes:
                if wish.order is not Order.PULL:  # which is among the unfinished by now
                    await self._obey(wish)
            watch.hand_over(self.queue)
            self._serve_others()

    async def history(self, count: int = 100) -> "tuple[EndedDownload, ...]":
        """The last downloads that ended, of earlier runs too, latest first."""
        return await self._memory.history(count) if self._memory else ()

    async def close(self) -> None:
        """End every download; what was not finished is left to the next run."""
        if self._memory is not None and not self._is_closing:
            self._memory.keep_queue(self.queue.state.items, bytes_count=True)
            if self._server is not None and self._memory.is_watched:
                self._share()
        self._is_closing = True
        tasks = [*self._orders, *([self._server] if self._server else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._watch is not None:
            await self._watch.close()
        await self.queue.close()

    # Who downloads.

    @property
    def _is_owner_known(self) -> bool:
        """Whether it can be told which process keeps the queue: there is one for each provider."""
        return self._memory is None or self._memory.is_ready

    async def _add_once_known(self, wanted: str, on_progress: ProgressCallback | None) -> None:
        assert self._memory is not None  # else it was known
        await self._memory.get_ready()
        self._add(wanted, on_progress)

    def _add(self, wanted: str, on_progress: ProgressCallback | None) -> int:
        if self._watch is not None and self.is_elsewhere:
            return self._watch.add(wanted, on_progress)
        self._serve_others()
        return self.queue.add(wanted, on_progress)

    def _do(self, job: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(job)
        self._orders.add(task)
        task.add_done_callback(self._orders.discard)
        task.add_done_callback(log_bug)

    # For other processes.

    def _serve_others(self) -> None:
        """See to what other processes wish, as long as this one keeps the queue."""
        if self._memory is None or not self._memory.own_queue() or self._is_closing:
            return
        if self._server is None:
            self._server = asyncio.create_task(self._keep_serving(), name="queue server")
            self._server.add_done_callback(log_bug)

    async def _keep_serving(self) -> None:
        memory = self._memory
        assert memory is not None
        while True:
            for wish in await memory.wishes():
                self._do(self._obey(wish))
            if self._is_news and memory.is_watched:
                self._share()
            await self._sleep(POLL_S)

    def _share(self) -> None:
        assert self._memory is not None
        self._is_news = False
        self._memory.share(SharedQueue(self.queue.state.items, self._taken))

    async def _obey(self, wish: Wish) -> None:
        """Do what another process wishes."""
        self._taken = max(self._taken, wish.number)
        self._is_news = True
        number = self.queue.number_of(wish.name) or 0
        match wish.order:
            case Order.PULL:
                self.queue.add(wish.name)
            case Order.LEAVE:
                await self.queue.leave(number)
            case Order.CANCEL:
                await self.queue.cancel(number)
            case Order.DISCARD:
                await self.discard(number)
            case Order.PAUSE:
                await self.queue.pause(number)
            case Order.RESUME:
                self.queue.resume(number)
            case Order.RETRY:
                self.queue.retry(number)
            case Order.MOVE:
                self.queue.move(number, wish.argument)
            case Order.CLEAR:
                self.queue.clear_finished()
            case Order.RESTORE if not self.is_restored and self._memory is not None:
                self.is_restored = True
                self.queue.restore(await self._memory.unfinished())

    def _wished(self, order: Order, number: int, argument: int = 0) -> bool:
        """Whether a download is another process's, which has been told."""
        if number > 0 or self._watch is None:
            return False
        self._watch.order(order, number, argument)
        return True

    # Inside.

    def _publish(self) -> None:
        self._on_change(self.state)

    def _changed(self, state: QueueState) -> None:
        self._is_news = True
        self._publish()
        if self._memory is not None and not self._is_closing:
            self._memory.keep_queue(state.items)

    def _settled(self, item: QueueItem) -> None:
        if self._memory is not None and not self._is_closing:
            self._memory.keep_ending(item, self._now())
        self._on_settled(item.name)


def _wanted(name: str) -> str:
    """What the provider is asked for by that name.

    Raises:
        InvalidName: the name fails the grammar.
    """
    parsed = parse_reference(name)
    return f"{parsed.scheme}://{parsed.short}" if parsed.is_plain_http else parsed.short
