"""The parts of the service, and how each hears of the others.

Knows nothing of screens, configuration files or HTTP.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from ollm_tui.core.error import OllmError
from ollm_tui.core.event import ModelsState, RunningState, ServerHealth, ServerState
from ollm_tui.providers.base import Provider
from ollm_tui.service.deletion import Deletions
from ollm_tui.service.downloads import Downloads
from ollm_tui.service.generation import OptionsFor, Prompts
from ollm_tui.service.installed import InstalledModels
from ollm_tui.service.knowledge import Knowledge
from ollm_tui.service.reach import ServerWatch, is_unreachable
from ollm_tui.service.retry import roll
from ollm_tui.service.running import RunningModels
from ollm_tui.service.store import ModelStore
from ollm_tui.service.subscriber import Publisher
from ollm_tui.service.updates import UpdateCheck

if TYPE_CHECKING:
    from pathlib import Path

    from ollm_tui.core.unused import UnusedModel
    from ollm_tui.routing.database import ModelDatabase
    from ollm_tui.routing.router import Router
    from ollm_tui.service.memory import Memory

_LOG = logging.getLogger(__name__)

T = TypeVar("T")


class Assembly:
    """What `ModelService` is made of; its arguments are that one's."""

    def __init__(
        self,
        provider: Provider,
        *,
        make_database: "Callable[[], ModelDatabase] | None" = None,
        make_router: "Callable[[ModelDatabase], Router] | None" = None,
        options_for: OptionsFor | None = None,
        state_path: "Path | None" = None,
        concurrency: int = 2,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        dice: Callable[[], float] = roll,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._provider = provider
        self._knowledge = Knowledge(make_database, make_router)
        self.now = now
        """The wall clock, for ages on screen."""
        self._publisher = Publisher()
        self._background: set[asyncio.Task[Any]] = set()
        self._is_closing = False
        self._is_started = False
        self._memory = self._make_memory(state_path, sleep)
        self._server = ServerWatch(
            provider, on_change=self._server_changed, on_return=self.refresh, sleep=sleep
        )
        self._installed = InstalledModels(
            provider,
            enrich=self._knowledge.enrich,
            on_change=self._models_changed,
            on_answer=self._server.answered,
            clock=clock,
            now=now,
            memory=self._memory,
        )
        self._updates = UpdateCheck(provider, on_change=self._publisher.publish)
        self._running = RunningModels(provider, on_change=self._memory_changed, clock=clock)
        self.store = ModelStore(provider, on_change=self._publisher.publish, now=now)
        """The files behind the models, where they are on this machine."""
        self.downloads = Downloads(
            provider,
            self._memory,
            on_change=self._publisher.publish,
            on_settled=self._settled,
            on_broken=self._broken,
            find_unused=self._find_unused,
            concurrency=concurrency,
            clock=clock,
            sleep=sleep,
            dice=dice,
            now=now,
        )
        """Downloads of this run and of earlier ones."""
        self._queue = self.downloads.queue
        self.deletions = Deletions(
            provider,
            installed=self._installed,
            running=self._running,
            downloads=self.downloads,
            refresh=self._refresh_for_all,
            on_change=self._publisher.publish,
            sleep=sleep,
            now=now,
        )
        """Several deletes, deletes that can be taken back, and what they free."""
        self.prompts = Prompts(
            provider,
            options_for=options_for,
            running=self._running,
            on_missing=self._settled,
            clock=clock,
        )
        """Prompts and their answers."""

    async def start(self) -> None:
        """Show what the last run knew, go on with its downloads, and watch the provider.

        For the screen: verbs leave the queue of others alone.
        """
        self._is_started = True
        self._server.start()
        if self._memory is not None:
            await self._memory.get_ready()  # what it knows is kept by the provider
        await self.recall()
        await self._installed.complete()
        await self.downloads.restore()

    async def recall(self) -> None:
        """Show the models that the last run knew, names and sizes only: for the first frame."""
        await self._installed.recall()

    async def close(self) -> None:
        """End every download and question, and let go of the provider."""
        self._is_closing = True
        await self._server.close()
        await self.deletions.close()
        await self.downloads.close()
        for task in tuple(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self._installed.close()
        await self._running.close()
        if self._memory is not None:
            await self._memory.close()
        await self._provider.close()

    @property
    def server(self) -> ServerState:
        """The provider as last seen."""
        return self._server.state

    @property
    def models(self) -> ModelsState:
        """The installed models as last seen."""
        return self._installed.state

    async def refresh(self) -> None:
        """Ask for everything the screen shows: models, then memory and version.

        What fails is published, not raised.
        """
        if await self.refresh_models():
            await self.refresh_server()

    async def refresh_models(self) -> bool:
        """Ask for the models; returns whether they came. What fails is published, not raised."""
        return await self._see(lambda: self._installed.get(refresh=True)) and not self.models.stale

    async def refresh_server(self) -> None:
        """Ask for memory and version.

        Old servers have no /api/ps and odd ones no version: neither makes them unusable, so a
        failure is only logged.
        """
        await self._see(self._running.ask_anew)
        await self._see(self._server.version)

    async def _see(self, question: Callable[[], Awaitable[object]]) -> bool:
        """Ask for what others publish; whether it came. A failure is only logged."""
        try:
            await question()
        except OllmError as error:
            _LOG.warning("%s", error)
            return False
        return True

    def _server_changed(self, state: ServerState) -> None:
        self._publisher.publish(state)
        if state.error is not None:
            self._installed.doubt(state.error)
        elif state.health is ServerHealth.ONLINE:
            self._queue.retry_waiting()
        self._restore_if_possible()  # only now is it sure who the provider is

    def _models_changed(self, state: ModelsState) -> None:
        self._publisher.publish(state)
        self._updates.see(state)

    def _memory_changed(self, state: RunningState) -> None:
        self._publisher.publish(state)
        self._installed.set_loaded(state.models)

    def _make_memory(
        self, path: "Path | None", sleep: Callable[[float], Awaitable[None]]
    ) -> "Memory | None":
        if path is None:
            return None
        from ollm_tui.service.memory import Memory

        return Memory(path, self._provider, self._publisher.publish, sleep)

    def _restore_if_possible(self) -> None:
        if self._is_started and not self._is_closing and not self.downloads.is_restored:
            self._in_background(self.downloads.restore())  # whoever kept it may have gone

    def _settled(self, name: str) -> None:
        # A cancelled or broken pull may have written its manifest just before; and a model that
        # a prompt did not find has gone.
        self._installed.forget(name)
        if not self._is_closing:
            self._in_background(self.refresh_models())

    def _broken(self, error: OllmError) -> None:
        # Whether the whole server has gone or only that stream, nobody knows until it is asked.
        is_thought_there = self._server.state.health is ServerHealth.ONLINE
        if is_unreachable(error) and is_thought_there and not self._is_closing:
            self._in_background(self._see(self._server.version))

    async def _find_unused(self) -> "tuple[UnusedModel, ...]":
        from ollm_tui.service.unused import UnusedModels  # rarely needed

        return await UnusedModels(
            self._installed, self._running, self._knowledge, self.downloads.is_pending
        ).find()

    def _refresh_for_all(self) -> "asyncio.Future[None]":
        """Start a `refresh` that goes on when whoever waits for it has gone."""
        return asyncio.shield(self._in_background(self.refresh()))

    def _in_background(self, job: Coroutine[object, object, T]) -> "asyncio.Task[T]":
        task = asyncio.create_task(job)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task
