"""The Textual app: composes the panes, hands them events, answers the keys that work anywhere."""

import gc
import signal
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import App, ComposeResult, SystemCommand
from textual.binding import BindingType
from textual.dom import DOMNode
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Static

from ollm_tui.core.error import OllmError
from ollm_tui.core.event import (
    Event,
    ModelsState,
    Notice,
    PendingDeletions,
    QueueState,
    RunningState,
    ServerHealth,
    UpdatesState,
)
from ollm_tui.core.model import ModelInfo, Problem
from ollm_tui.service.service import ModelService
from ollm_tui.ui import format as words
from ollm_tui.ui import keymap, status, terminal, work
from ollm_tui.ui.bridge import Bridge
from ollm_tui.ui.panes.downloads import DownloadsPane
from ollm_tui.ui.panes.inspector import InspectorPane
from ollm_tui.ui.panes.installed import InstalledPane
from ollm_tui.ui.panes.router import RouterPane
from ollm_tui.ui.rows import RowList

if TYPE_CHECKING:
    from ollm_tui.config.resolve import Effective
    from ollm_tui.ui.screens.config import SettingsSource

PANES = ("installed", "downloads", "inspector", "router")
PLACES = dict(
    zip(
        PANES,
        (keymap.INSTALLED, keymap.DOWNLOADS, keymap.INSPECTOR, keymap.ROUTER),
        strict=True,
    )
)
WIDE_FROM = 100
INSPECT_AFTER_S = 0.06
_NAMED = 3  # unreadable entries that a toast has room for
MEMORY_EVERY_S = 5.0

Suggest = Callable[[str], Sequence[tuple[str, str]]]


class MainScreen(Screen[None]):
    """The four panes: side by side when wide, one at a time when narrow or zoomed."""

    # Here and not on the app, since screens have a tab of their own that comes before it.
    BINDINGS: ClassVar[list[BindingType]] = keymap.bindings(keymap.PANES)

    def __init__(self, service: ModelService, when_mounted: Callable[[], None]) -> None:
        super().__init__()
        self._service = service
        self._when_mounted = when_mounted

    def on_mount(self) -> None:
        self._when_mounted()

    def compose(self) -> ComposeResult:
        service = self._service
        yield Static(id="status", markup=False)
        yield InstalledPane(service)
        yield InspectorPane(service)
        yield RouterPane(service)
        yield DownloadsPane(service)
        yield Static(id="footer", markup=False)

    def show_details(self, is_wanted: bool) -> None:
        """Show the download under the cursor in full, below the list, or no longer."""
        shown = self.query("#details")
        item = self.query_one(DownloadsPane).item
        if not is_wanted:
            shown.remove()
        elif shown:
            from ollm_tui.ui.download_details import DownloadDetails

            shown.only_one(DownloadDetails).show(item)
        else:
            from ollm_tui.ui.download_details import DownloadDetails

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


