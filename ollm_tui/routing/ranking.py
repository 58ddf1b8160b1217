"""One hop: every model judged against one profile, and those that pass put in a total order.

The order never depends on the order of the list. Pure.

Source: design, Selection Algorithm; rulings Z4 to Z6; decisions R8 to R27.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from heapq import nsmallest
from math import inf
from typing import Final

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


RankKey = tuple[
    int, bool, bool, int, bool, bool, int, float, int, int, str, ModelInfo, str
]  # fmt: skip
"""Slot, base model, substring only, specialist, not loaded, over budget, size (what is known,
parameters, bytes), context, name: what ranks. No two names are equal, so that the comparison never
comes to what follows: the model and its family. One flat tuple, as there is one for each model."""


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
        self._smallest_first = profile.size_preference == SMALLEST
        self._limited = config.memory_budget_bytes is not None
        self._places: dict[str, tuple[str, int | None, bool]] = {}
        self._required = [(name, capability_field(name)) for name in profile.required_capabilities]

    def judge(self, models: Sequence[ModelInfo], chosen: int | None = None) -> list[Candidate]:
        """Return every model once: the selected one, the eligible ones by rank, the dropped.

        Args:
            models: in any order; of two names for one model the first counts.
            chosen: index of the one that an override names; it wins whatever its facts.
        """
        seen: set[str] = set()
        passed: list[RankKey] = []
        dropped: list[Candidate] = []
        for index, model in enumerate(models):
            name = model.name
            key = canonical_key(name)
            tokens = self.context_tokens(model)
            fault = _DUPLICATE if key in seen else self._fault(model, tokens)
            seen.add(key)
            if index == chosen:
                continue
            if fault is None:
                passed.append(self._rank_key(model, tokens))
            else:
                family, slot, _ = self._placed(model)
                row = Candidate(name, Verdict.DROPPED, *fault, slot, family, tokens)
                dropped.append(row)
        passed.sort()
        dropped.sort(key=_by_name)
        if chosen is not None:
            first = [self._overriding(models[chosen])]
            why = Code.OVERRIDE_USED, f"the override names {models[chosen].display_name}"
            rest = [_candidate(rank, Verdict.ELIGIBLE, *why) for rank in passed]
        else:
            first = [self._winning(rank) for rank in passed[:1]]
            rest = [
                _candidate(rank, Verdict.ELIGIBLE, *self._lost(rank, passed[0]))
                for rank in passed[1:]
            ]
        return first + rest + dropped

    def best_of(self, models: Sequence[ModelInfo], count: int) -> list[ModelInfo]:
        """Return up to `count` models that meet the profile, best first."""
        contexts = ((model, self.context_tokens(model)) for model in models)
        fitting = [self._rank_key(*pair) for pair in contexts if self._fault(*pair) is None]
        return [rank[-2] for rank in nsmallest(count, fitting, lambda rank: rank[:-2])]

    def unmet(self, model: ModelInfo) -> Fault | None:
        """The first requirement of the profile that a model does not meet, or None."""
        return self._unmet(model, self.context_tokens(model))

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

    def _placed(self, model: ModelInfo) -> tuple[str, int | None, bool]:
        """The family, as given, else as the database and the name tell, and what it is worth here.

        Source: decision R13.
        """
        family = model.family
        if not family or family == UNKNOWN_FAMILY:
            family = self._database.get_model_family(model.name)
        placed = self._places.get(family)
        if placed is None:
            placed = self._places[family] = (family, *self._find_slot(family.casefold()))
        return placed

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

    def _fault(self, model: ModelInfo, tokens: int) -> Fault | None:
        """The first rule that drops a model, or None when it is eligible."""
        if model.remote and not self._config.allow_remote:
            return Code.REMOTE_NOT_ALLOWED, "runs on another machine"
        if model.embedding_only:
            return Code.EMBEDDING_ONLY, "answers no prompts"
        return self._unmet(model, tokens)

    def _unmet(self, model: ModelInfo, have: int) -> Fault | None:
        need = self._profile.min_context_window
        if have < need:
            if self.is_context_assumed(model):
                return Code.CONTEXT_ASSUMED, f"context unknown, {have:,} assumed < {need:,}"
            return _too_small(have, need)
        capabilities = model.capabilities or self._database.get_model_capabilities(model.name)
        for name, field in self._required:
            if field is None:
                known = ", ".join(CAPABILITY_NAMES)
                return Code.CAPABILITY_UNKNOWN, f"{clean_line(name, 40)!r} is none of {known}"
            if not getattr(capabilities, field):
                return Code.CAPABILITY_MISSING, f"no {name}"
        return None

    def _rank_key(self, model: ModelInfo, tokens: int) -> RankKey:
        """The total order: the smallest key wins. Source: rulings Z5 and Z6; decision R33."""
        family, slot, exact = self._placed(model)
        profiles = self._database.lookup(model.name).profiles
        over_budget = self._limited and self.over_budget(model)
        known, parameters, size_bytes = self._size_key(model, over_budget)
        return (
            slot or _LAST,
            model.base_model,
            slot is not None and not exact,
            len(profiles) if self._profile.name in profiles else _LAST,
            self._config.prefer_loaded and not model.loaded,
            over_budget,
            known,
            parameters,
            size_bytes,
            -tokens,
            by_name(model.name),
            model,
            family,
        )

    def _size_key(self, model: ModelInfo, over_budget: bool) -> tuple[int, float, int]:
        """Known parameters before bytes before nothing; of those over the budget, the smallest.

        Source: decisions R16, R17 and R27.
        """
        # A stub's bytes are not the model's.
        size_bytes = 0 if model.remote or model.size_bytes < 0 else model.size_bytes
        sign = 1 if over_budget or self._smallest_first else -1
        parameters = model.parameters_billions
        if parameters is not None and 0 < parameters < inf:
            return 0, sign * _rounded(parameters), sign * size_bytes
        return (1 if size_bytes else 2), 0, sign * size_bytes

    def _overriding(self, model: ModelInfo) -> Candidate:
        tokens = self.context_tokens(model)
        rank = self._rank_key(model, tokens)
        fault = self._fault(model, tokens)
        if fault:
            return _candidate(rank, Verdict.SELECTED, Code.OVERRIDE_VIOLATES, fault[1])
        return _candidate(rank, Verdict.SELECTED, Code.OVERRIDE_USED, "named by the override")

    def _winning(self, rank: RankKey) -> Candidate:
        slot, family = _slot(rank), rank[-1]
        if slot is None:
            why = "the best that meets the profile"
            return _candidate(rank, Verdict.SELECTED, Code.NOT_PREFERRED, why)
        entry = self._preferred[slot - 1]
        is_held = rank[2]
        held = f"{family} holds {entry}" if is_held else entry
        why = f"{held}, choice {slot} of {len(self._preferred)}"
        return _candidate(rank, Verdict.SELECTED, Code.PREFERRED, why)

    def _lost(self, mine: RankKey, best: RankKey) -> Fault:
        """Why an eligible model is not the winner: the first part of the key that differs."""
        model, family = mine[-2:]
        winner, winning_family = best[-2:]
        name = winner.display_name
        rule = 0
        while mine[rule] == best[rule]:
            rule += 1
        match rule:
            case 0 if _slot(mine) is None:
                return Code.NOT_PREFERRED, f"{family} is not a preferred family"
            case 0:
                choices = f"choice {_slot(mine)}, {name} is choice {_slot(best)}"
                return Code.LOST_TIEBREAK, f"family: {choices}"
            case 1:
                return Code.BASE_MODEL, "continues text, does not chat"
            case 2:
                return Code.LOST_TIEBREAK, f"family: {family} is not quite {winning_family}"
            case 3:
                return Code.LOST_SPECIALIST, f"{name} is more of a {self._profile.name} model"
            case 4:
                return Code.LOST_TIEBREAK, f"loaded: {name} is in memory"
            case 5:
                need = gigabytes(self.memory_bytes(model))
                budget = gigabytes(self._config.memory_budget_bytes or 0)
                return Code.OVER_BUDGET, f"needs {need}, the limit is {budget}"
            case 6 | 7 | 8:
                mine_is, other_is = size(model), size(winner)
                if mine_is == other_is:  # as far as parameters are told
                    mine_is, other_is = gigabytes(model.size_bytes), gigabytes(winner.size_bytes)
                sizes = f"{mine_is}, {name} is {other_is}"
                return Code.LOST_TIEBREAK, f"size: {sizes}"
            case 9:
                return Code.LOST_TIEBREAK, f"context: {-mine[9]:,} < {-best[9]:,}"
            case _:
                return Code.LOST_TIEBREAK, f"name: after {name}"


@lru_cache(maxsize=1_000)
def _rounded(parameters: float) -> float:
    """To one decimal, as lists show it. Source: ruling Z12."""
    return round(parameters, 1)


# The same few sizes and contexts come up in every list, so that their texts are kept.
@lru_cache(maxsize=1_000)
def _billions(parameters: float) -> str:
    return f"{parameters:g}B"


@lru_cache(maxsize=1_000)
def _too_small(have: int, need: int) -> Fault:
    return Code.CONTEXT_TOO_SMALL, f"{have:,} < {need:,}"


def _candidate(rank: RankKey, verdict: Verdict, code: Code, detail: str) -> Candidate:
    return Candidate(rank[-2].name, verdict, code, detail, _slot(rank), rank[-1], -rank[9])


def _slot(rank: RankKey) -> int | None:
    slot = rank[0]
    return None if slot == _LAST else slot


def _by_name(candidate: Candidate) -> str:
    return by_name(candidate.model)


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
        return _billions(model.parameters_billions)
    return gigabytes(model.size_bytes) if model.size_bytes else "of unknown size"
