"""The filter language of lists: parsed once, matched many times. Pure."""

from dataclasses import dataclass

from ollm_tui.core.model import ModelInfo


@dataclass(frozen=True, slots=True)
class Filter:
    """Words that must all match; a word matches a name that has its letters in that order.

    Source: ruling Z13.
    """

    text: str
    words: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "Filter":
        """Read what a person typed; an empty text matches everything."""
        return cls(text.strip(), tuple(text.casefold().split()))

    def matches(self, model: ModelInfo) -> bool:
        """Whether every word matches the model's name."""
        if not self.words:
            return True
        name = model.display_name.casefold()
        return all(_has_in_order(name, word) for word in self.words)


def _has_in_order(text: str, letters: str) -> bool:
    at = 0
    for letter in letters:
        at = text.find(letter, at) + 1
        if not at:
            return False
    return True
