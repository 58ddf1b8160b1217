"""Single values of the state file, checked: it may be old, damaged or somebody else's."""

from datetime import UTC, datetime

from ollm_tui.core.model import LARGEST_COUNT


def stored_text(value: object) -> str:
    """The text, as it is.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def stored_count(value: object) -> int:
    """A whole number, 0 or more, within 63 bits.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_COUNT:
        raise ValueError("not a count")
    return value


def stored_moment(value: object) -> datetime:
    """A moment in UTC; one that has none in UTC, at either end of the calendar, is none.

    Raises:
        TypeError: it is no text.
        ValueError: it cannot be read, or has no time zone.
        OverflowError: it is before the first year or after the last.
    """
    moment = datetime.fromisoformat(stored_text(value))
    if moment.tzinfo is None:
        raise ValueError("no time zone")
    return moment.astimezone(UTC)
