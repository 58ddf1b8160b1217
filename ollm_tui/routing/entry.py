"""One row of the model database: built in, or read from the user's configuration.

A field that is None says nothing, so that the next pattern that matches, or a default, speaks.
"""

from collections.abc import Mapping
from typing import NamedTuple

from ollm_tui.core.error import PatternSyntaxError
from ollm_tui.core.model import Problem
from ollm_tui.core.text import clean_line
from ollm_tui.routing import plain
from ollm_tui.routing.capability import CAPABILITY_FIELDS, capability_field
from ollm_tui.routing.known_models import CONTEXT_CAPS, KNOWN_MODELS, KnownRow
from ollm_tui.routing.pattern import check_pattern

_SMALL_CONTEXT = 8_192


class ModelEntry(NamedTuple):
    """What is known of the models whose name matches `pattern`."""

    pattern: str
    family: str | None = None
    context_window: int | None = None
    max_output_tokens: int | None = None
    capabilities: Mapping[str, bool] | None = None
    """By field name of `ModelCapabilities`; those left out are not spoken of."""
    profiles: tuple[str, ...] | None = None
    """Routing profiles it suits."""
    context_cap: int | None = None
    """The provider's context window is not believed above this."""
    force: bool = False
    """Beats what the provider says."""
    custom: bool = False
    """The user's."""


_PARSERS: Mapping[str, plain.Parser] = {
    "family": plain.text,
    "context_window": plain.tokens,
    "max_output_tokens": plain.tokens,
    "capabilities": plain.capability_flags,
    "profiles": plain.text_list,
    "context_cap": plain.tokens,
    "force": plain.flag,
}


def built_in_entries() -> list[ModelEntry]:
    """The shipped table, in its order."""
    return [_built_in(row) for row in KNOWN_MODELS]


def _built_in(row: KnownRow) -> ModelEntry:
    pattern, family, context_window, capabilities, profiles = row
    named = {capability_field(word) for word in capabilities.split()}
    flags = {field: field in named for field in CAPABILITY_FIELDS}
    flags["streaming"] = "embedding" not in named
    output_limit = 2_048 if context_window <= _SMALL_CONTEXT else 4_096
    return ModelEntry(
        pattern=pattern,
        family=family,
        context_window=context_window,
        max_output_tokens=min(context_window, output_limit),
        capabilities=flags,
        profiles=tuple(profiles.split()),
        context_cap=CONTEXT_CAPS.get(pattern),
    )


def read_entries(custom: Mapping[str, object]) -> tuple[list[ModelEntry], list[Problem]]:
    """Read the user's entries: pattern to a mapping with the keys of the configuration file.

    A bad field is left out and a bad pattern skips its entry; each becomes a problem, and the
    rest still counts. Source: decisions D10 and D13.
    """
    entries: list[ModelEntry] = []
    problems: list[Problem] = []
    for pattern, mapping in custom.items():
        subject = clean_line(str(pattern))
        if not isinstance(mapping, Mapping):
            problems.append(Problem(subject, "should be a mapping such as {contextWindow: 8192}"))
            continue
        try:
            remarks = check_pattern(str(pattern))
        except PatternSyntaxError as error:
            problems.append(Problem(subject, str(error)))
            continue
        problems += [Problem(subject, remark) for remark in remarks]
        values = plain.read_fields(mapping, _PARSERS, plain.report_to(problems, subject))
        entries.append(ModelEntry(pattern=str(pattern), custom=True, **values))
    return entries, problems
