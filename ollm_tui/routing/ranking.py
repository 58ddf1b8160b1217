"""One hop: every model judged against one profile, and those that pass put in a total order.

The order never depends on the order of the list. Pure.

Source: design, Selection Algorithm; rulings Z4 to Z6; decisions R8 to R27.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from heapq import nsmallest
from math import isfinite
from operator import itemgetter
from typing import Final, NamedTuple

from ollm_tui.core.fit import estimate_memory
from ollm_tui.core.model import UNKNOWN_FAMILY, ModelInfo
from ollm_tui.core.name import name_key
from ollm_tui.core.text import clean_line
from ollm_tui.routing.capability import CAPABILITY_NAMES, capability_field
from ollm_tui.routing.database import ModelDatabase
from ollm_tui.routing.decision import Candidate, Code, Verdict
from ollm_tui.routing.profile import SMALLEST, RoutingProfile
from ollm_tui.routing.settings import RoutingConfig

_LAST: Final = 1_000_000
"""Ranks after every real slot and every real count of profiles."""
_DIGITS: Final = re.compile("[0-9]+")
_DUPLICATE: Final = Code.DUPLICATE, "listed before"

Fault = tuple[Code, str]
canonical_key = lru_cache(maxsize=20_000)(name_key)


class _Entrant(NamedTuple):
    """A model with what the rules look at, read once."""

    model: ModelInfo
    tokens: int
    """Context window."""
    family: str
    slot: int | None
    exact: bool
    """The family equals the preferred entry and does not merely hold it."""
    by_name: str
    """Sort key, different for every name."""


RankKey = tuple[
    int, bool, bool, int, bool, bool, int, float, int, int, str, _Entrant
]  # fmt: skip
"""Slot, base model, substring only, specialist, not loaded, over budget, size (what is known,
parameters, bytes), context, name. No two names are equal, so that entrants are never compared."""


def preferred_families(profile: RoutingProfile) -> tuple[str, ...]:
    """The profile's families, trimmed and without case, each once; blank ones say nothing."""
    folded = (family.strip().casefold() for family in profile.preferred_families)
    return tuple(dict.fromkeys(family for family in folded if family))


