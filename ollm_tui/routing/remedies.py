"""What to do about the warnings of a decision: for each the change after which it is gone.

Source: decisions R1, R3, R10, R14, R25, R27.
"""

from collections.abc import Iterator
from typing import NamedTuple

from ollm_tui.core.error import closest
from ollm_tui.routing.change import Change
from ollm_tui.routing.decision import Code, Decision, Outcome, Remark, Via
from ollm_tui.routing.model_changes import InstallModel, SetNumCtx
from ollm_tui.routing.profile import RoutingProfile
from ollm_tui.routing.profile_changes import SetFallback, SetFamilies
from ollm_tui.routing.router import find_model
from ollm_tui.routing.settings_changes import (
    RemoveOverride,
    SetAllowRemote,
    SetMemoryBudget,
    Unpin,
)
from ollm_tui.routing.situation import Situation


class Remedy(NamedTuple):
    """A warning, and what to do about it."""

    warning: Remark
    change: Change | None
    """None: no single change that would be right ends it."""


def remedies(situation: Situation, decision: Decision) -> list[Remedy]:
    """Return every warning of the situation's decision, in its order, with its remedy.

    Each remedy was tried with the router.
    """
    missing = _missing_overrides(situation, decision)
    last = decision.hops[-1].profile if decision.hops else None
    found = []
    for warning in decision.warnings:
        change = _change(warning.code, situation, decision, last, missing)
        if change is not None and warning in change.apply(situation).decide().warnings:
            change = None
        found.append(Remedy(warning, change))
    return found


def _change(
    code: Code,
    situation: Situation,
    decision: Decision,
    last: RoutingProfile | None,
    missing: Iterator[Change],
) -> Change | None:
    model = situation.model(decision.model) if decision.model is not None else None
    if code is Code.PINNED:
        return Unpin()
    if code is Code.OVERRIDE_NOT_INSTALLED:
        return next(missing, None)
    if last is None:
        return None
    if code is Code.REMOTE:
        # An override wins whatever its model is.
        is_named = decision.via is Via.OVERRIDE
        return RemoveOverride(last.name) if is_named else SetAllowRemote(False)
    if code in (Code.FALLBACK_CYCLE, Code.FALLBACK_UNKNOWN):
        return _fallback(situation, last)
    if code is Code.OVERRIDE_VIOLATES:
        return RemoveOverride(last.name)
    if code is Code.BLANK_FAMILY:
        said = tuple(family for family in last.preferred_families if family.strip())
        return SetFamilies(last.name, said)
    if model is not None and code is Code.SERVED_CONTEXT_TOO_SMALL:
        return SetNumCtx(last.min_context_window, model.name)
    if model is not None and code is Code.OVER_BUDGET:
        return SetMemoryBudget(situation.router.judge(last).memory_bytes(model))
    return None


def _fallback(situation: Situation, last: RoutingProfile) -> Change:
    """Another fallback: what was probably meant, unless that leads in a circle, else none."""
    near = closest(last.fallback_profile or "", [p.name for p in situation.profiles], count=1)
    if near:
        change = SetFallback(last.name, near[0])
        outcome = change.apply(situation).decide().hops[-1].outcome
        if outcome not in (Outcome.FALLBACK_CYCLE, Outcome.FALLBACK_UNKNOWN):
            return change
    return SetFallback(last.name, None)


def _missing_overrides(situation: Situation, decision: Decision) -> Iterator[Change]:
    """For each override on the way that is not installed: to install it, else to remove it."""
    overrides = situation.config.overrides
    # Without any model, or such a profile, the override is all that was looked at.
    for name in [hop.profile.name for hop in decision.hops] or [situation.profile]:
        keys = situation.override_keys(name)
        if keys and find_model(overrides[keys[-1]], situation.models) is None:
            offer = find_model(overrides[keys[-1]], situation.catalogue)
            yield (
                RemoveOverride(name) if offer is None else InstallModel(situation.catalogue[offer])
            )
