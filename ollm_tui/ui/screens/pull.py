"""Asks for names of models to pull; several at once, checked before anything is asked for."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Label, OptionList
from textual.widgets.option_list import Option

from ollm_tui.core.error import FilterError, InvalidName
from ollm_tui.core.filter import Filter, is_condition
from ollm_tui.core.model import ModelInfo
from ollm_tui.core.name import name_key, parse_reference
from ollm_tui.core.text import clean_line
from ollm_tui.service.service import ModelService
from ollm_tui.ui import format as words
from ollm_tui.ui import work
from ollm_tui.ui.columns import fit_name
from ollm_tui.ui.fit_words import verdict
from ollm_tui.ui.screens.dialog import Dialog

OFFERED = 100  # more is a matter of typing
RECENT, RECENT_OFFERED = 50, 5
_NAME = 28
_HINT = (
    "enter pulls, several by blank or comma; tab or ↓ takes a suggestion; "
    "words search, cap:tools size<10G filters; esc leaves"
)

Suggest = Callable[[str], Sequence[tuple[str, str]]]
Known = Callable[[str], ModelInfo | None]


class PullScreen(Dialog[list[str]]):
    """Answers with the names to pull; none when left.

    Args:
        service: whose models, past downloads and disk count.
        suggest: names that continue what is typed, each with a word about it, best first.
        known: what is known of a name that could be pulled, or None.
        memory_bytes: tells that of the machine that would run them; None = unknown yet.
    """

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("tab", "take", show=False, priority=True),
        Binding("down", "highlight(1)", show=False, priority=True),
        Binding("up", "highlight(-1)", show=False, priority=True),
    ]

    def __init__(
        self,
        service: ModelService,
        suggest: Suggest,
        known: Known = lambda name: None,
        memory_bytes: Callable[[], int | None] = lambda: None,
    ) -> None:
        super().__init__()
        self._service = service
        self._suggest = suggest
        self._known = known
        self._memory_bytes = memory_bytes
        self._free_bytes: int | None = None
        self._recent: dict[str, str] = {}
        self._names: list[str] = []
        self._looked_for: list[str] = []
        self._is_picked = False  # with an arrow, so that enter takes it
        self._warned_of: list[str] = []
        self._said = _HINT

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Pull models"
            field = Input(placeholder="llama3.2:3b  or  hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF")
            field.cursor_blink = self.app.animation_level != "none"
            yield field
            yield OptionList(markup=False)
            yield Label(id="cost")
            yield Label(Content(_HINT), classes="hint")

    def on_mount(self) -> None:
        self.set_focus(self.query_one(Input))  # at once, for what is typed meanwhile
        self.query_one(OptionList).can_focus = False
        self._offer()
        work.run(self, self._learn(), "pull dialog", exclusive=True)

    async def _learn(self) -> None:
        """Ask for what takes a moment: past downloads, and what the disk has left."""
        now = self._service.now()
        for ended in await self._service.downloads.history(RECENT):
            ago = words.ago(ended.ended_at, now)
            self._recent.setdefault(ended.name, f"{ended.state.value} {ago}")
        self._free_bytes = await self._service.free_bytes()
        if self.is_attached:
            self._offer()

    @property
    def _typed_names(self) -> list[str]:
        typed = [word for word in self.query_one(Input).value.split() if not is_condition(word)]
        return [name for word in typed for name in word.split(",") if name]

    @property
    def _conditions(self) -> list[str]:
        return [word for word in self.query_one(Input).value.split() if is_condition(word)]

    @property
    def _word(self) -> str:
        """What is being typed of a name; empty after a blank or comma, or in a condition."""
        word = self.query_one(Input).value.rpartition(" ")[2]
        return "" if is_condition(word) else word.rpartition(",")[2]

    @property
    def _whole_names(self) -> list[str]:
        """What is typed without what a suggestion takes the place of."""
        names = self._typed_names
        return names[: len(names) - len(self._looked_for)]

    @property
    def _is_search(self) -> bool:
        """Whether what is looked for is no name: more is said of it, or no name begins so."""
        if not self._looked_for or not self._names or not _is_plain(self._looked_for[-1]):
            return False
        is_more = len(self._looked_for) > 1 or bool(self._conditions)
        return is_more or _is_search(self._looked_for[0], self._names)

    def _find_looked_for(self) -> list[str]:
        """What is being typed, and the words before it that are no names, if they find something
        together as the words of the verb `search` do. Conditions may stand on either side."""
        typed = [word for word in self.query_one(Input).value.split() if not is_condition(word)]
        if self._word:
            found = [self._word]
        elif self._conditions and typed and _is_plain(typed[-1]):
            found = [typed[-1]]
        else:
            return []
        before = typed[:-1] if found == typed[-1:] else []  # else a comma is between them
        while before and _is_plain(before[-1]) and _is_plain(found[-1]):
            word = before.pop()
            known = (name for name, _ in self._suggestions(word, ()))
            if not self._suggest(" ".join((word, *found))) or _begins_one(word, known):
                break
            found.insert(0, word)
        return found

    @on(Input.Changed)
    def _typed(self) -> None:
        self._is_picked = False
        self._ask_no_more()
        self._offer()

    def _ask_no_more(self) -> None:
        """Take the question off the screen, so that enter no longer answers it."""
        self._warned_of = []
        self._say(_HINT, is_error=False)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        names = self._typed_names
        if (self._is_search or (self._conditions and not names)) and not self._is_picked:
            # These are no name: what they found first is shown, and pulled only once more.
            self._take_found()
            return
        if self._highlighted_name and self._is_picked:
            names = [*self._whole_names, self._highlighted_name]
        if not names:
            return
        try:
            for name in names:
                parse_reference(name)
        except InvalidName as error:
            self._say(f"{error.message}: {error.cause}", is_error=True)
            return
        warning = " ".join(
            (*self._only_found(names), *self._too_large(names), *self._too_little_room(names))
        )
        if warning and self._warned_of != names:
            self._warned_of = names
            warning += " Enter again pulls all the same."
            self._say(warning, is_error=True)
            if any(self._too_little_room(names)):
                work.run(self, self._name_unused(warning), "unused", exclusive=True)
            return
        self.dismiss(names)

    def _take_found(self) -> None:
        """Complete what was looked for with what it found, and say how it could be a name."""
        word, field = " ".join(self._looked_for), self.query_one(Input)
        with field.prevent(Input.Changed):
            self.action_take()
        self._typed()
        if word and self._word != word:
            name = "" if " " in word else f"for a model of that name write {word}:latest; "
            self._say(f"“{word}” finds this: enter pulls it; {name}esc leaves", is_error=False)

    def _only_found(self, names: Sequence[str]) -> Iterator[str]:
        """Which of these are words that models were looked for with, more likely than names."""
        for name in names:
            found = [found for found, _ in self._suggestions(name, ())]
            if _is_search(name, found):
                yield f"No known model is named {name}; the word finds {found[0]}."

    def _too_large(self, names: Sequence[str]) -> Iterator[str]:
        """Which of these would never run here."""
        memory_bytes = self._memory_bytes()
        for model in filter(None, map(self._known, names)):
            found = verdict(model, memory_bytes)
            if found.word == "too large":
                yield (
                    f"{model.display_name} needs about {words.size(found.needed_bytes)} of memory, "
                    f"and there are {words.size(memory_bytes or 0)}."
                )

    def _too_little_room(self, names: Sequence[str]) -> Iterator[str]:
        """What the disk lacks for these, if anything."""
        needed_bytes = sum(model.size_bytes for model in filter(None, map(self._known, names)))
        if self._free_bytes is not None and needed_bytes > self._free_bytes:
            yield (
                f"About {words.size(needed_bytes)} are needed on disk, and "
                f"{words.size(self._free_bytes)} are free."
            )

    async def _name_unused(self, warning: str) -> None:
        """Say below a warning what could be deleted, if the warning is still what is said."""
        unused = await self._service.unused_models()
        if self.is_attached and self._said == warning:
            self._say("\n".join((warning, *words.room_lines(unused))), is_error=True)

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        self.query_one(OptionList).highlighted = event.option_index
        self.action_take()

    @on(OptionList.OptionHighlighted)
    def _highlighted(self) -> None:
        self._show_cost()

    def action_take(self) -> None:
        """Complete the last word with the highlighted suggestion."""
        name = self._highlighted_name
        if not name:
            return
        field = self.query_one(Input)
        # The conditions have done their work: what is left is what is pulled.
        field.value = " ".join([*self._whole_names, name])
        field.cursor_position = len(field.value)

    def action_highlight(self, by: int) -> None:
        options = self.query_one(OptionList)
        if self._names:
            at = -1 if options.highlighted is None else options.highlighted
            options.highlighted = (at + by) % len(self._names)
            self._is_picked = True
            self._ask_no_more()
            self._show_cost()

    def action_leave(self) -> None:
        self.dismiss([])

    @property
    def _highlighted_name(self) -> str:
        at = self.query_one(OptionList).highlighted
        return self._names[at] if at is not None and at < len(self._names) else ""

    def _offer(self) -> None:
        self._looked_for = self._find_looked_for()
        wanted = " ".join(self._looked_for)
        suggestions = list(self._suggestions(wanted, self._conditions))[:OFFERED]
        self._names = [name for name, _ in suggestions]
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(
            Option(Content.assemble(f"{fit_name(name, _NAME)}  ", (about, "$text-muted")))
            for name, about in suggestions
        )
        options.highlighted = 0 if suggestions else None
        options.display = bool(suggestions)
        self._show_cost()

    def _suggestions(self, word: str, conditions: Sequence[str]) -> Iterator[tuple[str, str]]:
        """What a word finds: of the catalogue, of the past, and, without conditions, installed."""
        wanted = word.casefold()
        installed = {name_key(model.name): model for model in self._service.models.models}
        recent = [
            (clean_line(name), about)
            for name, about in self._recent.items()
            if wanted in name.casefold() and name_key(name) not in installed
        ]
        offered = [*recent[:RECENT_OFFERED], *self._suggest(word)]
        if conditions:
            offered = list(self._that_meet(offered, conditions))
        elif wanted:  # what is there already is pulled anew only on purpose
            offered += [
                (model.display_name, f"installed, {words.size(model.size_bytes)}; pulls its update")
                for model in installed.values()
                if wanted in model.display_name.casefold() and not model.remote
            ]
        if wanted:  # names that begin so, then those with it in them, then what is said of others
            places = {name: name.casefold().find(wanted) for name, _ in offered}
            offered.sort(key=lambda pair: (places[pair[0]] < 0, places[pair[0]] != 0))
        seen: set[str] = set()
        for name, about in offered:
            if name_key(name) not in seen:
                seen.add(name_key(name))
                yield name, about

    def _that_meet(
        self, offered: Iterable[tuple[str, str]], conditions: Sequence[str]
    ) -> Iterator[tuple[str, str]]:
        """Those whose known facts meet the conditions typed; says when a condition is none."""
        try:
            wanted = Filter.parse(" ".join(conditions))
        except FilterError as error:
            self._say(error.in_words, is_error=True)
            return
        for name, about in offered:
            known = self._known(name)
            if known is not None and wanted.matches(known):
                yield name, about

    def _show_cost(self) -> None:
        """Say what the names typed would take, or the suggestion until one is whole."""
        names, offered = self._typed_names, self._highlighted_name
        word = self._word.casefold()
        if not names:
            names = [offered]
        elif self._is_picked or self._is_search:
            names = [*self._whole_names, offered]
        elif word and self._known(names[-1]) is None and word in offered.casefold():
            names = [*names[:-1], offered]
        label = self.query_one("#cost", Label)
        label.update(Content("   ".join(self._cost([name for name in names if name]))))

    def _cost(self, names: Sequence[str]) -> Iterator[str]:
        if not names:
            return
        known = [model for name in names if (model := self._known(name)) is not None]
        unknown = len(names) - len(known)
        size = f"about {words.size(sum(model.size_bytes for model in known))}"
        if unknown:
            size = f"{size} and" if known else ""
            size = f"{size} {words.count(unknown, 'model')} of unknown size".strip()
        yield f"{names[0] if len(names) == 1 else words.count(len(names), 'model')}: {size}"
        yield (
            "free space unknown"
            if self._free_bytes is None
            else f"{words.size(self._free_bytes)} free"
        )
        memory_bytes = self._memory_bytes()
        for model in known:
            found = verdict(model, memory_bytes)
            if found.word in ("tight", "too large") or (found.word == "fits" and len(names) == 1):
                of = words.size(memory_bytes or 0)
                subject = "" if len(names) == 1 else f"{model.display_name} "
                word = "too large for" if found.word == "too large" else f"{found.word} in"
                yield f"{subject}{word} {of} of memory at {words.context(found.context_tokens)}"

    def _say(self, text: str, *, is_error: bool) -> None:
        self._said = text
        hint = self.query_one(".hint", Label)
        hint.update(Content(text))
        hint.set_class(is_error, "-error")


def _is_search(word: str, found: Sequence[str]) -> bool:
    """Whether a word finds names and begins none of them, so that it is hardly meant as one."""
    return bool(found) and _is_plain(word) and not _begins_one(word, found)


def _is_plain(word: str) -> bool:
    """Whether a word could be something to look for: with a tag or a host it is a name."""
    return word.replace("-", "").isalnum()


def _begins_one(word: str, names: Iterable[str]) -> bool:
    return any(name.casefold().startswith(word.casefold()) for name in names)
