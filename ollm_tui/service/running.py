"""The models in memory: asked for, loaded, unloaded."""

from collections.abc import Callable

from ollm_tui.core.error import Unsupported
from ollm_tui.core.event import RunningState
from ollm_tui.core.model import RunningModel
from ollm_tui.providers.base import Provider, RunningSupport
from ollm_tui.service.cache import TTLCache

_MEMORY = "memory"


class RunningModels:
    """What one provider has in memory; nothing, for one that keeps no models there.

    Args:
        provider: whom to ask.
        on_change: told every new state.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        provider: Provider,
        *,
        on_change: Callable[[RunningState], None],
        clock: Callable[[], float],
    ) -> None:
        self._provider = provider
        self._support = provider if isinstance(provider, RunningSupport) else None
        self._on_change = on_change
        # Kept for no time at all: one question at a time, and no late answer from before a load.
        self._answers: TTLCache[str, tuple[RunningModel, ...]] = TTLCache(0.0, clock)
        self.state = RunningState(error=None if self._support else self._unsupported())
        """The models in memory as last seen."""

    @property
    def is_supported(self) -> bool:
        """Whether the provider keeps models in memory, so that load and unload mean something."""
        return self._support is not None

    async def get(self) -> tuple[RunningModel, ...]:
        """Ask which models are in memory."""
        if self._support is None:
            return ()
        return await self._answers.get(_MEMORY, self._fetch)

    async def ask_anew(self) -> tuple[RunningModel, ...]:
        """As `get`, but never with the answer to a question asked before."""
        self._answers.invalidate(_MEMORY)
        return await self.get()

    async def load(self, name: str, keep_alive: str | float | None = None) -> None:
        """Bring a model into memory."""
        await self._required().load(name, keep_alive)

    async def unload(self, name: str) -> None:
        """Ask for a model to leave memory."""
        await self._required().unload(name)

    async def close(self) -> None:
        """End the question under way."""
        await self._answers.close()

    async def _fetch(self) -> tuple[RunningModel, ...]:
        try:
            models = await self._required().running()
        except Unsupported as error:
            if self.state.error is None:
                self.state = RunningState(error=error)
                self._on_change(self.state)
            raise
        if self._answers.will_store(_MEMORY) and models != self.state.models:
            self.state = RunningState(models)
            self._on_change(self.state)
        return models

    def _required(self) -> RunningSupport:
        if self._support is None:
            raise self._unsupported()
        return self._support

    def _unsupported(self) -> Unsupported:
        return Unsupported(
            f"The {self._provider.kind} provider keeps no models in memory",
            actions=("Choose an Ollama server with --provider ollama.",),
        )
