"""The details of one download, over the screen, for as long as one looks at it."""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Label

from ollm_tui.core.event import QueueItem, QueueState
from ollm_tui.service.service import ModelService
from ollm_tui.ui.download_details import DownloadDetails
from ollm_tui.ui.screens.dialog import Dialog

_HINT = "space pauses or goes on   R tries again   x cancels   esc leaves"


class DownloadScreen(Dialog[None]):
    """Shows one entry of the queue, and closes when it is gone from there.

    Args:
        item: the entry.
        act: does to it what a key of the list would do.
    """

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "leave", show=False),
        Binding("space", "act('pause')", show=False),
        Binding("R", "act('retry')", show=False),
        Binding("x", "act('cancel')", show=False),
    ]

    def __init__(self, service: ModelService, item: QueueItem, act: Callable[[str], None]) -> None:
        super().__init__()
        self._service = service
        self._item = item
        self._act = act

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Download"
            yield DownloadDetails(self._service, self._item)
            yield Label(Content(_HINT), classes="hint")

    def show_queue(self, state: QueueState) -> None:
        """Draw how it stands now."""
        item = next((item for item in state.items if item.id == self._item.id), None)
        if item is None:
            self.action_leave()
        elif item is not self._item:
            self._item = item
            self.query_one(DownloadDetails).show(item)

    def action_act(self, what: str) -> None:
        """Do what the list's key of that name does."""
        self._act(what)

    def action_leave(self) -> None:
        """Close it."""
        if self.is_current:
            self.dismiss()
