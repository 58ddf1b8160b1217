"""Values of a server's JSON, each taken for what it should be or for unknown. Pure.

Whatever arrives, nothing here raises: a wrong type is like an absent field.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from ollm_tui.core.model import LARGEST_COUNT
from ollm_tui.core.text import clean_block, clean_line

JsonObject = Mapping[str, object]

_OLDEST_YEAR = 1970  # Go's zero time is in the year 1: nobody has set it
_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{64})")


def as_object(value: object) -> JsonObject:
    """The object, or an empty one."""
    return value if isinstance(value, dict) else {}


def as_text(value: object) -> str:
    """The string as it is, hostile or not: for keys and for what is parsed on."""
    return value if isinstance(value, str) else ""


def as_line(value: object) -> str:
    """The string, sanitised for one line."""
    return clean_line(as_text(value)).strip()


def as_block(value: object) -> str:
    """The string, sanitised for several lines."""
    return clean_block(as_text(value))


def as_count(value: object) -> int | None:
    """A count that can be meant: a whole number, not negative, within 63 bits."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= LARGEST_COUNT else None


def as_seconds(value: object) -> float | None:
    """A duration that came in nanoseconds."""
    nanoseconds = as_count(value)
    return None if nanoseconds is None else nanoseconds / 1e9


def as_digest(value: object) -> str:
    """64 hex digits without the name of the algorithm, or empty."""
    match = _DIGEST.fullmatch(as_text(value))
    return match[1] if match else ""


def as_time(value: object) -> datetime | None:
    """A moment in UTC; None for one that cannot be read or that nobody has set."""
    try:
        moment = datetime.fromisoformat(as_text(value))
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year >= _OLDEST_YEAR else None


def error_text(message: JsonObject) -> str:
    """The text of an error line, sanitised; empty if the line is none."""
    error = message.get("error")
    if isinstance(error, dict):  # servers that speak like OpenAI put it one level down
        error = error.get("message") or "unknown error"
    return clean_line(error) if isinstance(error, str) else ""
