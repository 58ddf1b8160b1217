"""The rules of selection in the order in which they are asked, and which one settled a candidate.

For tables of models and rules. Pure.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from ollm_tui.routing.decision import Candidate, Code, Verdict


class Rule(StrEnum):
    """One question that the router asks of a model."""

    LISTED_ONCE = "listed once"
    HERE = "here"
    PROMPTS = "prompts"
    CONTEXT = "context"
    CAPABILITIES = "capabilities"
    FAMILY = "family"
    CHAT = "chat"
    SPECIALIST = "specialist"
    LOADED = "loaded"
    MEMORY = "memory"
    SIZE = "size"
    LONGER_CONTEXT = "longer context"
    NAME = "name"
    OVERRIDE = "override"

    @property
    def drops(self) -> bool:
        """Whether a model that fails it is out; else it only ranks behind."""
        return self in REQUIREMENTS


REQUIREMENTS: Final = (
    Rule.LISTED_ONCE,
    Rule.HERE,
    Rule.PROMPTS,
    Rule.CONTEXT,
    Rule.CAPABILITIES,
)
"""In the order asked."""

_BY_CODE: Final[Mapping[Code, Rule]] = {
    Code.DUPLICATE: Rule.LISTED_ONCE,
    Code.REMOTE_NOT_ALLOWED: Rule.HERE,
    Code.EMBEDDING_ONLY: Rule.PROMPTS,
    Code.CONTEXT_TOO_SMALL: Rule.CONTEXT,
    Code.CONTEXT_ASSUMED: Rule.CONTEXT,
    Code.CAPABILITY_MISSING: Rule.CAPABILITIES,
    Code.CAPABILITY_UNKNOWN: Rule.CAPABILITIES,
    Code.NOT_PREFERRED: Rule.FAMILY,
    Code.BASE_MODEL: Rule.CHAT,
    Code.LOST_SPECIALIST: Rule.SPECIALIST,
    Code.OVER_BUDGET: Rule.MEMORY,
    Code.OVERRIDE_USED: Rule.OVERRIDE,
    Code.OVERRIDE_VIOLATES: Rule.OVERRIDE,
}
_BY_TIEBREAK: Final[Mapping[str, Rule]] = {
    "family": Rule.FAMILY,
    "loaded": Rule.LOADED,
    "size": Rule.SIZE,
    "context": Rule.LONGER_CONTEXT,
    "name": Rule.NAME,
}
"""By what the detail of a lost tie begins with."""


def settled_by(candidate: Candidate) -> Rule | None:
    """Return the rule that dropped a model, or by which it lost; None for the winner by rank."""
    if candidate.code is Code.LOST_TIEBREAK:
        return _BY_TIEBREAK[candidate.detail.partition(":")[0]]
    if candidate.verdict is Verdict.SELECTED and candidate.code not in (
        Code.OVERRIDE_USED,
        Code.OVERRIDE_VIOLATES,
    ):
        return None
    return _BY_CODE[candidate.code]


def met(candidate: Candidate, rule: Rule) -> bool | None:
    """Whether a model meets a requirement; None where the router did not get that far."""
    settled = settled_by(candidate)
    if candidate.verdict is not Verdict.DROPPED or settled is None:
        return None if candidate.code is Code.OVERRIDE_VIOLATES else True
    place = REQUIREMENTS.index(rule)
    failed = REQUIREMENTS.index(settled)
    return None if place > failed else place < failed
