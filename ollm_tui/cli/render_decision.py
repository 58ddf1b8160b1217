"""Decisions and results of scenarios, for people."""

from collections.abc import Iterator, Sequence

from ollm_tui.cli.render import table
from ollm_tui.core.text import clean_line
from ollm_tui.routing.decision import Candidate, Decision, Hop, Outcome
from ollm_tui.ui import format as words

_OUTCOMES = {
    Outcome.SELECTED: "has a model",
    Outcome.OVERRIDE: "an override names the model",
    Outcome.FALLBACK: "nothing fits; its fallback is asked",
    Outcome.FALLBACK_UNKNOWN: "nothing fits, and its fallback is no profile",
    Outcome.FALLBACK_CYCLE: "nothing fits, and its fallbacks go in a circle",
    Outcome.NO_FALLBACK: "nothing fits, and there is no fallback",
}


def explanation(decision: Decision) -> str:
    """The summary, then every profile asked with every model in it."""
    return "\n\n".join([decision.summary, *(_hop(hop) for hop in decision.hops)])


def decision_table(decisions: Sequence[Decision]) -> str:
    """One decision a line."""
    rows = [
        (
            clean_line(decision.profile),
            words.UNKNOWN if decision.model is None else clean_line(decision.model),
            words.UNKNOWN if decision.via is None else decision.via.value,
            decision.summary,
        )
        for decision in decisions
    ]
    return table(("PROFILE", "MODEL", "VIA", "WHY"), rows)


def _hop(hop: Hop) -> str:
    return "\n".join([_heading(hop), *_candidates(hop.candidates)])


def _heading(hop: Hop) -> str:
    profile = hop.profile
    needs = [f"{profile.min_context_window:,} tokens of context or more"]
    needs += [clean_line(name) for name in profile.required_capabilities]
    return f"{clean_line(profile.name)} ({', '.join(needs)}): {_OUTCOMES[hop.outcome]}"


def _candidates(candidates: Sequence[Candidate]) -> Iterator[str]:
    rows = [
        (
            clean_line(candidate.model),
            candidate.verdict.value,
            words.UNKNOWN if candidate.slot is None else str(candidate.slot),
            clean_line(candidate.family),
            f"{candidate.context_window:,}",
            candidate.code.value,
            candidate.detail,
        )
        for candidate in candidates
    ]
    if rows:
        head = ("MODEL", "VERDICT", "CHOICE", "FAMILY", "CONTEXT", "CODE", "WHY")
        yield table(head, rows, right={2, 4})
