"""Pieces of styled text in columns, which give way in a fixed order as room gets scarce. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size

Piece = tuple[str, str]
"""Text and the name of its style: "", dim, good, warn, bad or accent."""


class Column(NamedTuple):
    """A column of a table."""

    title: str
    width: int
    """Cells; for the flexible column the least."""
    right: bool = False
    drop: int = 0
    """Columns leave in this order as room gets scarce; 0 = never."""
    flexible: bool = False


def fit_columns(columns: Sequence[Column], width: int) -> list[int]:
    """The width of each column in a row of `width` cells; 0 = it had to go.

    One blank separates columns; what is left over goes to the flexible one.
    """
    widths = [column.width for column in columns]
    for index in sorted(
        (index for index, column in enumerate(columns) if column.drop),
        key=lambda index: columns[index].drop,
    ):
        if _total(widths) <= width:
            break
        widths[index] = 0
    spare = width - _total(widths)
    for index, column in enumerate(columns):
        if column.flexible:
            widths[index] = max(4, widths[index] + spare)
    return widths


def _total(widths: Sequence[int]) -> int:
    shown = [width for width in widths if width]
    return sum(shown) + len(shown) - 1


def fit_name(name: str, width: int) -> str:
    """A model name in `width` cells; a cut is made in the middle, since the tag tells most."""
    head, colon, tag = name.rpartition(":")
    room = width - len(tag) - 1
    if len(name) <= width or not colon or room < 4:
        return fit_text(name, width)
    return fit_text(head, room) + colon + tag


def fit_text(text: str, width: int, *, right: bool = False) -> str:
    """`text` in exactly `width` cells; a cut is shown by an ellipsis."""
    length = len(text) if text.isascii() else cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + "…" if width > 1 else "…"[:width]
    padding = " " * (width - length)
    return padding + text if right else text + padding
