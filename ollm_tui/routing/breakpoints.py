"""Which model wins at which minimum of context: exact pieces, no samples.

As the minimum falls, models only come in or begin to fit in memory, so that at each such point
the winner is the one before or one of those to which it happened.
"""

from bisect import bisect_right
from collections import defaultdict
from dataclasses import replace
from typing import NamedTuple

from ollm_tui.core.fit import estimate_memory
from ollm_tui.core.model import ModelInfo
from ollm_tui.routing.answers import Answers
from ollm_tui.routing.decision import Via
from ollm_tui.routing.profile import RoutingProfile
from ollm_tui.routing.settings import RoutingConfig
from ollm_tui.routing.situation import Situation


class Segment(NamedTuple):
    """Minimums of context, both ends included, at which one model wins."""

    from_tokens: int
    to_tokens: int | None
    """None = without end."""
    model: str | None
    """The raw name; None = no model can be named."""
    resolved_profile: str | None
    """The profile that finds it."""
    via: Via | None


class Step(NamedTuple):
    """Minimums of context, both ends included, at which one model is a profile's best."""

    from_tokens: int
    to_tokens: int | None
    model: ModelInfo | None


def breakpoints(situation: Situation, answers: Answers | None = None) -> list[Segment]:
    """Return the winner as a function of the context that the profile asked for requires.

    Neighbouring segments differ; together they cover every minimum from 0.

    Args:
        answers: of this situation, where there are some already.
    """
    answers = answers or Answers(situation)
    profile = situation.find_profile(situation.profile)
    if profile is None:
        answer = answers.answer(situation)
        return [Segment(0, None, answer.model, answer.resolved_profile, answer.via)]
    segments: list[Segment] = []
    for step in context_steps(answers, profile, situation.config):
        asking = replace(profile, min_context_window=step.from_tokens)
        answers.remember(asking, situation.config, step.model)
        answer = answers.answer(situation.with_profile(asking))
        found = (answer.model, answer.resolved_profile, answer.via)
        if segments and segments[-1][2:] == found:
            segments[-1] = segments[-1]._replace(to_tokens=step.to_tokens)
        else:
            segments.append(Segment(step.from_tokens, step.to_tokens, *found))
    return segments


def context_steps(answers: Answers, profile: RoutingProfile, config: RoutingConfig) -> list[Step]:
    """Return a profile's best model by minimum of context, lowest first; overrides aside.

    Neighbouring steps differ; together they cover every minimum from 0.
    """
    router = replace(answers.situation, config=config, catalogue=()).router
    # Who is eligible does not depend on memory, which takes long to estimate.
    unlimited = router.with_config(replace(config, memory_budget_bytes=None))
    anyone = unlimited.judge(replace(profile, min_context_window=0))
    arrivals: defaultdict[int, list[ModelInfo]] = defaultdict(list)
    for model in anyone.best_of(answers.models, len(answers.models)):
        tokens = anyone.context_tokens(model)
        arrivals[tokens].append(model)
        fits = _fits_up_to(model, tokens, config.memory_budget_bytes)
        if fits is not None:
            arrivals[fits].append(model)
    steps: list[Step] = []
    best: ModelInfo | None = None
    upper: int | None = None  # of the step that `best` wins
    for tokens in sorted(arrivals, reverse=True):
        judge = router.judge(replace(profile, min_context_window=tokens))
        rivals = arrivals[tokens] if best is None else [best, *arrivals[tokens]]
        winner = judge.best_of(rivals, 1)[0]
        if winner is not best:
            steps.append(Step(tokens + 1, upper, best))
            best, upper = winner, tokens
    steps.append(Step(0, upper, best))
    return steps[::-1]


def _fits_up_to(model: ModelInfo, tokens: int, budget_bytes: int | None) -> int | None:
    """The largest context at which a model fits, where it fits at some of its own but not all."""
    if budget_bytes is None:
        return None

    def need(context_tokens: int) -> int:
        return estimate_memory(model, context_tokens).total_bytes

    if need(tokens) <= budget_bytes or need(0) > budget_bytes:
        return None
    return bisect_right(range(tokens + 1), budget_bytes, key=need) - 1
