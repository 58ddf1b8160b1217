"""The Textual app: composes the panes, hands them events, answers the keys that work anywhere."""

import asyncio
import logging
import signal
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import BindingType
from textual.screen import Screen

from ollm_tui.core.event import (
    Event,
    ModelsState,
    Notice,
    PendingDeletions,
    QueueState,
    RunningState,
    StoreState,
    UpdatesState,
)
from ollm_tui.core.model import ModelInfo, Problem
from ollm_tui.core.text import clean_line
from ollm_tui.service.service import ModelService
from ollm_tui.ui import garbage, keymap, status, terminal, work
from ollm_tui.ui.arranged import ArrangedApp
from ollm_tui.ui.bridge import Bridge
from ollm_tui.ui.keymap import named
from ollm_tui.ui.look import LookFile
from ollm_tui.ui.main_screen import MainScreen
from ollm_tui.ui.panes.downloads import DownloadsPane
from ollm_tui.ui.panes.inspector import InspectorPane
from ollm_tui.ui.panes.installed import InstalledPane
from ollm_tui.ui.panes.router import RouterPane
from ollm_tui.ui.rows import RowList
from ollm_tui.ui.settings import SettingsDesk

if TYPE_CHECKING:
    from ollm_tui.config.resolve import Effective
    from ollm_tui.ui.offers import Known, Suggest
    from ollm_tui.ui.screens.config import SettingsSource
    from ollm_tui.ui.screens.servers import ServerSource
    from ollm_tui.ui.server_watch import ServerWatch
    from ollm_tui.ui.simulator.scenarios import ScenarioBook

_LOG = logging.getLogger(__name__)
_NAMED = 3  # unreadable entries that a toast has room for
LAST_KNOWN_WITHIN_S = 0.1
"""How long the first frame waits for the list of the last run, so that it is drawn only once."""
TURN_S = 0.001
"""How long a thread that works may hold up the one that draws; a key passes several times from
one thread to another until it is seen, and waits for a turn each time."""


