"""What every provider can do, as narrow as it can be, and the optional parts.

An optional part that a provider lacks is the reason why a key is disabled. Every method raises
`OllmError`s only; every string in its results is sanitised, except `name`, which is the key for
requests. Closing or cancelling a generator closes the stream behind it.
"""

from __future__ import annotations  # only types are named here

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Collection, Sequence

    from ollm_tui.core.generation import GenerationChunk, GenerationRequest
    from ollm_tui.core.model import ModelDetails, ModelFile, ModelList, RunningModel
    from ollm_tui.core.plan import PullPlan
    from ollm_tui.core.progress import PullStep
    from ollm_tui.core.store import DiskUsage, Finding, Leftover, StorePlace


class Provider(Protocol):
    """A place that has models."""

    @property
    def kind(self) -> str:
        """What sort of provider, such as "ollama"."""
        ...

    @property
    def host(self) -> str:
        """The address for people: sanitised, without credentials."""
        ...

    async def version(self) -> str:
        """The provider's version, or an empty string when it does not say."""
        ...

    async def list_models(self) -> ModelList:
        """What is installed, in the provider's order."""
        ...

    async def show(self, name: str) -> ModelDetails:
        """All about one model.

        Raises:
            ModelNotFound: it is not installed.
        """
        ...

    def pull(self, name: str) -> AsyncGenerator[PullStep, None]:
        """Download a model; the last step is SUCCESS or the iterator raises.

        Raises:
            DownloadFailed: with the provider's reason, also for a stream that just ends.
            ModelNotFound: the registry has no such model.
        """
        ...

    async def delete(self, name: str) -> None:
        """Remove a model.

        Raises:
            ModelNotFound: it is not installed.
            DeleteFailed: it may be half gone.
        """
        ...

    async def copy(self, source: str, destination: str) -> None:
        """Give a model a second name; no bytes are copied.

        Raises:
            ModelNotFound: `source` is not installed.
        """
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...


@runtime_checkable
class RunningSupport(Protocol):
    """A provider that keeps models in memory."""

    async def running(self) -> tuple[RunningModel, ...]:
        """The models in memory, latest to leave first."""
        ...

    async def load(self, name: str, keep_alive: str | float | None = None) -> None:
        """Bring a model into memory; returns when it is there.

        Args:
            keep_alive: seconds or a duration such as "5m"; negative = for ever; None = default.
        """
        ...

    async def unload(self, name: str) -> None:
        """Ask for a model to leave memory; it does once its running requests end."""
        ...


@runtime_checkable
class FilesSupport(Protocol):
    """A provider whose store can be read."""

    async def files(self, name: str) -> tuple[ModelFile, ...]:
        """The files of a model, the largest first, and who shares them.

        Raises:
            ModelNotFound: it is not installed.
            Unsupported: the store cannot be read from here.
        """
        ...


@runtime_checkable
class PlanSupport(Protocol):
    """A provider that can tell what a pull would fetch."""

    async def plan(self, name: str) -> PullPlan:
        """What a pull of `name` would fetch; asks the registry for the manifest only.

        Raises:
            ModelNotFound: the registry has no such model.
            DownloadFailed: the registry refuses or does not answer.
            Unsupported: registries are not asked from here.
        """
        ...


@runtime_checkable
class DiskSupport(Protocol):
    """A provider whose disk may be seen from here."""

    async def free_bytes(self) -> int | None:
        """How much more can be written where the models are; None = unknown.

        What running pulls have set aside and not written yet counts as free.
        """
        ...

    async def freed_bytes(self, names: Collection[str]) -> int | None:
        """What deleting all these models frees, exactly; None = unknown. Source: ruling Z25."""
        ...


@runtime_checkable
class DiscardSupport(Protocol):
    """A provider that may remove what has arrived of a pull that was not finished."""

    def can_discard(self) -> bool:
        """Whether it does."""
        ...

    async def discard(self, name: str) -> int:
        """Remove what has arrived of a model; returns the bytes freed.

        What belongs to another model or is being fetched stays.
        """
        ...


@runtime_checkable
class GenerateSupport(Protocol):
    """A provider that answers prompts."""

    def chat(self, request: GenerationRequest) -> AsyncGenerator[GenerationChunk, None]:
        """Stream the answer; the last chunk has `done` set."""
        ...


@runtime_checkable
class StandIn(Protocol):
    """A provider in whose place another one answers, of which only that one knows the parts."""

    async def stands_for(self) -> Provider:
        """The one that answers; it may be made only now."""
        ...


class StoreAccess(Protocol):
    """A model store that this process can read."""

    @property
    def place(self) -> StorePlace:
        """Which store it is."""
        ...

    async def usage(self) -> DiskUsage:
        """What it takes on disk, and what in it is part of no model."""
        ...

    async def inspect(
        self, *, verify: bool = False, on_progress: Callable[[int, int], None] | None = None
    ) -> tuple[Finding, ...]:
        """Everything that is wrong with it, the store's own troubles first.

        Args:
            verify: also hash every file, which reads all of them.
            on_progress: called on the event loop, about ten times a second while hashing, with
                the bytes done and all of them.
        """
        ...

    def repair(self, name: str) -> AsyncGenerator[PullStep, None]:
        """Hash every file of a model and fetch only those that are bad; ends as a pull does.

        Raises:
            ModelNotFound: it is not in the store.
            DownloadFailed: as a pull.
            StoreError: it is still damaged.
        """
        ...

    async def reclaim(self, items: Sequence[Leftover]) -> int:
        """Remove leftovers that were shown and are still such; returns the bytes freed.

        Raises:
            Unsupported: a server owns the store and tidies up by itself.
            StoreError: the store cannot be written to.
        """
        ...


@runtime_checkable
class StoreSupport(Protocol):
    """A provider whose models may lie where this process can read them."""

    async def open_store(self) -> StoreAccess:
        """The store behind it.

        Raises:
            Unsupported: it is out of reach; with the reason and what to do.
            ProviderError: the provider does not say what it has.
        """
        ...
