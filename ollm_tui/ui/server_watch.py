"""What the server is asked without a key: everything at first, later what is in memory.

Draws nothing: what is learnt comes back as events of the service.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from ollm_tui.core.error import OllmError, Unsupported
from ollm_tui.core.event import ServerHealth
from ollm_tui.ui import work

if TYPE_CHECKING:
    from ollm_tui.ui.app import OllmApp

MEMORY_EVERY_S = 5.0
ALIVE_EVERY_S = 30.0


class ServerWatch:
    """Asks the service that the app shows, whichever that is by then.

    Args:
        app: mounted; the timer is its own from now on.
    """

    def __init__(self, app: "OllmApp") -> None:
        self._app = app
        self._unseen_s = 0.0
        app.set_interval(MEMORY_EVERY_S, self.look)

    def begin(self, then: Callable[[], None]) -> None:
        """Ask a service for everything, once there is a frame to draw it in.

        Args:
            then: called once the list is drawn, or why there is none.
        """
        work.run(self._app, self._begin(then), "refresh", exclusive=True)

    def look(self) -> None:
        """Ask what is in memory while the list is in sight; else, rarely, for a sign of life."""
        service = self._app.service
        if service.server.health is not ServerHealth.ONLINE:
            return
        if self._app.is_list_shown and service.can_run:
            work.run(self._app, self._ask_memory(), "memory", exclusive=True)
            return
        self._unseen_s += MEMORY_EVERY_S
        if self._unseen_s >= ALIVE_EVERY_S:
            self._unseen_s = 0.0
            work.run(self._app, self._is_it_alive(), "memory", exclusive=True)

    async def _begin(self, then: Callable[[], None]) -> None:
        await self._app.service.start()
        if await self._app.service.refresh_models():
            # Whatever else is asked loads the HTTP client, so the list is drawn before.
            self._app.call_after_refresh(self._ask_server)
        self._app.call_after_refresh(then)

    def _ask_server(self) -> None:
        work.run(self._app, self._ask_for_the_rest(), "server", exclusive=True)

    async def _ask_for_the_rest(self) -> None:
        await self._app.service.refresh_server()
        # What fails is asked for again with the cursor on it.
        await self._app.service.learn_details()

    async def _is_it_alive(self) -> None:
        """While nothing shown needs the server, only whether it is there is asked."""
        try:
            await self._app.service.version()
        except OllmError:
            self._app.action_refresh()  # which says what is wrong, once

    async def _ask_memory(self) -> None:
        try:
            await self._app.service.refresh_running()
        except Unsupported:
            pass  # the view of what runs says so
        except OllmError:
            self._app.action_refresh()  # which says what is wrong, once
