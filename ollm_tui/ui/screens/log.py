"""All errors of this run with their time, latest first; to be read, and to be copied."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from ollm_tui.ui.columns import Column, Piece
from ollm_tui.ui.error_log import Entry
from ollm_tui.ui.rows import RowList
from ollm_tui.ui.screens.dialog import Dialog

_HINT = "y copies the line   Y copies everything   esc closes"
_EMPTY: tuple[Piece, ...] = (
    ("Nothing has gone wrong in this run.", ""),
    ("--log-file FILE keeps the log of every run", "dim"),
)


class LogList(RowList[Entry]):
    """One line each."""

    COLUMNS = (
        Column("TIME", 8),
        Column("LEVEL", 7, drop=1),
        Column("WHAT", 20, flexible=True),
    )

    def __init__(self) -> None:
        super().__init__(id="log", key=lambda entry: entry, classes="")

    def cells(self, entry: Entry) -> Sequence[Piece]:
        style = "bad" if entry.level == "error" else "warn"
        return ((f"{_local(entry.at):%H:%M:%S}", "dim"), (entry.level, style), (entry.text, ""))


class LogScreen(Dialog[None]):
    """The log.

    Args:
        entries: latest first.
        log_file: where the log is written too, or empty.
    """

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,ctrl+l", "dismiss", show=False),
        Binding("y", "copy", show=False),
        Binding("Y", "copy_all", show=False),
    ]

    def __init__(self, entries: Iterable[Entry], log_file: str = "") -> None:
        super().__init__()
        self._entries = tuple(entries)
        self._log_file = log_file

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content(f"Log ─ {len(self._entries):,} since the start")
            if self._log_file:
                dialog.border_subtitle = Content(f"also in {self._log_file}")
            yield LogList()
            yield Static(id="entry", markup=False)
            yield Static(Content(_HINT), classes="hint", markup=False)

    def on_mount(self) -> None:
        entries = self.query_one(LogList)
        entries.set_items(self._entries, _EMPTY)
        entries.focus()
        self._moved()

    @on(RowList.Moved, "#log")
    def _moved(self) -> None:
        entry = self.query_one(LogList).item
        text = "" if entry is None else f"{entry.text}\n{_local(entry.at):%Y-%m-%d %H:%M:%S}"
        self.query_one("#entry", Static).update(Content(text))

    def action_copy(self) -> None:
        """Copy the line under the cursor."""
        entry = self.query_one(LogList).item
        self._copy(() if entry is None else (entry,))

    def action_copy_all(self) -> None:
        """Copy the whole log."""
        self._copy(self._entries)

    def _copy(self, entries: Sequence[Entry]) -> None:
        if not entries:
            self.notify("There is nothing to copy.", timeout=2)
            return
        self.app.copy_to_clipboard("\n".join(map(_line, entries)))
        self.notify(f"Copied {len(entries):,} of the log.", timeout=2)


def _line(entry: Entry) -> str:
    return f"{_local(entry.at):%Y-%m-%d %H:%M:%S} {entry.level} {entry.place}: {entry.text}"


def _local(at: datetime) -> datetime:
    return at.astimezone()
