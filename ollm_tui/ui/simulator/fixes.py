"""What would make each model win that did not: the smallest single changes, verified, by cost."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ollm_tui.core.text import clean_line
from ollm_tui.ui.columns import Piece, fit_name, fit_text
from ollm_tui.ui.simulator.slices import take_all
from ollm_tui.ui.simulator.trace import said
from ollm_tui.ui.simulator.view import Line, Scene, Stage, View, heading, wrapped

if TYPE_CHECKING:
    from ollm_tui.core.model import ModelInfo
    from ollm_tui.routing.fixes import Fix, RowFixes

_NAME = 26
_SCREENFUL = 20


class Offered(NamedTuple):
    """A fix and the model that it makes win."""

    model: str
    fix: "Fix"


class FixesView(View):
    """A list of changes; enter tries one in the what-if."""

    name = "fixes"

    def __init__(self) -> None:
        self._scene: Scene | None = None
        self._rows: list[RowFixes] = []
        self._advice: list[Fix] = []
        self._is_done = False
        self._focus: str | None = None
        self._models: dict[str, ModelInfo] = {}

    def focus(self, model: str) -> None:
        """Put one model first, with every change that would make it win."""
        self._focus = model

    def lines(self, scene: Scene, width: int) -> Sequence[Line]:
        self._forget_others(scene)
        lines = list(said(scene, width))
        lines += heading("head", "Smallest change that would make it win; enter tries it", width)
        for row in sorted(self._rows, key=self._rank):
            lines += self._row(row)
        if self._focus is not None and self._is_done and not self._has(self._focus):
            note = f"No single change makes {clean_line(self._focus)} win."
            lines += wrapped("none", note, width, "warn")
        if self._advice:
            lines += heading("install", "To install", width)
            for fix in self._advice:
                offered = Offered(fix.change.subject, fix)
                lines.append(Line(("install", fix.sentence), item=offered))
        if not self._is_done:
            lines += wrapped("asking", "asking the router …", width, "dim")
        elif not self._rows and not self._advice:
            lines += wrapped("nothing", "No single change makes another model win.", width, "dim")
        return lines

    def pieces(self, line: Line, width: int) -> list[Piece]:
        if not isinstance(line.item, Offered):
            return list(line.pieces)
        model, fix = line.item
        name_width = min(_NAME, max(8, width // 3))
        is_first = not (isinstance(line.key, tuple) and line.key[-1] != 0)
        name = fit_name(clean_line(model), name_width) if is_first else " " * name_width
        style = "" if fix.edits else "dim"
        sign = "⚠ " if self._over_budget(line.item) else ""
        room = width - name_width - 2 - len(sign)
        return [(f"{name}  ", "accent"), (sign, "warn"), (fit_text(fix.sentence, room), style)]

    def about(self, line: Line) -> str:
        if not isinstance(line.item, Offered):
            return ""
        if warning := self._over_budget(line.item):
            return f"⚠ {warning}"
        edits = line.item.fix.edits
        return ", ".join(f"{edit.key}: {edit.value}" for edit in edits) or "not a setting"

    def choose(self, stage: Stage, scene: Scene, line: Line) -> None:
        if isinstance(line.item, Offered):
            stage.do(line.item.fix.change)
            stage.show_view("what_if")

    def has_work(self, scene: Scene) -> bool:
        self._forget_others(scene)
        return not self._is_done

    async def work(self, scene: Scene, show: Callable[[], None]) -> None:
        from ollm_tui.routing.fixes import fixes, install_advice

        self._rows, self._advice = [], []
        names = _losers(scene)

        def take(row: "RowFixes | None") -> None:
            if row is not None and row.fixes:
                self._rows.append(row)
                if len(self._rows) == _SCREENFUL:
                    show()  # the nearest come first, and are what one waits for

        def advise(fix: "Fix | None") -> None:
            if fix is not None:
                self._advice.append(fix)

        await take_all(fixes(scene.now, names, scene.decision), take, show)
        if scene.decision.model is None:
            offers = install_advice(scene.now)
            await take_all(offers, advise, show)
        self._is_done = True
        show()

    def _row(self, row: "RowFixes") -> Iterator[Line]:
        shown = row.fixes if row.model == self._focus else row.fixes[:1]
        for number, fix in enumerate(shown):
            yield Line(("fix", row.model, number), item=Offered(row.model, fix))

    def _over_budget(self, offered: Offered) -> str:
        """That the model which a fix makes win needs more memory than it may; empty = it does not.

        By the profile that decided; where another one would, the what-if says the same exactly.
        """
        from ollm_tui.routing.change import ChangeCode
        from ollm_tui.routing.wording import over_budget

        scene = self._scene
        raised = offered.fix.change.code is ChangeCode.SET_MEMORY_BUDGET
        if scene is None or raised or not scene.decision.hops:
            return ""
        judge = scene.now.router.judge(scene.decision.hops[-1].profile)
        if not self._models:  # asked for line by line, of ten thousand models
            self._models = {model.name: model for model in scene.now.models}
        model = self._models.get(offered.model)
        if model is None or not judge.over_budget(model):
            return ""
        return clean_line(over_budget(model, judge.memory_bytes(model), scene.now.config))

    def _rank(self, row: "RowFixes") -> tuple[object, ...]:
        return row.model != self._focus, row.fixes[0].cost, row.model

    def _has(self, model: str) -> bool:
        return any(row.model == model for row in self._rows)

    def _forget_others(self, scene: Scene) -> None:
        if self._scene != scene:
            self._scene = scene
            self._rows, self._advice, self._is_done = [], [], False
            self._models = {}


def _losers(scene: Scene) -> list[str]:
    """Those who did not win and could answer prompts, the nearest first."""
    from ollm_tui.routing.decision import Code

    names = dict.fromkeys(
        c.model
        for hop in scene.decision.hops
        for c in hop.candidates
        if c.code is not Code.EMBEDDING_ONLY
    )
    return [name for name in names if name != scene.decision.model]
