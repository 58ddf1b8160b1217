"""A question with consequences. Answers with the key of a choice, or None for "leave it"."""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Label

from ollm_tui.ui.screens.dialog import Dialog


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
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
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
            yield Label(Content("\n".join(self._consequences)), classes="consequences")
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

    def on_key(self, event: events.Key) -> None:
        if any(choice.key == event.key for choice in self._choices):
            event.stop()
            self.dismiss(event.key)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        pressed = event.button.id or ""
        self.dismiss(pressed.removeprefix("choice-") if pressed != "stay" else None)

    def action_answer(self, key: str) -> None:
        self.dismiss(key or None)
