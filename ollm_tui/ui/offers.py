"""What can be pulled: of the catalogue, of the past, and what is installed, to update it."""

from collections.abc import Callable, Mapping, Sequence

from ollm_tui.core.filter import Filter
from ollm_tui.core.model import ModelInfo
from ollm_tui.core.name import name_key
from ollm_tui.core.text import clean_line
from ollm_tui.service.service import ModelService
from ollm_tui.ui import format as words
from ollm_tui.ui.typed import Typed, begins_one, is_plain

RECENT_OFFERED = 5

Suggest = Callable[[str], Sequence[tuple[str, str]]]
Known = Callable[[str], ModelInfo | None]
Offer = tuple[str, str]
"""A name and a word about it."""


class Offers:
    """Finds names to pull.

    Args:
        service: whose models are installed.
        suggest: what the catalogue finds by words, best first.
        known: what is known of a name that could be pulled, or None.
    """

    def __init__(self, service: ModelService, suggest: Suggest, known: Known) -> None:
        self._service = service
        self._suggest = suggest
        self._known = known
        self.recent: Mapping[str, str] = {}
        """Names of past downloads, the last first, each with how it ended."""

    def find(self, wanted: str, conditions: Sequence[str] = ()) -> list[Offer]:
        """What words find: names that begin with them, then names that have them, then the rest.

        Args:
            conditions: of a filter, which what is known of a name has to meet.

        Raises:
            FilterError: a condition means nothing.
        """
        folded = wanted.casefold()
        installed = {name_key(model.name): model for model in self._service.models.models}
        recent = [
            (clean_line(name), about)
            for name, about in self.recent.items()
            if folded in name.casefold() and name_key(name) not in installed
        ]
        offered = [*recent[:RECENT_OFFERED], *self._suggest(wanted)]
        if conditions:
            meant = Filter.parse(" ".join(conditions))
            offered = [
                offer
                for offer in offered
                if (known := self._known(offer[0])) is not None and meant.matches(known)
            ]
        elif wanted:  # what is there already is pulled anew only on purpose
            offered += [
                (model.display_name, f"installed, {words.size(model.size_bytes)}; pulls its update")
                for model in installed.values()
                if folded in model.display_name.casefold() and not model.remote
            ]
        if wanted:
            places = {name: name.casefold().find(folded) for name, _ in offered}
            offered.sort(key=lambda offer: (places[offer[0]] < 0, places[offer[0]] != 0))
        found: dict[str, Offer] = {}
        for name, about in offered:
            found.setdefault(name_key(name), (name, about))
        return list(found.values())

    def names(self, wanted: str) -> list[str]:
        """The names that words find, without conditions."""
        return [name for name, _ in self.find(wanted)]

    def looked_for(self, typed: Typed) -> list[str]:
        """What is being typed, and the words before it that are no names, if they find something
        together as the words of the verb `search` do. Conditions may stand on either side."""
        if typed.word:
            found = [typed.word]
        elif typed.conditions and typed.words and is_plain(typed.words[-1]):
            found = [typed.words[-1]]
        else:
            return []
        # Else a comma is between them.
        before = list(typed.words[:-1]) if found[0] == typed.words[-1] else []
        while before and is_plain(before[-1]) and is_plain(found[-1]):
            word = before.pop()
            if not self._suggest(" ".join((word, *found))) or begins_one(word, self.names(word)):
                break
            found.insert(0, word)
        return found
