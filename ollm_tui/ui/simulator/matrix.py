"""Every profile against every model: who wins where, who could, and whom nobody would miss."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ollm_tui.core.text import clean_line
from ollm_tui.ui.columns import Piece, fit_name, fit_text
from ollm_tui.ui.simulator.slices import take_all
from ollm_tui.ui.simulator.view import Line, Scene, Stage, View, blank, wrapped

if TYPE_CHECKING:
    from ollm_tui.routing.matrix import Cell, Column

_NAME = 28
_COLUMN = 9
_USES = 10


class _Row(NamedTuple):
    """One model, a cell for each profile."""

    model: str
    cells: "tuple[Cell, ...]"
    used: int
    """How many profiles pick it."""


class MatrixView(View):
    """Enter shows how the profile that is asked for came to its answer."""

    name = "matrix"

    def __init__(self) -> None:
        self._scene: Scene | None = None
        self._columns: list[Column] = []
        self._is_done = False

    def head(self, scene: Scene, width: int) -> list[Piece] | None:
        name_width, first, count = self._layout(scene, width)
        more = "◂" if first else " "
        row: list[Piece] = [(fit_text("MODEL", name_width) + more, "dim")]
        for profile in scene.now.profiles[first : first + count]:
            style = "accent" if profile.name == scene.now.profile else "dim"
            row.append((fit_text(clean_line(profile.name), _COLUMN - 1) + " ", style))
        more = "▸" if first + count < len(scene.now.profiles) else " "
        row.append((fit_text(f"{more}CHOSEN BY", _USES), "dim"))
        return row

    def lines(self, scene: Scene, width: int) -> Sequence[Line]:
        from ollm_tui.routing.matrix import LETTERS, Mark, uses

        self._forget_others(scene)
        if not self._is_done:
            done = f"{len(self._columns)} of {len(scene.now.profiles)} profiles asked …"
            return list(wrapped("asking", done, width, "dim"))
        use = uses(self._columns, scene.now.models)
        rows = [
            _Row(name, tuple(column.cells[name] for column in self._columns), len(profiles))
            for name, profiles in use.profiles.items()
        ]
        rows.sort(key=lambda row: (-row.used, -_eligible(row), row.model))
        letters = dict.fromkeys(cell.letter for row in rows for cell in row.cells if cell.letter)
        legend = [f"{letter} {LETTERS[letter]}" for letter in letters]
        marks = {cell.mark for row in rows for cell in row.cells}
        if Mark.FALLBACK in marks:
            legend.insert(0, "↳ chosen through the fallback")
        legend = ["✔ chosen", "• would do", *legend]
        if use.orphans:
            legend.append("orphan: no profile picks it, so none would miss it")
        # Above the models, of which there may be more than there is room for.
        lines = [*wrapped("marks", "   ".join(legend), width, "dim"), blank("legend")]
        lines += (Line(("model", row.model), item=row) for row in rows)
        return lines

    def pieces(self, line: Line, width: int) -> list[Piece]:
        row = line.item
        if not isinstance(row, _Row) or self._scene is None:
            return list(line.pieces)
        name_width, first, count = self._layout(self._scene, width)
        drawn: list[Piece] = [
            (fit_name(clean_line(row.model), name_width) + " ", "" if row.used else "dim")
        ]
        for cell in row.cells[first : first + count]:
            text, style = _sign(cell)
            drawn.append((fit_text(text, _COLUMN - 1) + " ", style))
        used = f" {row.used}" if row.used else " orphan"
        drawn.append((fit_text(used, _USES), "" if row.used else "warn"))
        return drawn

    def about(self, line: Line) -> str:
        from ollm_tui.routing.matrix import LETTERS

        row = line.item
        if not isinstance(row, _Row) or self._scene is None:
            return ""
        chosen = [column.profile for column in self._columns if column.model == row.model]
        told = f"chosen by {', '.join(chosen)}" if chosen else "no profile picks it"
        letters = dict.fromkeys(cell.letter for cell in row.cells if cell.letter)
        return clean_line("; ".join((told, *(f"{one} {LETTERS[one]}" for one in letters))))

    def choose(self, stage: Stage, scene: Scene, line: Line) -> None:
        stage.show_view("explain")
        if isinstance(line.item, _Row):
            stage.move_to_key((0, line.item.model))

    def has_work(self, scene: Scene) -> bool:
        self._forget_others(scene)
        return not self._is_done

    async def work(self, scene: Scene, show: Callable[[], None]) -> None:
        from ollm_tui.routing.matrix import matrix

        self._columns = []
        await take_all(matrix(scene.now), self._columns.append, show)
        self._is_done = True
        show()

    def _layout(self, scene: Scene, width: int) -> tuple[int, int, int]:
        """How wide names are, and which profiles have room: the one asked for always."""
        profiles = scene.now.profiles
        least = 14
        count = max(1, min(len(profiles), (width - least - _USES - 1) // _COLUMN))
        names = [profile.name for profile in profiles]
        at = names.index(scene.now.profile) if scene.now.profile in names else 0
        first = max(0, min(at - count // 2, len(profiles) - count))
        return min(_NAME, max(8, width - count * _COLUMN - _USES - 1)), first, count

    def _forget_others(self, scene: Scene) -> None:
        if self._scene is None or self._scene.now.asking("") != scene.now.asking(""):
            self._columns, self._is_done = [], False
        self._scene = scene


def _eligible(row: _Row) -> int:
    return sum(not cell.letter for cell in row.cells)


def _sign(cell: "Cell") -> Piece:
    from ollm_tui.routing.matrix import Mark

    if cell.mark is Mark.DROPPED:
        return cell.letter, "bad"
    if cell.mark is Mark.ELIGIBLE:
        return (f"• {cell.slot}" if cell.slot else "•"), "dim"
    sign = {Mark.WINNER: "✔", Mark.FALLBACK: "↳", Mark.IGNORED: "–"}[cell.mark]
    return sign, "good" if cell.mark is not Mark.IGNORED else "dim"
