"""The example file before it is written: where it would be, and every line of it."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from ollm_tui.core.text import clean_line
from ollm_tui.ui.screens.dialog import Dialog
from ollm_tui.ui.text_pane import Text, TextPane

_ABOUT = "A new file; it changes nothing until a # in it is deleted."
_HINT = "enter writes it   ↑ ↓ scroll   esc leaves it"


class ExampleScreen(Dialog[bool]):
    """Answers whether the example is to be written.

    Args:
        path: of the file, as people write it.
        text: what would be in it.
    """

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "dismiss(True)", show=False),
        Binding("escape,q", "dismiss(False)", show=False),
    ]

    def __init__(self, path: str, text: str) -> None:
        super().__init__()
        self._path = path
        self._text = text

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Write an example file?"
            yield Static(Content.styled(clean_line(self._path), "bold"))
            yield Static(Content.styled(_ABOUT, "$text-muted"))
            yield TextPane(id="patch")
            yield Static(Content(_HINT), classes="hint")

    def on_mount(self) -> None:
        pane = self.query_one(TextPane)
        pane.set_text(Text(clean_line(line), "good") for line in self._text.splitlines())
        pane.focus()
