"""The what-if form: change what decides, and see before and after. Nothing is saved."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from ollm_tui.core.text import clean_line
from ollm_tui.ui import keymap
from ollm_tui.ui.columns import Piece, fit_text
from ollm_tui.ui.simulator.difference import Comparison, changed_answers, drawn_change
from ollm_tui.ui.simulator.field import Field
from ollm_tui.ui.simulator.form import fields
from ollm_tui.ui.simulator.trace import warned
from ollm_tui.ui.simulator.view import Line, Scene, Stage, View, Way, blank, heading, wrapped

if TYPE_CHECKING:
    from ollm_tui.routing.decision import Decision
    from ollm_tui.routing.situation import Situation

_LABEL = 18
_NO_FIELD = Field("", "", "")
_NO_STEP = "This line has no next value; enter says what it is for."
_REFUSALS: dict[Way, str] = {
    "step": _NO_STEP,
    "switch": _NO_STEP,
    "remove": "There is nothing to take out on this line.",
    "shift": "Only a preferred family can be moved up or down.",
}


class WhatIfView(View):
    """Before and after, what else would change, then every field."""

    name = "what if"
    place = keymap.WHAT_IF

    def __init__(self) -> None:
        self._comparison = Comparison()
        self._before: tuple[Situation, Decision] | None = None

    def head(self, scene: Scene, width: int) -> list[Piece] | None:
        """What is chosen now and what would be, since the form is longer than most terminals."""
        if not scene.what_if.trials:
            return None  # the title says it
        before, after = self._decided(scene).model, scene.decision.model
        is_other = before != after
        return [
            ("now ", "dim"),
            _named(before, "dim" if is_other else ""),
            (" → what if ", "dim"),
            _named(after, "good" if is_other else ""),
            (" ⚠" if scene.decision.warnings else "", "warn"),
        ]

    def is_acting(self, line: Line) -> bool:
        return isinstance(line.item, Field)

    def lines(self, scene: Scene, width: int) -> Sequence[Line]:
        lines = [*self._answers(scene, width)]
        for number, trial in enumerate(scene.what_if.trials, 1):
            lines += wrapped(("change", number), f"{number}. {trial.sentence}", width, "accent")
        self._comparison.begin(scene)
        if scene.what_if.trials:
            lines += changed_answers(self._comparison, width)
        title = f"What decides for {clean_line(scene.now.profile)}"
        lines += heading("form", title, width)
        lines += (Line(field.key, item=field) for field in fields(scene))
        return lines

    def pieces(self, line: Line, width: int) -> list[Piece]:
        field = line.item
        if not isinstance(field, Field):
            return drawn_change(line, width) or list(line.pieces)
        room = max(8, width - _LABEL - 2)
        value = fit_text(field.value, min(room, max(24, room // 2)))
        style = "accent" if field.is_changed else ""
        sign = "*" if field.is_changed else " "
        return [
            (sign, "accent"),
            (fit_text(field.label, _LABEL) + " ", "dim"),
            (value, style),
            (fit_text(field.hint, max(0, room - len(value))), "dim"),
        ]

    def choose(self, stage: Stage, scene: Scene, line: Line) -> None:
        field = line.item
        if not isinstance(field, Field):
            return
        if field.question is not None:
            stage.question(field.question)
        elif field.switch is not None:
            stage.do(field.switch())
        elif field.step is not None:
            stage.do(field.step(1))

    def change(self, stage: Stage, line: Line | None, way: Way, by: int = 1) -> None:
        field = line.item if line is not None and isinstance(line.item, Field) else _NO_FIELD
        if way == "switch" and field.switch is not None:
            stage.do(field.switch())
        elif way in ("step", "switch") and field.step is not None:
            stage.do(field.step(by))
        elif way == "remove" and field.remove is not None:
            stage.do(field.remove())
        elif way == "shift" and field.shift is not None:
            stage.do(field.shift(by))
        else:
            stage.refuse(_REFUSALS[way])

    def about(self, line: Line) -> str:
        if isinstance(line.item, Field):
            return line.item.hint
        return "" if line.item is None else line.item.cause

    def has_work(self, scene: Scene) -> bool:
        self._comparison.begin(scene)
        return not self._comparison.is_done

    async def work(self, scene: Scene, show: Callable[[], None]) -> None:
        await self._comparison.find(scene, show)

    def _decided(self, scene: Scene) -> "Decision":
        """What is decided without what is tried."""
        start = scene.what_if.start
        if self._before is None or self._before[0] is not start:
            self._before = (start, start.decide())
        return self._before[1]

    def _answers(self, scene: Scene, width: int) -> Iterator[Line]:
        before = self._decided(scene)
        is_tried = bool(scene.what_if.trials)
        yield from _answer("now", before, width, "dim" if is_tried else "")
        if not is_tried:
            yield from warned(scene, width)
            note = "Change a field below and see what would be chosen; nothing is saved."
            yield blank("none")
            yield from wrapped("note", note, width, "dim")
            return
        after = scene.decision
        is_other = before.model != after.model
        yield from _answer("what if", after, width, "good" if is_other else "")
        yield from warned(scene, width)
        yield blank("changes")


def _named(model: str | None, style: str) -> Piece:
    return ("no model", "bad") if model is None else (clean_line(model), style)


def _answer(label: str, decision: "Decision", width: int, style: str) -> Iterator[Line]:
    lines = wrapped(label, decision.summary, width - 9, style or "")
    for number, line in enumerate(lines):
        yield line._replace(pieces=(((label if not number else "").ljust(9), "dim"), *line.pieces))