class OllmApp(App[None]):
    """The program on screen.

    Args:
        service: what happens; the app only asks it and draws what it publishes.
        is_demo: the server is the sandbox, which the screen says.
        settings: where the configuration is read; None = there is none to show.
        suggest: names to pull that continue what is typed, each with a word about it.
    """

    TITLE = "ollm-tui"
    CSS_PATH = "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = keymap.bindings(keymap.EVERYWHERE)

    def __init__(
        self,
        service: ModelService,
        *,
        is_demo: bool = False,
        settings: "SettingsSource | None" = None,
        suggest: Suggest = lambda word: (),
    ) -> None:
        super().__init__()
        self.service = service
        self._settings = settings
        self._effective: Effective | None = None
        self._is_demo = is_demo
        self._suggest = suggest
        self._active = "installed"
        self._problems: tuple[Problem, ...] = ()
        self._is_zoomed = False
        self._is_list_shown = True
        self._width = WIDE_FROM
        self._arranged: tuple[str, bool, int] | None = None
        self._inspect_timer: Timer | None = None
        self._bridge = Bridge(self._show, self)
        self._unsubscribe: Callable[[], None] | None = None

    def get_default_screen(self) -> Screen[None]:
        return MainScreen(self.service, self._start)

    def _start(self) -> None:
        self._width = self.size.width  # known before the first layout, which is then the right one
        self._unsubscribe = self.service.subscribe(self._bridge.publish)
        if not self.is_headless:
            terminal.leave_on_signals(self._leave)
        self.action_pane("installed")
        self.call_after_refresh(self._first_frame_is_out)

    async def on_unmount(self) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()
        await self.service.close()

    # Events of the service.

    def _show(self, event: Event) -> None:
        if not self.is_running:
            return
        main = self._main
        match event:
            case ModelsState():
                installed = main.query_one(InstalledPane)
                installed.show(event)
                self._inspect(installed.item)
                main.query_one(RouterPane).show(event)
                self._tell_problems(event)
            case QueueState():
                main.query_one(DownloadsPane).show(event)
                main.query_one(InstalledPane).show_queue(event)
                self._show_details(event)
            case UpdatesState():
                main.query_one(InstalledPane).show_updates(event)
            case PendingDeletions():
                main.query_one(InstalledPane).show_pending(event)
                self._count_down()
            case Notice():
                if event.error is not None:
                    work.report(self, event.error)
                else:
                    self.notify(event.text, markup=False)
            case RunningState():
                pass  # which models are loaded arrives with the models
        self._show_status()

    def _show_details(self, state: QueueState) -> None:
        """Tell whatever shows one download in full."""
        self._show_details_below()
        for screen in self.screen_stack[1:]:
            if (show_queue := getattr(screen, "show_queue", None)) is not None:
                show_queue(state)

    def _count_down(self) -> None:
        """Say once a second how long a delete can still be taken back."""
        if self.is_running and self.service.deletions.pending:
            self._show_status()
            self.set_timer(1.0, self._count_down)

    def _tell_problems(self, state: ModelsState) -> None:
        """Name the entries that are no rows, once; without models the list itself names them."""
        if state.problems == self._problems or not state.models:
            return
        self._problems = state.problems
        named = [f"{problem.subject}: {problem.reason}" for problem in state.problems[:_NAMED]]
        if more := len(state.problems) - len(named):
            named.append(f"and {more:,} more; `ollm-tui list` names all")
        if named:
            title = f"Left out of the list: {len(state.problems):,}"
            self.notify("\n".join(named), title=title, severity="warning", markup=False)

    def _show_status(self) -> None:
        self._main.query_one("#status", Static).update(
            status.status_line(
                self.service,
                self._width,
                is_demo=self._is_demo,
                config=self._config_word(),
                deleting=self._deleting(),
            ),
            layout=False,
        )

    def _deleting(self) -> str:
        if not self.service.deletions.pending:
            return ""
        from ollm_tui.ui.deleting import countdown

        return countdown(self.service)

    def _config_word(self) -> str:
        if self._effective is None:
            return ""
        errors = len(self._effective.errors)
        return f"config ✗ {words.count(errors, 'problem')}, c" if errors else "config ✓"

    # The inspector follows the cursor.

    @on(RowList.Moved, "#installed")
    def _cursor_moved(self, event: RowList.Moved) -> None:
        self._inspect(event.rows.item)

    @on(RowList.Chosen, "#installed")
    def _row_chosen(self) -> None:
        self.action_pane("inspector")

    def _inspect(self, model: ModelInfo | None) -> None:
        """Show what is known at once, and ask for the rest when the cursor rests."""
        if self._inspect_timer is not None:
            self._inspect_timer.stop()
        inspector = self._main.query_one(InspectorPane)
        inspector.show(model)
        if model is not None:
            self._inspect_timer = self.set_timer(
                INSPECT_AFTER_S,
                lambda: work.run(self, inspector.load(model), "inspect", exclusive=True),
            )

    # Panes.

    @property
    def _main(self) -> MainScreen:
        main = self.screen_stack[0]
        assert isinstance(main, MainScreen)
        return main

    def action_pane(self, name: str) -> None:
        """Go to a pane."""
        pane = self._main.query_one(f"#{name}")
        # It takes the focus before the others are hidden: hiding the focused one would have
        # Textual choose another itself.
        pane.display = True
        self._main.set_focus(pane, scroll_visible=False)
        self._active = name
        self._arrange()

    def action_next_pane(self, by: int) -> None:
        """Go to the next pane, or the previous one."""
        self.action_pane(PANES[(PANES.index(self._active) + by) % len(PANES)])

    @on(RowList.Moved, "#downloads")
    def _show_details_below(self) -> None:
        if self.screen_stack:  # else the screen is being taken down
            self._main.show_details(self._is_zoomed and self._active == "downloads")

    def action_zoom(self) -> None:
        """Give the active pane the whole screen, or back."""
        self._is_zoomed = not self._is_zoomed
        self._arrange()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if event.widget.id in PANES and event.widget.display:
            self._active = event.widget.id
            self._arrange()

    def on_resize(self, event: events.Resize) -> None:
        self._width = event.size.width
        if self._unsubscribe is not None:  # the panes are there
            self._arrange()

    def _arrange(self) -> None:
        """Show the panes that have room, and the two lines around them."""
        main = self._main
        is_alone = self._width < WIDE_FROM or self._is_zoomed
        arrangement = (self._active, is_alone, self._width)
        if arrangement == self._arranged:
            return
        self._arranged = arrangement
        self._is_list_shown = self._active == "installed" or not is_alone
        main.set_class(is_alone, "-alone")
        for pane in PANES:
            widget = main.query_one(f"#{pane}")
            # Set on the widget itself, not by a class: a pane that is still hidden by a stylesheet
            # that has yet to be applied cannot take the focus.
            if widget.display != (is_shown := pane == self._active or not is_alone):
                widget.display = is_shown
        main.show_tabs(self._active if is_alone else None)
        self._show_details_below()
        self._show_status()
        self._main.query_one("#footer", Static).update(
            status.footer_line(PLACES[self._active], self._width), layout=False
        )

    # Keys that work anywhere.

    def action_filter(self) -> None:
        """Ask for a filter in a line of its own."""
        from ollm_tui.ui.filter_line import FilterLine

        if self._main.query(FilterLine):
            self._main.query_one(FilterLine).focus()
            return
        self.action_pane("installed")
        installed = self._main.query_one(InstalledPane)
        self._main.mount(FilterLine(installed), before="#footer")

    def action_refresh(self) -> None:
        """Ask the server for everything again."""
        work.run(self, self.service.refresh(), "refresh", exclusive=True)

    def action_pull(self) -> None:
        """Ask for names and queue them."""
        from ollm_tui.ui.screens.pull import PullScreen

        def queue(names: list[str] | None) -> None:
            for name in names or ():
                self.service.enqueue(name)
            if names:
                self.action_pane("downloads")

        self.push_screen(PullScreen(self._suggest), queue)

    def action_undo(self) -> None:
        """Take back the last delete, while that can be."""
        if not self.service.deletions.undo():
            self.notify("There is nothing to take back.", timeout=2)

    def action_config(self) -> None:
        """Show every setting and who set it."""
        if self._settings is None or self._effective is None:
            self.notify("The configuration is still being read.", timeout=2)
            return
        from ollm_tui.ui.screens.config import ConfigScreen

        self.push_screen(ConfigScreen(self._effective, self._settings, self._configured))

    def action_help(self) -> None:
        """Show all keys."""
        from ollm_tui.ui.screens.help import HelpScreen

        self.push_screen(HelpScreen())

    async def action_quit(self) -> None:
        """Leave; asks when that would interrupt downloads."""
        from ollm_tui.ui import quitting

        if not quitting.interrupted(self.service):
            self.exit()
            return
        self.push_screen(
            quitting.question(self.service), lambda answer: self.exit() if answer == "q" else None
        )

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every action by name, then Textual's own."""
        for key in keymap.KEYS:
            if key.palette:
                target = self._main.query_one(f"#{self._active}")
                namespace: DOMNode = self if key.where == keymap.EVERYWHERE else target
                yield SystemCommand(
                    key.description,
                    f"{keymap.cap(key)}, {key.where}",
                    partial(self.run_action, key.action, namespace),
                )
        yield from super().get_system_commands(screen)

    # Around the screen.

    def _first_frame_is_out(self) -> None:
        gc.freeze()  # what is there now stays: it need not be looked through ever again
        gc.enable()
        work.run(self, self._first_look(), "refresh", exclusive=True)
        if self.service.can_run:
            self.set_interval(MEMORY_EVERY_S, self._ask_memory)
        self.set_interval(terminal.CHECK_EVERY_S, self._check_terminal)

    async def _first_look(self) -> None:
        await self.service.start()
        if await self.service.refresh_models():
            # Whatever else is asked loads the HTTP client, so the list is drawn before.
            self.call_after_refresh(self._ask_server)
        self.call_after_refresh(self._read_settings)

    def _read_settings(self) -> None:
        settings = self._settings
        if settings is None:
            return

        async def read() -> None:
            self._configured(await work.in_thread(settings.read))

        work.run(self, read(), "config", exclusive=True)

    def _configured(self, effective: "Effective") -> None:
        """Take in the configuration: say what is wrong with it, and route by it."""
        is_news = self._effective is None or effective.problems != self._effective.problems
        self._effective = effective
        self.service.set_concurrency(effective.config.downloads.concurrency)
        if is_news and effective.errors:
            place = effective.errors[0].message
            self.notify(f"{place}\nc shows all", severity="error", timeout=15, markup=False)
        elif is_news and any(not file.trusted for file in effective.files):
            self.notify(
                "This folder's .ollm/config.yaml names servers or keys, which are ignored until "
                "you trust it: c, then t.",
                severity="warning",
                timeout=15,
                markup=False,
            )
        self._show_status()

    def _ask_server(self) -> None:
        work.run(self, self.service.refresh_server(), "memory", exclusive=True)

    def _ask_memory(self) -> None:
        if self._is_list_shown and self.service.server.health is ServerHealth.ONLINE:
            work.run(self, self._memory(), "memory", exclusive=True)

    async def _memory(self) -> None:
        try:
            await self.service.refresh_running()
        except OllmError:
            self.action_refresh()  # which says what is wrong, once

    def _check_terminal(self) -> None:
        if not self.is_headless and terminal.is_gone():
            self._leave(128 + signal.SIGHUP)

    def _leave(self, return_code: int) -> None:
        terminal.leave_for_sure(return_code)
        self.exit(return_code=return_code)
