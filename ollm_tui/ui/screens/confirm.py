"""A question with consequences. Answers with the key of a choice, or None for "leave it"."""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Label

from ollm_tui.ui.screens.dialog import Dialog

_BUTTON, _BUTTON_ROWS = 12, 3
"""Cells that a button has at least, and how many of them are above one another."""
_FRAME = 2


class Choice(NamedTuple):
    """One way to answer."""

    key: str
    label: str
    is_destructive: bool = False


class ConfirmScreen(Dialog[str | None]):
    """Asks; escape and the first button leave everything as it is.

    Args:
        question: one line.
        consequences: what would happen, line by line.
        choices: the answers besides leaving it, each with its key.
        stay: the words for leaving it.
    """

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n", "answer('')", show=False),
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("pageup,ctrl+b", "page(-1)", show=False),
        Binding("pagedown,ctrl+f", "page(1)", show=False),
    ]

    def __init__(
        self,
        question: str,
        consequences: Sequence[str],
        choices: Sequence[Choice],
        stay: str = "Keep",
    ) -> None:
        super().__init__()
        self._question = question
        self._consequences = consequences
        self._choices = choices
        self._stay = stay

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Label(Content.styled(self._question, "bold"), classes="question")
            with VerticalScroll(classes="consequences", can_focus=False):
                yield Label(Content("\n".join(self._consequences)))
            with Horizontal(classes="buttons"):
                yield Button(Content(f"{self._stay} (esc)"), id="stay")
                for choice in self._choices:
                    yield Button(
                        Content(f"{choice.label} ({choice.key})"),
                        id=f"choice-{choice.key}",
                        variant="error" if choice.is_destructive else "primary",
                    )

    def on_mount(self) -> None:
        self.query_one("#stay").focus()

    def on_resize(self, event: events.Resize) -> None:
        """Keep the buttons in sight: what is told scrolls, and they stand in a row if they can."""
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        if not self.is_attached:
            return
        dialog = self.query_one(".dialog")
        buttons = list(self.query(Button))
        width = sum(max(_BUTTON, cell_len(str(one.label)) + 2) + 1 for one in buttons)
        is_stacked = width > dialog.content_size.width
        self.query_one(".buttons").set_class(is_stacked, "-stacked")
        rows = len(buttons) if is_stacked else _BUTTON_ROWS
        question = self.query_one(".question").outer_size.height
        limit = self.size.height * 96 // 100 - _FRAME - question - rows
        told = self.query_one(".consequences")
        told.styles.max_height = max(3, limit)
        is_cut = told.virtual_size.height + 2 > limit
        dialog.border_subtitle = "↑ ↓ scroll" if is_cut else ""

    @property
    def _told(self) -> VerticalScroll:
        return self.query_one(".consequences", VerticalScroll)

    def action_move(self, by: int) -> None:
        """Scroll what is told, or where all of it is in sight, go to another answer."""
        if self._told.max_scroll_y:
            self._told.scroll_relative(y=by, animate=False)
        elif by > 0:
            self.app.action_focus_next()
        else:
            self.app.action_focus_previous()

    def action_page(self, pages: int) -> None:
        """Scroll what is told by pages."""
        self._told.scroll_relative(y=pages * max(1, self._told.size.height - 1), animate=False)

    def on_key(self, event: events.Key) -> None:
        if any(choice.key == event.key for choice in self._choices):
            event.stop()
            self.dismiss(event.key)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        pressed = event.button.id or ""
        self.dismiss(pressed.removeprefix("choice-") if pressed != "stay" else None)

    def action_answer(self, key: str) -> None:
        self.dismiss(key or None)
