"""What every provider can do, as narrow as it can be, and the optional parts.

An optional part that a provider lacks is the reason why a key is disabled. Every method raises
`OllmError`s only; every string in its results is sanitised, except `name`, which is the key for
requests. Closing or cancelling a generator closes the stream behind it.
"""

from __future__ import annotations  # only types are named here

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Collection

    from ollm_tui.core.generation import GenerationChunk, GenerationRequest
    from ollm_tui.core.model import ModelDetails, ModelList, RunningModel
    from ollm_tui.core.progress import PullPlan, PullStep


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
