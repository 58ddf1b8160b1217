"""Every profile against every model: who wins, who could, and what drops the others.

Source: routing anchors B3, point 5.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from ollm_tui.core.model import ModelCapabilities, ModelInfo
from ollm_tui.routing.capability import capability_field
from ollm_tui.routing.decision import Candidate, Code, Decision, Verdict, Via
from ollm_tui.routing.profile import RoutingProfile
from ollm_tui.routing.situation import Situation


class Mark(StrEnum):
    """What a profile makes of a model."""

    WINNER = "winner"
    """The profile's answer, by its own rules or by an override."""
    FALLBACK = "fallback"
    """The profile's answer, found by a profile it falls back to."""
    ELIGIBLE = "eligible"
    DROPPED = "dropped"
    IGNORED = "ignored"
    """No profile was asked: routing is off, or a model was asked for by name."""


LETTERS: Final[Mapping[str, str]] = {
    "C": "context too small",
    "?": "context unknown",
    "T": "no tool calling",
    "V": "no vision",
    "S": "no streaming",
    "H": "no thinking",
    "I": "no insert",
    "B": "no embedding",
    "A": "no audio",
    "G": "no image generation",
    "X": "a capability that no model can have",
    "E": "embedding only",
    "R": "remote, which is not allowed",
    "D": "another name of a model that is listed before",
}
"""What each letter of a dropped model means."""

_LETTER_OF_CODE: Final = {
    Code.CONTEXT_TOO_SMALL: "C",
    Code.CONTEXT_ASSUMED: "?",
    Code.CAPABILITY_UNKNOWN: "X",
    Code.EMBEDDING_ONLY: "E",
    Code.REMOTE_NOT_ALLOWED: "R",
    Code.DUPLICATE: "D",
}
_LETTER_OF_CAPABILITY: Final = {
    "tool_calling": "T",
    "vision": "V",
    "streaming": "S",
    "thinking": "H",
    "insert": "I",
    "embedding": "B",
    "audio": "A",
    "image": "G",
}


class Cell(NamedTuple):
    """What one profile makes of one model."""

    mark: Mark
    code: Code | None = None
    """The first rule that drops it, or why it is not the winner."""
    letter: str = ""
    """Of `LETTERS`; empty unless dropped."""
    slot: int | None = None
    """Which preferred family, from 1; None = in none."""


class Column(NamedTuple):
    """One profile."""

    profile: str
    model: str | None
    """The answer's raw name."""
    resolved_profile: str | None
    via: Via | None
    reason: Code
    cells: Mapping[str, Cell]
    """By raw name; every model of the list."""


def matrix(situation: Situation) -> Iterator[Column]:
    """Yield the column of every profile, in their order; one decision each."""
    by_name = {model.name: model for model in reversed(situation.models)}
    router = situation.router
    for profile in situation.profiles:
        yield _column(situation, profile, router.explain(profile.name, situation.models), by_name)


def _column(
    situation: Situation,
    profile: RoutingProfile,
    decision: Decision,
    models: Mapping[str, ModelInfo],
) -> Column:
    letters = _Letters(situation, profile)
    cells: dict[str, Cell] = {}
    for candidate in decision.hops[0].candidates if decision.hops else ():
        # Of two entries with one name the better one comes first.
        if candidate.model not in cells:
            cells[candidate.model] = _cell(candidate, letters, models)
    ignored = Cell(Mark.IGNORED)
    for name in models.keys() - cells.keys():
        cells[name] = ignored
    if decision.model is not None and cells[decision.model].mark is not Mark.WINNER:
        mark = Mark.FALLBACK if len(decision.hops) > 1 else Mark.WINNER
        cells[decision.model] = cells[decision.model]._replace(mark=mark)
    return Column(
        profile.name,
        decision.model,
        decision.resolved_profile,
        decision.via,
        decision.reason,
        cells,
    )


_MARKS: Final = {
    Verdict.SELECTED: Mark.WINNER,
    Verdict.ELIGIBLE: Mark.ELIGIBLE,
    Verdict.DROPPED: Mark.DROPPED,
}


def _cell(candidate: Candidate, letters: "_Letters", models: Mapping[str, ModelInfo]) -> Cell:
    _, verdict, code, _, slot, _, _ = candidate
    letter = ""
    if verdict is Verdict.DROPPED:
        letter = _LETTER_OF_CODE.get(code) or letters.of(models[candidate.model])
    return _shared_cell(_MARKS[verdict], code, letter, slot)


# The same few cells come up in every list.
_shared_cell = lru_cache(maxsize=1_000)(Cell)


class _Letters:
    """Names the capability that a profile misses in a model."""

    def __init__(self, situation: Situation, profile: RoutingProfile) -> None:
        self._database = situation.database
        fields = map(capability_field, profile.required_capabilities)
        self._required = [field for field in fields if field is not None]
        self._known: dict[ModelCapabilities, str] = {}

    def of(self, model: ModelInfo) -> str:
        """The letter of the first required capability that a model lacks."""
        able = model.capabilities or self._database.get_model_capabilities(model.name)
        if able not in self._known:
            lacking = (field for field in self._required if not getattr(able, field))
            self._known[able] = _LETTER_OF_CAPABILITY[next(lacking)]
        return self._known[able]


@dataclass(frozen=True, slots=True)
class Uses:
    """Which profiles pick which model."""

    profiles: Mapping[str, tuple[str, ...]]
    """Model to the profiles whose answer it is, in their order; every model of the list."""

    @property
    def orphans(self) -> list[str]:
        """The models that no profile picks, in the order of the list."""
        return [model for model, profiles in self.profiles.items() if not profiles]


def uses(columns: Sequence[Column], models: Sequence[ModelInfo]) -> Uses:
    """Return which profiles pick which model, from a whole matrix."""
    found: dict[str, tuple[str, ...]] = {model.name: () for model in models}
    for column in columns:
        if column.model is not None:
            found[column.model] += (column.profile,)
    return Uses(found)
