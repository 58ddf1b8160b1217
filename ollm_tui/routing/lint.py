"""What is hardly meant in profiles, overrides and database entries, before it surprises anyone.

Asks the router's own rules; changes nothing. Each finding says what to do, and where one change
of `change.py` does it, which.

Source: routing anchors B3, point 7; decisions R6, R10 and D12.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from ollm_tui.core.error import UnknownProfile, closest
from ollm_tui.core.model import ModelInfo
from ollm_tui.core.text import clean_line
from ollm_tui.routing.change import Change
from ollm_tui.routing.database import ModelDatabase
from ollm_tui.routing.family import known_families
from ollm_tui.routing.model_changes import InstallModel
from ollm_tui.routing.pattern import literal_prefix
from ollm_tui.routing.profile import BUILT_IN_PROFILES, RoutingProfile, find_profile, name_fold
from ollm_tui.routing.profile_changes import (
    DropCapability,
    SetFallback,
    SetFamilies,
    SetMinContext,
)
from ollm_tui.routing.ranking import preferred_families
from ollm_tui.routing.router import Router, find_model
from ollm_tui.routing.settings_changes import RemoveOverride
from ollm_tui.routing.situation import Situation

_SHOWN = 3


class LintCode(StrEnum):
    """What was found; stable."""

    FALLBACK_UNKNOWN = "FALLBACK_UNKNOWN"
    FALLBACK_CYCLE = "FALLBACK_CYCLE"
    FALLBACK_DEAD = "FALLBACK_DEAD"
    OVERRIDE_UNKNOWN_PROFILE = "OVERRIDE_UNKNOWN_PROFILE"
    OVERRIDE_NOT_INSTALLED = "OVERRIDE_NOT_INSTALLED"
    OVERRIDE_VIOLATES = "OVERRIDE_VIOLATES"
    FAMILY_UNKNOWN = "FAMILY_UNKNOWN"
    PATTERN_SHADOWED = "PATTERN_SHADOWED"
    PROFILE_UNSATISFIABLE = "PROFILE_UNSATISFIABLE"
    PROBLEM = "PROBLEM"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is hardly meant."""

    code: LintCode
    subject: str
    """The key it is about, such as "model.routing.profiles.code"."""
    message: str
    remedy: str
    """What to do, one sentence, safe to print."""
    change: Change | None = None
    """What does it, where one change does."""


def lint(
    router: Router, models: Sequence[ModelInfo], known_models: Sequence[ModelInfo] = ()
) -> list[Finding]:
    """Return what is hardly meant: profiles first, then overrides, then database entries.

    Args:
        models: those installed, enriched; with none of them, overrides are not looked up.
        known_models: further ones that could be installed, enriched.
    """
    everything = [*models, *known_models]
    findings: list[Finding] = []
    for profile in router.profiles:
        findings += _fallback(router, profile)
        findings += _families(router, profile, everything)
        findings += _satisfiable(router, profile, everything)
    findings += _overrides(router, models, known_models)
    findings += _patterns(router.database)
    return findings


def _profile_key(profile: RoutingProfile) -> str:
    return f"model.routing.profiles.{profile.name}"


def _fallback(router: Router, profile: RoutingProfile) -> Iterator[Finding]:
    if not profile.fallback_profile:
        return
    subject = f"{_profile_key(profile)}.fallbackProfile"
    try:
        fallback = find_profile(profile.fallback_profile, router.profiles)
    except UnknownProfile as error:
        near = closest(profile.fallback_profile, [p.name for p in router.profiles], count=1)
        change = SetFallback(profile.name, near[0] if near else None)
        yield _remedied(router, LintCode.FALLBACK_UNKNOWN, subject, str(error), change)
        return
    chain = _chain(router, profile)
    if name_fold(chain[-1].fallback_profile or "") == name_fold(profile.name):
        names = " → ".join([*(link.name for link in chain), profile.name])
        message = f"goes in a circle: {names}"
        change = SetFallback(profile.name, None)
        yield _remedied(router, LintCode.FALLBACK_CYCLE, subject, message, change)
    elif _is_dead(router, profile, chain[1:]):
        message = f"{fallback.name} asks for no less than {profile.name}, so it never adds a model"
        change = SetFallback(profile.name, None)
        yield _remedied(router, LintCode.FALLBACK_DEAD, subject, message, change)


def _chain(router: Router, profile: RoutingProfile) -> list[RoutingProfile]:
    """The profile and its fallbacks, up to an end, an unknown name or one that was there."""
    chain = [profile]
    seen = {name_fold(profile.name)}
    while chain[-1].fallback_profile and name_fold(chain[-1].fallback_profile) not in seen:
        try:
            chain.append(find_profile(chain[-1].fallback_profile, router.profiles))
        except UnknownProfile:
            break
        seen.add(name_fold(chain[-1].name))
    return chain


