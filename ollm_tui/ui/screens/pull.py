"""Asks for names of models to pull; several at once, checked before anything is asked for."""

from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Label, OptionList
from textual.widgets.option_list import Option

from ollm_tui.core.error import FilterError, InvalidName
from ollm_tui.core.model import ModelInfo
from ollm_tui.core.name import parse_reference
from ollm_tui.service.service import ModelService
from ollm_tui.ui import format as words
from ollm_tui.ui import pull_cost, work
from ollm_tui.ui.columns import fit_name
from ollm_tui.ui.offers import Known, Offers, Suggest
from ollm_tui.ui.screens.dialog import Dialog
from ollm_tui.ui.typed import Typed, is_plain, is_search

OFFERED = 100  # more is a matter of typing
RECENT = 50
_NAME = 28
_HINT = (
    "enter pulls, several by blank or comma; tab or ↓ takes a suggestion; "
    "words search, cap:tools size<10G filters; esc leaves"
)


class PullScreen(Dialog[list[str]]):
    """Answers with the names to pull; none when left.

    Args:
        service: whose models, past downloads and disk count.
        suggest: what the catalogue finds by words, each name with a word about it, best first.
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
        self._offers = Offers(service, suggest, known)
        self._known = known
        self._memory_bytes = memory_bytes
        self._free_bytes: int | None = None
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
        now, recent = self._service.now(), dict[str, str]()
        for ended in await self._service.downloads.history(RECENT):
            recent.setdefault(ended.name, f"{ended.state.value} {words.ago(ended.ended_at, now)}")
        self._offers.recent = recent
        self._free_bytes = await self._service.free_bytes()
        if self.is_attached:
            self._offer()

    @property
    def _typed(self) -> Typed:
        return Typed.parse(self.query_one(Input).value)

    @property
    def _whole_names(self) -> list[str]:
        """What is typed without what a suggestion takes the place of."""
        names = self._typed.names
        return names[: len(names) - len(self._looked_for)]

    @property
    def _is_search(self) -> bool:
        """Whether what is looked for is no name: more is said of it, or no name begins so."""
        if not self._looked_for or not self._names or not is_plain(self._looked_for[-1]):
            return False
        is_more = len(self._looked_for) > 1 or bool(self._typed.conditions)
        return is_more or is_search(self._looked_for[0], self._names)

    @on(Input.Changed)
    def _changed(self) -> None:
        self._is_picked = False
        self._ask_no_more()
        self._offer()

    def _ask_no_more(self) -> None:
        """Take the question off the screen, so that enter no longer answers it."""
        self._warned_of = []
        self._say(_HINT, is_error=False)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        typed = self._typed
        names = typed.names
        if (self._is_search or (typed.conditions and not names)) and not self._is_picked:
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
        known = self._known_of(names)
        room = pull_cost.too_little_room(known, self._free_bytes)
        large = pull_cost.too_large(known, self._memory_bytes())
        warning = " ".join(filter(None, (*self._only_found(names), *large, room)))
        if warning and self._warned_of != names:
            self._warned_of = names
            warning += " Enter again pulls all the same."
            self._say(warning, is_error=True)
            if room:
                work.run(self, self._name_unused(warning), "unused", exclusive=True)
            return
        self.dismiss(names)

    def _take_found(self) -> None:
        """Complete what was looked for with what it found, and say how it could be a name."""
        word, field = " ".join(self._looked_for), self.query_one(Input)
        with field.prevent(Input.Changed):
            self.action_take()
        self._changed()
        if word and self._typed.word != word:
            name = "" if " " in word else f"for a model of that name write {word}:latest; "
            self._say(f"“{word}” finds this: enter pulls it; {name}esc leaves", is_error=False)

    def _only_found(self, names: Sequence[str]) -> Iterator[str]:
        """Which of these are words that models were looked for with, more likely than names."""
        for name in names:
            found = self._offers.names(name)
            if is_search(name, found):
                yield f"No known model is named {name}; the word finds {found[0]}."

    def _known_of(self, names: Sequence[str]) -> list[ModelInfo]:
        return [known for name in names if (known := self._known(name)) is not None]

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
        typed = self._typed
        self._looked_for = self._offers.looked_for(typed)
        wanted = " ".join(self._looked_for)
        try:
            suggestions = self._offers.find(wanted, typed.conditions)[:OFFERED]
        except FilterError as error:
            self._say(error.in_words, is_error=True)
            suggestions = []
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

    def _show_cost(self) -> None:
        """Say what the names typed would take, or the suggestion until one is whole."""
        typed, offered = self._typed, self._highlighted_name
        names, word = typed.names, typed.word.casefold()
        if not names:
            names = [offered]
        elif self._is_picked or self._is_search:
            names = [*self._whole_names, offered]
        elif word and self._known(names[-1]) is None and word in offered.casefold():
            names = [*names[:-1], offered]
        names = [name for name in names if name]
        told = names and pull_cost.cost(
            names, self._known_of(names), self._free_bytes, self._memory_bytes()
        )
        self.query_one("#cost", Label).update(Content("   ".join(told)))

    def _say(self, text: str, *, is_error: bool) -> None:
        self._said = text
        hint = self.query_one(".hint", Label)
        hint.update(Content(text))
        hint.set_class(is_error, "-error")
