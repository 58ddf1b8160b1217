"""What the command palette offers, and by which words it is found. Loaded with the first one."""

from textual.command import DiscoveryHit, Hit, Hits
from textual.system_commands import SystemCommandsProvider

from ollm_tui.ui.keymap import KEYS

_OTHER_WORDS = {
    "app.pull": "download add install get new",
    "app.filter": "search find",
    "app.refresh": "refresh reload update",
    "app.config": "settings preferences options edit",
    "app.server": "provider host connect address",
    "app.log": "errors",
    "app.undo": "undo restore",
    "app.help": "help shortcuts bindings",
    "app.zoom": "maximize fullscreen",
    "app.theme": "colors colours dark light",
    "app.quit": "exit close",
    "installed.reverse": "ascending descending",
    "installed.inspect": "details info show",
    "installed.mark": "select",
    "installed.mark_all": "select",
    "installed.delete": "remove rm",
    "installed.load": "start stop",
    "installed.unload_all": "stop free",
    "installed.updates": "upgrade outdated",
    "installed.override": "pin use",
    "downloads.pause": "resume continue",
    "downloads.cancel": "stop abort",
    "downloads.clear": "remove finished",
    "disk.discard": "clean partial",
    "router.try": "chat run ask",
    "router.apply": "write yaml",
    "router.record": "test scenario",
    "router.scenarios": "tests scenarios",
}
"""What people call an action that its title and its label call something else, by id."""


class Actions(SystemCommandsProvider):
    """Every action in the order in which the app names them, instead of by name."""

    async def discover(self) -> Hits:
        for command in self.app.get_system_commands(self.screen):
            if command.discover:
                yield DiscoveryHit(command.title, command.callback, help=command.help)

    async def search(self, query: str) -> Hits:
        matcher, typed = self.matcher(query), query.casefold()
        words = {
            key.description: (*key.label.split(), *_OTHER_WORDS.get(key.id, "").split())
            for key in KEYS
        }
        for title, help_text, callback, *_ in self.app.get_system_commands(self.screen):
            by_title = matcher.match(title)
            meant = [word for word in words.get(title, ()) if word.startswith(typed)]
            score = max((by_title, *map(matcher.match, meant)))
            if score > 0:
                shown = matcher.highlight(title) if by_title else title
                yield Hit(score, shown, callback, help=help_text)