class Judge:
    """Judges models against one profile."""

    def __init__(
        self, profile: RoutingProfile, database: ModelDatabase, config: RoutingConfig
    ) -> None:
        self._profile = profile
        self._database = database
        self._config = config
        self._preferred = preferred_families(profile)
        self._limited = config.memory_budget_bytes is not None
        self._slots: dict[str, tuple[int | None, bool]] = {}
        self._required = [(name, capability_field(name)) for name in profile.required_capabilities]

    def judge(self, models: Sequence[ModelInfo], chosen: int | None = None) -> list[Candidate]:
        """Return every model once: the selected one, the eligible ones by rank, the dropped.

        Args:
            models: in any order; of two names for one model the first counts.
            chosen: index of the one that an override names; it wins whatever its facts.
        """
        seen: set[str] = set()
        passed: list[RankKey] = []
        dropped: list[tuple[str, Candidate]] = []
        for index, model in enumerate(models):
            entrant = self._read(model)
            known = len(seen)
            seen.add(canonical_key(model.name))
            fault = _DUPLICATE if len(seen) == known else self._fault(entrant)
            if index == chosen:
                continue
            if fault:
                candidate = _candidate(entrant, Verdict.DROPPED, *fault)
                dropped.append((entrant.by_name, candidate))
            else:
                passed.append(self._rank_key(entrant))
        passed.sort()
        dropped.sort(key=itemgetter(0))
        if chosen is not None:
            first = [self._overriding(self._read(models[chosen]))]
            why = Code.OVERRIDE_USED, f"the override names {models[chosen].display_name}"
            rest = [_candidate(rank[-1], Verdict.ELIGIBLE, *why) for rank in passed]
        else:
            first = [self._winning(rank[-1]) for rank in passed[:1]]
            rest = [
                _candidate(rank[-1], Verdict.ELIGIBLE, *self._lost(rank, passed[0]))
                for rank in passed[1:]
            ]
        return first + rest + [candidate for _, candidate in dropped]

    def best_of(self, models: Sequence[ModelInfo], count: int) -> list[ModelInfo]:
        """Return up to `count` models that meet the profile, best first."""
        entrants = (self._read(model) for model in models)
        fitting = [entrant for entrant in entrants if not self._fault(entrant)]
        return [entrant.model for entrant in nsmallest(count, fitting, self._suggestion_key)]

    def unmet(self, model: ModelInfo) -> Fault | None:
        """The first requirement of the profile that a model does not meet, or None."""
        return self._unmet(self._read(model))

    def context_tokens(self, model: ModelInfo) -> int:
        """The context window as given, else as the database has it. Source: decision R24."""
        tokens = model.context_window
        if isinstance(tokens, int) and tokens > 0:
            return tokens
        return self._database.lookup(model.name).context_window

    def is_context_assumed(self, model: ModelInfo) -> bool:
        """Whether the context window is only the default for unknown models."""
        tokens = model.context_window
        if isinstance(tokens, int) and tokens > 0:
            return model.sources.get("context_window") == "default"
        return self._database.lookup(model.name).sources["context_window"] == "default"

    def memory_bytes(self, model: ModelInfo) -> int:
        """What the model takes in memory at the profile's own context."""
        return estimate_memory(model, self._profile.min_context_window).total_bytes

    def over_budget(self, model: ModelInfo) -> bool:
        """Whether the model needs more memory than there is."""
        budget = self._config.memory_budget_bytes
        return budget is not None and self.memory_bytes(model) > budget

    def _read(self, model: ModelInfo) -> _Entrant:
        """The family as given, else as the database and the name tell. Source: decision R13."""
        family = model.family
        if not family or family == UNKNOWN_FAMILY:
            family = self._database.get_model_family(model.name)
        slot = self._slots.get(family)
        if slot is None:
            slot = self._slots[family] = self._find_slot(family.casefold())
        return _Entrant(
            model, self.context_tokens(model), family, slot[0], slot[1], by_name(model.name)
        )

    def _find_slot(self, family: str) -> tuple[int | None, bool]:
        """Which preferred family, from 1: an equal one, else the longest that it holds.

        Source: ruling Z4; decision R11.
        """
        if family == UNKNOWN_FAMILY:
            return None, False
        if family in self._preferred:
            return self._preferred.index(family) + 1, True
        held = [entry for entry in self._preferred if entry in family]
        if self._config.family_match == "exact" or not held:
            return None, False
        return self._preferred.index(max(held, key=len)) + 1, False

    def _fault(self, entrant: _Entrant) -> Fault | None:
        """The first rule that drops a model, or None when it is eligible."""
        if entrant.model.remote and not self._config.allow_remote:
            return Code.REMOTE_NOT_ALLOWED, "runs on another machine"
        if entrant.model.embedding_only:
            return Code.EMBEDDING_ONLY, "answers no prompts"
        return self._unmet(entrant)

    def _unmet(self, entrant: _Entrant) -> Fault | None:
        have, need = entrant.tokens, self._profile.min_context_window
        if have < need:
            if self.is_context_assumed(entrant.model):
                return Code.CONTEXT_ASSUMED, f"context unknown, {have:,} assumed < {need:,}"
            return _too_small(have, need)
        model = entrant.model
        capabilities = model.capabilities or self._database.get_model_capabilities(model.name)
        for name, field in self._required:
            if field is None:
                known = ", ".join(CAPABILITY_NAMES)
                return Code.CAPABILITY_UNKNOWN, f"{clean_line(name, 40)!r} is none of {known}"
            if not getattr(capabilities, field):
                return Code.CAPABILITY_MISSING, f"no {name}"
        return None

    def _rank_key(self, entrant: _Entrant) -> RankKey:
        """The total order: the smallest key wins. Source: rulings Z5 and Z6; decision R33."""
        model = entrant.model
        profiles = self._database.lookup(model.name).profiles
        over_budget = self._limited and self.over_budget(model)
        return (
            entrant.slot or _LAST,
            model.base_model,
            entrant.slot is not None and not entrant.exact,
            len(profiles) if self._profile.name in profiles else _LAST,
            self._config.prefer_loaded and not model.loaded,
            over_budget,
            *self._size_key(model, over_budget),
            -entrant.tokens,
            entrant.by_name,
            entrant,
        )

    def _suggestion_key(self, entrant: _Entrant) -> tuple[object, ...]:
        return self._rank_key(entrant)[:-1]

    def _size_key(self, model: ModelInfo, over_budget: bool) -> tuple[int, float, int]:
        """Known parameters before bytes before nothing; of those over the budget, the smallest.

        Source: decisions R16, R17 and R27.
        """
        # A stub's bytes are not the model's.
        size_bytes = 0 if model.remote else max(model.size_bytes, 0)
        sign = 1 if over_budget or self._profile.size_preference == SMALLEST else -1
        parameters = model.parameters_billions
        if parameters is not None and isfinite(parameters) and parameters > 0:
            return 0, sign * round(parameters, 1), sign * size_bytes
        return (1 if size_bytes else 2), 0, sign * size_bytes

    def _overriding(self, entrant: _Entrant) -> Candidate:
        fault = self._fault(entrant)
        if fault:
            return _candidate(entrant, Verdict.SELECTED, Code.OVERRIDE_VIOLATES, fault[1])
        return _candidate(entrant, Verdict.SELECTED, Code.OVERRIDE_USED, "named by the override")

    def _winning(self, entrant: _Entrant) -> Candidate:
        if entrant.slot is None:
            why = "the best that meets the profile"
            return _candidate(entrant, Verdict.SELECTED, Code.NOT_PREFERRED, why)
        entry = self._preferred[entrant.slot - 1]
        held = entry if entrant.exact else f"{entrant.family} holds {entry}"
        why = f"{held}, choice {entrant.slot} of {len(self._preferred)}"
        return _candidate(entrant, Verdict.SELECTED, Code.PREFERRED, why)

    def _lost(self, mine: RankKey, best: RankKey) -> Fault:
        """Why an eligible model is not the winner: the first part of the key that differs."""
        entrant, winner = mine[-1], best[-1]
        name = winner.model.display_name
        rule = 0
        while mine[rule] == best[rule]:
            rule += 1
        match rule:
            case 0 if entrant.slot is None:
                return Code.NOT_PREFERRED, f"{entrant.family} is not a preferred family"
            case 0:
                choices = f"choice {entrant.slot}, {name} is choice {winner.slot}"
                return Code.LOST_TIEBREAK, f"family: {choices}"
            case 1:
                return Code.BASE_MODEL, "continues text, does not chat"
            case 2:
                return Code.LOST_TIEBREAK, f"family: {entrant.family} is not quite {winner.family}"
            case 3:
                return Code.LOST_SPECIALIST, f"{name} is more of a {self._profile.name} model"
            case 4:
                return Code.LOST_TIEBREAK, f"loaded: {name} is in memory"
            case 5:
                need = gigabytes(self.memory_bytes(entrant.model))
                budget = gigabytes(self._config.memory_budget_bytes or 0)
                return Code.OVER_BUDGET, f"needs {need}, {budget} are there"
            case 6 | 7 | 8:
                sizes = f"{size(entrant.model)}, {name} is {size(winner.model)}"
                return Code.LOST_TIEBREAK, f"size: {sizes}"
            case 9:
                return Code.LOST_TIEBREAK, f"context: {entrant.tokens:,} < {winner.tokens:,}"
            case _:
                return Code.LOST_TIEBREAK, f"name: after {name}"


