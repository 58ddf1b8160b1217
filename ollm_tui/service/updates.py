"""Which installed models differ from what their registry has now, without downloading them.

Source: reference/ollama.md 4.4: the digest of a model is its manifest's.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from ollm_tui.core.error import DownloadFailed, ModelNotFound, OllmError, Unsupported
from ollm_tui.core.event import ModelsState, ModelUpdate, UpdatesState, UpdateVerdict
from ollm_tui.core.model import ModelInfo
from ollm_tui.core.name import name_key, parse_name, parse_reference
from ollm_tui.providers.base import PlanSupport, Provider

QUESTIONS_AT_ONCE = 4


class UpdateCheck:
    """Compares the models of one provider with their registries.

    Args:
        provider: whom to ask what a pull would fetch.
        on_change: told every new state.
    """

    def __init__(self, provider: Provider, *, on_change: Callable[[UpdatesState], None]) -> None:
        self._provider = provider
        self._on_change = on_change
        self.state = UpdatesState()
        """What the checks of this run found, as far as the models are still those checked."""

    async def check(
        self, models: Sequence[ModelInfo], references: Mapping[str, str]
    ) -> tuple[ModelUpdate, ...]:
        """Ask the registries of these models, a few at once.

        Args:
            references: what to ask for instead of a model's name, by its key.

        Returns:
            One verdict for each, in their order; a registry that does not answer is one, too.

        Raises:
            Unsupported: registries are not asked from here.
        """
        plans = self._provider
        if not isinstance(plans, PlanSupport):
            raise Unsupported(f"The {self._provider.kind} provider cannot compare with registries")
        places = asyncio.Semaphore(QUESTIONS_AT_ONCE)
        silent: dict[str, OllmError] = {}

        async def judge(model: ModelInfo) -> ModelUpdate:
            reference = references.get(name_key(model.name), model.name)
            async with places:
                verdict = await _judge(plans, model, reference, silent)
            self._set(left=self.state.left - 1, found=(verdict,))
            return verdict

        self._set(left=self.state.left + len(models))
        tasks = [asyncio.create_task(judge(model)) for model in models]
        try:
            return tuple(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            missed = sum(isinstance(end, BaseException) for end in ended)
            self._set(left=self.state.left - missed)

    def see(self, models: ModelsState) -> None:
        """Forget what was found about models that have changed or gone since."""
        digests = {model.name: model.digest for model in models.models}
        kept = tuple(u for u in self.state.found if digests.get(u.name) == u.digest)
        if kept != self.state.found:
            self.state = self.state._replace(found=kept)
            self._on_change(self.state)

    def _set(self, *, left: int, found: tuple[ModelUpdate, ...] = ()) -> None:
        names = {update.name for update in found}
        others = tuple(update for update in self.state.found if update.name not in names)
        state = UpdatesState((*others, *found), left)
        if state != self.state:
            self.state = state
            self._on_change(state)


def references_of(names: Sequence[str]) -> dict[str, str]:
    """What people typed, by the key of the model that it means.

    Raises:
        InvalidName: one of them fails the grammar.
    """
    return {parse_reference(name).key: name for name in names}


async def _judge(
    plans: PlanSupport, model: ModelInfo, reference: str, silent: dict[str, OllmError]
) -> ModelUpdate:
    """Compare one model.

    Args:
        silent: registries that did not answer, which are not asked again.
    """

    def verdict(what: UpdateVerdict, reason: str = "") -> ModelUpdate:
        return ModelUpdate(model.name, model.display_name, what, model.digest, reason=reason)

    if model.remote:
        return verdict(
            UpdateVerdict.SKIPPED, "it runs on another machine, so nothing of it is here"
        )
    if not model.digest:
        return verdict(UpdateVerdict.SKIPPED, "the server does not tell its digest")
    registry = parse_name(reference).host
    if registry in silent:
        return verdict(UpdateVerdict.FAILED, _why(silent[registry]))
    try:
        plan = await plans.plan(reference)
    except Unsupported:
        raise
    except ModelNotFound:
        return verdict(
            UpdateVerdict.SKIPPED, f"{registry} has no such model: made, copied or renamed here"
        )
    except OllmError as error:
        if isinstance(error, DownloadFailed) and error.retryable:
            silent[registry] = error
        return verdict(UpdateVerdict.FAILED, str(error))
    is_current = plan.is_current or plan.digest == model.digest
    return verdict(UpdateVerdict.CURRENT if is_current else UpdateVerdict.OUTDATED)._replace(
        registry_digest=plan.digest,
        total_bytes=plan.total_bytes,
        missing_bytes=0 if is_current else plan.missing_bytes,
    )


def _why(error: OllmError) -> str:
    """Why a registry could not be asked; its message names the model that was asked about."""
    return error.cause or error.message
