"""Asks for names of models to pull; several at once, checked before anything is asked for."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Label, OptionList
from textual.widgets.option_list import Option

from ollm_tui.core.error import InvalidName
from ollm_tui.core.name import parse_reference
from ollm_tui.ui.rows import fit_name

SHOWN = 10
_NAME = 28
_HINT = "enter pulls, several names with blanks between; tab takes a suggestion; esc leaves"


class PullScreen(ModalScreen[list[str]]):
    """Answers with the names to pull; none when left.

    Args:
        suggest: names that continue what is typed, each with a word about it, best first.
    """

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("tab", "take", show=False, priority=True),
        Binding("down", "highlight(1)", show=False, priority=True),
        Binding("up", "highlight(-1)", show=False, priority=True),
    ]

    def __init__(self, suggest: Callable[[str], Sequence[tuple[str, str]]]) -> None:
        super().__init__()
        self._suggest = suggest
        self._names: list[str] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Pull models"
            yield Input(placeholder="llama3.2:3b  or  hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF")
            yield OptionList(markup=False)
            yield Label(Content(_HINT), classes="hint")

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        self.query_one(OptionList).can_focus = False
        self._offer("")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._say(_HINT, is_error=False)
        self._offer(event.value.rpartition(" ")[2])

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        names = event.value.split()
        if not names:
            return
        try:
            for name in names:
                parse_reference(name)
        except InvalidName as error:
            self._say(f"{error.message}: {error.cause}", is_error=True)
            return
        self.dismiss(names)

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        self.query_one(OptionList).highlighted = event.option_index
        self.action_take()

    def action_take(self) -> None:
        """Complete the last word with the highlighted suggestion."""
        highlighted = self.query_one(OptionList).highlighted
        if highlighted is None or highlighted >= len(self._names):
            return
        field = self.query_one(Input)
        before = field.value.rpartition(" ")[0]
        field.value = f"{before} {self._names[highlighted]}".strip()
        field.cursor_position = len(field.value)

    def action_highlight(self, by: int) -> None:
        options = self.query_one(OptionList)
        if self._names:
            at = -1 if options.highlighted is None else options.highlighted
            options.highlighted = (at + by) % len(self._names)

    def action_leave(self) -> None:
        self.dismiss([])

    def _offer(self, word: str) -> None:
        suggestions = list(self._suggest(word))[:SHOWN]
        self._names = [name for name, _ in suggestions]
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(
            Option(Content.assemble(f"{fit_name(name, _NAME)}  ", (about, "$text-muted")))
            for name, about in suggestions
        )
        options.highlighted = 0 if suggestions else None
        options.display = bool(suggestions)

    def _say(self, text: str, *, is_error: bool) -> None:
        hint = self.query_one(".hint", Label)
        hint.update(Content(text))
        hint.set_class(is_error, "-error")