@lru_cache(maxsize=1_000)
def _too_small(have: int, need: int) -> Fault:
    # Kept, since the same few contexts come up in every list.
    return Code.CONTEXT_TOO_SMALL, f"{have:,} < {need:,}"


def _candidate(entrant: _Entrant, verdict: Verdict, code: Code, detail: str) -> Candidate:
    model, tokens, family, slot, _, _ = entrant
    return Candidate(model.name, verdict, code, detail, slot, family, tokens)


@lru_cache(maxsize=20_000)
def by_name(name: str) -> str:
    """Sort key that puts m:9b before m:10b: each number is led by how many digits it has.

    Spellings of one name stand together, told apart by the raw name.
    """
    return f"{_DIGITS.sub(_with_length, canonical_key(name).casefold())}\0{name}"


def _with_length(digits: re.Match[str]) -> str:
    number = digits[0].lstrip("0")
    return f"{len(number):04d}{number}"


def gigabytes(count: int) -> str:
    """Decimal gigabytes, as lists show them."""
    return f"{count / 1e9:.1f} GB"


def size(model: ModelInfo) -> str:
    """Parameters, else bytes, else that nobody knows."""
    if model.parameters_billions:
        return f"{model.parameters_billions:g}B"
    return gigabytes(model.size_bytes) if model.size_bytes else "of unknown size"
