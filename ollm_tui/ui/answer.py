"""A text that grows while it is read: wrapped as it comes, of which only lines in sight are drawn.

Keeps so much of it and no more, and stays at the end while the reader is there. Adding to it
costs the same however long it has become.
"""

import re
from collections import deque
from typing import NamedTuple

from rich.cells import cell_len

from ollm_tui.core.text import clean_block
from ollm_tui.ui.columns import Piece
from ollm_tui.ui.rows import RowList

KEPT_CHARACTERS = 200_000
KEPT_LINES = 5_000
_WORDS = re.compile(r"\s+|\S+")
_EMPTY = "The answer comes here"
_LEFT_OUT = "… what came before is no longer kept"


class _Run(NamedTuple):
    """A piece of text in one style."""

    text: str
    style: str


class AnswerView(RowList[Piece]):
    """Scrolls; has no cursor. A line is one piece."""

    HEADER = False
    CURSOR = False

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, key=lambda line: None, classes="pane")
        self._runs: deque[_Run] = deque()
        self._characters = 0
        self._is_cut = False
        self._is_at_end = True
        self._lines: list[Piece] = []
        self._open = ""
        """The end of the last line, which may go on; the lines before it are done."""
        self._style = ""

    @property
    def text(self) -> str:
        """What is kept of it, in every style."""
        return "".join(run.text for run in self._runs)

    def clear(self) -> None:
        """Begin anew."""
        self._runs.clear()
        self._characters, self._is_cut, self._is_at_end = 0, False, True
        self._lines, self._open = [], ""
        self._show()

    def add(self, text: str, style: str = "") -> None:
        """Go on with a text; another style begins a new line."""
        if not text:
            return
        if len(text) > KEPT_CHARACTERS:
            text, self._is_cut = text[-KEPT_CHARACTERS:], True
        self._keep(_Run(text, style))
        self._wrap(text, style)
        self._show()

    def pieces(self, line: Piece, width: int) -> list[Piece]:
        return [line]

    def on_resize(self) -> None:
        self._lines, self._open = [], ""
        for run in self._runs:
            self._wrap(run.text, run.style)
        self._show()
        super().on_resize()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        # Only scrolling says where the reader wants to be: growing moves the end away meanwhile.
        self._is_at_end = new_value >= self.max_scroll_y - 1

    def _keep(self, run: _Run) -> None:
        last = self._runs[-1] if self._runs else None
        if last is not None and last.style == run.style and len(last.text) < 1000:
            self._runs[-1] = _Run(last.text + run.text, run.style)
        else:
            self._runs.append(run)
        self._characters += len(run.text)
        while self._characters > KEPT_CHARACTERS and len(self._runs) > 1:
            self._characters -= len(self._runs.popleft().text)
            self._is_cut = True

    def _wrap(self, text: str, style: str) -> None:
        width = max(8, self.room - 1)
        if style != self._style and self._open:
            self._lines.append((self._open, self._style))
            self._open = ""
        self._style = style
        # Cleaned once more because marks that pile up may have come piece by piece.
        *done, last = clean_block(self._open + text).split("\n")
        for line in done:
            self._lines.extend((part, style) for part in wrap_cells(line, width))
        *full, self._open = wrap_cells(last, width)
        self._lines.extend((part, style) for part in full)

    def _show(self) -> None:
        if (excess := len(self._lines) - KEPT_LINES) > 0:
            del self._lines[:excess]
            self._is_cut = True
        lines = [(_LEFT_OUT, "dim")] if self._is_cut else []
        lines += self._lines
        if self._open:
            lines.append((self._open, self._style))
        self.set_items(lines, [(_EMPTY, "dim")])
        if self._is_at_end:
            self.scroll_to(y=len(lines), animate=False, force=True)


def wrap_cells(text: str, width: int) -> list[str]:
    """Break a line into lines of at most `width` cells, at blanks where there are any.

    At least one line; a blank at which a line is broken goes. Joined by what went, the lines are
    the text again.
    """
    if len(text) <= width and text.isascii():
        return [text]
    lines: list[str] = []
    line, used = "", 0
    for word in _WORDS.findall(text):
        cells = len(word) if word.isascii() else cell_len(word)
        if used + cells <= width:
            line, used = line + word, used + cells
        elif word.isspace():
            lines.append(line)
            line, used = "", 0
        elif cells <= width and line.strip() and word.isascii():
            lines.append(line.rstrip())
            line, used = word, cells
        else:  # longer than a line, or of a script that has no blanks
            for letter in word:
                letter_cells = cell_len(letter)
                if used + letter_cells > width:
                    lines.append(line)
                    line, used = "", 0
                line, used = line + letter, used + letter_cells
    return [*lines, line]
