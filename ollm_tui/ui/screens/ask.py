"""One line to type, with what it could be below; what cannot be read is said at once."""

from collections.abc import Callable, Sequence
from typing import ClassVar, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Label, OptionList
from textual.widgets.option_list import Option

from ollm_tui.core.text import clean_line
from ollm_tui.ui.columns import fit_name
from ollm_tui.ui.screens.dialog import Dialog

SHOWN = 8
_NAME = 34
T = TypeVar("T")


class Answer(Generic[T]):
    """What was typed, as it was read; None stands for leaving without one."""

    def __init__(self, value: T) -> None:
        self.value = value


class AskScreen(Dialog[Answer[T] | None]):
    """Asks for one thing.

    Args:
        title: what is asked for.
        hint: what it may look like.
        value: what stands there at first.
        read: makes something of what was typed; raises ValueError that says what it should be.
        offers: what continues a text that is typed, each with a word about it, best first.
    """

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("tab", "take", show=False, priority=True),
        Binding("down", "highlight(1)", show=False, priority=True),
        Binding("up", "highlight(-1)", show=False, priority=True),
    ]

    def __init__(
        self,
        title: str,
        hint: str,
        value: str,
        read: Callable[[str], T],
        offers: Callable[[str], Sequence[tuple[str, str]]] = lambda typed: (),
    ) -> None:
        super().__init__()
        self._title = title
        self._hint = f"{hint}; enter takes it, esc leaves"
        self._value = value
        self._read = read
        self._offers = offers
        self._names: list[str] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content(clean_line(self._title))
            yield Input(self._value, select_on_focus=True)
            yield OptionList(markup=False)
            yield Label(Content(self._hint), classes="hint")

    def on_mount(self) -> None:
        self.query_one(OptionList).can_focus = False
        self.set_focus(self.query_one(Input))  # at once, for what is typed meanwhile
        self._offer("")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._say(self._hint, is_error=False)
        self._offer("" if event.value == self._value else event.value)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        try:
            read = self._read(event.value)
        except ValueError as error:
            self._say(str(error), is_error=True)
            return
        self.dismiss(Answer(read))

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        self.query_one(OptionList).highlighted = event.option_index
        self.action_take()

    def action_take(self) -> None:
        """Take the highlighted offer into the line."""
        highlighted = self.query_one(OptionList).highlighted
        if highlighted is not None and highlighted < len(self._names):
            field = self.query_one(Input)
            field.value = self._names[highlighted]
            field.cursor_position = len(field.value)

    def action_highlight(self, by: int) -> None:
        """Highlight the next offer, or the previous one, and take it into the line."""
        if not self._names:
            return
        options = self.query_one(OptionList)
        at = -1 if options.highlighted is None else options.highlighted
        options.highlighted = (at + by) % len(self._names)

    def action_leave(self) -> None:
        """Leave everything as it is."""
        self.dismiss(None)

    def _offer(self, typed: str) -> None:
        offers = list(self._offers(typed))[:SHOWN]
        self._names = [name for name, _ in offers]
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(
            Option(
                Content.assemble(f"{fit_name(clean_line(name), _NAME)}  ", (about, "$text-muted"))
            )
            for name, about in offers
        )
        options.highlighted = 0 if offers else None
        options.display = bool(offers)

    def _say(self, text: str, *, is_error: bool) -> None:
        hint = self.query_one(".hint", Label)
        hint.update(Content(clean_line(text)))
        hint.set_class(is_error, "-error")
