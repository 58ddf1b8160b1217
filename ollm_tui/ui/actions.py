"""What the command palette offers, and by which words it is found. Loaded with the first one."""

from collections.abc import Iterable

from textual.command import DiscoveryHit, Hit, Hits
from textual.fuzzy import Matcher
from textual.system_commands import SystemCommandsProvider

from ollm_tui.ui.keymap import KEYS

_OTHER_WORDS = {
    "app.pull": "download add install get new",
    "app.filter": "search find",
    "app.refresh": "refresh reload update reconnect",
    "app.config": "settings preferences options edit",
    "app.server": "provider host connect address",
    "app.log": "errors logs",
    "app.undo": "undo restore",
    "app.help": "help shortcuts bindings keyboard",
    "app.zoom": "maximize fullscreen",
    "app.theme": "colors colours dark light mode",
    "app.quit": "exit close program app",
    "installed.reverse": "ascending descending",
    "installed.inspect": "details info show",
    "installed.mark": "select",
    "installed.mark_all": "select",
    "installed.delete": "remove rm uninstall erase",
    "installed.load": "start stop model",
    "installed.unload_all": "stop free memory",
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
        matcher, typed = self.matcher(query), query.casefold().split()
        several = len(typed) > 1  # of which the title may have some
        words = {
            key.description: (*key.label.split(), *_OTHER_WORDS.get(key.id, "").split())
            for key in KEYS
        }
        for title, help_text, callback, *_ in self.app.get_system_commands(self.screen):
            by_title = matcher.match(title)
            known = (*words.get(title, ()), *(title.casefold().split() if several else ()))
            scores = [_best(self.matcher(word), word, known) for word in typed]
            score = max(by_title, *scores) if all(scores) else by_title
            if score > 0:
                shown = matcher.highlight(title) if by_title else title
                yield Hit(score, shown, callback, help=help_text)


def _best(matcher: Matcher, typed: str, known: Iterable[str]) -> float:
    """How well the best of the known words goes on from what is typed; 0 = none does."""
    return max((matcher.match(word) for word in known if word.startswith(typed)), default=0.0)
