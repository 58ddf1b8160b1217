"""What the process that keeps the queue and those that watch it leave for each other in the file.

Watchers leave wishes, which the keeper takes; the keeper leaves the queue as it is now. A wish for
a pull becomes a row of the queue in the step that takes it, so that no kill loses it. What is read
is checked like anything else from outside.

Source: ruling Z28.
"""

import json
from collections.abc import Iterable
from enum import StrEnum
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from ollm_tui.core.error import DownloadFailed, InvalidName
from ollm_tui.core.event import QueueItem
from ollm_tui.core.name import name_key, parse_reference
from ollm_tui.core.progress import LayerProgress, ProgressEvent, PullState
from ollm_tui.core.text import clean_line
from ollm_tui.core.unused import UnusedModel
from ollm_tui.service.stored import stored_count, stored_moment, stored_text

if TYPE_CHECKING:
    import sqlite3

_LOG_LINES = 50


class Order(StrEnum):
    """What a watcher can wish for."""

    PULL = "pull"
    LEAVE = "leave"
    """Take back one PULL."""
    CANCEL = "cancel"
    DISCARD = "discard"
    PAUSE = "pause"
    RESUME = "resume"
    RETRY = "retry"
    MOVE = "move"
    CLEAR = "clear"
    LOOK = "look"
    """Only be told how the queue is now."""
    RESTORE = "restore"
    """Go on with what an earlier run left."""


class Wish(NamedTuple):
    """Something a watcher wants done with a download."""

    order: Order
    name: str = ""
    argument: int = 0
    number: int = 0
    """Its place among all wishes ever; given by the file."""


class SharedQueue(NamedTuple):
    """The queue as its keeper last told."""

    items: tuple[QueueItem, ...] = ()
    taken: int = 0
    """The number of the last wish that it has in it."""


