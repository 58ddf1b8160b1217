"""Facts that a list leaves out and only details tell, as lists of old servers do.

Source: ruling Z11; decision D18.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

from ollm_tui.core.error import OllmError
from ollm_tui.core.model import ModelInfo
from ollm_tui.core.name import name_key

AT_ONCE = 4


class LearnedFacts:
    """What details have told of models that the list says too little of."""

    def __init__(self) -> None:
        self._told: dict[str, ModelInfo] = {}

    def note(self, info: ModelInfo) -> None:
        """Keep what details tell of a model."""
        self._told[name_key(info.name)] = info

    def lacking(self, models: Iterable[ModelInfo]) -> list[ModelInfo]:
        """The models whose facts are guesses, and whose details nobody has asked for yet."""
        from ollm_tui.routing.facts import is_guessed

        return [model for model in models if is_guessed(model) and self._of(model) is None]

    def completes(self, model: ModelInfo) -> bool:
        """Whether more is known of a model than the list says."""
        from ollm_tui.routing.facts import is_guessed

        return is_guessed(model) and self._of(model) is not None

    def fill_in(self, models: tuple[ModelInfo, ...]) -> tuple[ModelInfo, ...]:
        """The models; those with guessed facts as details have told them, if still the same."""
        from ollm_tui.routing.facts import is_guessed

        if not self._told:
            return models
        return tuple((self._of(m) or m) if is_guessed(m) else m for m in models)

    def _of(self, model: ModelInfo) -> ModelInfo | None:
        told = self._told.get(name_key(model.name))
        return None if told is None or told.digest != model.digest else told


async def ask_for_all(
    models: Sequence[ModelInfo], ask: Callable[[str], Awaitable[object]]
) -> tuple[OllmError, ...]:
    """Ask for the details of some models, four at a time.

    Returns:
        What went wrong, an error for each model.
    """
    turns = asyncio.Semaphore(AT_ONCE)
    failures: list[OllmError] = []

    async def one(name: str) -> None:
        async with turns:
            try:
                await ask(name)
            except OllmError as error:
                failures.append(error)

    await asyncio.gather(*(one(model.name) for model in models))
    return tuple(failures)
