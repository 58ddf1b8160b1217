"""Which model a routing profile would pick, and why each other one is not it."""

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from ollm_tui.core.event import ModelsState
from ollm_tui.service.service import ModelService
from ollm_tui.ui import keymap


class RouterPane(VerticalScroll, can_focus=True):
    """Pane 4."""

    BINDINGS = keymap.bindings(keymap.ROUTER)

    def __init__(self, service: ModelService) -> None:
        super().__init__(id="router", classes="pane")
        self._service = service
        self._body = Static(markup=False)
        self.border_title = Content("4 Router")

    def compose(self) -> ComposeResult:
        yield self._body

    def show(self, state: ModelsState) -> None:
        """Ask the router again, with these models."""
