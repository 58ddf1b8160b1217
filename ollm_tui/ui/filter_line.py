"""The line in which a filter is typed; mounted on first use, gone when the filter is kept."""

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from ollm_tui.core.error import FilterError
from ollm_tui.core.filter import EXAMPLE, Filter, begun
from ollm_tui.ui.panes.installed import InstalledPane

if TYPE_CHECKING:
    from ollm_tui.ui.screens.settings_list import SettingsList

_MODELS_HINT = f"words, {EXAMPLE}; a choice by commas: family:llama,qwen; also remote marked broken"


def filter_models(pane: InstalledPane, text: str) -> str:
    """Filter the installed models by what a person typed; returns what to say, if anything.

    A last word that finds nothing and may be half a condition is left out meanwhile: the list
    would be empty at every letter of `size` but the last.

    Raises:
        FilterError: it is no filter; the last good one stays in force.
    """
    wanted = _parse(text)
    # Asked before anything is shown: a list that is empty for a moment forgets where it was.
    if wanted is None or (half := begun(text)) is None or pane.has_any(wanted):
        pane.filter_by(wanted)
        return ""
    pane.filter_by(_parse(half.before))
    return f"“{half.word}” finds nothing yet. A condition goes on like {half.example}"


def _parse(text: str) -> Filter | None:
    return Filter.parse(text) if text.strip() else None


class FilterLine(Vertical):
    """Filters a list as one types, and says how much of it is left.

    Enter keeps the filter and goes back to the list, escape takes it away. A text that is no
    filter leaves the last good one in force and says what is wrong.

    Args:
        rows: the list.
        apply: filters it by a text, the empty one by nothing, and returns what to say of that
            instead of the hint, if anything; raises FilterError.
        hint: what can be typed.
    """

    DEFAULT_CSS = """
    FilterLine {
        height: 5; column-span: 2; border: round $accent; padding: 0 1;
        Input { background: $background; }
        .hint { height: 2; color: $text-muted; }
        .hint.-error { color: $text-error; }
    }
    /* Else they lie on the line in which one types, and on what is said of it. */
    Screen.-filtering > ToastRack { margin-bottom: 6; }
    """
    SCOPED_CSS = False  # the toasts are none of its own
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "clear", show=False),
        Binding("down", "keep", show=False),
    ]

    def __init__(
        self,
        rows: "InstalledPane | SettingsList",
        apply: Callable[[str], str],
        hint: str = _MODELS_HINT,
    ) -> None:
        super().__init__(id="filter")
        self._rows = rows
        self._apply = apply
        self._hint = self._said = hint
        self._field = Input(rows.filter_text, compact=True, select_on_focus=False)
        self.border_title = "Filter; enter keeps, esc clears, a - before a term turns it round"

    def compose(self) -> ComposeResult:
        self._field.cursor_blink = self.app.animation_level != "none"
        yield self._field
        yield Static(Content(self._hint), classes="hint", markup=False)

    def on_mount(self) -> None:
        self.screen.add_class("-filtering")
        self._tell()
        self.take_focus()

    def take_focus(self) -> None:
        """Go on typing."""
        self.screen.set_focus(self._field)  # at once, for what is typed meanwhile

    def on_unmount(self) -> None:
        # The field has told the screen how to unselect it, by which the screen would keep it.
        self.screen.text_selection_started_signal.unsubscribe(self._field)
        self.screen.remove_class("-filtering")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        try:
            said = self._apply(event.value)
        except FilterError as error:
            self._say(error.in_words, is_error=True)
            return
        self._say(said or self._hint)
        self._tell()

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.action_keep()

    def action_keep(self) -> None:
        """Back to the list; the filter stays."""
        self.screen.set_focus(self._rows)
        self.remove()

    def action_clear(self) -> None:
        """Back to the whole list."""
        self._apply("")
        self.action_keep()

    def _tell(self) -> None:
        self.border_subtitle = Content(self._rows.count_text)

    def _say(self, text: str, *, is_error: bool = False) -> None:
        if text == self._said:
            return
        self._said = text
        hint = self.query_one(".hint", Static)
        # It has two lines whatever it says: at most keys a filter is half a word and no filter, and
        # laying the screen out anew for that would move the rows, and take longer than the rest.
        hint.update(Content(text), layout=False)
        hint.set_class(is_error, "-error")
