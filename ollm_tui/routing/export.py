"""Answers as plain data, ready for YAML or JSON, and as Markdown; no writer of files.

Plain data holds dicts, lists, text, numbers, flags and None only. Keys of configuration are
camelCase, all others snake_case, as in the files and in the output of verbs.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ollm_tui.core.model import ModelInfo
from ollm_tui.core.text import clean_line
from ollm_tui.routing.breakpoints import Segment
from ollm_tui.routing.change import Change, Edit
from ollm_tui.routing.decision import Decision, decision_json
from ollm_tui.routing.difference import AnswerChange
from ollm_tui.routing.fixes import Fix, RowFixes
from ollm_tui.routing.matrix import LETTERS, Cell, Column, Mark, uses
from ollm_tui.routing.situation import Situation

Plain = dict[str, Any]


def nested(edits: Iterable[Edit]) -> Plain:
    """Return edits as the mapping that a configuration file would hold; removals are null."""
    root: Plain = {}
    for edit in edits:
        place = root
        for key in edit.path[:-1]:
            place = place.setdefault(key, {})
        place[edit.path[-1]] = edit.value
    return root


def change_data(change: Change, situation: Situation) -> Plain:
    """Return what a change is, before it is made."""
    cost = change.cost(situation)
    return {
        "code": change.code.value,
        "subject": change.subject,
        "sentence": change.sentence(situation),
        "cost": {"rank": cost.rank.name.lower(), "amount": cost.amount},
        "config": nested(change.edits(situation)),
    }


def fix_data(fix: Fix) -> Plain:
    """Return a fix in the form of `change_data`."""
    return {
        "code": fix.change.code.value,
        "subject": fix.change.subject,
        "sentence": fix.sentence,
        "cost": {"rank": fix.cost.rank.name.lower(), "amount": fix.cost.amount},
        "config": nested(fix.edits),
    }


def row_data(row: RowFixes) -> Plain:
    """Return the fixes of one model, smallest first."""
    return {"model": row.model, "fixes": [fix_data(fix) for fix in row.fixes]}


def segment_data(segment: Segment) -> Plain:
    """Return one piece of the breakpoints."""
    return {**segment._asdict(), "via": segment.via and segment.via.value}


def column_data(column: Column) -> Plain:
    """Return one profile of the matrix."""
    return {
        "profile": column.profile,
        "model": column.model,
        "resolved_profile": column.resolved_profile,
        "via": column.via and column.via.value,
        "reason": column.reason.value,
        "cells": {name: _cell_data(cell) for name, cell in column.cells.items()},
    }


def _cell_data(cell: Cell) -> Plain:
    code = cell.code and cell.code.value
    return {**cell._asdict(), "mark": cell.mark.value, "code": code}


def matrix_data(columns: Sequence[Column], models: Sequence[ModelInfo]) -> Plain:
    """Return a whole matrix."""
    used = uses(columns, models)
    return {
        "profiles": [column_data(column) for column in columns],
        "chosen_by": {model: list(profiles) for model, profiles in used.profiles.items()},
        "orphans": used.orphans,
    }


def difference_data(change: AnswerChange) -> Plain:
    """Return what becomes of one profile."""
    return {
        "profile": change.profile,
        "before": change.before and _answer_data(change.before),
        "after": change.after and _answer_data(change.after),
        "cause": change.cause,
        "sentence": change.sentence,
    }


def _answer_data(decision: Decision) -> Plain:
    whole = decision_json(decision)
    return {key: whole[key] for key in ("model", "resolved_profile", "via", "reason")}


def decision_markdown(decision: Decision) -> str:
    """Return a decision as Markdown: the sentence, a table for each profile asked, warnings."""
    parts = [f"**{_text(decision.profile)}**: {_text(decision.summary)}"]
    for hop in decision.hops:
        minimum = f"{hop.profile.min_context_window:,} tokens of context"
        required = ", ".join(map(_text, hop.profile.required_capabilities)) or "no capability"
        parts.append(f"Profile {_text(hop.profile.name)} asks for {minimum} and {required}.")
        rows = [
            (
                candidate.model,
                candidate.verdict.value,
                "" if candidate.slot is None else str(candidate.slot),
                candidate.family,
                f"{candidate.context_window:,}",
                candidate.code.value,
                candidate.detail,
            )
            for candidate in hop.candidates
        ]
        head = ("Model", "Verdict", "Choice", "Family", "Context", "Code", "Why")
        parts.append(table_markdown(head, rows))
    if decision.warnings:
        parts.append(_list(warning.message for warning in decision.warnings))
    if decision.error is not None:
        parts.append(_list(decision.error.actions))
    return "\n\n".join(parts) + "\n"


_SIGNS: Mapping[Mark, str] = {
    Mark.WINNER: "**wins**",
    Mark.FALLBACK: "**wins** by fallback",
    Mark.ELIGIBLE: "could",
    Mark.DROPPED: "",
    Mark.IGNORED: "",
}


def matrix_markdown(columns: Sequence[Column], models: Sequence[ModelInfo]) -> str:
    """Return a matrix as a Markdown table, one model a row, with a legend and the orphans."""
    used = uses(columns, models)
    rows = []
    for model, profiles in used.profiles.items():
        cells = [column.cells[model] for column in columns]
        signs = [_sign(cell) for cell in cells]
        rows.append((_text(model), *signs, str(len(profiles)) if profiles else "orphan"))
    head = ("Model", *(_text(column.profile) for column in columns), "Chosen by")
    letters = {cell.letter for column in columns for cell in column.cells.values()}
    legend = [f"`{letter}` {what}" for letter, what in LETTERS.items() if letter in letters]
    table = _table(head, rows)
    return "\n\n".join([table, *([", ".join(legend)] if legend else [])]) + "\n"


def _sign(cell: Cell) -> str:
    sign = _SIGNS[cell.mark] or cell.letter
    return f"{sign} ({cell.slot})" if cell.mark is Mark.ELIGIBLE and cell.slot else sign


def breakpoints_markdown(segments: Sequence[Segment]) -> str:
    """Return breakpoints as a Markdown table."""
    rows = [
        (
            f"{segment.from_tokens:,}",
            "any more" if segment.to_tokens is None else f"{segment.to_tokens:,}",
            segment.model or "no model",
            segment.resolved_profile or "",
        )
        for segment in segments
    ]
    return table_markdown(("From", "To", "Model", "Through"), rows) + "\n"


def fixes_markdown(rows: Iterable[RowFixes]) -> str:
    """Return fixes as a Markdown list, one model an item with its smallest fix."""
    return _list(
        f"{row.model}: {row.fixes[0].sentence if row.fixes else 'no single change makes it win.'}"
        for row in rows
    )


def differences_markdown(changes: Iterable[AnswerChange]) -> str:
    """Return differences as a Markdown list; nothing for none."""
    return _list(f"{change.sentence} {change.cause}".strip() for change in changes)


def table_markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table of texts that may hold anything."""
    return _table(tuple(map(_text, head)), [tuple(map(_text, row)) for row in rows])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _list(lines: Iterable[str]) -> str:
    return "".join(f"- {_text(line)}\n" for line in lines)


def _text(text: str) -> str:
    """Text that Markdown shows as it is."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>|#" else c for c in clean_line(text))
