"""All keys by place, generated from the keymap."""

from collections.abc import Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from ollm_tui.ui import keymap

_INTRO = {
    keymap.EVERYWHERE: "Everywhere",
    keymap.PANES: "Panes",
    keymap.LISTS: "In lists; click and wheel do the obvious",
}
_LEGEND = (
    ("● loaded   ↓ downloading   * marked   ☁ runs elsewhere   ▸ cursor", ""),
    ("CAPS: T tools, V vision, R reasoning, S streaming, E embeddings only", ""),
)


class HelpScreen(ModalScreen[None]):
    """Closed by any key that does not scroll."""

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter", "dismiss", show=False)
    ]

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog") as dialog:
            dialog.border_title = "Keys"
            dialog.border_subtitle = "esc closes"
            yield Static(Content("\n").join(_lines()))

    def on_mount(self) -> None:
        self.query_one(".dialog").focus()


def _lines() -> Iterator[Content]:
    for place in keymap.PLACES:
        yield Content.styled(f"\n{_INTRO.get(place, place)}", "bold $primary")
        for key in keymap.in_place(place):
            yield Content.assemble((f"  {keymap.caps(key):<18}", "$accent"), key.description)
    yield Content.styled("\nSigns", "bold $primary")
    for text, style in _LEGEND:
        yield Content.styled(f"  {text}", style)
