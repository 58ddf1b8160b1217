"""A routing decision: which model, by which rule, and what became of every other one.

Plain data with a stable JSON form; codes are an API, sentences are not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from ollm_tui.core.error import NoCompatibleModels, RoutingError
from ollm_tui.routing.capability import capability_field
from ollm_tui.routing.profile import RoutingProfile


class Code(StrEnum):
    """Why: of a whole decision, of one candidate, or of a warning."""

    PREFERRED = "PREFERRED"
    NOT_PREFERRED = "NOT_PREFERRED"
    OVERRIDE_USED = "OVERRIDE_USED"
    OVERRIDE_NOT_INSTALLED = "OVERRIDE_NOT_INSTALLED"
    OVERRIDE_VIOLATES = "OVERRIDE_VIOLATES"
    FALLBACK_USED = "FALLBACK_USED"
    FALLBACK_UNKNOWN = "FALLBACK_UNKNOWN"
    FALLBACK_CYCLE = "FALLBACK_CYCLE"
    PINNED = "PINNED"
    PINNED_NOT_INSTALLED = "PINNED_NOT_INSTALLED"
    ROUTING_DISABLED = "ROUTING_DISABLED"
    DEFAULT_NOT_INSTALLED = "DEFAULT_NOT_INSTALLED"
    NO_MODELS_INSTALLED = "NO_MODELS_INSTALLED"
    NO_COMPATIBLE = "NO_COMPATIBLE"
    UNKNOWN_PROFILE = "UNKNOWN_PROFILE"
    DUPLICATE = "DUPLICATE"
    REMOTE_NOT_ALLOWED = "REMOTE_NOT_ALLOWED"
    EMBEDDING_ONLY = "EMBEDDING_ONLY"
    CONTEXT_TOO_SMALL = "CONTEXT_TOO_SMALL"
    CONTEXT_ASSUMED = "CONTEXT_ASSUMED"
    CAPABILITY_MISSING = "CAPABILITY_MISSING"
    CAPABILITY_UNKNOWN = "CAPABILITY_UNKNOWN"
    BASE_MODEL = "BASE_MODEL"
    LOST_SPECIALIST = "LOST_SPECIALIST"
    OVER_BUDGET = "OVER_BUDGET"
    LOST_TIEBREAK = "LOST_TIEBREAK"
    SERVED_CONTEXT_TOO_SMALL = "SERVED_CONTEXT_TOO_SMALL"
    ANSWER_LIMIT = "ANSWER_LIMIT"
    REMOTE = "REMOTE"
    BLANK_FAMILY = "BLANK_FAMILY"


class Verdict(StrEnum):
    """What became of a candidate."""

    SELECTED = "selected"
    ELIGIBLE = "eligible"
    DROPPED = "dropped"


class Via(StrEnum):
    """Which road led to the model."""

    OVERRIDE = "override"
    PROFILE = "profile"
    FALLBACK = "fallback"
    DEFAULT = "default"
    PINNED = "pinned"


class Outcome(StrEnum):
    """How a hop ended."""

    SELECTED = "selected"
    OVERRIDE = "override"
    FALLBACK = "fallback"
    FALLBACK_UNKNOWN = "fallback_unknown"
    FALLBACK_CYCLE = "fallback_cycle"
    NO_FALLBACK = "no_fallback"


class Candidate(NamedTuple):
    """One model of the list at one hop.

    A tuple, as thousands are made for one decision.
    """

    model: str
    """The raw name."""
    verdict: Verdict
    code: Code
    detail: str
    """Safe to print."""
    slot: int | None = None
    """Which preferred family, from 1; None = in none."""
    family: str = ""
    context_window: int = 0
    """As the router took it, in tokens."""


class Hop(NamedTuple):
    """One profile asked."""

    profile: RoutingProfile
    candidates: tuple[Candidate, ...]
    """Every model of the list once, best first, then the dropped ones by name."""
    outcome: Outcome


class Remark(NamedTuple):
    """Something about a decision that the user should know."""

    code: Code
    message: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The whole answer to "which model for this profile?"."""

    profile: str
    """The profile asked for."""
    model: str | None
    """The raw name as in the list given, or None with `error` set."""
    resolved_profile: str | None
    """The profile that found it; None when none did."""
    via: Via | None
    reason: Code
    summary: str
    """One sentence."""
    hops: tuple[Hop, ...] = ()
    warnings: tuple[Remark, ...] = ()
    provisional: bool = False
    """Some model's details are still to come. Source: ruling Z11."""
    served_context: int | None = None
    """What the server would really give the model, in tokens; None = unknown."""
    error: RoutingError | None = field(default=None, compare=False)
    """What `select_model` raises."""


def decision_json(decision: Decision) -> dict[str, object]:
    """Return the decision as plain data for JSON. The keys are stable."""
    data: dict[str, object] = {
        "profile": decision.profile,
        "model": decision.model,
        "resolved_profile": decision.resolved_profile,
        "via": decision.via and decision.via.value,
        "reason": decision.reason.value,
        "summary": decision.summary,
        "provisional": decision.provisional,
        "hops": [_hop_json(hop) for hop in decision.hops],
        "warnings": [{"code": w.code.value, "message": w.message} for w in decision.warnings],
        "served_context": decision.served_context,
    }
    if decision.error:
        data["error"] = error_json(decision.error)
    return data


def error_json(error: RoutingError) -> dict[str, object]:
    """Return a routing error as plain data for JSON."""
    data: dict[str, object] = {
        "code": error.code,
        "message": error.message,
        "cause": error.cause,
        "actions": list(error.actions),
    }
    if isinstance(error, NoCompatibleModels):
        data["commonest"] = error.commonest
    return data


def _hop_json(hop: Hop) -> Mapping[str, object]:
    return {
        "profile": hop.profile.name,
        "min_context_window": hop.profile.min_context_window,
        "required_capabilities": [
            capability_field(name) or name for name in hop.profile.required_capabilities
        ],
        "candidates": [_candidate_json(candidate) for candidate in hop.candidates],
        "outcome": hop.outcome.value,
    }


def _candidate_json(candidate: Candidate) -> Mapping[str, object]:
    return {
        "model": candidate.model,
        "verdict": candidate.verdict.value,
        "code": candidate.code.value,
        "detail": candidate.detail,
        "slot": candidate.slot,
        "family": candidate.family,
        "context_window": candidate.context_window,
    }
