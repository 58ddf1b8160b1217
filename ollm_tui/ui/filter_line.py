"""The line in which a filter is typed; mounted on first use, gone when the filter is empty."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input

from ollm_tui.ui.panes.installed import InstalledPane


class FilterLine(Input):
    """Filters the installed models as one types.

    Enter keeps the filter and goes back to the list, escape takes it away.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "clear", show=False),
        Binding("down", "keep", show=False),
    ]

    def __init__(self, pane: InstalledPane) -> None:
        super().__init__(
            pane.filter_text, placeholder="filter by name; enter keeps, esc clears", id="filter"
        )
        self._pane = pane

    def on_mount(self) -> None:
        self.screen.add_class("-filtering")
        self.focus()

    def on_unmount(self) -> None:
        self.screen.remove_class("-filtering")

    def on_input_changed(self) -> None:
        self._pane.filter_by(self.value)

    def on_input_submitted(self) -> None:
        self.action_keep()

    def action_keep(self) -> None:
        """Back to the list; the filter stays."""
        self._pane.focus()
        self.remove()

    def action_clear(self) -> None:
        """Back to the whole list."""
        self._pane.filter_by("")
        self.action_keep()
