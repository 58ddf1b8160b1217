"""What every view of the Router pane is: questions about a scene, answered in lines.

A view draws; what is tried, and which profile is asked for, is the experiment's.
"""

import textwrap
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol

from ollm_tui.core.text import clean_line
from ollm_tui.ui import format as words
from ollm_tui.ui import keymap
from ollm_tui.ui.columns import Piece

if TYPE_CHECKING:
    from ollm_tui.routing.change import Change
    from ollm_tui.routing.decision import Decision
    from ollm_tui.routing.situation import Situation
    from ollm_tui.routing.what_if import WhatIf
    from ollm_tui.ui.simulator.field import Question


Way = Literal["step", "switch", "remove", "shift"]
"""How a key changes what a line is about."""


class Line(NamedTuple):
    """One line of a view."""

    key: Hashable
    """The cursor stays on it when the lines change."""
    pieces: tuple[Piece, ...] = ()
    """What it says, unless the view draws its item."""
    item: Any = None
    """What it is about; None = words only."""


class Scene(NamedTuple):
    """What a view is asked about."""

    what_if: "WhatIf"
    """The situation as it is, and what is being tried."""
    decision: "Decision"
    """With what is being tried, for the profile asked for."""

    @property
    def now(self) -> "Situation":
        """The situation with what is being tried."""
        return self.what_if.now


class Stage(Protocol):
    """What a view can have done when one of its lines is chosen: the pane."""

    def do(self, change: "Change | None") -> None:
        """Try a change; None changes nothing."""
        ...

    def refuse(self, reason: str) -> None:
        """Say why a key does nothing."""
        ...

    def ask_profile(self, name: str) -> None:
        """Ask for a profile by name, and show how it came to its answer."""
        ...

    def show_view(self, name: str) -> None:
        """Show a view by the name in `views`."""
        ...

    def show_fixes(self, model: str) -> None:
        """Show what would make one model win."""
        ...

    def question(self, question: "Question") -> None:
        """Ask for what is typed, and try the change that it means."""
        ...

    def move_to_key(self, key: Hashable) -> None:
        """Put the cursor on the line of a key, as soon as there is one."""
        ...


class View:
    """One question. The default is a text that no key acts on."""

    name: ClassVar[str]
    """For the title; the trace, from which the others are reached, has none."""
    place: ClassVar[str] = keymap.ROUTER
    """Whose keys the footer shows."""
    wants_room: ClassVar[bool] = True
    """Whether it is better zoomed."""

    def title(self, scene: Scene) -> str:
        """The pane's: what is decided, how much is only tried for it, and which view this is."""
        decision = scene.decision
        model = "nothing fits" if decision.model is None else clean_line(decision.model)
        title = "4 Router ─ "
        if scene.what_if.trials:  # first, since a narrow pane cuts the end, and this must be seen
            title += f"what if: {words.count(len(scene.what_if.trials), 'change')} ─ "
        title += f"{clean_line(decision.profile)} → {model}"
        if self.name:
            title += f" ─ {self.name}"
        return title

    def head(self, scene: Scene, width: int) -> list[Piece] | None:
        """A line that stays on top while the others scroll; None = there is none."""
        return None

    def lines(self, scene: Scene, width: int) -> Sequence[Line]:
        """The view from the top. Cheap; what takes long is for `work`.

        Args:
            width: cells there are.
        """
        raise NotImplementedError

    def pieces(self, line: Line, width: int) -> list[Piece]:
        """One line, drawn only when it is in sight."""
        return list(line.pieces)

    def is_acting(self, line: Line) -> bool:
        """Whether keys act on a line, so that the cursor begins on the first of those."""
        return line.item is not None

    def about(self, line: Line) -> str:
        """A word more about the line under the cursor, or nothing."""
        return ""

    def choose(self, stage: Stage, scene: Scene, line: Line) -> None:
        """Do what enter does on a line; the default does nothing."""

    def change(self, stage: Stage, line: Line | None, way: Way, by: int = 1) -> None:
        """Do what a key of the form does on a line; the default does nothing.

        Args:
            by: how far to step or shift; back if negative.
        """

    def has_work(self, scene: Scene) -> bool:
        """Whether there is something to find out that takes longer."""
        return False

    async def work(self, scene: Scene, show: Callable[[], None]) -> None:
        """Find it out, on the event loop in slices.

        Cancelled when the scene changes or the view is left.

        Args:
            show: have the lines asked for again.
        """


def wrapped(key: Hashable, text: str, width: int, style: str = "") -> Iterator[Line]:
    """A paragraph in as many lines as it takes."""
    lines = textwrap.wrap(text, max(10, width)) or [""]
    return (Line((key, number), ((line, style),)) for number, line in enumerate(lines))


def heading(key: Hashable, text: str, width: int) -> Iterator[Line]:
    """A title with an empty line before it."""
    yield Line((key, "gap"))
    yield from wrapped(key, text, width, "accent")


def blank(key: Hashable) -> Line:
    """An empty line."""
    return Line((key, "blank"))
