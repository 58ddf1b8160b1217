"""What must hold of everything that a parser gives, whatever it was given."""

import dataclasses
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import datetime

from ollm_tui.core.error import OllmError

_BLOCKS = frozenset({"license", "modelfile", "system", "template", "text", "thinking"})
"""Fields that are shown over several lines."""
_KEYS_OF_REQUESTS = frozenset({"media_type", "name", "raw"})
"""Fields that are documented as they came, for requests and comparisons, and never shown."""
_SEEN = frozenset("\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
"""Format characters that are drawn: they enclose or precede numbers."""
_NOT_SEEN = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0\ufff0\ufff8"
)
"""Letters and marks that fonts leave blank (Default_Ignorable_Code_Point)."""


def unsafe(text: str, allowed: str = "") -> list[str]:
    """The characters that a terminal obeys or that nobody sees, by the Unicode database.

    Not by the table of `core.text`, which is what this checks.
    """
    if text.isascii() and text.isprintable():
        return []
    return [
        f"{letter!r} in {text[max(0, at - 20) : at + 20]!r}"
        for at, letter in enumerate(text)
        if letter not in allowed and (letter in _NOT_SEEN or _is_control(letter))
    ]


def _is_control(letter: str) -> bool:
    if letter in _SEEN or "\u0600" <= letter <= "\u0605" or "\U00013430" <= letter <= "\U0001345f":
        return False
    return unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def assert_clean(value: object, field: str = "") -> None:
    """Every text in a result is safe to show, those aside that nobody shows."""
    if field in _KEYS_OF_REQUESTS:
        return
    match value:
        case str():
            found = unsafe(value, "\n" if field in _BLOCKS else "")
            assert not found, f"{field}: {found[0]}"
        case datetime():
            assert value.tzinfo is not None, f"{field}: {value} has no time zone"
        case int():
            assert abs(value) < 2**64, f"{field}: {str(value)[:40]} is no count"
        case OllmError():
            assert_lines((value.message, value.cause, str(value), *value.actions))
        case Mapping():
            for key, item in value.items():
                assert_clean(key, f"a key of {field}")
                assert_clean(item, field)
        case tuple() if hasattr(value, "_fields"):
            for name in value._fields:
                assert_clean(getattr(value, name), name)
        case tuple() | list() | frozenset():
            for item in value:
                assert_clean(item, field)
        case _ if dataclasses.is_dataclass(value):
            for attribute in dataclasses.fields(value):
                assert_clean(getattr(value, attribute.name), attribute.name)


def assert_error(error: OllmError) -> None:
    """An error says what failed and what to do, in words that are safe to show."""
    assert error.message
    assert error.actions
    assert_lines((error.message, error.cause, str(error), *error.actions))


def assert_lines(texts: Iterable[str]) -> None:
    """Each is one line that is safe to show."""
    for text in texts:
        assert not unsafe(text), unsafe(text)[0]
