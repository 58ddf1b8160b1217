"""Which pane is active, which have room, and the lines around them."""

from textual import events, on
from textual.widget import Widget
from textual.widgets import Static

from ollm_tui.core.event import ServerHealth
from ollm_tui.ui import status
from ollm_tui.ui.download_words import is_waiting
from ollm_tui.ui.keyed import PLACES
from ollm_tui.ui.main_screen import PANES, VIEWS, MainScreen
from ollm_tui.ui.panes.downloads import DownloadsPane
from ollm_tui.ui.panes.inspector import InspectorPane
from ollm_tui.ui.panes.installed import InstalledPane
from ollm_tui.ui.panes.router import RouterPane
from ollm_tui.ui.possible import Situation
from ollm_tui.ui.rows import RowList
from ollm_tui.ui.switching import SwitchingApp

WIDE_FROM = 100
ROOMY_FROM = 180


class ArrangedApp(SwitchingApp):
    """An app with panes side by side where they have room, else one at a time."""

    _active = PANES[0]
    _is_demo = False
    _is_zoomed = False
    _is_composed = False
    """Whether the panes are there."""
    is_list_shown = True
    """Whether the first pane is in sight."""
    _width = WIDE_FROM
    _arranged: tuple[str, bool, int, str] | None = None
    _situation: Situation | None = None
    _is_typing = False
    """Whether letters go into a filter."""

    @property
    def config_word(self) -> str:
        """How the configuration is, for the status line; empty until it is read."""
        raise NotImplementedError

    @property
    def _main(self) -> MainScreen:
        main = self.screen_stack[0]
        assert isinstance(main, MainScreen)
        return main

    @property
    def place(self) -> str:
        return self._main.place(self._active)

    @property
    def active_widget(self) -> Widget:
        return self._main.pane(self._active)

    @property
    def situation(self) -> Situation:
        """What there is to act on, for the keys."""
        service, queue = self.service, self.service.queue.items
        installed = self._main.query_one(InstalledPane)
        download = self._main.query_one(DownloadsPane).item
        # Of the service: the pane draws a moment later, and keys may come faster than that.
        waiting = [item.id for item in queue if is_waiting(item)]
        return Situation(
            has_model=installed.model is not None,
            has_models=installed.has_models,
            has_marks=installed.has_marks,
            is_leaving=installed.is_leaving,
            has_pending=bool(service.deletions.pending),
            unread=installed.problem.subject if installed.problem else "",
            is_inspecting=self._main.query_one(InspectorPane).model is not None,
            on_disk=self._main.on_disk,
            is_leaving_disk=self._main.is_leaving_disk,
            has_loaded=bool(service.running.models),
            is_online=service.server.health is not ServerHealth.OFFLINE,
            can_run=service.can_run,
            has_download=bool(queue),
            download=download.progress.status if download else None,
            is_first_download=download is not None and waiting[:1] == [download.id],
            is_last_download=download is not None and waiting[-1:] == [download.id],
            has_ended=any(item.progress.status.is_final for item in queue),
            has_config=bool(self.config_word),
            has_servers=self.servers is not None,
            no_decision=self._main.query_one(RouterPane).why_no_decision,
        )

    def go_to(self, place: str) -> None:
        for name, places in PLACES.items():
            if place in places and name in VIEWS:
                self.show_view(name)
            elif place in places:
                self.action_pane(name)

    def action_pane(self, name: str) -> None:
        """Go to a pane."""
        pane = self._main.pane(name)
        # It takes the focus before the others are hidden: hiding the focused one would have
        # Textual choose another itself.
        pane.display = True
        self._main.set_focus(pane, scroll_visible=False)
        self._active = name
        self._arrange()

    def action_next_pane(self, by: int) -> None:
        """Go to the next pane, or the previous one."""
        self.action_pane(PANES[(PANES.index(self._active) + by) % len(PANES)])

    def action_view(self) -> None:
        """Show the next view of the first pane: installed, running, disk."""
        self.show_view(self._main.next_view)

    def show_view(self, view: str) -> None:
        """Show a view of the first pane, and in the inspector what its cursor is on."""
        self._main.show_view(view)
        pane = self._main.pane("installed")
        self.put_keys(pane)
        self.action_pane("installed")
        if pane.is_mounted:  # else it tells by itself once it is
            self.inspect()

    def inspect(self) -> None:
        """Show in the inspector what the cursor of the first pane is on."""
        raise NotImplementedError

    def action_zoom(self) -> None:
        """Give the active pane the whole screen, or back."""
        self._is_zoomed = not self._is_zoomed
        self._arrange()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if not self.screen_stack:
            return  # the screens are being closed, which moves the focus
        was_typing = self._is_typing
        if self.screen is self._main:  # the widget itself may have gone meanwhile, with its dialog
            self._is_typing = getattr(event.widget.parent, "id", None) == "filter"
        name = self._main.pane_of(event.widget)
        if name and event.widget.display:
            self._active = name
            self._arrange()
        if self._is_typing != was_typing:
            self._show_footer()

    def on_resize(self, event: events.Resize) -> None:
        self._width = event.size.width
        if self._is_composed:
            self._arrange()

    @on(RouterPane.Viewed)
    def _router_view_changed(self) -> None:
        if self.screen_stack:  # else the program is being left, and the pane spoke before it went
            self._arrange()
            self._show_status()  # the keys of the router act from the first decision on

    def _arrange(self) -> None:
        """Show the panes that have room, and the two lines around them."""
        main = self._main
        is_alone = self._width < WIDE_FROM or self._is_zoomed
        if self._active == "router":
            is_alone |= main.query_one(RouterPane).wants_room and self._width < ROOMY_FROM
        arrangement = (self._active, is_alone, self._width, self.place)
        if arrangement == self._arranged:
            return
        self._arranged = arrangement
        self.is_list_shown = self._active == "installed" or not is_alone
        main.set_class(is_alone, "-alone")
        for pane in PANES:
            widget = main.pane(pane)
            # Set on the widget itself, not by a class: a pane that is still hidden by a stylesheet
            # that has yet to be applied cannot take the focus.
            if widget.display != (is_shown := pane == self._active or not is_alone):
                widget.display = is_shown
        main.show_tabs(self._active if is_alone else None)
        self._show_details_below()
        self._show_status()
        self._show_footer()

    @on(RowList.Moved, "#downloads")
    def _show_details_below(self) -> None:
        if self.screen_stack:  # else the screen is being taken down
            self._main.show_details(self._is_zoomed and self._active == "downloads")

    def _show_footer(self) -> None:
        self._situation = self.situation
        self._main.query_one("#footer", Static).update(
            status.filter_footer(self._keys, self._width)
            if self._is_typing
            else status.footer_line(self._keys, self.place, self._width, self._situation),
            layout=False,
        )

    @on(RowList.Moved, "#downloads")
    def _show_what_can_act(self) -> None:
        """Draw the footer again if other keys can act than it says."""
        if self.screen_stack and self._situation not in (None, self.situation):
            self._show_footer()

    def _show_status(self) -> None:
        self._show_what_can_act()
        self._main.query_one("#status", Static).update(
            status.status_line(
                self.service,
                self._width,
                is_demo=self._is_demo,
                config=self.config_word,
                deleting=self._deleting(),
            ),
            layout=False,
        )

    def _count_down(self) -> None:
        """Say once a second how long a delete can still be taken back."""
        if self.is_running and self.service.deletions.pending:
            self._show_status()
            self.set_timer(1.0, self._count_down)

    def _deleting(self) -> str:
        if not self.service.deletions.pending:
            return ""
        from ollm_tui.ui.deleting import countdown

        return countdown(self.service, self._width * 3 // 5)