def save_wish(connection: "sqlite3.Connection", provider: str, host: str, wish: Wish) -> int:
    """Leave a wish and return its number."""
    cursor = connection.execute(
        "INSERT INTO wishes (provider, host, wish, name, argument) VALUES (?, ?, ?, ?, ?)",
        (provider, host, wish.order.value, wish.name, wish.argument),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def take_wishes(connection: "sqlite3.Connection", provider: str, host: str) -> tuple[Wish, ...]:
    """Take every wish out of the file, oldest first; those that make no sense just go."""
    rows = connection.execute(
        "SELECT number, wish, name, argument FROM wishes WHERE provider = ? AND host = ? "
        "ORDER BY number",
        (provider, host),
    ).fetchall()
    if not rows:
        return ()
    wishes = tuple(wish for row in rows if (wish := _wish(*row)) is not None)
    connection.executemany(
        "INSERT OR IGNORE INTO queue VALUES (?, ?, ?, "
        "(SELECT coalesce(max(place), -1) + 1 FROM queue), ?, ?, 0, 0)",
        [
            (provider, host, name_key(wish.name), wish.name, PullState.QUEUED.value)
            for wish in wishes
            if wish.order is Order.PULL
        ],
    )
    connection.execute(
        "DELETE FROM wishes WHERE provider = ? AND host = ? AND number <= ?",
        (provider, host, rows[-1][0]),
    )
    return wishes


def save_shared(
    connection: "sqlite3.Connection", provider: str, host: str, shared: SharedQueue
) -> None:
    """Leave the queue as it is now."""
    connection.execute(
        "INSERT INTO shared VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
        "items = excluded.items, taken = max(taken, excluded.taken)",
        (provider, host, json.dumps([_plain(item) for item in shared.items]), shared.taken),
    )


def load_shared(connection: "sqlite3.Connection", provider: str, host: str) -> SharedQueue:
    """The queue as its keeper last told; what makes no sense is left out."""
    row = connection.execute(
        "SELECT items, taken FROM shared WHERE provider = ? AND host = ?", (provider, host)
    ).fetchone()
    try:
        plain = json.loads(row[0]) if row else []
        items = tuple(_items(plain if isinstance(plain, list) else ()))
        return SharedQueue(items, stored_count(row[1]) if row else 0)
    except (ValueError, TypeError, RecursionError):
        return SharedQueue()


def _wish(number: object, order: str, name: object, argument: object) -> Wish | None:
    if not isinstance(number, int) or not isinstance(argument, int) or not isinstance(name, str):
        return None
    try:
        wish = Wish(Order(order), name, argument, number)
        if name:
            parse_reference(name)
    except (ValueError, InvalidName):
        return None
    return None if wish.order is Order.PULL and not name else wish


def _plain(item: QueueItem) -> dict[str, object]:
    progress = item.progress
    error = item.error
    return {
        "id": item.id,
        "name": item.name,
        "status": progress.status.value,
        "percentage": progress.percentage,
        "downloaded": progress.downloaded_bytes,
        "total": progress.total_bytes,
        "speed": progress.download_speed,
        "at": progress.timestamp.isoformat(),
        "eta": progress.eta_s,
        "error": [error.message, error.cause, list(error.actions)] if error else None,
        "layers": [[one.layer, one.total_bytes, one.completed_bytes] for one in item.layers],
        "detail": item.detail,
        "speeds": item.speeds,
        "log": item.log[-_LOG_LINES:],
        "failed_tries": item.failed_tries,
        "next_try_at": item.next_try_at.isoformat() if item.next_try_at else None,
        "needed": item.needed_bytes,
        "free": item.free_bytes,
        "unused": item.unused and [[one.names, one.size_bytes] for one in item.unused],
    }


def _items(plain: Iterable[object]) -> Iterable[QueueItem]:
    for one in plain:
        try:
            yield _item(one)
        except (KeyError, TypeError, ValueError, OverflowError, InvalidName):
            continue


def _item(plain: Any) -> QueueItem:
    name = stored_text(plain["name"])
    parse_reference(name)
    display_name = clean_line(name)
    error = plain["error"]
    failure = None
    if error is not None:
        message, cause, actions = error
        failure = DownloadFailed(str(message), cause=str(cause), actions=list(map(str, actions)))
    next_try_at = plain["next_try_at"]
    return QueueItem(
        id=stored_count(plain["id"]),
        name=name,
        display_name=display_name,
        progress=ProgressEvent(
            model=display_name,
            status=PullState(plain["status"]),
            percentage=_number(plain["percentage"]),
            downloaded_bytes=stored_count(plain["downloaded"]),
            total_bytes=stored_count(plain["total"]),
            download_speed=_number(plain["speed"]),
            timestamp=stored_moment(plain["at"]),
            eta_s=None if plain["eta"] is None else _number(plain["eta"]),
            error=str(failure) if failure else None,
        ),
        layers=tuple(
            LayerProgress(
                clean_line(stored_text(layer)), stored_count(total), stored_count(completed)
            )
            for layer, total, completed in plain["layers"]
        ),
        detail=clean_line(stored_text(plain["detail"])),
        error=failure,
        speeds=tuple(map(_number, plain["speeds"])),
        log=tuple(clean_line(stored_text(line)) for line in plain["log"]),
        failed_tries=stored_count(plain["failed_tries"]),
        next_try_at=None if next_try_at is None else stored_moment(next_try_at),
        needed_bytes=None if plain["needed"] is None else stored_count(plain["needed"]),
        free_bytes=None if plain["free"] is None else stored_count(plain["free"]),
        unused=_unused(plain.get("unused")),
    )


def _unused(plain: Any) -> tuple[UnusedModel, ...] | None:
    """What could be deleted; an older version of the program does not tell."""
    if plain is None:
        return None
    return tuple(
        UnusedModel(tuple(clean_line(str(name)) for name in names), stored_count(size_bytes))
        for names, size_bytes in plain
    )


def _number(value: object) -> float:
    if not isinstance(value, int | float) or not isfinite(value) or value < 0:
        raise ValueError("not a number")
    return float(value)
