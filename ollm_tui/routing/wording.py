"""The sentences of decisions: summaries, warnings, errors with their next steps.

Takes facts, returns texts that are safe to print; decides nothing.
"""

from collections import Counter
from collections.abc import Sequence

from ollm_tui.core.error import (
    DefaultNotInstalled,
    NoCompatibleModels,
    NoModelsInstalled,
    OverrideNotInstalled,
    PinnedNotInstalled,
    closest,
)
from ollm_tui.core.model import ModelInfo
from ollm_tui.core.text import clean_line
from ollm_tui.routing.capability import capability_field
from ollm_tui.routing.decision import Candidate, Code, Hop, Verdict, Via
from ollm_tui.routing.profile import RoutingProfile
from ollm_tui.routing.ranking import gigabytes
from ollm_tui.routing.settings import RoutingConfig

_SHOWN = 3

_NOBODY = {
    Code.EMBEDDING_ONLY: "the installed models are for embeddings",
    Code.REMOTE_NOT_ALLOWED: "the installed models run on another machine, which is not allowed",
    Code.CONTEXT_ASSUMED: "the context of the installed models is unknown",
}


def summary(asked: str, hops: Sequence[Hop], via: Via, model: str) -> str:
    """Say in one sentence which model was found and why.

    Args:
        model: its display name.
    """
    resolved = hops[-1].profile.name
    if via is Via.OVERRIDE:
        why = f"an override for {resolved} names it"
    else:
        why = _why_it_fits(hops[-1])
    if len(hops) > 1:
        return f"{model} through {resolved}, as {nobody(hops[0])} for {asked}: {why}."
    return f"{model}, because {why}."


def _why_it_fits(hop: Hop) -> str:
    winner = hop.candidates[0]
    dropped = Verdict.DROPPED
    eligible = [c for c in hop.candidates if c.verdict is not dropped]
    if len(eligible) == 1:
        return f"no other model meets {hop.profile.name}"
    if winner.slot is None:
        if hop.profile.preferred_families:
            return (
                f"no preferred family of {hop.profile.name} is there and it is the best of the rest"
            )
        return f"it is the best of {len(eligible)} models that meet {hop.profile.name}"
    why = f"{winner.family} is the {ordinal(winner.slot)} choice of {hop.profile.name}"
    runner_up = eligible[1]
    if runner_up.slot == winner.slot:
        why += f", and before {clean_line(runner_up.model)} by {_rule(runner_up)}"
    return why


def _rule(runner_up: Candidate) -> str:
    return {
        Code.BASE_MODEL: "being made for chat",
        Code.LOST_SPECIALIST: "being more specialised",
        Code.OVER_BUDGET: "fitting in memory",
    }.get(runner_up.code) or runner_up.detail.partition(":")[0]


def nobody(hop: Hop) -> str:
    """Say why a hop found no model, by what dropped most of them."""
    code = commonest(hop)
    profile = hop.profile
    if code is Code.CONTEXT_TOO_SMALL:
        return f"no installed model has {profile.min_context_window:,} tokens of context"
    if code in (Code.CAPABILITY_MISSING, Code.CAPABILITY_UNKNOWN):
        required = ", ".join(clean_line(name, 40) for name in profile.required_capabilities)
        return f"no installed model can do all of {required}"
    return _NOBODY[code]


def commonest(hop: Hop) -> Code:
    """The code that dropped most models; the first by name among equals."""
    counts = Counter(c.code for c in hop.candidates if c.code is not Code.DUPLICATE)
    return min(counts, key=lambda code: (-counts[code], code))


def no_compatible(
    asked: str, hops: Sequence[Hop], models: Sequence[ModelInfo], suggestions: Sequence[ModelInfo]
) -> NoCompatibleModels:
    """Every model was dropped, at every hop."""
    chain = " → ".join(hop.profile.name for hop in hops)
    message = f"No installed model fits {clean_line(asked)}"
    if len(hops) > 1:
        message += f" or its fallbacks ({clean_line(chain)})"
    last = hops[-1]
    actions = [_install(model) for model in suggestions]
    if commonest(last) is Code.CONTEXT_TOO_SMALL:
        longest = max(last.candidates, key=lambda c: (c.context_window, c.model))
        actions.append(
            f"Lower minContextWindow of {last.profile.name} to {longest.context_window:,}, "
            f"which is what {clean_line(longest.model)} has."
        )
    if commonest(last) is Code.CONTEXT_ASSUMED:
        actions.append("Say what context they have: add them to `database` in the configuration.")
    actions += _alternatives(last.profile, models)
    actions.append(f"See why each one was dropped: `ollm-tui route {asked} --explain`.")
    return NoCompatibleModels(
        message, commonest=commonest(hops[0]).value, cause=nobody(hops[0]), actions=actions
    )


def _alternatives(profile: RoutingProfile, models: Sequence[ModelInfo]) -> list[str]:
    """Which installed models have each capability that is asked for."""
    lines = []
    for name in profile.required_capabilities:
        field = capability_field(name)
        if field is None or field == "streaming":
            continue
        able = [m.display_name for m in models if m.capabilities and getattr(m.capabilities, field)]
        if able:
            lines.append(f"With {name}: {', '.join(sorted(able)[:_SHOWN])}.")
    return lines


