"""The one list widget of both big panes: a line-API view that formats only the rows in sight.

A widget per row, or DataTable, costs ten times as much with live cells. Owns cursor, scrolling and
column layout; what a row says is its subclass's.
"""

import textwrap
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, Generic, TypeVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from ollm_tui.ui import keymap
from ollm_tui.ui.columns import Column, Piece, fit_columns, fit_text
from ollm_tui.ui.palette import palette_of

T = TypeVar("T")


class RowList(ScrollView, Generic[T], can_focus=True):
    """Rows of one item each. Subclasses say what a row shows."""

    BINDINGS = keymap.bindings(keymap.LISTS)
    COLUMNS: tuple[Column, ...] = ()
    HEADER = True
    CURSOR = True

    class Moved(Message):
        """The cursor is on another item, or on none."""

        def __init__(self, rows: "RowList[Any]") -> None:
            super().__init__()
            self.rows = rows

        @property
        def control(self) -> "RowList[Any]":
            return self.rows

    class Chosen(Message):
        """The item under the cursor was chosen, by double click."""

        def __init__(self, rows: "RowList[Any]") -> None:
            super().__init__()
            self.rows = rows

        @property
        def control(self) -> "RowList[Any]":
            return self.rows

    def __init__(self, *, id: str, key: Callable[[T], Hashable], classes: str) -> None:
        super().__init__(id=id, classes=classes)
        self._key = key
        self._items: Sequence[T] = ()
        self._cursor = 0
        self._sought: Hashable = None
        """The item that the cursor belongs on, while that is away."""
        self._put_on: Hashable = None
        """What it is on meanwhile."""
        self._strips: dict[tuple[int, bool], Strip] = {}
        self._strips_width = 0
        self._fitted: tuple[int, list[int]] = (-1, [])
        self._empty: Sequence[Piece] = ()
        self._base: Style | None = None

    # What subclasses say.

    def cells(self, item: T) -> Sequence[Piece]:
        """The row's cells, one per column."""
        raise NotImplementedError

    def pieces(self, item: T, width: int) -> list[Piece]:
        """The row, left to right; the default lays `cells` out in the columns."""
        row: list[Piece] = []
        for column, cell_width, (text, style) in zip(
            self.COLUMNS, self.widths, self.cells(item), strict=True
        ):
            if cell_width:
                row.append((fit_text(text, cell_width, right=column.right) + " ", style))
        return row

    def header(self, column: Column) -> str:
        """The title of a column."""
        return column.title

    # What others ask and tell.

    @property
    def item(self) -> T | None:
        """The item under the cursor."""
        return self._items[self._cursor] if self._items else None

    @property
    def cursor(self) -> int:
        """The index of the row under the cursor."""
        return self._cursor

    @property
    def items(self) -> Sequence[T]:
        """What is shown, in order."""
        return self._items

    def set_items(self, items: Sequence[T], empty: Sequence[Piece] = ()) -> None:
        """Show other items; the cursor stays on the item it was on, wherever that is now.

        While the item is away the cursor waits beside its place, and goes back unless it was moved.

        Args:
            empty: lines to show when there are no items.
        """
        before = None if self.item is None else self._key(self.item)
        # Where it was only put for want of the item it was on, that is still looked for.
        is_put = self._sought is not None and before == self._put_on
        key = self._sought if is_put else before
        self._items = items
        self._empty = empty
        self._strips.clear()
        self._cursor = self._index_of(key, before)
        now = None if self.item is None else self._key(self.item)
        self._sought, self._put_on = None if now == key else key, now
        self._fit()
        self._scroll_to_cursor()
        self.refresh()
        if now != before:
            self.post_message(self.Moved(self))

    def update_items(self, items: Sequence[T]) -> None:
        """Show changed items of the same number and order; only changed rows are drawn again."""
        if len(items) != len(self._items):
            self.set_items(items, self._empty)
            return
        before, self._items = self._items, items
        top, height = self._top, self.size.height
        for y in range(self._head, height):
            index = top + y - self._head
            if index < len(items) and items[index] is not before[index]:
                self._drop(index)
                self.refresh(Region(0, y, self.size.width, 1))

    def move_to(self, index: int) -> None:
        """Put the cursor on a row."""
        index = max(0, min(len(self._items) - 1, index))
        if index == self._cursor or not self._items:
            return
        for changed in (self._cursor, index):
            y = changed - self._top + self._head
            if self._head <= y < self.size.height:
                self.refresh(Region(0, y, self.size.width, 1))
        self._cursor = index
        self._scroll_to_cursor()
        self.post_message(self.Moved(self))

    def seek(self, key: Hashable) -> None:
        """Put the cursor on an item, now or as soon as it is shown, unless it is moved before."""
        before = self.item
        self._sought, self._put_on = key, None if before is None else self._key(before)
        for index, item in enumerate(self._items):
            if self._key(item) == key:
                self._sought = None
                self.move_to(index)

    def show_columns(self, columns: tuple[Column, ...]) -> None:
        """Have other columns from now on."""
        self.COLUMNS = columns
        self._fitted = (-1, [])
        self.redraw()

    def respell(self) -> None:
        """Draw everything again that names keys; subclasses do what their texts take."""
        self.redraw()

    def redraw(self) -> None:
        """Draw every row in sight again."""
        self._strips.clear()
        self.refresh()

    def action_move(self, by: int) -> None:
        """Move by rows; without a cursor, scroll by lines."""
        if self.CURSOR:
            self.move_to(self._cursor + by)
        else:
            self.scroll_to(y=self._top + by, animate=False)

    def action_page(self, pages: int) -> None:
        """Move by pages."""
        self.action_move(pages * max(1, self.size.height - self._head - 1))

    def action_jump(self, index: int) -> None:
        """Move to a row, counted from the end when negative."""
        if self.CURSOR:
            self.move_to(index if index >= 0 else len(self._items) - 1)
        else:
            self.scroll_to(y=0 if index >= 0 else len(self._items), animate=False)

    # Events.

    def on_resize(self) -> None:
        self._strips.clear()
        self._fit()
        self._scroll_to_cursor()

    def on_focus(self) -> None:
        self.redraw()

    def on_blur(self) -> None:
        self.redraw()

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if offset.y < self._head:
            self.header_clicked(offset.x)
            return
        index = self._top + offset.y - self._head
        if index < len(self._items) and self.CURSOR:
            self.move_to(index)
            if event.chain == 2:
                self.post_message(self.Chosen(self))

    def header_clicked(self, x: int) -> None:
        """The header was clicked at cell `x`; the default does nothing."""

    def notify_style_update(self) -> None:
        self._strips.clear()
        self._base = None
        super().notify_style_update()

    # Drawing.

    def render_line(self, y: int) -> Strip:
        width = self.room
        if y < self._head:
            return self._header_strip(width)
        if not self._items:
            return self._empty_strip(y - self._head, width)
        index = self._top + y - self._head
        if index >= len(self._items):
            return Strip.blank(width, self.base)
        return self._row_strip(index, width)

    @property
    def base(self) -> Style:
        """The style of a plain cell. Kept, because working it out takes long for every line."""
        if self._base is None:
            self._base = self.rich_style
        return self._base

    def _row_strip(self, index: int, width: int) -> Strip:
        is_cursor = index == self._cursor and self.CURSOR
        if width != self._strips_width:
            self._strips.clear()
            self._strips_width = width
        strip = self._strips.get((index, is_cursor))
        if strip is None:
            base = self.base
            if is_cursor:
                palette = palette_of(self.app)
                base += palette.cursor if self.has_focus else palette.blurred
            lead = "▸" if is_cursor else " "
            pieces = [(lead, ""), *self.pieces(self._items[index], width - 1)]
            strip = self.strip(pieces, width, base)
            if len(self._strips) > 500:
                self._strips.clear()
            self._strips[index, is_cursor] = strip
        return strip

    def strip(self, pieces: Iterable[Piece], width: int, base: Style) -> Strip:
        """Pieces side by side in exactly `width` cells."""
        palette = palette_of(self.app)
        segments = [
            # A reversed row has one colour, for the colours of letters would become areas.
            Segment(text, base + palette.named(style) if style and not base.reverse else base)
            for text, style in pieces
        ]
        return Strip(segments).extend_cell_length(width, base).crop(0, width)

    def _header_strip(self, width: int) -> Strip:
        style = self.base + palette_of(self.app).header
        text = " ".join(
            fit_text(self.header(column), cell_width, right=column.right)
            for column, cell_width in zip(self.COLUMNS, self.widths, strict=True)
            if cell_width
        )
        return Strip([Segment(" " + text, style)]).extend_cell_length(width, style).crop(0, width)

    def _empty_strip(self, y: int, width: int) -> Strip:
        lines = [
            (line, style)
            for text, style in self._empty
            for line in textwrap.wrap(text, max(1, width - 4)) or [""]
        ]
        top = max(0, (self.size.height - self._head - len(lines)) // 2)
        base = self.base
        if not top <= y < top + len(lines):
            return Strip.blank(width, base)
        text, style = lines[y - top]
        left = " " * ((width - cell_len(text)) // 2)
        return (
            Strip([Segment(left, base), Segment(text, base + palette_of(self.app).named(style))])
            .extend_cell_length(width, base)
            .crop(0, width)
        )

    # Geometry.

    @property
    def _head(self) -> int:
        return 1 if self.HEADER else 0

    @property
    def _top(self) -> int:
        return round(self.scroll_offset.y)

    @property
    def room(self) -> int:
        """Cells of a row that are in sight, without the scrollbar."""
        return self.scrollable_content_region.width

    @property
    def widths(self) -> list[int]:
        """The width of each column now; 0 = it had to go."""
        width = self.room - 1  # the cursor's sign takes the first cell
        if self._fitted[0] != width:
            self._fitted = (width, fit_columns(self.COLUMNS, width))
        return self._fitted[1]

    def _fit(self) -> None:
        size = Size(0, len(self._items) + self._head if self._items else 0)
        if size != self.virtual_size:
            # As Textual itself does once it has laid out: assigning it would lay the whole screen
            # out again, where only this list's scrollbar has changed.
            self.set_reactive(Widget.virtual_size, size)
            self._scroll_update(size)

    def _scroll_to_cursor(self) -> None:
        page = self.size.height - self._head
        if page <= 0 or not self.CURSOR:
            return
        if self._cursor < self._top:
            self.scroll_to(y=self._cursor, animate=False)
        elif self._cursor >= self._top + page:
            self.scroll_to(y=self._cursor - page + 1, animate=False)

    def _index_of(self, *keys: Hashable) -> int:
        """Where the first of these is that is there; else where the cursor is, as far as it can."""
        for key in keys:
            if key is not None:
                for index, item in enumerate(self._items):
                    if self._key(item) == key:
                        return index
        return min(self._cursor, max(0, len(self._items) - 1))

    def _drop(self, index: int) -> None:
        self._strips.pop((index, False), None)
        self._strips.pop((index, True), None)
