"""Every error and warning of this run with its time, for the log screen. Bounded; standard library.

A handler of the package's logger, so that what no toast had room for is there as well.
"""

import logging
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from ollm_tui.core.text import clean_line

KEPT = 1_000


class Entry(NamedTuple):
    """One thing that went wrong."""

    at: datetime
    """Aware."""
    level: str
    """warning or error."""
    text: str
    """Sanitised."""
    place: str
    """Which part of the program said it."""


class ErrorLog(logging.Handler):
    """Keeps the last of what was logged as a warning or worse."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self.total = 0
        """How many there were, those that were not kept included."""

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            text = f"{text}: {record.exc_info[1]!r}"
        self.total += 1
        self._entries.append(
            Entry(
                datetime.fromtimestamp(record.created, UTC),
                "error" if record.levelno >= logging.ERROR else "warning",
                clean_line(text),
                record.name.removeprefix("ollm_tui."),
            )
        )

    def __iter__(self) -> Iterator[Entry]:
        """Latest first."""
        return iter(tuple(reversed(self._entries)))

    def __len__(self) -> int:
        return len(self._entries)
