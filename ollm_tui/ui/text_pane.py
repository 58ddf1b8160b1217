"""A pane of text: labelled lines, wrapped to the pane, of which only those in sight are drawn."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ollm_tui.ui.columns import Piece
from ollm_tui.ui.rows import RowList

LABEL_WIDTH = 10


class Text(NamedTuple):
    """A paragraph, or what a label says."""

    text: str
    style: str = ""
    label: str = ""


class TextPane(RowList[list[Piece]]):
    """Scrolls; has no cursor."""

    HEADER = False
    CURSOR = False

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, key=lambda line: None, classes="pane")
        self._paragraphs: Sequence[Text] = ()

    def set_text(self, paragraphs: Iterable[Text]) -> None:
        """Show other text, from wherever the pane is scrolled to."""
        self._paragraphs = tuple(paragraphs)
        self._wrap()

    def pieces(self, line: list[Piece], width: int) -> list[Piece]:
        return line

    def on_resize(self) -> None:
        self._wrap()
        super().on_resize()

    def _wrap(self) -> None:
        # With the room of the scrollbar as long as that does without one. The room as it is now
        # would have two answers, each the reason for itself.
        widest = self.content_region.width
        lines = self._wrapped(widest)
        if len(lines) > self.size.height:
            # Of the styles: that of the widget is nothing as long as the scrollbar is hidden.
            lines = self._wrapped(widest - self.styles.scrollbar_size_vertical)
        self.set_items(lines)

    def _wrapped(self, room: int) -> list[list[Piece]]:
        width = max(LABEL_WIDTH + 8, room - 1)
        return [line for text in self._paragraphs for line in _lines(text, width)]


def _lines(paragraph: Text, width: int) -> Iterator[list[Piece]]:
    text, style, label = paragraph
    indent = LABEL_WIDTH if label else 0
    wrapped = [
        line
        for part in text.split("\n")
        for line in textwrap.wrap(
            part, width - indent, drop_whitespace=False, replace_whitespace=False
        )
        or [""]
    ]
    for number, line in enumerate(wrapped):
        if not indent:
            # A blank that had no room before the break is none after it.
            yield [(line.removeprefix(" ") if number else line, style)]
        elif number:
            yield [(" " * indent, ""), (line.lstrip(), style)]
        else:
            yield [(label.ljust(indent), "dim"), (line, style)]