def _is_dead(router: Router, profile: RoutingProfile, chain: Sequence[RoutingProfile]) -> bool:
    """Whether no fallback can add a model: each asks for no less, and none has an override.

    The shipped profiles are as the design has them; two of them would be found.
    """
    shipped = profile in BUILT_IN_PROFILES and chain[0] in BUILT_IN_PROFILES
    return not shipped and all(
        link.min_context_window >= profile.min_context_window
        and set(profile.required_capabilities) <= set(link.required_capabilities)
        and router.override_for(link.name) is None
        for link in chain
    )


def _families(
    router: Router, profile: RoutingProfile, models: Sequence[ModelInfo]
) -> Iterator[Finding]:
    families = {entry.family for entry in router.database.entries if entry.family}
    families |= {model.family for model in models}
    folded = sorted(family.casefold() for family in families | known_families())
    for preferred in preferred_families(profile):
        if any(preferred in family for family in folded):
            continue
        near = closest(preferred, folded, count=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        instead = [
            near[0] if near and _is(family, preferred) else family
            for family in profile.preferred_families
            if family.strip() and (near or not _is(family, preferred))
        ]
        yield _remedied(
            router,
            LintCode.FAMILY_UNKNOWN,
            f"{_profile_key(profile)}.preferredFamilies",
            f"no known model is of the family {clean_line(preferred, 40)}{hint}",
            SetFamilies(profile.name, tuple(dict.fromkeys(instead))),
        )


def _is(family: str, folded: str) -> bool:
    return family.strip().casefold() == folded


def _satisfiable(
    router: Router, profile: RoutingProfile, models: Sequence[ModelInfo]
) -> Iterator[Finding]:
    if models and not any(router.matches_profile(model, profile) for model in models):
        yield Finding(
            LintCode.PROFILE_UNSATISFIABLE,
            _profile_key(profile),
            f"none of {len(models)} known models meets it",
            *_easing(router, profile, models),
        )


def _easing(
    router: Router, profile: RoutingProfile, models: Sequence[ModelInfo]
) -> tuple[str, Change | None]:
    """What a profile could ask less of so that some model meets it: context before capabilities."""
    judge = router.judge(replace(profile, min_context_window=0))
    able = [judge.context_tokens(model) for model in models if judge.unmet(model) is None]
    changes: list[Change] = [SetMinContext(profile.name, max(able))] if able else []
    changes += (DropCapability(profile.name, c) for c in profile.required_capabilities)
    situation = Situation.of(router, models, profile.name)
    for change in changes:
        eased = change.apply(situation).find_profile(profile.name) or profile
        if any(router.matches_profile(model, eased) for model in models):
            return change.sentence(situation), change
    return f"Ask less of {clean_line(profile.name)}: a smaller context, fewer capabilities.", None


def _overrides(
    router: Router, models: Sequence[ModelInfo], known_models: Sequence[ModelInfo]
) -> Iterator[Finding]:
    for key, name in router.config.overrides.items():
        subject = f"model.routing.overrides.{clean_line(key)}"
        remove = RemoveOverride(key)
        try:
            profile = router.get_profile(key)
        except UnknownProfile as error:
            code = LintCode.OVERRIDE_UNKNOWN_PROFILE
            yield _remedied(router, code, subject, str(error), remove)
            continue
        if not models:
            continue
        index = find_model(name, models)
        if index is None:
            message = f"{clean_line(name)} is not installed"
            offer = find_model(name, known_models)
            change = remove if offer is None else InstallModel(known_models[offer])
            yield _remedied(router, LintCode.OVERRIDE_NOT_INSTALLED, subject, message, change)
            continue
        unmet = router.judge(profile).unmet(models[index])
        if unmet:
            message = f"{clean_line(name)} does not meet {profile.name}: {unmet[1]}"
            yield _remedied(router, LintCode.OVERRIDE_VIOLATES, subject, message, remove)


def _remedied(
    router: Router, code: LintCode, subject: str, message: str, change: Change
) -> Finding:
    """A finding that one change is the remedy for."""
    remedy = change.sentence(Situation.of(router, ()))
    return Finding(code, subject, message, remedy, change)


def _patterns(database: ModelDatabase) -> Iterator[Finding]:
    for problem in database.problems:
        remedy = "Correct or remove this entry; without it the others still count."
        subject = f"database.{problem.subject}"
        yield Finding(LintCode.PROBLEM, subject, problem.reason, remedy)
    for rank, entry in enumerate(database.entries):
        prefix = literal_prefix(entry.pattern).lower()
        if not entry.custom or not prefix:
            continue
        stronger = sorted(
            other.pattern
            for other in database.entries[:rank]
            if not other.custom and other.pattern.startswith(prefix)
        )
        if stronger:
            more = f" and {len(stronger) - _SHOWN} more" if len(stronger) > _SHOWN else ""
            yield Finding(
                LintCode.PATTERN_SHADOWED,
                f"database.{clean_line(entry.pattern)}",
                f"shadowed by the longer {', '.join(stronger[:_SHOWN])}{more}",
                f"Write an entry for {stronger[0]} itself: the longest pattern wins.",
            )
