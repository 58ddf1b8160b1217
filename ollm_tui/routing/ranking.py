"""One hop: every model judged against one profile, and those that pass put in a total order.

The order never depends on the order of the list. Pure.

Source: design, Selection Algorithm; rulings Z4 to Z6; decisions R8 to R27.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from math import isfinite
from typing import Any, Final

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
_DIGITS: Final = re.compile(r"([0-9]+)")

Fault = tuple[Code, str]
RankKey = tuple[int, bool, bool, int, bool, bool, tuple[int, float, int], int, Any, str]
"""Slot, base model, substring only, specialist, not loaded, over budget, size, context, name."""

canonical_key = lru_cache(maxsize=20_000)(name_key)


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
        self._slots: dict[str, tuple[int | None, bool]] = {}
        self._required = [(name, capability_field(name)) for name in profile.required_capabilities]

    def judge(self, models: Sequence[ModelInfo], chosen: int | None = None) -> list[Candidate]:
        """Return every model once: the selected one, the eligible ones by rank, the dropped.

        Args:
            models: in any order; of two names for one model the first counts.
            chosen: index of the one that an override names; it wins whatever its facts.
        """
        seen: set[str] = set()
        passed: list[tuple[RankKey, ModelInfo]] = []
        dropped: list[tuple[Any, Candidate]] = []
        for index, model in enumerate(models):
            key = canonical_key(model.name)
            fault = (Code.DUPLICATE, "listed before") if key in seen else self.fault(model)
            seen.add(key)
            if index == chosen:
                continue
            if fault:
                dropped.append((natural_key(key), self._candidate(model, Verdict.DROPPED, *fault)))
            else:
                passed.append((self.rank_key(model), model))
        passed.sort(key=_key_only)
        dropped.sort(key=_key_only)
        if chosen is not None:
            first = [self._overriding(models[chosen])]
            why = f"the override names {models[chosen].display_name}"
            rest = [
                self._candidate(m, Verdict.ELIGIBLE, Code.OVERRIDE_USED, why) for _, m in passed
            ]
        else:
            first = [self._winner(model) for _, model in passed[:1]]
            rest = [self._loser(mine, model, passed[0]) for mine, model in passed[1:]]
        return first + rest + [candidate for _, candidate in dropped]

    def best_of(self, models: Sequence[ModelInfo], count: int) -> list[ModelInfo]:
        """Return up to `count` models that meet the profile, best first."""
        fitting = [model for model in models if not self.fault(model)]
        return sorted(fitting, key=self.rank_key)[:count]

    def fault(self, model: ModelInfo) -> Fault | None:
        """The first rule that drops a model, or None when it meets the profile."""
        if model.remote and not self._config.allow_remote:
            return Code.REMOTE_NOT_ALLOWED, "runs on another machine"
        if model.embedding_only:
            return Code.EMBEDDING_ONLY, "for embeddings, answers no prompt"
        return self.unmet(model)

    def unmet(self, model: ModelInfo) -> Fault | None:
        """The first requirement of the profile that a model does not meet."""
        need = self._profile.min_context_window
        have, assumed = self.context(model)
        if have < need:
            if assumed:
                return Code.CONTEXT_ASSUMED, f"context unknown, {have:,} assumed < {need:,}"
            return Code.CONTEXT_TOO_SMALL, f"{have:,} < {need:,}"
        if not self._required:
            return None
        capabilities = model.capabilities or self._database.get_model_capabilities(model.name)
        for name, field in self._required:
            if field is None:
                known = ", ".join(CAPABILITY_NAMES)
                return Code.CAPABILITY_UNKNOWN, f"{clean_line(name, 40)!r} is none of {known}"
            if not getattr(capabilities, field):
                return Code.CAPABILITY_MISSING, f"no {name}"
        return None

    def context(self, model: ModelInfo) -> tuple[int, bool]:
        """The context window in tokens, and whether it is only the default for unknown models."""
        tokens = model.context_window
        if isinstance(tokens, int) and tokens > 0:
            return tokens, model.sources.get("context_window") == "default"
        known = self._database.lookup(model.name)
        return known.context_window, known.sources["context_window"] == "default"

    def family(self, model: ModelInfo) -> str:
        """The family as given, else as the database and the name tell."""
        if model.family and model.family != UNKNOWN_FAMILY:
            return model.family
        return self._database.get_model_family(model.name)

    def slot(self, family: str) -> tuple[int | None, bool]:
        """Which preferred family, from 1, and whether it is equal and not merely contained.

        Of several that are contained, the longest counts. Source: decision R11.
        """
        found = self._slots.get(family)
        if found is None:
            found = self._slots[family] = self._find_slot(family.casefold())
        return found

    def _find_slot(self, family: str) -> tuple[int | None, bool]:
        if family == UNKNOWN_FAMILY:
            return None, False
        if family in self._preferred:
            return self._preferred.index(family) + 1, True
        inside = [entry for entry in self._preferred if entry in family]
        if self._config.exact_families or not inside:
            return None, False
        return self._preferred.index(max(inside, key=len)) + 1, False

    def over_budget(self, model: ModelInfo) -> bool:
        """Whether the model needs more memory than there is, at the profile's own context."""
        budget = self._config.memory_budget_bytes
        return budget is not None and self.memory_bytes(model) > budget

    def memory_bytes(self, model: ModelInfo) -> int:
        """What the model takes in memory at the profile's own context."""
        return estimate_memory(model, self._profile.min_context_window).total_bytes

    def rank_key(self, model: ModelInfo) -> RankKey:
        """The total order: the smallest key wins. Source: rulings Z5 and Z6; decision R33."""
        slot, exact = self.slot(self.family(model))
        profiles = self._database.lookup(model.name).profiles
        over_budget = self.over_budget(model)
        return (
            slot or _LAST,
            model.base_model,
            slot is not None and not exact,
            len(profiles) if self._profile.name in profiles else _LAST,
            self._config.prefer_loaded and not model.loaded,
            over_budget,
            self._size_key(model, over_budget),
            -self.context(model)[0],
            natural_key(canonical_key(model.name)),
            model.name,
        )

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

    def _candidate(self, model: ModelInfo, verdict: Verdict, code: Code, detail: str) -> Candidate:
        family = self.family(model)
        return Candidate(
            model=model.name,
            verdict=verdict,
            code=code,
            detail=detail,
            slot=self.slot(family)[0],
            family=family,
            context_window=self.context(model)[0],
        )

    def _overriding(self, model: ModelInfo) -> Candidate:
        fault = self.fault(model)
        if fault:
            code, detail = Code.OVERRIDE_VIOLATES, fault[1]
        else:
            code, detail = Code.OVERRIDE_USED, "named by the override"
        return self._candidate(model, Verdict.SELECTED, code, detail)

    def _winner(self, model: ModelInfo) -> Candidate:
        family = self.family(model)
        slot, exact = self.slot(family)
        if slot is None:
            code, detail = Code.NOT_PREFERRED, "the best that meets the profile"
        else:
            entry = self._preferred[slot - 1]
            held = entry if exact else f"{family} holds {entry}"
            code, detail = Code.PREFERRED, f"{held}, choice {slot} of {len(self._preferred)}"
        return self._candidate(model, Verdict.SELECTED, code, detail)

    def _loser(self, mine: RankKey, model: ModelInfo, best: tuple[RankKey, ModelInfo]) -> Candidate:
        best_key, winner = best
        rule = next(
            i for i, pair in enumerate(zip(mine, best_key, strict=True)) if pair[0] != pair[1]
        )
        code, detail = self._lost(rule, mine, model, winner)
        return self._candidate(model, Verdict.ELIGIBLE, code, detail)

    def _lost(self, rule: int, mine: RankKey, model: ModelInfo, winner: ModelInfo) -> Fault:
        """Why a model that meets the profile is not the winner: the first key that differs."""
        name = winner.display_name
        match rule:
            case 0 if mine[0] == _LAST:
                return Code.NOT_PREFERRED, f"{self.family(model)} is not a preferred family"
            case 0:
                ahead = self.slot(self.family(winner))[0]
                return Code.LOST_TIEBREAK, f"family: choice {mine[0]}, {name} is choice {ahead}"
            case 1:
                return Code.BASE_MODEL, "continues text, does not chat"
            case 2:
                return Code.LOST_TIEBREAK, f"family: {self.family(model)} only holds the entry"
            case 3:
                return Code.LOST_SPECIALIST, f"{name} is more of a {self._profile.name} model"
            case 4:
                return Code.LOST_TIEBREAK, f"loaded: {name} is in memory"
            case 5:
                need, budget = self.memory_bytes(model), self._config.memory_budget_bytes or 0
                return Code.OVER_BUDGET, f"needs {gigabytes(need)}, {gigabytes(budget)} are there"
            case 6:
                return Code.LOST_TIEBREAK, f"size: {size(model)}, {name} is {size(winner)}"
            case 7:
                have, best = self.context(model)[0], self.context(winner)[0]
                return Code.LOST_TIEBREAK, f"context: {have:,} < {best:,}"
            case _:
                return Code.LOST_TIEBREAK, f"name: after {name}"


@lru_cache(maxsize=20_000)
def natural_key(text: str) -> tuple[tuple[int, str], ...]:
    """Sort key that puts m:9b before m:10b; digits of any length, no number is ever made."""
    parts = _DIGITS.split(text.casefold())
    parts[1::2] = [digits.lstrip("0") for digits in parts[1::2]]
    return tuple((len(part) if index % 2 else 0, part) for index, part in enumerate(parts))


def gigabytes(count: int) -> str:
    """Decimal gigabytes, as lists show them."""
    return f"{count / 1e9:.1f} GB"


def size(model: ModelInfo) -> str:
    """Parameters, else bytes, else a word."""
    if model.parameters_billions:
        return f"{model.parameters_billions:g}B"
    return gigabytes(model.size_bytes) if model.size_bytes else "of unknown size"


def _key_only(pair: tuple[Any, object]) -> Any:
    return pair[0]
