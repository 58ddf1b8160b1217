"""ModelService: the one object that the screen and the verbs talk to.

Puts the parts together: the installed models, the models in memory, the downloads, and what is
known about the provider; publishes whole states. Knows nothing of screens, configuration files
or HTTP.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from ollm_tui.core.error import OllmError, Unsupported
from ollm_tui.core.event import (
    ModelsState,
    QueueState,
    RunningState,
    ServerHealth,
    ServerState,
)
from ollm_tui.core.model import ModelDetails, ModelInfo, ModelStatus, RunningModel
from ollm_tui.core.name import parse_reference
from ollm_tui.providers.base import DiskSupport, FilesSupport, Provider
from ollm_tui.service.deletion import Deletions
from ollm_tui.service.download import ProgressCallback
from ollm_tui.service.downloads import Downloads
from ollm_tui.service.generation import OptionsFor, Prompts
from ollm_tui.service.installed import InstalledModels
from ollm_tui.service.knowledge import Knowledge
from ollm_tui.service.reach import ServerWatch
from ollm_tui.service.retry import roll
from ollm_tui.service.running import RunningModels
from ollm_tui.service.store import ModelStore
from ollm_tui.service.subscriber import Publisher, Subscriber

if TYPE_CHECKING:
    from pathlib import Path

    from ollm_tui.core.model import ModelFile
    from ollm_tui.routing.database import ModelDatabase
    from ollm_tui.routing.decision import Decision
    from ollm_tui.routing.router import Router
    from ollm_tui.routing.situation import Situation
    from ollm_tui.service.memory import Memory

_LOG = logging.getLogger(__name__)

T = TypeVar("T")


class ModelService:
    """Models of one provider: list, show, pull, delete, load; cached, and told to subscribers.

    Every method raises `OllmError`s only. Source: design, Model Management Service.

    Args:
        provider: whom to ask.
        make_database: makes the model database on first use; the shipped entries when absent.
        make_router: makes the router on first use, once a list has been drawn; the built-in
            profiles when absent.
        options_for: the options to send with prompts for one model; may be slow. None are sent
            when absent.
        state_path: where to keep what the next run shall know; nowhere when absent.
        concurrency: downloads at once.
        clock: monotonic seconds, for the caches and speeds.
        sleep: waits for seconds of that clock.
        dice: for the waits between tries, 0 <= result < 1.
        now: the wall clock, for time stamps.
    """

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
        self._memory = self._make_memory(state_path)
        self._server = ServerWatch(
            provider, on_change=self._server_changed, on_return=self.refresh, sleep=sleep
        )
        self._installed = InstalledModels(
            provider,
            enrich=self._knowledge.enrich,
            on_change=self._publisher.publish,
            on_answer=self._server.answered,
            clock=clock,
            now=now,
            memory=self._memory,
        )
        self._running = RunningModels(provider, on_change=self._memory_changed, clock=clock)
        self.store = ModelStore(provider, on_change=self._publisher.publish, now=now)
        """The files behind the models, where they are on this machine."""
        self.downloads = Downloads(
            provider.pull,
            self._memory,
            on_change=self._publisher.publish,
            on_settled=self._settled,
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
            queue=self._queue,
            refresh=self._refresh_for_all,
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
        await self._installed.recall()
        await self.downloads.restore()

    # What is known now, without asking anyone.

    @property
    def server(self) -> ServerState:
        """The provider as last seen."""
        return self._server.state

    @property
    def models(self) -> ModelsState:
        """The installed models as last seen."""
        return self._installed.state

    @property
    def running(self) -> RunningState:
        """The models in memory as last seen."""
        return self._running.state

    @property
    def queue(self) -> QueueState:
        """Every download of this run."""
        return self._queue.state

    @property
    def can_run(self) -> bool:
        """Whether the provider keeps models in memory, so that load and unload mean something."""
        return self._running.is_supported

    @property
    def database(self) -> "ModelDatabase":
        """What is known of models besides what the provider says."""
        return self._knowledge.database

    @property
    def router(self) -> "Router":
        """What answers routing questions."""
        return self._knowledge.router

    async def prepare_router(self) -> None:
        """Make the router without holding up the event loop: its settings take long to read."""
        await asyncio.to_thread(lambda: self.router)

    async def situation(self, profile: str | None = None) -> "Situation":
        """All that decides which of the models known now a profile gets, to ask questions of.

        Args:
            profile: None = the default profile.
        """
        models = self.models.models
        return await asyncio.to_thread(self._knowledge.situation, models, profile)

    async def settings_changed(self) -> None:
        """Route by the settings as they are now, and know the models by their database."""
        self._knowledge.forget()
        await self.prepare_router()
        await self.refresh_models()

    def explain(self, profile: str | None = None, *, model: str | None = None) -> "Decision":
        """Which of the models known now a profile picks, and why; None = the default profile.

        Never raises: where no model can be named, the decision holds the error.

        Args:
            model: asked for by name, whatever the profile says.
        """
        router = self.router if model is None else self.router.pinned_to(model)
        return router.explain(profile, self.models.models)

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Be told every change from now on, on the event loop; returns how to stop that."""
        return self._publisher.subscribe(subscriber)

    # Asking.

    async def list_models(self, *, refresh: bool = False) -> tuple[ModelInfo, ...]:
        """The installed models, in the provider's order.

        Args:
            refresh: ask even when the last answer is younger than 60 s.

        While nobody answers they are those last known, and `models` says since when.

        Raises:
            ProviderOffline: nobody answers, and nothing was ever known.
            ProviderError: the answer is not as promised; `models` keeps what was known.

        Source: design, Properties 1, 2 and 21; decisions C3 and C4.
        """
        return await self._installed.get(refresh=refresh)

    async def show_model(self, name: str, *, refresh: bool = False) -> ModelDetails:
        """All about one installed model; what was last known while nobody answers.

        Raises:
            ModelNotFound: with similar names.
            ProviderError: nobody answers and nothing was known, or the answer is not as promised.

        Source: design, Property 22.
        """
        return await self._installed.show(name, refresh=refresh)

    async def model_files(self, name: str) -> "tuple[ModelFile, ...]":
        """The files that a model consists of, the largest first, and who shares them.

        Raises:
            ModelNotFound: it is not installed.
            Unsupported: this provider's store cannot be read from here.
        """
        provider = self._provider
        if isinstance(provider, FilesSupport):
            return await provider.files(name)
        raise Unsupported(
            f"The {provider.kind} provider does not show its files",
            actions=("Look at a store on this disk with --provider local.",),
        )

    async def free_bytes(self) -> int | None:
        """How much more can be written where the models are; None = nobody can tell."""
        provider = self._provider
        try:
            return await provider.free_bytes() if isinstance(provider, DiskSupport) else None
        except OllmError as error:
            _LOG.warning("%s", error)
            return None

    async def get_model_status(self, name: str) -> ModelStatus:
        """Whether a model is installed, on its way, or neither.

        Raises:
            ProviderError: as `list_models`.

        Source: design, Property 6; decision C12.
        """
        await self.list_models()
        if self._installed.find(name) is not None:
            return ModelStatus.AVAILABLE
        if self._queue.is_downloading(name):
            return ModelStatus.DOWNLOADING
        if self._memory is not None and await self._memory.is_downloaded_elsewhere(name):
            return ModelStatus.DOWNLOADING
        return ModelStatus.NOT_FOUND

    async def refresh_running(self) -> tuple[RunningModel, ...]:
        """Ask which models are in memory."""
        with self._server.noticing():
            return await self._running.get()

    async def version(self) -> str:
        """Ask the provider for its version."""
        return await self._server.version()

    async def refresh(self) -> None:
        """Ask for everything the screen shows: models, then memory and version.

        What fails is published, not raised.
        """
        if await self.refresh_models():
            await self.refresh_server()

    async def refresh_models(self) -> bool:
        """Ask for the models; returns whether they came. What fails is published, not raised."""
        return await self._see(lambda: self.list_models(refresh=True)) and not self.models.stale

    async def refresh_server(self) -> None:
        """Ask for memory and version.

        Old servers have no /api/ps and odd ones no version: neither makes them unusable, so a
        failure is only logged.
        """
        await self._see(self._running.ask_anew)
        await self._see(self.version)

    # Changing.

    async def pull_model(self, name: str, on_progress: ProgressCallback | None = None) -> None:
        """Download a model and wait for it; an equal download under way is joined.

        Cancelling the caller cancels the download, unless somebody else wants it too.

        Raises:
            InvalidName: before anything is asked.
            OllmError: what ended it.

        Source: design, Property 4; ruling Z16.
        """
        self._restore_if_possible()
        await self.downloads.pull(name, on_progress)

    def enqueue(self, name: str, on_progress: ProgressCallback | None = None) -> int:
        """Queue a download and return its id.

        Raises:
            InvalidName: the name fails the grammar.
        """
        self._restore_if_possible()
        return self.downloads.enqueue(name, on_progress)

    async def cancel(self, number: int) -> None:
        """Cancel a download; returns once its stream is closed."""
        await self._queue.cancel(number)

    async def pause(self, number: int) -> None:
        """Stop a download and keep its entry; returns once its stream is closed."""
        await self._queue.pause(number)

    def resume(self, number: int) -> None:
        """Queue a paused download once more."""
        self._queue.resume(number)

    def retry(self, number: int) -> None:
        """Try a download again now that failed, was cancelled or waits for its next try."""
        self._queue.retry(number)

    def move(self, number: int, by: int) -> None:
        """Move a download down the queue, or up if negative."""
        self._queue.move(number, by)

    def set_concurrency(self, concurrency: int) -> None:
        """Have so many downloads at once from now on, 1 or more."""
        self._queue.set_concurrency(concurrency)

    def clear_finished(self) -> None:
        """Forget the downloads that have ended."""
        self._queue.clear_finished()

    async def delete_model(self, name: str, *, force: bool = False) -> None:
        """Remove a model; refused while it is loaded or being downloaded.

        Args:
            force: remove it also while it is loaded.

        Raises:
            ModelInUse, ModelNotFound, DeleteFailed, ProviderError.

        Source: design, Property 5; decisions A5.
        """
        for error in (await self.deletions.delete([name], force=force)).values():
            raise error

    async def load(self, name: str, keep_alive: str | float | None = None) -> None:
        """Bring a model into memory, or change how long it stays there.

        Args:
            keep_alive: seconds or a duration such as "5m"; negative = for ever; None = default.
        """
        await self._running.load(name, keep_alive)
        await self._see(self._running.ask_anew)

    async def unload(self, name: str) -> None:
        """Ask for a model to leave memory."""
        await self._running.unload(name)
        await self._see(self._running.ask_anew)

    async def unload_all(self) -> None:
        """Ask for every model to leave memory; the first failure is raised once all were asked."""
        running = await self._running.ask_anew()
        results = await asyncio.gather(
            *(self._running.unload(model.name) for model in running), return_exceptions=True
        )
        await self._see(self._running.ask_anew)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def copy(self, source: str, destination: str) -> None:
        """Give a model a second name.

        Raises:
            InvalidName: `destination` fails the grammar.
            ModelNotFound: `source` is not installed.
        """
        target = parse_reference(destination).short
        try:
            await self._provider.copy(source, target)
        finally:
            self._installed.forget(target)
        await self.refresh_models()

    def clear_cache(self) -> None:
        """Ask anew for everything from now on."""
        self._installed.clear()

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

    # Inside.

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

    def _memory_changed(self, state: RunningState) -> None:
        self._publisher.publish(state)
        self._installed.set_loaded(state.models)

    def _make_memory(self, path: "Path | None") -> "Memory | None":
        if path is None:
            return None
        from ollm_tui.service.memory import Memory

        return Memory(path, self._provider, self._publisher.publish)

    def _restore_if_possible(self) -> None:
        if self._is_started and not self._is_closing and not self.downloads.is_restored:
            self._in_background(self.downloads.restore())  # whoever kept it may have gone

    def _settled(self, name: str) -> None:
        # A cancelled or broken pull may have written its manifest just before; and a model that
        # a prompt did not find has gone.
        self._installed.forget(name)
        if not self._is_closing:
            self._in_background(self.refresh_models())

    def _refresh_for_all(self) -> "asyncio.Future[None]":
        """Start a `refresh` that goes on when whoever waits for it has gone."""
        return asyncio.shield(self._in_background(self.refresh()))

    def _in_background(self, job: Coroutine[object, object, T]) -> "asyncio.Task[T]":
        task = asyncio.create_task(job)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task
