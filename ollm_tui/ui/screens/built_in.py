"""The built-in profiles as settings: what holds where no file says otherwise."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ollm_tui.config.resolve import Setting

PROFILES = ("model", "routing", "profiles")
_FIELDS = {
    "description": "description",
    "preferredFamilies": "preferred_families",
    "minContextWindow": "min_context_window",
    "requiredCapabilities": "required_capabilities",
    "fallbackProfile": "fallback_profile",
    "sizePreference": "size_preference",
}
"""The keys of a profile in a file, and what they are called in one."""


def with_built_in(
    settings: "Mapping[tuple[str, ...], Setting]",
) -> "Iterator[tuple[Setting, bool]]":
    """Every setting with whether it is built in: those are the profiles' fields, after all others.

    Configuration knows nothing of them: it says what is written, over whatever there is. At the
    end, since they are many and the others are what one sets.
    """
    yield from ((setting, False) for setting in settings.values())
    yield from ((setting, True) for setting in _unsaid(settings))


def names() -> list[str]:
    """The built-in profiles."""
    from ollm_tui.routing.profile import BUILT_IN_PROFILES

    return [profile.name for profile in BUILT_IN_PROFILES]


def _unsaid(settings: "Mapping[tuple[str, ...], Setting]") -> "Iterator[Setting]":
    """The fields of built-in profiles of which no file says anything."""
    from ollm_tui.config.problem import Origin, Place
    from ollm_tui.config.resolve import Setting
    from ollm_tui.routing.profile import BUILT_IN_PROFILES, name_fold

    at = len(PROFILES)
    said = {
        (name_fold(path[at]), path[at + 1])
        for path in settings
        if path[:at] == PROFILES and len(path) > at + 1
    }
    for profile in BUILT_IN_PROFILES:
        for key, name in _FIELDS.items():
            if (name_fold(profile.name), key) not in said:
                value = getattr(profile, name)
                value = list(value) if isinstance(value, tuple) else value
                path = (*PROFILES, profile.name, key)
                yield Setting(path, value, Origin.DEFAULT, Place("the program itself"))
