"""What somebody has typed who wants models: names, words to look for, and conditions. Pure."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ollm_tui.core.filter import is_condition


class Typed(NamedTuple):
    """A line of names and words, parted by blanks or commas, with conditions of filters among
    them."""

    words: tuple[str, ...]
    """What blanks part, without the conditions."""
    conditions: tuple[str, ...]
    word: str
    """What is being typed of a name; empty after a blank or comma, or in a condition."""

    @classmethod
    def parse(cls, text: str) -> "Typed":
        """Take a line apart; any text is one."""
        parts = text.split()
        last = text.rpartition(" ")[2]
        return cls(
            tuple(part for part in parts if not is_condition(part)),
            tuple(part for part in parts if is_condition(part)),
            "" if is_condition(last) else last.rpartition(",")[2],
        )

    @property
    def names(self) -> list[str]:
        """What would be pulled, were all of it names."""
        return [name for word in self.words for name in word.split(",") if name]


def is_search(word: str, found: Sequence[str]) -> bool:
    """Whether a word finds names and begins none of them, so that it is hardly meant as one."""
    return bool(found) and is_plain(word) and not begins_one(word, found)


def is_plain(word: str) -> bool:
    """Whether a word could be something to look for: with a tag or a host it is a name."""
    return word.replace("-", "").isalnum()


def begins_one(word: str, names: Iterable[str]) -> bool:
    """Whether one of the names begins with a word, in any case."""
    return any(name.casefold().startswith(word.casefold()) for name in names)
