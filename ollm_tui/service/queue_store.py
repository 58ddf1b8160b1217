"""Downloads in the state file: those that are not finished, and a history of those that are.

A row that makes no sense is left out and taken away, so that it never stops a start.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from ollm_tui.core.error import InvalidName
from ollm_tui.core.name import name_key, parse_reference
from ollm_tui.core.progress import PullState
from ollm_tui.core.text import clean_line
from ollm_tui.service.stored import stored_count, stored_moment

if TYPE_CHECKING:
    import sqlite3

HISTORY_ROWS = 1000
_UNFINISHED = (PullState.QUEUED, PullState.PAUSED, PullState.DOWNLOADING)
_LARGEST_INTEGER = 2**63 - 1


class SavedDownload(NamedTuple):
    """A download to go on with."""

    name: str
    state: PullState
    """QUEUED, PAUSED or DOWNLOADING."""
    downloaded_bytes: int = 0
    total_bytes: int = 0


class EndedDownload(NamedTuple):
    """A download of the past."""

    name: str
    state: PullState
    downloaded_bytes: int
    ended_at: datetime
    error: str = ""


def save_queue(
    connection: "sqlite3.Connection",
    provider: str,
    host: str,
    downloads: Iterable[SavedDownload],
    gone: Iterable[str],
) -> None:
    """Keep these downloads in this order, and no longer those of the keys in `gone`.

    Rows of others stay as they are.
    """
    connection.executemany(
        "DELETE FROM queue WHERE provider = ? AND host = ? AND key = ?",
        [(provider, host, key) for key in gone],
    )
    connection.executemany(
        "INSERT OR REPLACE INTO queue VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                provider,
                host,
                name_key(download.name),
                place,
                download.name,
                download.state.value,
                min(download.downloaded_bytes, _LARGEST_INTEGER),
                min(download.total_bytes, _LARGEST_INTEGER),
            )
            for place, download in enumerate(downloads)
        ],
    )


def load_queue(
    connection: "sqlite3.Connection", provider: str, host: str
) -> tuple[SavedDownload, ...]:
    """The downloads to go on with, in order; rows that make no sense are deleted."""
    rows = connection.execute(
        "SELECT rowid, key, name, state, downloaded_bytes, total_bytes FROM queue "
        "WHERE provider = ? AND host = ? ORDER BY place, rowid",
        (provider, host),
    ).fetchall()
    downloads = []
    for rowid, *row in rows:
        download = _download(*row)
        if download is None:
            connection.execute("DELETE FROM queue WHERE rowid = ?", (rowid,))
        else:
            downloads.append(download)
    return tuple(downloads)


def add_to_history(
    connection: "sqlite3.Connection", provider: str, host: str, download: EndedDownload
) -> None:
    """Remember how a download ended; the oldest are forgotten."""
    connection.execute(
        "INSERT INTO history (provider, host, name, state, downloaded_bytes, ended_at, error) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            provider,
            host,
            download.name,
            download.state.value,
            min(download.downloaded_bytes, _LARGEST_INTEGER),
            download.ended_at.isoformat(),
            download.error,
        ),
    )
    connection.execute(
        "DELETE FROM history WHERE number <= (SELECT max(number) FROM history) - ?",
        (HISTORY_ROWS,),
    )


def load_history(
    connection: "sqlite3.Connection", provider: str, host: str, count: int
) -> tuple[EndedDownload, ...]:
    """The last `count` downloads that ended, latest first."""
    rows = connection.execute(
        "SELECT name, state, downloaded_bytes, ended_at, error FROM history "
        "WHERE provider = ? AND host = ? ORDER BY number DESC LIMIT ?",
        (provider, host, count),
    )
    ended = []
    for name, state, downloaded_bytes, ended_at, error in rows:
        try:
            ended.append(
                EndedDownload(
                    parse_reference(name).short,
                    PullState(state),
                    stored_count(downloaded_bytes),
                    stored_moment(ended_at),
                    clean_line(str(error)),
                )
            )
        except (InvalidName, ValueError, TypeError, AttributeError, OverflowError):
            continue
    return tuple(ended)


def _download(
    key: object, name: object, state: object, downloaded_bytes: object, total_bytes: object
) -> SavedDownload | None:
    if not isinstance(name, str) or not isinstance(state, str) or state not in _UNFINISHED:
        return None
    if not isinstance(downloaded_bytes, int) or not isinstance(total_bytes, int):
        return None
    if not 0 <= downloaded_bytes <= total_bytes:
        return None
    try:
        parse_reference(name)
    except InvalidName:
        return None
    if key != name_key(name):
        return None
    return SavedDownload(name, PullState(state), downloaded_bytes, total_bytes)
