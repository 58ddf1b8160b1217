"""What is known of models by their name: limits, capabilities, family, profiles they suit.

Fallback knowledge: what a provider reports comes first (`facts.py`). Asks nobody; a change of
configuration makes a new database.

Source: design, Model Database; decisions D1 to D21.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from ollm_tui.core.error import InvalidName
from ollm_tui.core.model import (
    UNKNOWN_FAMILY,
    ModelCapabilities,
    ModelLimits,
)
from ollm_tui.core.name import parse_name
from ollm_tui.core.text import clean_line
from ollm_tui.routing.capability import EMBEDDING_ONLY, TEXT_GENERATION
from ollm_tui.routing.entry import ModelEntry, built_in_entries, read_entries
from ollm_tui.routing.family import EMBEDDING_FAMILY, detect_family
from ollm_tui.routing.pattern import (
    compile_pattern,
    literal_count,
    literal_prefix,
    longest_literal,
    matches_pattern,
)

DEFAULT_LIMITS: Final = ModelLimits(context_window=4_096, max_output_tokens=2_048)
LOOKUPS_KEPT: Final = 10_000

_logger = logging.getLogger(__name__)


class KnownModel(NamedTuple):
    """Everything the database says of one name; nothing is missing."""

    family: str
    context_window: int
    max_output_tokens: int
    capabilities: ModelCapabilities
    profiles: tuple[str, ...]
    context_cap: int | None
    sources: Mapping[str, str]
    """Field to "user", "database", "name" (the family by keyword) or "default"."""
    forced: frozenset[str]
    """Fields that beat what the provider says."""


class ModelDatabase:
    """The shipped entries and the user's, in one pool: the longest pattern that matches wins.

    Where the winning entry says nothing of a fact, the next longest speaks.

    Attributes:
        entries: most specific first.
        problems: what was wrong with the user's entries.
        lookup: everything known of one name, from a bounded cache.
    """

    def __init__(self, custom: Mapping[str, object] | None = None) -> None:
        """Take the user's entries: pattern to a mapping with the configuration file's keys."""
        own, problems = read_entries(custom or {})
        # The sort is stable: what is equally specific stays in load order.
        self.entries: Final = tuple(sorted(own + built_in_entries(), key=specificity))
        self.problems: Final = tuple(problems)
        self.lookup: Final = lru_cache(maxsize=LOOKUPS_KEPT)(self._look_up)
        self._warned: Final[set[str]] = set()
        self._by_prefix: Final[dict[str, list[tuple[str, int]]]] = {}
        self._matchers: Final[dict[int, Callable[[str], object]]] = {}
        for rank, entry in enumerate(self.entries):
            prefix = literal_prefix(entry.pattern).lower()
            piece = longest_literal(entry.pattern).lower()
            self._by_prefix.setdefault(prefix, []).append((piece, rank))

    def get_model_limits(self, name: str) -> ModelLimits:
        """Return how many tokens the model takes in and gives out; the default for unknown ones.

        Source: design, Property 12.
        """
        known = self.lookup(name)
        if known.sources["context_window"] == "default":
            self.warn_of_defaults(name)
        return ModelLimits(known.context_window, known.max_output_tokens)

    def get_model_family(self, name: str) -> str:
        """Return the family, or "unknown". Source: design, Property 20; decision D1."""
        return self.lookup(name).family

    def get_model_capabilities(self, name: str) -> ModelCapabilities:
        """Return what the model can do: for an unknown one, text generation only."""
        return self.lookup(name).capabilities

    def matches_pattern(self, name: str, pattern: str) -> bool:
        """Whether the whole of `name` matches the glob, case included.

        Raises:
            PatternSyntaxError: the pattern means nothing.
        """
        return matches_pattern(name, pattern)

    def matching(self, name: str) -> list[ModelEntry]:
        """Return the entries that match a name without regard to case, most specific first.

        A pattern is tried on the shortest form of the name and, unless it has a "/" itself, on
        model:tag alone. Source: design, Property 13; decisions D5 to D7.
        """
        full, short = _spellings(name)
        ranks = set(self._ranks(full))
        if short != full:
            ranks.update(r for r in self._ranks(short) if "/" not in self.entries[r].pattern)
        return [self.entries[rank] for rank in sorted(ranks)]

    def _ranks(self, text: str) -> Iterator[int]:
        """The ranks of the patterns that match; plain string tests leave few to really try."""
        for end in range(len(text) + 1):
            bucket = self._by_prefix.get(text[:end], ())
            for rank in [rank for piece, rank in bucket if piece in text]:
                matcher = self._matchers.get(rank)
                if matcher is None:
                    matcher = compile_pattern(self.entries[rank].pattern, ignore_case=True).match
                    self._matchers[rank] = matcher
                if matcher(text):
                    yield rank

    def _look_up(self, name: str) -> KnownModel:
        matching = self.matching(name)
        if len(matching) > 1:
            _warn_of_ambiguity(name, *matching[:2])
        facts: dict[str, Any] = {}
        flags: dict[str, bool] = {}
        sources: dict[str, str] = {}
        forced: set[str] = set()
        for entry in matching:
            given = {field: getattr(entry, field) for field in _FACTS}
            for field, value in given.items():
                if value is None:
                    continue
                if field == "capabilities":
                    flags = {**value, **flags}
                if field not in sources:
                    facts[field] = value
                    sources[field] = "user" if entry.custom else "database"
                    if entry.force:
                        forced.add(field)
            if not entry.custom:
                break  # a shipped row is complete
        if flags:
            facts["capabilities"] = ModelCapabilities(**{"streaming": True, **flags})
        return _completed(name, facts, sources, frozenset(forced))

    def warn_of_defaults(self, name: str) -> None:
        """Log, once per name, that a model's limits are the defaults. Source: decision D15."""
        if name not in self._warned and len(self._warned) < LOOKUPS_KEPT:
            self._warned.add(name)
            _logger.warning(
                "%s is not in the model database; %d tokens of context assumed",
                clean_line(name),
                DEFAULT_LIMITS.context_window,
            )


