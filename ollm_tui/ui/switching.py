"""From one server to another without a restart."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from ollm_tui.core.text import clean_line
from ollm_tui.service.service import ModelService
from ollm_tui.ui import format as words
from ollm_tui.ui import work
from ollm_tui.ui.look import LookFile
from ollm_tui.ui.themed import ThemedApp

if TYPE_CHECKING:
    from ollm_tui.ui.screens.servers import Server, ServerSource


class SwitchingApp(ThemedApp):
    """An app that shows one service at a time.

    Args:
        look: how the screen looked last.
        servers: what can be switched to; nothing when absent.
    """

    service: ModelService

    def __init__(self, look: LookFile, servers: "ServerSource | None") -> None:
        super().__init__(look)
        self.servers = servers
        self.left: list[ModelService] = []
        """Services that are not shown any more, and still have something to download."""
        self.memory_bytes: Callable[[], int | None] | None = None
        """Tells the memory where the models run; as the configuration says when absent."""

    async def show_service(self, service: ModelService) -> None:
        """Show another service."""
        raise NotImplementedError

    def action_server(self) -> None:
        """Ask another server from now on."""
        assert self.servers is not None
        from ollm_tui.ui.screens.servers import ServerScreen

        def take(server: "Server | None") -> None:
            if server is not None:
                work.run(self, self._switch(server), "switch", exclusive=True)

        self.push_screen(ServerScreen(self.servers, self.service.server), take)

    async def _switch(self, server: "Server") -> None:
        source = self.servers
        assert source is not None
        service = await work.in_thread(partial(source.make_service, server))
        self.memory_bytes = partial(source.memory_bytes, server)
        before = self.service
        self.clear_notifications()  # what they say is of the server before
        await self.show_service(service)
        await self._leave_service(before)
        if server.typed:
            self._offer_to_save(server)

    async def _leave_service(self, service: ModelService) -> None:
        """Let go of a service, once its downloads have ended. Source: rulings Z1 and Z14."""
        from ollm_tui.ui.quitting import interrupted

        self._keep_the_pending(service)
        if not (items := interrupted(service)):
            await service.close()
            return
        self.left.append(service)
        self.notify(
            f"{words.count(len(items), 'download')} of {service.server.host} go on unseen.",
            markup=False,
        )
        service.subscribe(lambda event: self._close_when_done(service))

    def _keep_the_pending(self, service: ModelService) -> None:
        """Take back every delete that has not begun: nobody could do so any more."""
        kept: list[str] = []
        while names := service.deletions.undo():
            kept += map(clean_line, names)
        if kept:
            self.notify(
                f"Not deleted, since another server is asked now: {', '.join(kept)}.",
                severity="warning",
                markup=False,
            )

    def _close_when_done(self, service: ModelService) -> None:
        from ollm_tui.ui.quitting import interrupted

        if service in self.left and not interrupted(service):
            self.left.remove(service)
            self.notify(f"All downloads of {service.server.host} have ended.", markup=False)
            work.run(self, service.close(), f"close {id(service)}")

    def _offer_to_save(self, server: "Server") -> None:
        """Say how an address that was typed becomes a configured one."""
        self.notify(
            f"{server.address} is asked until you quit.\nTo keep it, write\n"
            f"providers: {{ollama: {{host: {server.address}}}}}\ninto the configuration (c).",
            timeout=10,
            markup=False,
        )