class OllmApp(ArrangedApp):
    """The program on screen.

    Args:
        service: what happens; the app only asks it and draws what it publishes.
        is_demo: the server is the sandbox, which the screen says.
        settings: where the configuration is read; None = there is none to show.
        suggest: names to pull that continue what is typed, each with a word about it.
        scenarios: opens the file of cases for the router, on first use; None = there is none.
        known: what is known of a name that could be pulled.
        look: how the screen looked last; nowhere when absent.
        servers: what can be switched to; nothing when absent.
        log_file: where the log goes as well, for people.
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
        suggest: "Suggest" = lambda word: (),
        scenarios: "Callable[[], ScenarioBook] | None" = None,
        known: "Known" = lambda name: None,
        look: LookFile | None = None,
        log_file: str = "",
        servers: "ServerSource | None" = None,
    ) -> None:
        super().__init__(look or LookFile(None), servers)
        self.service = service
        self._scenarios = scenarios
        self.settings = SettingsDesk(self, settings, self._configured)
        """The configuration in force."""
        self._is_demo = is_demo
        self._suggest = suggest
        self._known = known
        self._log_file = log_file
        self._watch: ServerWatch | None = None
        self._problems: tuple[Problem, ...] = ()
        self._bridge = Bridge(self._show, self)
        self._unsubscribe: Callable[[], None] | None = None

    @property
    def config_word(self) -> str:
        return self.settings.word

    def get_default_screen(self) -> Screen[None]:
        return MainScreen(self.service, self.look, self._start, self._scenarios)

    async def _start(self) -> None:
        self._width = self.size.width  # known before the first layout, which is then the right one
        self._unsubscribe = self.service.subscribe(self._bridge.publish)
        self._is_composed = True
        if not self.is_headless:
            terminal.leave_on_signals(self._leave)
            terminal.heed_the_last_size()
            terminal.go_on_when_continued(lambda: self.call_later(self.refresh, layout=True))
        self.action_pane("installed")
        await self._recall()
        self.call_after_refresh(self._first_frame_is_out)

    async def _recall(self) -> None:
        """Have what the last run knew in the first frame, unless reading it takes too long."""
        recalling = asyncio.ensure_future(self.service.recall())
        await asyncio.wait((recalling,), timeout=LAST_KNOWN_WITHIN_S)

    async def on_unmount(self) -> None:
        logging.getLogger("ollm_tui").removeHandler(self.errors)
        if self._unsubscribe is not None:
            self._unsubscribe()
        for service in (self.service, *self.left):
            await service.close()

    # Events of the service.

    def _show(self, event: Event) -> None:
        if not self.is_running:
            return
        main = self._main
        match event:
            case ModelsState():
                installed = main.query_one(InstalledPane)
                installed.show(event)
                self.inspect()
                main.query_one(RouterPane).show(event)
                main.models_changed(event)
                self._tell_problems(event)
            case QueueState():
                main.query_one(DownloadsPane).show(event)
                main.query_one(InstalledPane).show_queue(event)
                self._show_details(event)
            case UpdatesState():
                main.query_one(InstalledPane).show_updates(event)
            case PendingDeletions():
                main.query_one(InstalledPane).show_pending(event)
                main.show_view_state(event)
                self._count_down()
            case Notice():
                if event.error is not None:
                    work.report(self, event.error)
                else:
                    self.notify(event.text, markup=False)
            case RunningState() | StoreState():
                main.show_view_state(event)
        self._show_status()

    def _show_details(self, state: QueueState) -> None:
        """Tell whatever shows one download in full."""
        self._show_details_below()
        for screen in self.screen_stack[1:]:
            if (show_queue := getattr(screen, "show_queue", None)) is not None:
                show_queue(state)

    def _tell_problems(self, state: ModelsState) -> None:
        """Name the entries that are no models, once; where there are no others, the rows do."""
        if state.problems == self._problems or not state.models:
            return
        self._problems = state.problems
        told = [f"{problem.subject}: {problem.reason}" for problem in state.problems[:_NAMED]]
        if more := len(state.problems) - len(told):
            told.append(f"and {more:,} more; {named('app.filter')}broken shows them all")
        if told:
            _LOG.warning("cannot be read as models: %s", "; ".join(told))
            title = f"Cannot be read as models: {len(state.problems):,}"
            self.notify("\n".join(told), title=title, severity="warning", markup=False)

    # The inspector follows the cursor.

    @on(RowList.Moved, "#installed, #running, #disk")
    def inspect(self) -> None:
        if self.screen_stack:  # a list may still move while the screens are being closed
            self._inspect(self._main.inspected)

    @on(RowList.Chosen, "#installed")
    def _row_chosen(self) -> None:
        self.action_pane("inspector")

    @on(InstalledPane.Sorted)
    def _sorted(self, event: InstalledPane.Sorted) -> None:
        order = event.order
        self.keep_look(self.look._replace(sort=order.column, is_reversed=order.is_reversed))

    def _inspect(self, item: ModelInfo | Problem | None) -> None:
        self._main.query_one(InspectorPane).follow(item)
        was = self._situation
        if isinstance(item, Problem) or (was and (was.unread or was.has_pending or was.on_disk)):
            self._show_what_can_act()

    # Keys that work anywhere.

    async def action_filter(self) -> None:
        """Ask for a filter in a line of its own."""
        from ollm_tui.ui.filter_line import FilterLine, filter_models

        if self._main.query(FilterLine):
            self._main.query_one(FilterLine).take_focus()
            return
        self.show_view("installed")
        installed = self._main.query_one(InstalledPane)
        await self._main.mount(
            FilterLine(installed, partial(filter_models, installed)), before="#footer"
        )

    def action_refresh(self) -> None:
        """Ask the server for everything again."""
        work.run(self, self.service.refresh(), "refresh", exclusive=True)
        self._main.look_again()

    def action_pull(self) -> None:
        """Ask for names and queue them."""
        from ollm_tui.ui.screens.pull import PullScreen

        def queue(names: list[str] | None) -> None:
            numbers = [self.service.enqueue(name) for name in names or ()]
            if numbers:
                self._main.query_one(DownloadsPane).seek(numbers[0])  # the keys are for these
                self.action_pane("downloads")

        inspector = self._main.query_one(InspectorPane)
        self.push_screen(
            PullScreen(self.service, self._suggest, self._known, lambda: inspector.memory_bytes),
            queue,
        )

    def action_undo(self) -> None:
        """Take back the last delete, while that can be."""
        if not self.service.deletions.undo():
            self.notify("There is nothing to take back.", timeout=2)

    def action_config(self) -> None:
        """Show every setting and who set it."""
        self.settings.show()

    def action_doctor(self) -> None:
        """Look for what is wrong with server, store, configuration and terminal."""
        from ollm_tui.ui.screens.doctor import DoctorScreen

        self.push_screen(DoctorScreen(self.service, self.settings.effective, self._keys))

    async def show_service(self, service: ModelService) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()
        self.service = service
        self._bridge = Bridge(self._show, self)
        self._problems, self._arranged, self._situation = (), None, None
        await self._main.show_service(service, self.look)
        for pane in self._main.query(RowList):
            self.put_keys(pane)
        await self._start()

    def action_log(self) -> None:
        """Show what has gone wrong so far."""
        from ollm_tui.ui.screens.log import LogScreen

        self.push_screen(LogScreen(self.errors, self._log_file))

    def action_help(self) -> None:
        """Show all keys."""
        from ollm_tui.ui.screens.help import HelpScreen

        self.push_screen(HelpScreen(self._keys, self.situation, self.place))

    async def action_quit(self) -> None:
        """Leave; asks when that would interrupt downloads, or drop a delete."""
        from ollm_tui.ui import quitting

        quitting.leave(self, (self.service, *self.left))

    # Around the screen.

    def _first_frame_is_out(self) -> None:
        if self._watch is None:  # else this is the first of another server
            from ollm_tui.ui.server_watch import ServerWatch  # the frame did without it

            garbage.begin()
            sys.setswitchinterval(TURN_S)
            self.set_timer(garbage.SETTLED_S, garbage.settle)
            self._watch = ServerWatch(self)
            self.set_interval(terminal.CHECK_EVERY_S, self._check_terminal)
        self._watch.begin(then=self._read_settings)

    def _read_settings(self) -> None:
        source = self.settings.source
        if source is None:
            return

        async def read() -> None:
            await self.settings.read()
            memory_bytes = await work.in_thread(self.memory_bytes or source.memory_bytes)
            self._main.query_one(InspectorPane).know_memory(memory_bytes)
            self._main.query_one(InstalledPane).know_memory(memory_bytes)

        work.run(self, read(), "config", exclusive=True)

    def _configured(self, effective: "Effective", before: "Effective | None") -> None:
        """Do as the configuration says, from now on."""
        self.service.set_concurrency(effective.config.downloads.concurrency)
        self.service.set_tries(effective.config.downloads.retries)
        if before is not None and before.config != effective.config:
            work.run(self, self._settings_changed(), "settings", exclusive=True)
            if before.connection != effective.connection:
                self.notify("Which server is asked, and how, changes with the next start.")
        budget_bytes = effective.config.model.routing.memory_budget
        self._main.query_one(InspectorPane).know_budget(budget_bytes)
        ui = effective.config.ui
        self.rebind(ui.keys, self._show_footer)
        self.look_as_configured(ui.theme, is_still=ui.reduced_motion)
        self._main.show_banner(status.config_banner(effective.errors))
        self._show_status()

    @on(RouterPane.SaveWanted)
    def _save_wanted(self, event: RouterPane.SaveWanted) -> None:
        """Save what is tried; once it is written, it is tried no longer."""
        router = self._main.query_one(RouterPane)
        self.settings.save(event.edits, event.consequences, router.action_reset)

    @on(InstalledPane.OverrideWanted)
    def _override_wanted(self, event: InstalledPane.OverrideWanted) -> None:
        self._main.query_one(RouterPane).override(event.model)

    @on(InstalledPane.DefaultWanted)
    def _default_wanted(self, event: InstalledPane.DefaultWanted) -> None:
        from ollm_tui.routing.change import Edit

        def done() -> None:
            again = f"{named('installed.delete')} asks again"
            self.notify(f"The default is {clean_line(event.model)} now; {again}.")

        self.settings.save([Edit(("model", "default"), event.model)], (), done)

    async def _settings_changed(self) -> None:
        await self.service.settings_changed()
        self._main.query_one(RouterPane).ask_again()

    def _check_terminal(self) -> None:
        if not self.is_headless and terminal.is_gone():
            self._leave(128 + signal.SIGHUP)

    def _leave(self, return_code: int) -> None:
        terminal.leave_for_sure(return_code)
        self.exit(return_code=return_code)
