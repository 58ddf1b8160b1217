"""What is hardly meant in profiles, overrides and database entries, before it surprises anyone.

Asks the router's own rules; changes nothing.

Source: routing anchors B3, point 7; decisions R6, R10 and D12.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ollm_tui.core.error import UnknownProfile, closest
from ollm_tui.core.model import ModelInfo
from ollm_tui.core.text import clean_line
from ollm_tui.routing.database import ModelDatabase
from ollm_tui.routing.family import known_families
from ollm_tui.routing.pattern import literal_prefix
from ollm_tui.routing.profile import BUILT_IN_PROFILES, RoutingProfile, find_profile, name_fold
from ollm_tui.routing.ranking import preferred_families
from ollm_tui.routing.router import Router, find_model

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
    findings += _overrides(router, models)
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
        yield Finding(LintCode.FALLBACK_UNKNOWN, subject, str(error))
        return
    chain = _chain(router, profile)
    if name_fold(chain[-1].fallback_profile or "") == name_fold(profile.name):
        names = " → ".join([*(link.name for link in chain), profile.name])
        yield Finding(LintCode.FALLBACK_CYCLE, subject, f"goes in a circle: {names}")
    elif _is_dead(router, profile, chain[1:]):
        yield Finding(
            LintCode.FALLBACK_DEAD,
            subject,
            f"{fallback.name} asks for no less than {profile.name}, so it never adds a model",
        )


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
        yield Finding(
            LintCode.FAMILY_UNKNOWN,
            f"{_profile_key(profile)}.preferredFamilies",
            f"no known model is of the family {preferred}{hint}",
        )


def _satisfiable(
    router: Router, profile: RoutingProfile, models: Sequence[ModelInfo]
) -> Iterator[Finding]:
    if models and not any(router.matches_profile(model, profile) for model in models):
        yield Finding(
            LintCode.PROFILE_UNSATISFIABLE,
            _profile_key(profile),
            f"none of {len(models)} known models meets it",
        )


def _overrides(router: Router, models: Sequence[ModelInfo]) -> Iterator[Finding]:
    for key, name in router.config.overrides.items():
        subject = f"model.routing.overrides.{clean_line(key)}"
        try:
            profile = router.get_profile(key)
        except UnknownProfile as error:
            yield Finding(LintCode.OVERRIDE_UNKNOWN_PROFILE, subject, str(error))
            continue
        if not models:
            continue
        index = find_model(name, models)
        if index is None:
            message = f"{clean_line(name)} is not installed"
            yield Finding(LintCode.OVERRIDE_NOT_INSTALLED, subject, message)
            continue
        unmet = router.judge(profile).unmet(models[index])
        if unmet:
            message = f"{clean_line(name)} does not meet {profile.name}: {unmet[1]}"
            yield Finding(LintCode.OVERRIDE_VIOLATES, subject, message)


def _patterns(database: ModelDatabase) -> Iterator[Finding]:
    for problem in database.problems:
        yield Finding(LintCode.PROBLEM, f"database.{problem.subject}", problem.reason)
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
            )
