"""The screen for terminals that show ASCII only: signs and borders become letters and lines.

A filter over what is drawn, the last thing before the terminal, so that nothing is forgotten.
"""

from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

# Each as wide as what it stands for. The signs of rows stay different from one another.
_SIGNS = {
    "●": "o",
    "○": ".",
    "▸": ">",
    "↓": "v",
    "↑": "^",
    "←": "<",
    "→": ">",
    "☁": "@",
    "✓": "+",
    "✔": "+",
    "✗": "x",
    "✘": "x",
    "•": "-",
    "⚠": "!",
    "≡": "=",
    "≥": ">",
    "≤": "<",
    "▲": "^",
    "▼": "v",
    "…": "~",
    "·": "-",
    "–": "-",
    "—": "-",
    "“": '"',
    "”": '"',
    "’": "'",
    "×": "x",
    "█": "#",
    "─": "-",
    "━": "=",
    "│": "|",
    "┃": "|",
    "▔": "-",
    "▁": "_",
    "▎": "|",
    "▊": "|",
}
_CORNERS = "╭╮╰╯┌┐└┘├┤┬┴┼╔╗╚╝"
_EIGHTHS = "▏▎▍▌▋▊▉"
_HEIGHTS = "▂▃▄▅▆▇"
_TABLE = str.maketrans(
    {
        **{ord(corner): "+" for corner in _CORNERS},
        **{ord(part): "=" for part in _EIGHTHS},
        **dict(zip(map(ord, _HEIGHTS), ".:-=+*", strict=True)),
        **{ord(sign): plain for sign, plain in _SIGNS.items()},
    }
)


class AsciiOnly(LineFilter):
    """Draws every line in ASCII, as wide as it was."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            segment
            if segment.control or segment.text.isascii()
            else Segment(in_ascii(segment.text), segment.style)
            for segment in segments
        ]


@lru_cache(4096)
def in_ascii(text: str) -> str:
    """`text` in ASCII and as wide; what has no likeness is a question mark a cell."""
    text = text.translate(_TABLE)
    if text.isascii():
        return text
    return "".join(
        character if character.isascii() else "?" * cell_len(character) for character in text
    )
