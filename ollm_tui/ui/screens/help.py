"""All keys by place, generated from the keymap."""

import textwrap
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from ollm_tui.ui import keymap
from ollm_tui.ui.possible import Situation, why_not
from ollm_tui.ui.screens.dialog import Dialog

_INTRO = {
    keymap.EVERYWHERE: "Everywhere",
    keymap.PANES: "Panes",
    keymap.LISTS: "In lists; click and wheel do the obvious",
}
_LEGEND = (
    "● loaded   ↓ downloading   ↑ newer in its registry   – being deleted",
    "* marked   ☁ on another machine   ✗ cannot be read   ▸ cursor",
    "CAPS: T tools, V vision, R reasoning, S streaming, E embeddings only",
)
_FIXED = "\N{NO-BREAK SPACE}"
_USUAL_WIDTH = 78  # where there is room for the whole dialog


class HelpScreen(Dialog[None]):
    """Closed by any key that does not scroll.

    Args:
        keys: the bindings in force.
        now: which of them can act.
        first: the place whose keys stand above the others.
    """

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter", "dismiss", show=False)
    ]

    def __init__(self, keys: Sequence[keymap.Key], now: Situation, first: str) -> None:
        super().__init__()
        places = sorted(keymap.PLACES, key=lambda place: place != first)
        self._lines = _Lines(partial(_lines, keys, now, places))

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog") as dialog:
            dialog.border_title = "Keys"
            dialog.border_subtitle = "esc closes; ui.keys in the configuration rebinds by id"
            yield self._lines

    def on_mount(self) -> None:
        self.query_one(".dialog").focus()


class _Lines(Static):
    """All of it, laid out for the width that there is."""

    def __init__(self, text: Callable[[int], Iterator[Content]]) -> None:
        self._text = text
        self._width = _USUAL_WIDTH
        super().__init__(Content("\n").join(text(_USUAL_WIDTH)))

    def on_resize(self, event: events.Resize) -> None:
        if event.size.width != self._width:
            self._width = event.size.width
            self.update(Content("\n").join(self._text(self._width)))


def _lines(
    keys: Sequence[keymap.Key], now: Situation, places: Sequence[str], width: int
) -> Iterator[Content]:
    for place in places:
        yield Content.styled(f"\n{_INTRO.get(place, place)}", "bold $primary")
        for key in keymap.in_place(place, keys):
            caps = f"  {keymap.caps(key) or 'palette only':<20}"
            if reason := why_not(key.id, now):
                text = f"{key.description}. {reason}"
                yield Content.styled(caps + _hanging(text, len(caps), width), "dim $text-muted")
                continue
            left = width - len(caps) - len(key.description) - len(key.id)
            gap = " " * left if left >= 2 else "\n" + " " * len(caps)
            told = _hanging(key.description, len(caps), width)
            yield Content.assemble((caps, "$accent"), told, gap, (key.id, "$text-muted"))
    yield Content.styled("\nSigns", "bold $primary")
    for text in _LEGEND:
        # A sign is not parted from what it means: only the gaps between them are broken at.
        kept = text.replace(" ", _FIXED).replace(_FIXED * 3, "   ") if "   " in text else text
        yield Content(f"  {_hanging(kept, 2, width).replace(_FIXED, ' ')}")


def _hanging(text: str, indent: int, width: int) -> str:
    """The text, broken so that every line of it begins below its first."""
    lines = textwrap.wrap(text, max(20, width - indent))
    return ("\n" + " " * indent).join(lines)