def nothing_installed(suggestions: Sequence[ModelInfo]) -> NoModelsInstalled:
    """The list is empty."""
    return NoModelsInstalled(
        "No models are installed", actions=[_install(model) for model in suggestions]
    )


def default_missing(
    name: str | None, origin: str, models: Sequence[ModelInfo]
) -> DefaultNotInstalled:
    """Routing is off and model.default cannot be used."""
    if name is None:
        return DefaultNotInstalled(
            "Routing is off and model.default is not set",
            actions=["Set model.default in the configuration, or routing.enabled to true."],
        )
    return DefaultNotInstalled(
        f"Routing is off and the default model {name} is not installed",
        cause=_origin("model.default", origin),
        actions=[*_pull_or_choose(name, models), "Or set routing.enabled to true."],
    )


def pinned_missing(name: str, models: Sequence[ModelInfo]) -> PinnedNotInstalled:
    """The model asked for by name is not there."""
    return PinnedNotInstalled(
        f"The model {name} is not installed",
        cause="it was asked for by name",
        actions=_pull_or_choose(name, models),
    )


def override_missing(
    key: str, name: str, origin: str, models: Sequence[ModelInfo]
) -> OverrideNotInstalled:
    """Overrides are strict and this one names no installed model."""
    return OverrideNotInstalled(
        f"The override for {key} names {name}, which is not installed",
        cause=_origin(f"model.routing.overrides.{key}", origin),
        actions=[*_pull_or_choose(name, models), "Or remove the override."],
    )


def override_dropped(key: str, name: str) -> str:
    """The override is passed over."""
    return clean_line(
        f"The override for {key} names {name}, which is not installed; "
        "install it or remove the override."
    )


def override_violates(profile: str, candidate: Candidate) -> str:
    """The override wins although the model does not meet the profile."""
    return clean_line(
        f"The override {candidate.model} does not meet {profile} ({candidate.detail})."
    )


def profile_ignored(profile: str) -> str:
    """A model was asked for by name, so the profile is not used."""
    return clean_line(f"The profile {profile} is not used: a model was asked for by name.")


def fallback_lowered(first: RoutingProfile, last: RoutingProfile) -> str:
    """A fallback profile asks for less."""
    return clean_line(
        f"Through {last.name}, which asks for {last.min_context_window:,} tokens of context "
        f"where {first.name} asks for {first.min_context_window:,}."
    )


def fallback_unknown(profile: RoutingProfile, known: Sequence[str]) -> str:
    """A fallback names no profile."""
    near = closest(profile.fallback_profile or "", known, count=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return clean_line(
        f"{profile.name} falls back to {profile.fallback_profile}, which is no profile{hint}"
    )


def fallback_cycle(names: Sequence[str]) -> str:
    """Fallbacks lead back to where they began."""
    return clean_line(f"The fallbacks go in a circle: {' → '.join(names)}.")


def served_too_small(model: ModelInfo, served: int, need: int) -> str:
    """The model could, but the server gives it less. Source: decision R25."""
    return (
        f"{model.display_name} passes on paper, but the server would give it "
        f"{served:,} tokens of context; set numCtx: {need}."
    )


def answer_limit(model: ModelInfo, wanted: int, longest: int) -> str:
    """Longer answers are asked for than the model is known to give. Source: decision R26."""
    return (
        f"maxTokens asks for answers of {wanted:,} tokens; "
        f"{model.display_name} is known to give {longest:,} at most."
    )


def context_assumed(model: ModelInfo, tokens: int) -> str:
    """The winner's context is only the default."""
    return f"The context of {model.display_name} is unknown; {tokens:,} tokens are assumed."


def over_budget(model: ModelInfo, need_bytes: int, config: RoutingConfig) -> str:
    """A model needs more memory than models may take, and where that limit is from."""
    if config.has_usual_budget:
        whole = gigabytes(config.memory_bytes or 0)
        why = f"three quarters of the {whole} of this machine"
    else:
        why = "by memoryBudget"
    return (
        f"{model.display_name} needs about {gigabytes(need_bytes)} of memory; "
        f"the limit is {gigabytes(config.memory_budget_bytes or 0)}, {why}."
    )


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th."""
    if 10 <= number % 100 <= 20:
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def _install(model: ModelInfo) -> str:
    about = f" (about {gigabytes(model.size_bytes)})" if model.size_bytes else ""
    return f"Install {model.display_name}{about}: `ollm-tui pull {model.display_name}`."


def _pull_or_choose(name: str, models: Sequence[ModelInfo]) -> list[str]:
    near = closest(name, [model.display_name for model in models])
    lines = [f"Did you mean {' or '.join(near)}?"] if near else []
    return [*lines, f"Install it: `ollm-tui pull {name}`."]


def _origin(key: str, origin: str) -> str:
    return f"{key} is set in {origin}" if origin else f"{key} is set"
