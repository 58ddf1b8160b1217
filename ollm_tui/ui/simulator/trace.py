"""The decision: the sentence, then every model with the reason for its place, hop by hop."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ollm_tui.core.text import clean_line
from ollm_tui.ui import format as words
from ollm_tui.ui.columns import Column, Piece, fit_columns, fit_name, fit_text
from ollm_tui.ui.simulator.view import Line, Scene, Stage, View, heading, wrapped

if TYPE_CHECKING:
    from ollm_tui.routing.decision import Candidate, Hop

GLYPHS: dict[str, Piece] = {
    "selected": ("✔", "good"),
    "eligible": ("•", ""),
    "dropped": ("✘", "bad"),
}
_WIDEST_NAME = 30
_ROOMY = 60
_OUTCOMES = {
    "fallback": "Nothing fits, so its fallback is asked.",
    "fallback_unknown": "Nothing fits, and its fallback is no profile.",
    "fallback_cycle": "Nothing fits, and its fallbacks go in a circle.",
    "no_fallback": "Nothing fits, and there is no fallback.",
}


def said(scene: Scene, width: int) -> Iterator[Line]:
    """The decision in sentences: the answer, what to do without one, what to look out for."""
    decision = scene.decision
    yield from wrapped("summary", decision.summary, width, "" if decision.model else "bad")
    if decision.error is not None:
        for number, action in enumerate(decision.error.actions):
            yield from wrapped(("action", number), action, width, "accent")
    yield from warned(scene, width)
    if decision.provisional:
        note = "Provisional: details of some models are still to come."
        yield from wrapped("provisional", note, width, "warn")


def warned(scene: Scene, width: int) -> Iterator[Line]:
    """What to look out for, a sentence each."""
    for number, warning in enumerate(scene.decision.warnings):
        yield from wrapped(("warning", number), f"⚠ {warning.message}", width, "warn")


def needs(hop: "Hop") -> str:
    """A profile with what it asks for."""
    profile = hop.profile
    asked = [f"≥ {profile.min_context_window:,} tokens", *profile.required_capabilities]
    return clean_line(f"{profile.name}: {', '.join(asked)}")


class TraceView(View):
    """The decision as it fits into a small pane: a model a line, with one reason."""

    name = ""
    wants_room = False

    def lines(self, scene: Scene, width: int) -> Sequence[Line]:
        lines = list(said(scene, width))
        for number, hop in enumerate(scene.decision.hops):
            lines += heading(("hop", number), needs(hop), width)
            lines += (Line((number, c.model), item=c) for c in hop.candidates)
        return lines

    def pieces(self, line: Line, width: int) -> list[Piece]:
        candidate: Candidate | None = line.item
        if candidate is None:
            return list(line.pieces)
        if width < _ROOMY:
            return self._short(candidate, width)
        glyph, style = GLYPHS[candidate.verdict.value]
        name_width = min(_WIDEST_NAME, max(8, width * 2 // 5))
        name = fit_name(clean_line(candidate.model), name_width)
        context = words.context(candidate.context_window).rjust(5)
        why = candidate.detail
        if candidate.verdict.value != "dropped" and candidate.slot is not None:
            why = f"{candidate.slot} {candidate.family}  {why}"
        return [
            (f"{glyph} ", style),
            (f"{name} ", "" if style != "bad" else "dim"),
            (f"{context} ", "dim"),
            (fit_text(clean_line(why), max(0, width - name_width - 9)), "dim"),
        ]

    def _short(self, candidate: "Candidate", width: int) -> list[Piece]:
        """For a small pane: the rule instead of the sentence, which is below the cursor."""
        from ollm_tui.routing.rule import settled_by

        glyph, style = GLYPHS[candidate.verdict.value]
        rule = settled_by(candidate)
        slot = words.UNKNOWN if candidate.slot is None else str(candidate.slot)
        name_width = max(8, width - 24)
        is_out = style == "bad"
        return [
            (f"{glyph} ", style),
            (fit_name(clean_line(candidate.model), name_width) + " ", "dim" if is_out else ""),
            (words.context(candidate.context_window).rjust(5) + " ", "dim"),
            (" " if is_out else slot, "dim"),
            (" ", ""),
            (
                fit_text("wins" if rule is None else rule, 12),
                "good" if rule is None else style or "dim",
            ),
        ]

    def about(self, line: Line) -> str:
        return about_candidate(line.item)

    def choose(self, stage: Stage, scene: Scene, line: Line) -> None:
        ask_why_not(stage, line)


def about_candidate(item: object) -> str:
    """The code and the reason of a candidate, or nothing for anything else."""
    from ollm_tui.routing.decision import Candidate

    return clean_line(f"{item.code}: {item.detail}") if isinstance(item, Candidate) else ""


def ask_why_not(stage: Stage, line: Line) -> None:
    """Show what would make a candidate win."""
    from ollm_tui.routing.decision import Candidate

    if isinstance(line.item, Candidate):
        stage.show_fixes(line.item.model)


class ExplainView(View):
    """The full trace: models down, rules across, and the first rule that settled each model."""

    name = "explained"
    COLUMNS = (
        Column("", 1),
        Column("MODEL", 24),
        Column("HERE", 4, drop=2),
        Column("PROMPTS", 7, drop=1),
        Column("CONTEXT", 7),
        Column("CAN", 3),
        Column("FAMILY", 16, drop=3),
        Column("SETTLED BY", 12, flexible=True),
    )

    def __init__(self) -> None:
        # A pane that has yet to be laid out has no width, or less.
        self._fitted: tuple[int | None, list[int]] = (None, [])

    def lines(self, scene: Scene, width: int) -> Sequence[Line]:
        from ollm_tui.routing.decision import Outcome

        lines = list(said(scene, width))
        for number, hop in enumerate(scene.decision.hops):
            lines += heading(("hop", number), f"{number + 1}. {needs(hop)}", width)
            if hop.candidates:
                lines.append(Line(("head", number), tuple(self._header(width))))
            lines += (Line((number, c.model), item=c) for c in hop.candidates)
            if hop.outcome not in (Outcome.SELECTED, Outcome.OVERRIDE):
                lines += wrapped(("outcome", number), _OUTCOMES[hop.outcome.value], width, "warn")
        return lines

    def pieces(self, line: Line, width: int) -> list[Piece]:
        if line.item is None:
            return list(line.pieces)
        candidate: Candidate = line.item
        return self._laid_out(_cells(candidate), width)

    def about(self, line: Line) -> str:
        return about_candidate(line.item)

    def choose(self, stage: Stage, scene: Scene, line: Line) -> None:
        ask_why_not(stage, line)

    def _header(self, width: int) -> list[Piece]:
        return self._laid_out([(column.title, "dim") for column in self.COLUMNS], width)

    def _laid_out(self, cells: Sequence[Piece], width: int) -> list[Piece]:
        if self._fitted[0] != width:
            self._fitted = (width, fit_columns(self.COLUMNS, width))
        row = []
        for column, cell_width, (text, style) in zip(
            self.COLUMNS, self._fitted[1], cells, strict=True
        ):
            if cell_width:
                fit = fit_name if column.title == "MODEL" else fit_text
                row.append((fit(text, cell_width) + " ", style))
        return row


def _cells(candidate: "Candidate") -> Sequence[Piece]:
    from ollm_tui.routing.decision import Verdict
    from ollm_tui.routing.rule import REQUIREMENTS, Rule, met, settled_by

    is_dropped = candidate.verdict is Verdict.DROPPED
    rule = settled_by(candidate)
    marks = {r: _mark(met(candidate, r)) for r in REQUIREMENTS}
    context, context_style = marks[Rule.CONTEXT]
    family = candidate.family if candidate.slot is None else f"{candidate.slot} {candidate.family}"
    settled = "wins" if rule is None else str(rule)
    if rule is not None:
        settled += f": {candidate.detail.removeprefix(f'{rule}: ')}"
    return (
        GLYPHS[candidate.verdict.value],
        (clean_line(candidate.model), "dim" if is_dropped else ""),
        marks[Rule.HERE],
        marks[Rule.PROMPTS],
        (f"{words.context(candidate.context_window):>5} {context}", context_style),
        marks[Rule.CAPABILITIES],
        (clean_line(family), "dim" if candidate.slot is None or is_dropped else ""),
        (clean_line(settled), "bad" if is_dropped else "good" if rule is None else "dim"),
    )


def _mark(is_met: bool | None) -> Piece:
    if is_met is None:
        return ("·", "dim")
    return ("✓", "dim") if is_met else ("✘", "bad")