def specificity(entry: ModelEntry) -> tuple[int, int, bool]:
    """Sort key: longer patterns first, then more literal characters, then the user's.

    Source: design, Property 13; decision D11.
    """
    return (-len(entry.pattern), -literal_count(entry.pattern), not entry.custom)


_FACTS: Final = (
    "family", "context_window", "max_output_tokens", "capabilities", "profiles", "context_cap",
)  # fmt: skip


def _spellings(name: str) -> tuple[str, str]:
    """The shortest form of a name and model:tag alone, in lower case; for a bad name, itself."""
    try:
        parsed = parse_name(name)
    except InvalidName:
        return name.lower(), name.lower()
    return parsed.short.lower(), f"{parsed.model}:{parsed.tag}".lower()


@lru_cache(maxsize=1024)
def shared_sources(sources: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    """One mapping for all models whose facts come from the same sources, as most of a list do."""
    return MappingProxyType(dict(sources))


def _completed(
    name: str, facts: dict[str, Any], sources: dict[str, str], forced: frozenset[str]
) -> KnownModel:
    """Fill what no entry says: the family from the name, the rest from the defaults."""
    family = facts.get("family")
    if family is None:
        family = detect_family(name)
        sources["family"] = "default" if family == UNKNOWN_FAMILY else "name"
    context_window = facts.get("context_window", DEFAULT_LIMITS.context_window)
    context_cap = facts.get("context_cap")
    if context_cap is not None:
        context_window = min(context_window, context_cap)
    unknown = EMBEDDING_ONLY if family == EMBEDDING_FAMILY else TEXT_GENERATION
    for field in ("context_window", "max_output_tokens", "capabilities"):
        sources.setdefault(field, "default")
    return KnownModel(
        family=family,
        context_window=context_window,
        max_output_tokens=facts.get(
            "max_output_tokens", min(DEFAULT_LIMITS.max_output_tokens, context_window)
        ),
        capabilities=facts.get("capabilities", unknown),
        profiles=facts.get("profiles", ()),
        context_cap=context_cap,
        sources=shared_sources(tuple(sources.items())),
        forced=forced,
    )


def _warn_of_ambiguity(name: str, first: ModelEntry, second: ModelEntry) -> None:
    if specificity(first) == specificity(second) and first != second._replace(
        pattern=first.pattern
    ):
        _logger.warning(
            "%s matches %s and %s equally well; the first is used",
            *(clean_line(text) for text in (name, first.pattern, second.pattern)),
        )
