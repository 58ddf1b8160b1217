"""ModelService: the one object that the screen and the verbs talk to.

Owns the caches, the queue and what is known about the provider; publishes whole states. Knows
nothing of screens, configuration files or HTTP.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ollm_tui.core.error import (
    ModelInUse,
    ModelNotFound,
    OllmError,
    ProviderOffline,
    Unsupported,
    closest,
)
from ollm_tui.core.event import (
    Event,
    ModelsState,
    QueueState,
    RunningState,
    ServerHealth,
    ServerState,
)
from ollm_tui.core.model import ModelDetails, ModelInfo, ModelList, ModelStatus, RunningModel
from ollm_tui.core.name import name_key, parse_reference, same_model
from ollm_tui.core.progress import PullState
from ollm_tui.providers.base import Provider, RunningSupport
from ollm_tui.service.cache import TTLCache
from ollm_tui.service.queue import DownloadQueue, ProgressCallback
from ollm_tui.service.subscriber import call_all

if TYPE_CHECKING:
    from ollm_tui.routing.database import ModelDatabase
    from ollm_tui.routing.decision import Decision
    from ollm_tui.routing.router import Router

_LOG = logging.getLogger(__name__)

LIST_TTL_S = 60.0
INFO_TTL_S = 300.0
_LIST = "list"
_MANY = 200  # models; looking up so many takes about 10 ms

Subscriber = Callable[[Event], None]


class ModelService:
    """Models of one provider: list, show, pull, delete, load; cached, and told to subscribers.

    Every method raises `OllmError`s only. Source: design, Model Management Service.

    Args:
        provider: whom to ask.
        make_database: makes the model database on first use; the shipped entries when absent.
        make_router: makes the router on first use, once a list has been drawn; the built-in
            profiles when absent.
        concurrency: downloads at once.
        clock: monotonic seconds, for the caches and speeds.
        now: the wall clock, for time stamps.
    """

    def __init__(
        self,
        provider: Provider,
        *,
        make_database: "Callable[[], ModelDatabase] | None" = None,
        make_router: "Callable[[ModelDatabase], Router] | None" = None,
        concurrency: int = 2,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._provider = provider
        self._make_router = make_router
        self._make_database = make_database
        self._router: Router | None = None
        self._database: ModelDatabase | None = None
        self.now = now
        """The wall clock, for ages on screen."""
        self._lists: TTLCache[str, ModelList] = TTLCache(LIST_TTL_S, clock)
        self._infos: TTLCache[str, ModelDetails] = TTLCache(INFO_TTL_S, clock)
        self._queue = DownloadQueue(
            self._provider.pull,
            on_change=self._publish_queue,
            on_settled=self._settled,
            concurrency=concurrency,
            clock=clock,
            now=now,
        )
        self._subscribers: list[Subscriber] = []
        self._server = ServerState(provider.kind, provider.host)
        self._models = ModelsState()
        self._listed: tuple[ModelInfo, ...] = ()
        self._running = RunningState()
        self._background: set[asyncio.Task[None]] = set()

    # What is known now, without asking anyone.

    @property
    def server(self) -> ServerState:
        """The provider as last seen."""
        return self._server

    @property
    def models(self) -> ModelsState:
        """The installed models as last seen."""
        return self._models

    @property
    def running(self) -> RunningState:
        """The models in memory as last seen."""
        return self._running

    @property
    def queue(self) -> QueueState:
        """Every download of this run."""
        return self._queue.state

    @property
    def can_run(self) -> bool:
        """Whether the provider keeps models in memory, so that load and unload mean something."""
        return isinstance(self._provider, RunningSupport)

    @property
    def database(self) -> "ModelDatabase":
        """What is known of models besides what the provider says."""
        if self._database is None:
            from ollm_tui.routing.database import ModelDatabase

            self._database = self._make_database() if self._make_database else ModelDatabase()
        return self._database

    @property
    def router(self) -> "Router":
        """What answers routing questions."""
        if self._router is None:
            from ollm_tui.routing.router import Router

            self._router = (
                self._make_router(self.database)
                if self._make_router
                else Router(database=self.database)
            )
        return self._router

    def explain(self, profile: str | None = None) -> "Decision":
        """Which of the models known now a profile picks, and why; None = the default profile.

        Raises:
            UnknownProfile: there is no such profile.
        """
        return self.router.explain(profile, self._models.models)

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Be told every change from now on, on the event loop; returns how to stop that."""
        self._subscribers.append(subscriber)
        return lambda: self._subscribers.remove(subscriber)

    # Asking.

    async def list_models(self, *, refresh: bool = False) -> tuple[ModelInfo, ...]:
        """The installed models, in the provider's order.

        Args:
            refresh: ask even when the last answer is younger than 60 s.

        Raises:
            ProviderError: nobody answers, or not as promised; `models` keeps what was known.

        Source: design, Properties 1, 2 and 21.
        """
        if not refresh and self._lists.fresh(_LIST) is not None:
            return self._models.models
        self._set_models(self._models._replace(loading=True))
        try:
            await self._lists.get(_LIST, self._fetch_list, refresh=refresh)
        except OllmError as error:
            self._provider_failed(error)
            raise
        except asyncio.CancelledError:
            self._set_models(self._models._replace(loading=False))
            raise
        return self._models.models

    async def show_model(self, name: str, *, refresh: bool = False) -> ModelDetails:
        """All about one installed model.

        Raises:
            ModelNotFound: with similar names.
            ProviderError: nobody answers, or not as promised.

        Source: design, Property 22.
        """
        key = name_key(name)
        known = self._find(name)
        cached = self._infos.peek(key)
        if cached and known and known.digest and cached.value.info.digest != known.digest:
            self._infos.invalidate(key)
        return await self._infos.get(key, lambda: self._fetch_info(name), refresh=refresh)

    async def get_model_status(self, name: str) -> ModelStatus:
        """Whether a model is installed, on its way, or neither. Source: design, Property 6."""
        models = await self.list_models()
        key = name_key(name)
        if any(name_key(model.name) == key for model in models):
            return ModelStatus.AVAILABLE
        if self._queue.is_downloading(name):
            return ModelStatus.DOWNLOADING
        return ModelStatus.NOT_FOUND

    async def refresh_running(self) -> tuple[RunningModel, ...]:
        """Ask which models are in memory."""
        if not isinstance(self._provider, RunningSupport):
            return ()
        self._set_running(await self._provider.running())
        return self._running.models

    async def version(self) -> str:
        """Ask the provider for its version."""
        version = await self._provider.version()
        self._set_server(self._server._replace(version=version))
        return version

    async def refresh(self) -> None:
        """Ask for everything the screen shows: models, then memory and version.

        What fails is published, not raised.
        """
        if await self.refresh_models():
            await self.refresh_server()

    async def refresh_models(self) -> bool:
        """Ask for the models; returns whether they came. What fails is published, not raised."""
        try:
            await self.list_models(refresh=True)
        except OllmError as error:
            _LOG.warning("%s", error)
            return False
        return True

    async def refresh_server(self) -> None:
        """Ask for memory and version.

        Old servers have no /api/ps and odd ones no version: neither makes them unusable, so a
        failure is only logged.
        """
        for question in (self.refresh_running, self.version):
            try:
                await question()
            except OllmError as error:
                _LOG.warning("%s", error)

    # Changing.

    async def pull_model(self, name: str, on_progress: ProgressCallback | None = None) -> None:
        """Download a model and wait for it; an equal download under way is joined.

        Cancelling the caller cancels the download.

        Raises:
            InvalidName: before anything is asked.
            OllmError: what ended it.

        Source: design, Property 4; ruling Z16.
        """
        number = self.enqueue(name, on_progress)
        try:
            await self._queue.wait(number)
        except asyncio.CancelledError:
            await self._queue.cancel(number)
            raise

    def enqueue(self, name: str, on_progress: ProgressCallback | None = None) -> int:
        """Queue a download and return its id.

        Raises:
            InvalidName: the name fails the grammar.
        """
        parsed = parse_reference(name)
        wanted = f"{parsed.scheme}://{parsed.short}" if parsed.is_plain_http else parsed.short
        return self._queue.add(wanted, on_progress)

    async def cancel(self, number: int) -> None:
        """Cancel a download; returns once its stream is closed."""
        await self._queue.cancel(number)

    def retry(self, number: int) -> None:
        """Queue a failed or cancelled download once more."""
        self._queue.retry(number)

    def clear_finished(self) -> None:
        """Forget the downloads that have ended."""
        self._queue.clear_finished()

    async def delete_model(self, name: str, *, force: bool = False) -> None:
        """Remove a model; refused while it is loaded or being downloaded.

        Args:
            force: remove it also while it is loaded.

        Raises:
            ModelInUse, ModelNotFound, DeleteFailed, ProviderError.

        Source: design, Property 5. Servers delete loaded models without a word, so the guard is
        ours, and memory is asked right before.
        """
        if self._queue.is_pending(name):
            raise ModelInUse(
                f"{name} is being downloaded", actions=("Cancel the download first (x).",)
            )
        if not force and isinstance(self._provider, RunningSupport):
            self._refuse_if_loaded(name, await self._provider.running())
        try:
            await self._provider.delete(name)
        finally:
            # Also after a failure: servers remove the manifest before they fail on the blobs.
            self._forget(name)
        await self.refresh()

    async def load(self, name: str, keep_alive: str | float | None = None) -> None:
        """Bring a model into memory."""
        await self._runner().load(name, keep_alive)
        await self.refresh_running()

    async def unload(self, name: str) -> None:
        """Ask for a model to leave memory."""
        await self._runner().unload(name)
        await self.refresh_running()

    async def copy(self, source: str, destination: str) -> None:
        """Give a model a second name.

        Raises:
            InvalidName: `destination` fails the grammar.
            ModelNotFound: `source` is not installed.
        """
        target = parse_reference(destination).short
        await self._provider.copy(source, target)
        self._forget(target)
        await self.refresh()

    def clear_cache(self) -> None:
        """Ask anew for everything from now on."""
        self._lists.clear()
        self._infos.clear()

    async def close(self) -> None:
        """End every download and let go of the provider."""
        await self._queue.close()
        for task in tuple(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self._provider.close()

    # Inside.

    def _enrich(self, models: Iterable[ModelInfo]) -> tuple[ModelInfo, ...]:
        """The models, each with what the database knows of it."""
        from ollm_tui.routing.facts import enrich

        return tuple(enrich(model, self.database) for model in models)

    async def _fetch_list(self) -> ModelList:
        listed = await self._provider.list_models()
        self._set_server(self._server._replace(health=ServerHealth.ONLINE, error=None))
        state = ModelsState(listed.models, listed.problems, as_of=self.now())
        if len(listed.models) < _MANY:
            self._listed = self._enrich(listed.models)
        else:
            if self._models.as_of is None:
                # Names and sizes first; looking so many up takes longer than drawing them.
                self._set_models(state._replace(loading=True))
            self._listed = await asyncio.to_thread(self._enrich, listed.models)
        self._set_models(state._replace(models=self._with_memory()))
        return listed

    async def _fetch_info(self, name: str) -> ModelDetails:
        try:
            details = await self._provider.show(name)
        except ModelNotFound as error:
            raise self._with_suggestions(name, error) from error
        known = self._find(name)
        (info,) = self._enrich([details.info])
        if known is not None:
            # The list alone knows size and digest.
            info = replace(
                info,
                size_bytes=known.size_bytes,
                digest=known.digest,
                modified_at=info.modified_at or known.modified_at,
            )
        return replace(details, info=info)

    def _provider_failed(self, error: OllmError) -> None:
        health = ServerHealth.OFFLINE if isinstance(error, ProviderOffline) else ServerHealth.BROKEN
        self._set_server(self._server._replace(health=health, error=error))
        self._set_models(self._models._replace(loading=False, stale=True, error=error))

    def _refuse_if_loaded(self, name: str, running: Sequence[RunningModel]) -> None:
        self._set_running(tuple(running))
        key = name_key(name)
        known = self._find(name)
        for model in running:
            same_digest = known is not None and known.digest and known.digest == model.digest
            if name_key(model.name) == key or same_digest:
                raise ModelInUse(
                    f"{name} is loaded in memory",
                    cause=f"as {model.display_name}" if name_key(model.name) != key else "",
                    actions=(f"Unload it first (`ollm-tui stop {model.name}`), then delete.",),
                )

    def _runner(self) -> RunningSupport:
        if isinstance(self._provider, RunningSupport):
            return self._provider
        raise Unsupported(
            f"The {self._provider.kind} provider keeps no models in memory",
            actions=("Choose an Ollama server with --provider ollama.",),
        )

    def _settled(self, name: str, state: PullState) -> None:
        # A cancelled or broken pull may have written its manifest just before.
        self._forget(name)
        if state is PullState.COMPLETE:
            task = asyncio.ensure_future(self.refresh())
            self._background.add(task)
            task.add_done_callback(self._background.discard)

    def _forget(self, name: str) -> None:
        self._lists.expire(_LIST)
        self._infos.invalidate(name_key(name))

    def _find(self, name: str) -> ModelInfo | None:
        key = name_key(name)
        for model in self._models.models:
            if model.name == name or name_key(model.name) == key:
                return model
        return None

    def _with_suggestions(self, name: str, error: ModelNotFound) -> ModelNotFound:
        others = (m.display_name for m in self._models.models if not same_model(m.name, name))
        near = closest(name, others)
        if not near:
            return error
        return ModelNotFound(
            error.message,
            cause=error.cause,
            actions=(f"Did you mean {' or '.join(near)}?", *error.actions),
        )

    def _with_memory(self) -> tuple[ModelInfo, ...]:
        """The listed models, each with what memory says of it."""
        loaded = {name_key(running.name): running for running in self._running.models}
        if not loaded:
            return self._listed
        return tuple(
            model
            if (running := loaded.get(name_key(model.name))) is None
            else replace(
                model,
                loaded=True,
                served_context_tokens=running.context_tokens or model.served_context_tokens,
            )
            for model in self._listed
        )

    def _set_server(self, state: ServerState) -> None:
        if state != self._server:
            self._server = state
            self._publish(state)

    def _set_models(self, state: ModelsState) -> None:
        if state != self._models:
            self._models = state
            self._publish(state)

    def _set_running(self, models: tuple[RunningModel, ...]) -> None:
        if models == self._running.models:
            return
        self._running = RunningState(models)
        self._publish(self._running)
        self._set_models(self._models._replace(models=self._with_memory()))

    def _publish_queue(self, state: QueueState) -> None:
        self._publish(state)

    def _publish(self, event: Event) -> None:
        call_all(self._subscribers, event)
