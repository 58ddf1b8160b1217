"""The four panes on one screen, and the views that the first of them can be switched to."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from ollm_tui.core.event import ModelsState, PendingDeletions, RunningState, StoreState
from ollm_tui.core.model import ModelInfo, Problem
from ollm_tui.service.service import ModelService
from ollm_tui.ui import keymap, status
from ollm_tui.ui.keyed import PLACES
from ollm_tui.ui.look import Look
from ollm_tui.ui.panes.downloads import DownloadsPane
from ollm_tui.ui.panes.inspector import InspectorPane
from ollm_tui.ui.panes.installed import InstalledPane
from ollm_tui.ui.panes.router import RouterPane
from ollm_tui.ui.possible import OnDisk

if TYPE_CHECKING:
    from ollm_tui.ui.panes.disk import DiskPane
    from ollm_tui.ui.panes.running import RunningPane
    from ollm_tui.ui.simulator.scenarios import ScenarioBook

PANES = ("installed", "downloads", "inspector", "router")
VIEWS = ("installed", "running", "disk")
"""What the first pane can show, in the order of the key that switches it."""


class MainScreen(Screen[None]):
    """The four panes: side by side when wide, one at a time when narrow or zoomed."""

    # Here and not on the app, since screens have a tab of their own that comes before it.
    BINDINGS: ClassVar[list[BindingType]] = keymap.bindings(keymap.PANES)

    def __init__(
        self,
        service: ModelService,
        look: Look,
        when_mounted: Callable[[], Awaitable[None]],
        scenarios: "Callable[[], ScenarioBook] | None",
    ) -> None:
        super().__init__()
        self._look = look
        self._scenarios = scenarios
        self._service = service
        self._when_mounted = when_mounted
        self.view = VIEWS[0]
        """What the first pane shows."""
        self._running_pane: RunningPane | None = None
        self._disk_pane: DiskPane | None = None

    async def on_mount(self) -> None:
        await self._when_mounted()

    async def show_service(self, service: ModelService, look: Look) -> None:
        """Have panes of another service in place of these."""
        self._service, self._look = service, look
        self.view = VIEWS[0]
        self._running_pane = self._disk_pane = None
        await self.recompose()

    def compose(self) -> ComposeResult:
        service = self._service
        yield Static(id="status", markup=False)
        yield InstalledPane(service, self._look)
        yield InspectorPane(service)
        yield RouterPane(service, self._scenarios)
        yield DownloadsPane(service)
        yield Static(id="footer", markup=False)

    def show_details(self, is_wanted: bool) -> None:
        """Show the download under the cursor in full, below the list, or no longer."""
        shown = self.query("#details")
        item = self.query_one(DownloadsPane).item
        if not is_wanted:
            shown.remove()
            return
        from ollm_tui.ui.download_details import DownloadDetails

        if shown:
            shown.only_one(DownloadDetails).show(item)
        else:
            details = DownloadDetails(self._service, item)
            details.id = "details"
            self.mount(details, after="#downloads")

    def show_tabs(self, active: str | None) -> None:
        """Show which pane one is on when only one has room; None = all of them have."""
        tabs = self.query("#tabs")
        if active is None:
            tabs.remove()
        elif tabs:
            tabs.only_one(Static).update(status.tab_line(PANES, active))
        else:
            self.mount(Static(status.tab_line(PANES, active), id="tabs"), after="#status")

    def show_banner(self, text: str) -> None:
        """Show a line that stays; the empty text takes it away."""
        banner = self.query("#banner")
        self.set_class(bool(text), "-banner")
        if not text:
            banner.remove()
        elif banner:
            banner.only_one(Static).update(Content(text))
        else:
            self.mount(Static(Content(text), id="banner"), after="#status")

    def pane(self, name: str) -> Widget:
        """The widget that stands for a pane now."""
        return self.query_one(f"#{self.view if name == VIEWS[0] else name}")

    def pane_of(self, widget: Widget) -> str | None:
        """The name of the pane that a widget stands for."""
        name = VIEWS[0] if widget.id in VIEWS else widget.id
        return name if name in PANES else None

    def place(self, name: str) -> str:
        """Whose keys apply in a pane."""
        if name == "router":
            return self.query_one(RouterPane).place
        return PLACES[self.view if name == VIEWS[0] else name][0]

    @property
    def next_view(self) -> str:
        """The view after the one that is shown."""
        return VIEWS[(VIEWS.index(self.view) + 1) % len(VIEWS)]

    @property
    def inspected(self) -> ModelInfo | Problem | None:
        """What the cursor of the first pane is on, whatever that shows: a model, or no model."""
        if self.view == "running" and self._running_pane is not None:
            name = self._running_pane.model_name
        elif self.view == "disk" and self._disk_pane is not None:
            name = self._disk_pane.model_name
        else:
            installed = self.query_one(InstalledPane)
            return installed.model or installed.problem
        models, problems, *_ = self._service.models
        found = next((model for model in models if model.name == name), None)
        return found or next((one for one in problems if one.subject == name), None)

    @property
    def on_disk(self) -> OnDisk | None:
        """What the cursor of the view of the disk is on; None while that is not shown."""
        shown = self._disk_pane if self.view == "disk" else None
        return None if shown is None else shown.on

    @property
    def is_leaving_disk(self) -> bool:
        """Whether the cursor of the view of the disk is on what is about to be deleted."""
        return self.view == "disk" and self._disk_pane is not None and self._disk_pane.is_leaving

    def show_view(self, view: str) -> None:
        """Have the first pane show something else; the others of its views are hidden."""
        if view == self.view:
            return
        before = self.pane(VIEWS[0])
        self.view = view
        match view:
            case "running":
                self._running_view().look()
            case "disk":
                self._disk_view().look()
        self.pane(VIEWS[0]).display = before.display
        # Focused before the other is hidden, as in `OllmApp.action_pane`.
        self.set_focus(self.pane(VIEWS[0]), scroll_visible=False)
        before.display = False

    def show_view_state(self, state: RunningState | StoreState | PendingDeletions) -> None:
        """Draw what a view shows, if it was ever looked at."""
        if isinstance(state, PendingDeletions):
            if self._disk_pane is not None:
                self._disk_pane.show_pending(state)
        elif isinstance(state, RunningState):
            if self._running_pane is not None:
                self._running_pane.show(state)
        elif self._disk_pane is not None:
            self._disk_pane.show(state)

    def models_changed(self, state: ModelsState) -> None:
        """Measure the disk again when there are other models and somebody looks."""
        if self._disk_pane is not None and self.view == "disk":
            self._disk_pane.models_changed(state)

    def look_again(self) -> None:
        """Ask again for what the view that is shown needs beside the models."""
        if self._disk_pane is not None and self.view == "disk":
            self._disk_pane.look()

    # Made when first looked at: hidden widgets would cost time at every start.

    def _running_view(self) -> "RunningPane":
        if self._running_pane is None:
            from ollm_tui.ui.panes.running import RunningPane

            self._running_pane = RunningPane(self._service)
            self.mount(self._running_pane, after="#installed")
        return self._running_pane

    def _disk_view(self) -> "DiskPane":
        if self._disk_pane is None:
            from ollm_tui.ui.panes.disk import DiskPane

            self._disk_pane = DiskPane(self._service)
            self.mount(self._disk_pane, after="#installed")
        return self._disk_pane
