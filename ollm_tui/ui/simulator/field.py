"""One field of the what-if form, and how what is typed into it is read.

Makes changes and applies none.
"""

import re
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ollm_tui.core.text import clean_line
from ollm_tui.ui import format as words

if TYPE_CHECKING:
    from ollm_tui.core.model import ModelInfo
    from ollm_tui.routing.change import Change

NONE = "none"
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([kKmMgG]?)[bB]?")
_UNITS = {"": 1, "k": 1_000, "m": 1_000_000, "g": 1_000_000_000}

Offer = tuple[str, str]
"""Something that can be chosen, and a word about it."""


class Question(NamedTuple):
    """What to type for a field."""

    title: str
    hint: str
    value: str
    read: "Callable[[str], Change | None]"
    """Raises ValueError that says what it should be."""
    offers: Callable[[str], Sequence[Offer]] = lambda typed: ()
    """What continues a text that is typed, best first."""


class Field(NamedTuple):
    """One line of the form; a way that is None does not apply."""

    key: Hashable
    label: str
    value: str
    hint: str = ""
    is_changed: bool = False
    step: "Callable[[int], Change | None] | None" = None
    """To the next value, or the one before."""
    switch: "Callable[[], Change | None] | None" = None
    remove: "Callable[[], Change | None] | None" = None
    shift: "Callable[[int], Change | None] | None" = None
    """Down among its like, or up if negative."""
    question: Question | None = None


def described(models: "Iterable[ModelInfo]") -> list[Offer]:
    """Models to choose from, each with its context and size."""
    return [
        (m.name, f"{words.context(m.context_window)}  {words.size(m.size_bytes)}") for m in models
    ]


def starting(offers: Sequence[Offer], typed: str) -> list[Offer]:
    """Those that hold what was typed; those that begin with it first."""
    wanted = typed.strip().casefold()
    found = [offer for offer in offers if wanted in offer[0].casefold()]
    return sorted(found, key=lambda offer: not offer[0].casefold().startswith(wanted))


def beyond(steps: Sequence[int], value: int, by: int) -> int | None:
    """The next step above a value, or below it."""
    if by > 0:
        return next((step for step in steps if step > value), None)
    return next((step for step in reversed(steps) if step < value), None)


def amount(text: str, what: str) -> int | None:
    """A number such as 16k or 18.5G; None for "none". As in filters, k = 1,000: ruling Z12.

    Raises:
        ValueError: it is none; says what it should be, as the others here do.
    """
    typed = text.strip().replace(",", "").replace("_", "")
    if typed.casefold() == NONE and what == "bytes":
        return None
    match = _AMOUNT.fullmatch(typed)
    if match is None:
        raise ValueError(f"Give a number of {what}, such as 16{'k' if what == 'tokens' else 'G'}.")
    return round(float(match[1]) * _UNITS[match[2].lower()])


def some(text: str, what: str) -> str:
    """What was typed, if anything was."""
    if not text.strip():
        raise ValueError(f"Give {what}.")
    return clean_line(text.strip())


def one_of(text: str, known: Collection[str]) -> str:
    """What was typed, if it is known."""
    if text.strip() not in known:
        raise ValueError(f"There is no {text.strip()!r} here; take one of those below.")
    return text.strip()
