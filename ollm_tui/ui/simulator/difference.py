"""What is being tried against what is: every profile whose answer would be another, and why."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from ollm_tui.core.text import clean_line
from ollm_tui.ui.columns import Piece, fit_name, fit_text
from ollm_tui.ui.keymap import named
from ollm_tui.ui.simulator.slices import take_all
from ollm_tui.ui.simulator.view import Line, Scene, Stage, View, heading, wrapped

if TYPE_CHECKING:
    from ollm_tui.routing.difference import AnswerChange

_PROFILE = 12
_NAME = 26


class Comparison:
    """The differences of one scene, found once, for whoever shows them."""

    def __init__(self) -> None:
        self._scene: Scene | None = None
        self.changes: list[AnswerChange] = []
        self.is_done = False

    def begin(self, scene: Scene) -> None:
        """Forget those of another scene."""
        if self._scene is None or self._scene.what_if.trials != scene.what_if.trials:
            self.changes, self.is_done = [], not scene.what_if.trials
        elif self._scene.what_if.start != scene.what_if.start:
            self.changes, self.is_done = [], not scene.what_if.trials
        self._scene = scene

    async def find(self, scene: Scene, show: Callable[[], None]) -> None:
        """Ask for every profile, before and after."""
        self.changes = []

        def take(change: "AnswerChange | None") -> None:
            if change is not None:
                self.changes.append(change)

        await take_all(scene.what_if.differences(), take, lambda: None)
        self.is_done = True
        show()


class DifferenceView(View):
    """Enter goes to the profile."""

    name = "difference"

    def __init__(self) -> None:
        self._comparison = Comparison()

    def lines(self, scene: Scene, width: int) -> Sequence[Line]:
        self._comparison.begin(scene)
        lines: list[Line] = []
        trials = scene.what_if.trials
        if not trials:
            note = (
                "Nothing is tried yet, so there is no difference. "
                f"{named('router.what_if')} tries changes, {named('router.fixes')} offers some."
            )
            return list(wrapped("none", note, width, "dim"))
        for number, trial in enumerate(trials, 1):
            lines += wrapped(("trial", number), f"{number}. {trial.sentence}", width, "accent")
        lines += heading("head", "Profiles whose answer would be another", width)
        lines += changed_answers(self._comparison, width)
        if self._comparison.is_done:
            same = len(scene.now.profiles) - len(self._comparison.changes)
            lines += wrapped(
                "same", f"{same} of the other profiles stay as they are.", width, "dim"
            )
        return lines

    def pieces(self, line: Line, width: int) -> list[Piece]:
        return drawn_change(line, width) or list(line.pieces)

    def about(self, line: Line) -> str:
        return "" if line.item is None else line.item.cause

    def choose(self, stage: Stage, scene: Scene, line: Line) -> None:
        if line.item is not None:
            stage.ask_profile(line.item.profile)

    def has_work(self, scene: Scene) -> bool:
        self._comparison.begin(scene)
        return not self._comparison.is_done

    async def work(self, scene: Scene, show: Callable[[], None]) -> None:
        await self._comparison.find(scene, show)


def changed_answers(comparison: Comparison, width: int) -> Iterator[Line]:
    """A line for each profile that changes, or that none does."""
    if not comparison.is_done:
        yield from wrapped("asking", "asking the router …", width, "dim")
    elif not comparison.changes:
        yield from wrapped("nothing", "No profile's answer changes.", width, "dim")
    else:
        yield from (Line(("answer", change.profile), item=change) for change in comparison.changes)


def drawn_change(line: Line, width: int) -> list[Piece] | None:
    """A profile with the model before and after, or None for another line."""
    from ollm_tui.routing.difference import AnswerChange

    change = line.item
    if not isinstance(change, AnswerChange):
        return None
    name_width = max(8, min(_NAME, (width - _PROFILE - 4) // 2))
    before = change.before.model if change.before else None
    after = change.after.model if change.after else None
    room = max(0, width - _PROFILE - 2 * name_width - 5)
    return [
        (fit_text(clean_line(change.profile), _PROFILE) + " ", "accent"),
        (fit_name(clean_line(before or "no model"), name_width), "dim"),
        (" → ", "dim"),
        (fit_name(clean_line(after or "no model"), name_width), "good" if after else "bad"),
        (" " + fit_text(change.cause, room), "dim"),
    ]
