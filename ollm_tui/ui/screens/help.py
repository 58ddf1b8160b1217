"""All keys by place, generated from the keymap."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from ollm_tui.ui import keymap
from ollm_tui.ui.screens.dialog import Dialog

_INTRO = {
    keymap.EVERYWHERE: "Everywhere",
    keymap.PANES: "Panes",
    keymap.LISTS: "In lists; click and wheel do the obvious",
}
_LEGEND = (
    ("● loaded   ↓ downloading   ↑ newer in its registry   – being deleted", ""),
    ("* marked   ☁ on another machine   ✗ cannot be read   ▸ cursor", ""),
    ("CAPS: T tools, V vision, R reasoning, S streaming, E embeddings only", ""),
)


class HelpScreen(Dialog[None]):
    """Closed by any key that does not scroll.

    Args:
        keys: the bindings in force.
        now: which of them can act.
    """

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter", "dismiss", show=False)
    ]

    def __init__(self, keys: Sequence[keymap.Key], now: keymap.Situation) -> None:
        super().__init__()
        self._keys = keys
        self._now = now

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog") as dialog:
            dialog.border_title = "Keys"
            dialog.border_subtitle = "esc closes; ui.keys in the configuration rebinds by id"
            yield Static(Content("\n").join(_lines(self._keys, self._now)))

    def on_mount(self) -> None:
        self.query_one(".dialog").focus()


def _lines(keys: Sequence[keymap.Key], now: keymap.Situation) -> Iterator[Content]:
    for place in keymap.PLACES:
        yield Content.styled(f"\n{_INTRO.get(place, place)}", "bold $primary")
        for key in keymap.in_place(place, keys):
            caps = f"  {keymap.caps(key) or 'palette only':<20}"
            if reason := keymap.why_not(key, now):
                yield Content.styled(f"{caps}{key.description}. {reason}", "dim $text-muted")
            else:
                yield Content.assemble(
                    (caps, "$accent"), f"{key.description:<30} ", (key.id, "$text-muted")
                )
    yield Content.styled("\nSigns", "bold $primary")
    for text, style in _LEGEND:
        yield Content.styled(f"  {text}", style)
