"""THE list of bindings: what each key does, where, and why it may not be possible just now.

Help, footer, palette and the README's key table are generated from it. Knows no widget.
"""

from collections.abc import Iterator
from typing import NamedTuple

from textual.binding import Binding, BindingType

EVERYWHERE = "everywhere"
PANES = "panes"
LISTS = "lists"
INSTALLED = "Installed"
DOWNLOADS = "Downloads"
INSPECTOR = "Inspector"
ROUTER = "Router"
PLACES = (EVERYWHERE, PANES, LISTS, INSTALLED, DOWNLOADS, INSPECTOR, ROUTER)


class Key(NamedTuple):
    """One binding."""

    id: str
    """Stable; configuration rebinds keys by it."""
    keys: str
    """Comma-separated, as Textual names them."""
    action: str
    where: str
    label: str
    """For footers: a word or two."""
    description: str
    footer: bool = False
    """Whether the footer shows it when it applies."""
    palette: bool = False
    """Whether the command palette offers it."""


KEYS: tuple[Key, ...] = (
    Key("app.pull", "p", "pull", EVERYWHERE, "pull", "Pull models by name", True, True),
    Key("app.filter", "slash", "filter", EVERYWHERE, "filter", "Filter the models", True, True),
    Key("app.refresh", "r", "refresh", EVERYWHERE, "refresh", "Ask the server again", False, True),
    Key("app.config", "c", "config", EVERYWHERE, "config", "Show the configuration", False, True),
    Key("app.undo", "u", "undo", EVERYWHERE, "undo", "Take back the last delete", False, True),
    Key("app.help", "question_mark", "help", EVERYWHERE, "help", "Show all keys", True, True),
    Key("app.zoom", "z", "zoom", EVERYWHERE, "zoom", "Zoom the pane, or back", True, True),
    Key("pane.installed", "1", "app.pane('installed')", PANES, "installed", "Go to Installed"),
    Key("pane.downloads", "2", "app.pane('downloads')", PANES, "downloads", "Go to Downloads"),
    Key("pane.inspector", "3", "app.pane('inspector')", PANES, "inspector", "Go to Inspector"),
    Key("pane.router", "4", "app.pane('router')", PANES, "router", "Go to Router"),
    Key("pane.next", "tab", "app.next_pane(1)", PANES, "next", "Next pane"),
    Key("pane.previous", "shift+tab", "app.next_pane(-1)", PANES, "previous", "Previous pane"),
    Key(
        "app.palette",
        "ctrl+p",
        "command_palette",
        EVERYWHERE,
        "palette",
        "Find any action by name",
    ),
    Key("app.quit", "q,ctrl+q", "quit", EVERYWHERE, "quit", "Quit", False, True),
    Key("list.down", "down,j", "move(1)", LISTS, "down", "Down"),
    Key("list.up", "up,k", "move(-1)", LISTS, "up", "Up"),
    Key("list.page_down", "pagedown,ctrl+f", "page(1)", LISTS, "page", "A page down"),
    Key("list.page_up", "pageup,ctrl+b", "page(-1)", LISTS, "page", "A page up"),
    Key("list.first", "home,g", "jump(0)", LISTS, "first", "To the first"),
    Key("list.last", "end,G", "jump(-1)", LISTS, "last", "To the last"),
    Key("installed.sort", "s", "sort", INSTALLED, "sort", "Sort by the next column", False, True),
    Key(
        "installed.reverse", "S", "reverse", INSTALLED, "reverse", "Reverse the order", False, True
    ),
    Key("installed.inspect", "enter", "inspect", INSTALLED, "inspect", "Inspect the model", True),
    Key("installed.mark", "space", "mark", INSTALLED, "mark", "Mark, or unmark", True),
    Key("installed.mark_all", "a", "mark_all", INSTALLED, "mark all", "Mark all shown, or none"),
    Key("installed.delete", "d", "delete", INSTALLED, "delete", "Delete the marked models", True),
    Key("installed.load", "l", "load", INSTALLED, "load", "Load into memory, or unload"),
    Key("installed.unload_all", "L", "unload_all", INSTALLED, "unload all", "Unload all models"),
    Key("installed.updates", "U", "updates", INSTALLED, "updates", "Look for updates", False, True),
    Key("installed.copy", "y", "copy_name", INSTALLED, "copy", "Copy the name"),
    Key("downloads.details", "enter", "details", DOWNLOADS, "details", "Show it in full", True),
    Key("downloads.pause", "space", "pause", DOWNLOADS, "pause", "Pause, or go on", True),
    Key("downloads.cancel", "x", "cancel", DOWNLOADS, "cancel", "Cancel the download", True),
    Key("downloads.retry", "R", "retry", DOWNLOADS, "retry", "Try again now", True),
    Key("downloads.up", "K", "shift(-1)", DOWNLOADS, "move up", "Move up in the queue"),
    Key("downloads.down", "J", "shift(1)", DOWNLOADS, "move down", "Move down in the queue"),
    Key("downloads.clear", "C", "clear", DOWNLOADS, "clear", "Clear what has ended", True),
    Key(
        "inspector.previous",
        "left_square_bracket",
        "section(-1)",
        INSPECTOR,
        "section",
        "Previous section",
        True,
    ),
    Key(
        "inspector.next",
        "right_square_bracket",
        "section(1)",
        INSPECTOR,
        "section",
        "Next section",
        True,
    ),
    Key("router.previous", "left", "profile(-1)", ROUTER, "profile", "Previous profile", True),
    Key("router.next", "right", "profile(1)", ROUTER, "profile", "Next profile", True),
)

_SYMBOLS = {
    "slash": "/",
    "question_mark": "?",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "pagedown": "page down",
    "pageup": "page up",
}


def bindings(where: str) -> list[BindingType]:
    """Textual's bindings for one place."""
    return [
        Binding(key.keys, key.action, key.description, show=False, id=key.id)
        for key in in_place(where)
    ]


def in_place(where: str) -> Iterator[Key]:
    """The bindings of one place, in order."""
    return (key for key in KEYS if key.where == where)


def caps(key: Key) -> str:
    """How its keys are printed: `j or ↓`."""
    return " or ".join(_SYMBOLS.get(name, name) for name in reversed(key.keys.split(",")))


def cap(key: Key) -> str:
    """How its first key is printed."""
    first = key.keys.split(",")[0]
    return _SYMBOLS.get(first, first)
