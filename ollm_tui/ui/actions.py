"""What the command palette offers before anything is typed. Loaded with the first palette."""

from textual.command import DiscoveryHit, Hits
from textual.system_commands import SystemCommandsProvider


class Actions(SystemCommandsProvider):
    """Every action in the order in which the app names them, instead of by name."""

    async def discover(self) -> Hits:
        for command in self.app.get_system_commands(self.screen):
            if command.discover:
                yield DiscoveryHit(command.title, command.callback, help=command.help)
