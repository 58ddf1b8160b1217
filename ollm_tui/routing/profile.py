"""Routing profiles: what a task asks of a model. The four built in, and the user's over them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from ollm_tui.core.error import UnknownProfile, closest
from ollm_tui.core.model import Problem
from ollm_tui.core.text import clean_line
from ollm_tui.routing import plain
from ollm_tui.routing.capability import CAPABILITY_ALIASES, CAPABILITY_NAMES, capability_field

SMALLEST: Final = "smallest"
LARGEST_THAT_FITS: Final = "largest-that-fits"


@dataclass(frozen=True, slots=True)
class RoutingProfile:
    """What a task asks of a model, and which one it likes best."""

    name: str
    description: str = ""
    preferred_families: tuple[str, ...] = ()
    """Best first. They rank; they never exclude."""
    min_context_window: int = 0
    """In tokens; 0 = no minimum."""
    required_capabilities: tuple[str, ...] = ()
    """All of them; names as in the configuration file (toolCalling) or in JSON (tool_calling)."""
    fallback_profile: str | None = None
    """Asked next when no model meets this one."""
    size_preference: str = LARGEST_THAT_FITS
    """Between equals: "smallest" or "largest-that-fits"."""


BUILT_IN_PROFILES: Final = (
    RoutingProfile(
        name="fast",
        description="Quick responses with smaller models",
        preferred_families=("phi", "gemma", "mistral"),
        min_context_window=4_096,
        required_capabilities=("streaming",),
        fallback_profile="general",
        size_preference=SMALLEST,
    ),
    RoutingProfile(
        name="general",
        description="Balanced performance for most tasks",
        preferred_families=("llama", "mistral", "qwen"),
        min_context_window=8_192,
        required_capabilities=("streaming",),
    ),
    RoutingProfile(
        name="code",
        description="Optimized for code generation",
        preferred_families=("codellama", "deepseek-coder", "starcoder"),
        min_context_window=16_384,
        required_capabilities=("streaming",),
        fallback_profile="general",
    ),
    RoutingProfile(
        name="creative",
        description="Creative writing and storytelling",
        preferred_families=("llama", "mistral"),
        min_context_window=8_192,
        required_capabilities=("streaming",),
        fallback_profile="general",
    ),
)
"""Source: design, Routing Profiles; the size preference by decision R16."""

PROFILE_PARSERS: Final[Mapping[str, plain.Parser]] = {
    "description": plain.text,
    "preferred_families": plain.text_list,
    "min_context_window": plain.minimum,
    "required_capabilities": plain.text_list,
    "fallback_profile": plain.text,
    "size_preference": plain.one_of(SMALLEST, LARGEST_THAT_FITS),
}


def merge_profiles(
    custom: Mapping[str, object],
) -> tuple[tuple[RoutingProfile, ...], tuple[Problem, ...]]:
    """Return the built-in profiles with the user's merged over them by name, and what was wrong.

    Fields given replace; a field that cannot be read is left as it was. New names follow the
    built-in ones in the order given. Source: decisions R18, R24 and R30.
    """
    profiles = {name_fold(profile.name): profile for profile in BUILT_IN_PROFILES}
    problems: list[Problem] = []
    for name, mapping in custom.items():
        subject = clean_line(str(name))
        if not name_fold(str(name)):
            problems.append(Problem(subject, "a profile needs a name"))
            continue
        if not isinstance(mapping, Mapping):
            problems.append(
                Problem(subject, "should be a mapping such as {minContextWindow: 8192}")
            )
            continue
        base = profiles.get(name_fold(str(name))) or RoutingProfile(name=subject.strip())

        report = plain.report_to(problems, subject)
        profile = profiles[name_fold(str(name))] = read_profile(mapping, base, report)
        for alias in CAPABILITY_ALIASES.keys() & set(profile.required_capabilities):
            report("requiredCapabilities", f"{alias} is read as {CAPABILITY_ALIASES[alias]}")
    return tuple(profiles.values()), tuple(problems)


def read_profile(
    mapping: Mapping[Any, object], base: RoutingProfile, report: plain.Report
) -> RoutingProfile:
    """Return `base` with the fields of a plain mapping in place of its own.

    Args:
        report: told what could not be read or can never be met.
    """
    profile = replace(base, **plain.read_fields(mapping, PROFILE_PARSERS, report))
    for name in profile.required_capabilities:
        if capability_field(name) is None:
            near = closest(name, CAPABILITY_NAMES, count=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(CAPABILITY_NAMES)}"
            report("requiredCapabilities", f"no model can have {clean_line(name)!r}; {hint}")
    return profile


def find_profile(name: str, profiles: Sequence[RoutingProfile]) -> RoutingProfile:
    """Return the profile of that name: exactly, else without regard to case and blanks around.

    Raises:
        UnknownProfile: with the closest names and the whole list. Source: decision R29.
    """
    for profile in profiles:
        if profile.name == name:
            return profile
    for profile in profiles:
        if name_fold(profile.name) == name_fold(name):
            return profile
    names = [profile.name for profile in profiles]
    near = closest(name.strip(), names)
    raise UnknownProfile(
        f"Unknown routing profile: {name!r}",
        cause=f"the profiles are {', '.join(names)}",
        actions=[f"Did you mean {' or '.join(near)}?"] if near else [],
    )


def name_fold(name: str) -> str:
    """Equal for two spellings of one profile name."""
    return name.strip().casefold()
