"""What is installed, as far as anyone has said, and what memory adds to it.

Owns the cached list and the cached details of single models. Knows nothing of downloads.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from ollm_tui.core.error import ModelNotFound, OllmError, closest
from ollm_tui.core.event import ModelsState
from ollm_tui.core.model import ModelDetails, ModelInfo, ModelList, RunningModel
from ollm_tui.core.name import name_key, same_model
from ollm_tui.core.text import clean_line
from ollm_tui.core.turns import in_turn
from ollm_tui.providers.base import Provider
from ollm_tui.service.cache import TTLCache
from ollm_tui.service.details import LearnedFacts
from ollm_tui.service.reach import is_unreachable

if TYPE_CHECKING:
    from ollm_tui.service.list_store import KnownList
    from ollm_tui.service.memory import Memory

LIST_TTL_S = 60.0
INFO_TTL_S = 300.0
_LIST = "list"
_MANY = 200  # models; looking up so many takes about 10 ms
_DRAWN_AFTER_S = 0.04  # two frames: a thread that looks models up slows down the drawing of them

Models = tuple[ModelInfo, ...]


class _Described(NamedTuple):
    details: ModelDetails
    digest: str
    """What the list said when the details were asked for; empty = nothing."""


class InstalledModels:
    """The models of one provider.

    Args:
        provider: whom to ask.
        enrich: adds what the model database knows; called in a thread when there are many.
        on_change: told every new state.
        on_answer: told how the list was answered: None or the error.
        clock: monotonic seconds, for freshness.
        now: the wall clock, for "as of".
        memory: keeps the list for the next run.
    """

    def __init__(
        self,
        provider: Provider,
        *,
        enrich: Callable[[Iterable[ModelInfo]], Models],
        on_change: Callable[[ModelsState], None],
        on_answer: Callable[[OllmError | None], None],
        clock: Callable[[], float],
        now: Callable[[], datetime],
        memory: "Memory | None" = None,
    ) -> None:
        self._memory = memory
        self._provider = provider
        self._enrich = enrich
        self._on_change = on_change
        self._on_answer = on_answer
        self._now = now
        self._lists: TTLCache[str, Models] = TTLCache(LIST_TTL_S, clock)
        self._infos: TTLCache[str, _Described] = TTLCache(INFO_TTL_S, clock)
        self._known = ModelsState()  # as the list had it
        self._learned = LearnedFacts()
        self._loaded: dict[str, RunningModel] = {}
        self._recalling = asyncio.Lock()
        self._recalled: KnownList | None = None  # what is yet to be completed
        self._fetches = 0
        self.state = ModelsState()
        """The models as last seen, each with what memory says of it."""

    async def get(self, *, refresh: bool = False) -> Models:
        """The installed models, in the provider's order; those last known while it is away.

        Raises:
            ProviderError: nobody answers and nothing is known, or the answer is not as promised.
        """
        if not refresh and self._lists.fresh(_LIST) is not None:
            return self.state.models
        try:
            models = await self._lists.get(_LIST, self._fetch_list, refresh=refresh)
        except OllmError as error:
            if not is_unreachable(error) or not await self.recall():
                raise
            await self.complete()
            return self.state.models
        return self._marked(models)

    async def recall(self) -> bool:
        """Show what an earlier run knew if this one knows nothing; whether anything is known.

        Names and sizes as the provider gave them; `complete` looks the rest up.
        """
        async with self._recalling:
            if self._known.as_of is None and self._memory is not None:
                self._take_last(await self._memory.last_list())
        return self._known.as_of is not None

    def _take_last(self, last: "KnownList | None") -> None:
        if last is None or self._known.as_of is not None:  # there has been an answer meanwhile
            return
        listed = last.models
        self._known = self._known._replace(
            models=listed.models, problems=listed.problems, as_of=last.as_of, stale=True
        )
        self._recalled = last
        self._update()

    async def complete(self) -> None:
        """Add to a list that was recalled what the model database knows."""
        last, self._recalled = self._recalled, None
        if last is None:
            return
        listed = last.models.models
        if len(listed) >= _MANY:
            await asyncio.sleep(_DRAWN_AFTER_S)
        enriched = {model.name: model for model in await self._enriched(listed)}
        if self._known.as_of == last.as_of:  # else there has been an answer since
            models = tuple(enriched.get(model.name, model) for model in self._known.models)
            self._known = self._known._replace(models=models)
            self._update()

    async def show(self, name: str, *, refresh: bool = False) -> ModelDetails:
        """All about one model; asked anew when the list has another digest than before.

        Raises:
            ModelNotFound: with similar names.
            ProviderError: nobody answers and nothing is known, or the answer is not as promised.
        """
        key = name_key(name)
        known = self.find(name)
        digest = known.digest if known else ""
        last = self._infos.last(key)
        is_changed = bool(last and digest and last.digest and last.digest != digest)
        try:
            described = await self._infos.get(
                key, lambda: self._fetch_info(name, digest), refresh=refresh or is_changed
            )
        except OllmError as error:
            if last is None or not is_unreachable(error):
                raise
            described = last
        return self._merged(described.details)

    def lacking_details(self) -> list[ModelInfo]:
        """The models of which the list leaves out what routing looks at, not asked for yet."""
        return self._learned.lacking(self._known.models)

    def _fill_in(self, known: ModelInfo) -> None:
        """Put into the list what it leaves out of a model."""
        if self._learned.completes(known):
            models = self._learned.fill_in(self._known.models)
            self._known = self._known._replace(models=models)
            self._update()

    def find(self, name: str) -> ModelInfo | None:
        """The model of that name as last seen, however the name is spelled."""
        key = name_key(name)
        for model in self.state.models:
            if model.name == name or name_key(model.name) == key:
                return model
        return None

    def require(self, name: str) -> ModelInfo:
        """The model of that name as last seen.

        Raises:
            ModelNotFound: with similar names.
        """
        found = self.find(name)
        if found is None:
            error = ModelNotFound(f"{clean_line(name)} is not installed")
            raise self._with_suggestions(name, error)
        return found

    def doubt(self, error: OllmError) -> None:
        """What is known can no longer be confirmed."""
        self._known = self._known._replace(stale=True, error=error)
        self._update()

    def forget(self, name: str) -> None:
        """Something was done to this model: ask for it and for the list anew."""
        self._lists.invalidate(_LIST)
        self._infos.invalidate(name_key(name))

    def clear(self) -> None:
        """Ask anew for everything from now on."""
        self._lists.clear()
        self._infos.clear()

    def set_loaded(self, running: tuple[RunningModel, ...]) -> None:
        """Take in what is in memory."""
        self._loaded = {name_key(model.name): model for model in running}
        self._update()

    async def close(self) -> None:
        """End every question under way."""
        await self._lists.close()
        await self._infos.close()

    async def _fetch_list(self) -> Models:
        self._fetches += 1
        self._update()
        try:
            listed = await self._provider.list_models()
        except OllmError as error:
            if self._counts():
                self.doubt(error)
                self._on_answer(error)
            raise
        else:
            return await self._take(listed)
        finally:
            self._fetches -= 1
            self._update()

    async def _take(self, listed: ModelList) -> Models:
        """Enrich an answer and make it the state, unless it is from before a change."""
        state = ModelsState(listed.models, listed.problems, as_of=self._now())
        if len(listed.models) >= _MANY and self._known.as_of is None and self._counts():
            # Names and sizes first; looking so many up takes longer than drawing them.
            self._known = state
            self._update()
            await asyncio.sleep(_DRAWN_AFTER_S)
        models = self._learned.fill_in(await self._enriched(listed.models))
        if self._counts():
            self._known = state._replace(models=models)
            self._on_answer(None)
            if self._memory is not None:
                self._memory.keep_list(listed, self._now())
        return models

    async def _enriched(self, models: Models) -> Models:
        if len(models) < _MANY:
            return self._enrich(models)
        return await asyncio.to_thread(in_turn, lambda: self._enrich(models))

    def _counts(self) -> bool:
        """Whether the answer at hand is not from before a change."""
        return self._lists.will_store(_LIST)

    async def _fetch_info(self, name: str, digest: str) -> _Described:
        try:
            return _Described(await self._provider.show(name), digest)
        except ModelNotFound as error:
            # Whoever removed it, the list may be wrong too.
            self._lists.outdate(_LIST)
            raise self._with_suggestions(name, error) from error

    def _merged(self, details: ModelDetails) -> ModelDetails:
        """The details, with what only the list and memory know."""
        (info,) = self._enrich([details.info])
        known = self.find(info.name)
        if known is not None:
            info = replace(
                info,
                size_bytes=known.size_bytes,
                digest=known.digest,
                modified_at=info.modified_at or known.modified_at,
            )
            self._learned.note(info)
            self._fill_in(known)
            info = replace(
                info,
                loaded=known.loaded,
                served_context_tokens=known.served_context_tokens or info.served_context_tokens,
            )
        return replace(details, info=info)

    def _with_suggestions(self, name: str, error: ModelNotFound) -> ModelNotFound:
        others = (m.display_name for m in self.state.models if not same_model(m.name, name))
        near = closest(name, others)
        if not near:
            return error
        return ModelNotFound(
            error.message,
            cause=error.cause,
            actions=(f"Did you mean {' or '.join(near)}?", *error.actions),
        )

    def _marked(self, models: Models) -> Models:
        """The models, each with what memory says of it."""
        if not self._loaded:
            return models
        return tuple(
            model
            if (running := self._loaded.get(name_key(model.name))) is None
            else replace(
                model,
                loaded=True,
                served_context_tokens=running.context_tokens or model.served_context_tokens,
            )
            for model in models
        )

    def _update(self) -> None:
        state = self._known._replace(
            models=self._marked(self._known.models), loading=self._fetches > 0
        )
        if state != self.state:
            self.state = state
            self._on_change(state)
