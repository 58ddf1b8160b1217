"""The cases that were kept: run on what is tried, and added to."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from ollm_tui.core.error import OllmError
from ollm_tui.core.text import clean_line
from ollm_tui.ui import format as words
from ollm_tui.ui import work
from ollm_tui.ui.columns import Piece, fit_text
from ollm_tui.ui.simulator.view import Line, Scene, Stage, View, blank, heading, wrapped

if TYPE_CHECKING:
    from textual.dom import DOMNode

    from ollm_tui.core.model import ModelInfo
    from ollm_tui.routing.router import Router
    from ollm_tui.routing.scenario import CaseResult

_NAME = 40


class ScenarioBook(Protocol):
    """Where cases are kept. Slow: it reads files and loads libraries."""

    @property
    def path(self) -> str:
        """The file, as people write it."""
        ...

    @property
    def is_file(self) -> bool:
        """Whether it is one, so that scripts can run it."""
        ...

    def run(self, router: "Router", models: "Sequence[ModelInfo]") -> "Sequence[CaseResult]":
        """Run every case, in the file's order; none when there is no file yet.

        Raises:
            OllmError: the file cannot be read, with every place that is wrong.
        """
        ...

    def record(self, case: Mapping[str, object]) -> None:
        """Add a case at the end; comments and the other cases stay as they are.

        Raises:
            OllmError: it was not written.
        """
        ...


class ScenariosView(View):
    """Enter goes to the case's profile."""

    name = "cases"

    def __init__(self, book: ScenarioBook | None) -> None:
        self._book = book
        self._scene: Scene | None = None
        self._results: Sequence[CaseResult] | None = None
        self._error: OllmError | None = None

    def forget(self) -> None:
        """Run the cases again when they are next shown: there are others."""
        self._scene = None

    def lines(self, scene: Scene, width: int) -> Sequence[Line]:
        self._forget_others(scene)
        if self._book is None:
            return list(wrapped("none", "No file of cases is in use here.", width, "dim"))
        if self._error is not None:
            lines = list(wrapped("error", self._error.message, width, "bad"))
            for number, action in enumerate(self._error.actions):
                lines += wrapped(("action", number), action, width)
            return lines
        if self._results is None:
            return list(wrapped("asking", f"running {self._book.path} …", width, "dim"))
        if not self._results:
            lines = [
                *wrapped("none", f"No cases in {self._book.path} yet.", width),
                blank("none"),
                *wrapped(
                    "how", "R keeps the decision that is shown as a case; T runs them all.", width
                ),
            ]
            if self._book.is_file:
                verb = f"Scripts run them: ollm-tui route test {self._book.path}"
                lines += wrapped("verb", verb, width)
            return lines
        failed = sum(bool(result.failures) for result in self._results)
        done = f"{words.count(len(self._results), 'case')} of {self._book.path}: "
        done += f"{failed} failed" if failed else "all pass"
        lines = list(heading("head", done, width))
        for number, result in enumerate(self._results):
            lines.append(Line(("case", number), item=result))
            for index, failure in enumerate(result.failures):
                lines += wrapped(("failure", number, index), f"    {failure}", width, "bad")
        return lines

    def pieces(self, line: Line, width: int) -> list[Piece]:
        if line.item is None:
            return list(line.pieces)
        result: CaseResult = line.item
        sign: Piece = ("✘ ", "bad") if result.failures else ("✔ ", "good")
        name_width = min(_NAME, max(10, width // 2))
        decision = result.decision
        model = "no model" if decision.model is None else clean_line(decision.model)
        answer = f"{clean_line(decision.profile)} → {model}"
        return [
            sign,
            (fit_text(clean_line(result.case.name), name_width) + " ", ""),
            (fit_text(answer, max(0, width - name_width - 3)), "dim"),
        ]

    def about(self, line: Line) -> str:
        return "" if line.item is None else line.item.decision.summary

    def choose(self, stage: Stage, scene: Scene, line: Line) -> None:
        if line.item is not None:
            stage.ask_profile(line.item.decision.profile)

    def has_work(self, scene: Scene) -> bool:
        self._forget_others(scene)
        return self._book is not None and self._results is None and self._error is None

    async def work(self, scene: Scene, show: Callable[[], None]) -> None:
        book, now = self._book, scene.now
        assert book is not None  # else there is no work
        try:
            self._results = await work.in_thread(lambda: book.run(now.router, now.models))
        except OllmError as error:
            self._error = error
        show()

    def _forget_others(self, scene: Scene) -> None:
        if self._scene is None or self._scene.now.asking("") != scene.now.asking(""):
            self._results = self._error = None
        self._scene = scene


def record(node: "DOMNode", scene: Scene, book: ScenarioBook, done: Callable[[], None]) -> None:
    """Ask for a name, and keep the decision as a case.

    Args:
        done: called once it is written.
    """
    from ollm_tui.routing.recording import record as recorded
    from ollm_tui.ui.screens.ask import Answer, AskScreen

    async def write(name: str) -> None:
        recording = recorded(scene.now, scene.what_if.start, name=name, with_models=False)
        if recording.failures:
            raise OllmError(
                "This decision cannot be kept as a case",
                cause=recording.failures[0],
                actions=("Save what is tried first (P), or take back what a case cannot say (u).",),
            )
        await work.in_thread(lambda: book.record(recording.case))
        node.app.notify(f"Kept in {book.path}: {name}", markup=False)
        done()

    def named(answer: Answer[str] | None) -> None:
        if answer is not None:
            work.run(node, write(answer.value), "record")

    decision = scene.decision
    model = "nothing fits" if decision.model is None else decision.model
    title = f"Keep as a case: {decision.profile} → {model}"
    suggestion = f"{decision.profile} gets {model}"
    node.app.push_screen(AskScreen(title, "a name for the case", suggestion, _name), named)


def _name(text: str) -> str:
    if not text.strip():
        raise ValueError("Give the case a name, by which a failure is recognised.")
    return clean_line(text.strip())
