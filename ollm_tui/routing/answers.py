"""What the router would answer, found without judging every loser; many questions, one memory.

The order of models does not depend on the list, so that the best of each profile, and the models
that settings name, are all that the router need be shown to answer as it would for all of them.
It is the router that answers; nothing here repeats its walk.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from ollm_tui.core.model import ModelInfo
from ollm_tui.routing.decision import Code, Decision, Via
from ollm_tui.routing.profile import RoutingProfile
from ollm_tui.routing.ranking import canonical_key
from ollm_tui.routing.settings import RoutingConfig
from ollm_tui.routing.situation import Situation


class Answer(NamedTuple):
    """The part of a decision that says which model and how."""

    model: str | None
    """The raw name."""
    resolved_profile: str | None
    via: Via | None
    reason: Code

    @classmethod
    def of(cls, decision: Decision) -> "Answer":
        """Return the answer in a decision."""
        return cls(decision.model, decision.resolved_profile, decision.via, decision.reason)


class Answers:
    """Answers for a situation, and for those that a change away have the same or one more model.

    Args:
        situation: its models are the ones to choose from.
    """

    def __init__(self, situation: Situation) -> None:
        self.situation = situation
        firsts: dict[str, ModelInfo] = {}
        for model in situation.models:
            firsts.setdefault(canonical_key(model.name), model)
        self.models: Sequence[ModelInfo] = tuple(firsts.values())
        """Each model once: of two names for one the first counts."""
        self._best: dict[tuple[object, ...], ModelInfo | None] = {}

    def best(self, profile: RoutingProfile, config: RoutingConfig) -> ModelInfo | None:
        """Return the best model that meets a profile, overrides aside."""
        key = _key(profile, config)
        if key not in self._best:
            judge = replace(self.situation, config=config).router.judge(profile)
            self._best[key] = next(iter(judge.best_of(self.models, 1)), None)
        return self._best[key]

    def remember(
        self, profile: RoutingProfile, config: RoutingConfig, best: ModelInfo | None
    ) -> None:
        """Take over a best model that was found in a quicker way."""
        self._best[_key(profile, config)] = best

    def answer(self, changed: Situation, joining: ModelInfo | None = None) -> Answer:
        """Return what the router answers.

        Args:
            changed: with the models of `situation`, but for `joining`.
            joining: a model that `changed` has besides, or in place of the one of its name.
        """
        wanted = {canonical_key(name) for name in _named(changed)}
        wanted.update(canonical_key(model.name) for model in changed.models[:1])
        for best in self._bests(changed, joining):
            wanted.add(canonical_key(best.name))
        shown = [model for model in changed.models if canonical_key(model.name) in wanted]
        # The shown are too few for advice, and nobody reads it here.
        router = replace(changed, catalogue=()).router
        return Answer.of(router.explain(changed.profile, shown))

    def _bests(self, changed: Situation, joining: ModelInfo | None) -> Iterator[ModelInfo]:
        """The best of each profile on the way, up to the first that has one."""
        for profile in changed.chain():
            best = self.best(profile, changed.config)
            if joining is not None:
                judge = changed.router.judge(profile)
                rivals = [joining]
                if best is not None and canonical_key(best.name) != canonical_key(joining.name):
                    rivals.append(best)
                best = next(iter(judge.best_of(rivals, 1)), None)
            if best is not None:
                yield best
                return


def _named(situation: Situation) -> Iterator[str]:
    """The models that settings name."""
    config = situation.config
    if config.pinned_model is not None:
        yield config.pinned_model
    if config.default_model is not None:
        yield config.default_model
    for profile in (situation.profile, *(profile.name for profile in situation.chain())):
        for key in situation.override_keys(profile):
            yield config.overrides[key]


def _key(profile: RoutingProfile, config: RoutingConfig) -> tuple[object, ...]:
    """All that the order of models depends on."""
    return (
        profile.name,
        profile.preferred_families,
        profile.min_context_window,
        profile.required_capabilities,
        profile.size_preference,
        config.family_match,
        config.memory_budget_bytes,
        config.allow_remote,
        config.prefer_loaded,
    )
