"""ModelService: the one object that the screen and the verbs talk to.

Says what can be asked and done; `assembly` puts the parts together. Publishes whole states. Knows
nothing of screens, configuration files or HTTP.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ollm_tui.core.error import OllmError, Unsupported
from ollm_tui.core.event import ModelUpdate, QueueState, RunningState, UpdatesState
from ollm_tui.core.model import ModelDetails, ModelInfo, ModelStatus, RunningModel
from ollm_tui.core.name import name_key, parse_reference
from ollm_tui.core.turns import in_turn
from ollm_tui.providers.base import DiskSupport, FilesSupport
from ollm_tui.service.assembly import Assembly
from ollm_tui.service.download import ProgressCallback
from ollm_tui.service.subscriber import Subscriber
from ollm_tui.service.updates import references_of

if TYPE_CHECKING:
    from ollm_tui.core.model import ModelFile
    from ollm_tui.core.unused import UnusedModel
    from ollm_tui.routing.database import ModelDatabase
    from ollm_tui.routing.decision import Decision
    from ollm_tui.routing.router import Router
    from ollm_tui.routing.situation import Situation
    from ollm_tui.service.consequences import Consequences

_LOG = logging.getLogger(__name__)


class ModelService(Assembly):
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

    # What is known now, without asking anyone.

    @property
    def running(self) -> RunningState:
        """The models in memory as last seen."""
        return self._running.state

    @property
    def queue(self) -> QueueState:
        """Every download of this run, and those of the process that keeps the queue."""
        return self.downloads.state

    @property
    def updates(self) -> UpdatesState:
        """What the checks of this run found about updates."""
        return self._updates.state

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
        await asyncio.to_thread(in_turn, lambda: self.router)

    async def situation(self, profile: str | None = None) -> "Situation":
        """All that decides which of the models known now a profile gets, to ask questions of.

        Args:
            profile: None = the default profile.
        """
        models = self.models.models
        situation = await asyncio.to_thread(
            in_turn, lambda: self._knowledge.situation(models, profile)
        )
        return replace(situation, provisional=self.is_provisional)

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

    async def learn_details(self) -> "tuple[OllmError, ...]":
        """Ask for the details of every model of which the list leaves out what routing looks at.

        Returns:
            What went wrong, an error for each model. Source: ruling Z11.
        """
        from ollm_tui.service.details import ask_for_all

        return await ask_for_all(self._installed.lacking_details(), self.show_model)

    @property
    def is_provisional(self) -> bool:
        """Whether some models' details are still to come, so that a decision may change."""
        return bool(self._installed.lacking_details())

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

    async def unused_models(self) -> "tuple[UnusedModel, ...]":
        """The largest models that could be deleted to make room, largest first; never raises."""
        return await self._find_unused()

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

    async def check_updates(self, names: Sequence[str] = ()) -> tuple[ModelUpdate, ...]:
        """Compare installed models with their registries, without downloading.

        Args:
            names: which, as people type them: `http://` asks that registry so; none = all.

        Returns:
            One verdict for each, in the order of the list.

        Raises:
            ModelNotFound: one of the names is not installed.
            Unsupported: registries are not asked from here.
            ProviderError: as `list_models`.
        """
        references = references_of(names)
        models = await self.list_models()
        for name in names:
            self._installed.require(name)
        wanted = [m for m in models if not names or name_key(m.name) in references]
        return await self._updates.check(wanted, references)

    async def refresh_running(self) -> tuple[RunningModel, ...]:
        """Ask which models are in memory."""
        with self._server.noticing():
            return await self._running.get()

    async def version(self) -> str:
        """Ask the provider for its version."""
        return await self._server.version()

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
        """Queue a download and return its id; 0 while it is not known who downloads.

        Raises:
            InvalidName: the name fails the grammar.
        """
        self._restore_if_possible()
        return self.downloads.enqueue(name, on_progress)

    async def cancel(self, number: int) -> None:
        """Cancel a download; returns once its stream is closed."""
        await self.downloads.cancel(number)

    async def pause(self, number: int) -> None:
        """Stop a download and keep its entry; returns once its stream is closed."""
        await self.downloads.pause(number)

    def resume(self, number: int) -> None:
        """Queue a paused download once more."""
        self.downloads.resume(number)

    def retry(self, number: int) -> None:
        """Try a download again now that failed, was cancelled or waits for its next try."""
        self.downloads.retry(number)

    def move(self, number: int, by: int) -> None:
        """Move a download down the queue, or up if negative."""
        self.downloads.move(number, by)

    def set_concurrency(self, concurrency: int) -> None:
        """Have so many downloads at once from now on, 1 or more."""
        self._queue.set_concurrency(concurrency)

    def set_tries(self, tries: int) -> None:
        """End downloads that begin from now on after so many tries without progress, 1 or more."""
        self._queue.set_tries(tries)

    def clear_finished(self) -> None:
        """Forget the downloads that have ended."""
        self.downloads.clear_finished()

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

    async def consequences(self, names: Sequence[str]) -> "Consequences":
        """What deleting these models would mean: bytes, memory, and profiles; never raises."""
        from ollm_tui.service.consequences import consequences_of

        models = self.models.models
        return await consequences_of(
            names,
            provider=self._provider,
            models=models,
            running=self._running,
            situation=lambda: self._knowledge.situation(models, None),
        )

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
