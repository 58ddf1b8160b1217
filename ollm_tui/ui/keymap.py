"""THE list of bindings: what each key does, and where. `possible` says when it cannot act.

Help, footer, palette and the README's key table are generated from it. Knows no widget, and
loads nothing of Textual by itself: configuration is checked against it without a screen.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from textual.binding import BindingsMap, BindingType

EVERYWHERE = "everywhere"
PANES = "panes"
LISTS = "lists"
INSTALLED = "Installed"
RUNNING = "Running"
DISK = "Disk"
DOWNLOADS = "Downloads"
INSPECTOR = "Inspector"
ROUTER = "Router"
WHAT_IF = "What if"
DOCTOR = "Doctor"
PLACES = (
    EVERYWHERE,
    PANES,
    LISTS,
    INSTALLED,
    RUNNING,
    DISK,
    DOWNLOADS,
    INSPECTOR,
    ROUTER,
    WHAT_IF,
    DOCTOR,
)


class Key(NamedTuple):
    """One binding."""

    id: str
    """Stable; configuration rebinds keys by it."""
    keys: str
    """Comma-separated, as Textual names them; may be none."""
    action: str
    where: str
    label: str
    """For footers: a word or two."""
    description: str
    footer: bool = False
    """Whether the footer shows it when it applies."""
    palette: bool = True
    """Whether the command palette offers it."""


KEYS: tuple[Key, ...] = (
    Key("app.pull", "p", "pull", EVERYWHERE, "pull", "Pull models by name", True, True),
    Key("app.filter", "slash", "filter", EVERYWHERE, "filter", "Filter the models", True, True),
    Key("app.refresh", "r", "refresh", EVERYWHERE, "refresh", "Ask the server again", False, True),
    Key("app.config", "c", "config", EVERYWHERE, "config", "Show the configuration", False, True),
    Key("app.server", "H", "server", EVERYWHERE, "server", "Switch the server"),
    Key("app.log", "ctrl+l", "log", EVERYWHERE, "log", "Show the log"),
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
        palette=False,
    ),
    Key("app.quit", "q,ctrl+q", "quit", EVERYWHERE, "quit", "Quit", True, True),
    Key("app.theme", "", "change_theme", EVERYWHERE, "theme", "Change the theme"),
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
    Key("installed.clear_filter", "escape", "clear_filter", INSTALLED, "all", "Clear the filter"),
    Key("installed.inspect", "enter", "inspect", INSTALLED, "inspect", "Inspect the model", True),
    Key("installed.mark", "space", "mark", INSTALLED, "mark", "Mark, or unmark", True),
    Key("installed.mark_all", "a", "mark_all", INSTALLED, "mark all", "Mark all shown, or none"),
    Key("installed.delete", "d", "delete", INSTALLED, "delete", "Delete the marked models", True),
    Key("installed.load", "l", "load", INSTALLED, "load", "Load into memory, or unload"),
    Key("installed.unload_all", "L", "unload_all", INSTALLED, "unload all", "Unload all models"),
    Key("installed.updates", "U", "updates", INSTALLED, "updates", "Look for updates", False, True),
    Key("installed.copy", "y", "copy_name", INSTALLED, "copy", "Copy the name"),
    Key(
        "installed.override",
        "o",
        "override",
        INSTALLED,
        "override",
        "Make it the override of the router's profile",
        True,
        True,
    ),
    Key("installed.view", "v", "app.view", INSTALLED, "running", "Show what is running", True),
    Key("running.unload", "l", "unload", RUNNING, "unload", "Unload the model", True),
    Key("running.unload_all", "L", "unload_all", RUNNING, "unload all", "Unload all models", True),
    Key("running.keep", "t", "keep", RUNNING, "keep", "Change how long it stays", True),
    Key("running.view", "v", "app.view", RUNNING, "disk", "Show the disk", True),
    Key("disk.resume", "enter,R", "resume", DISK, "go on", "Go on with the download", True),
    Key("disk.discard", "x", "discard", DISK, "discard", "Discard what is left over", True),
    Key("disk.delete", "d", "delete", DISK, "delete", "Delete the model", True),
    Key(
        "disk.doctor",
        "D",
        "app.doctor",
        DISK,
        "doctor",
        "Doctor: look for what is wrong",
        True,
        True,
    ),
    Key("disk.view", "v", "app.view", DISK, "installed", "Show the installed models", True),
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
    Key("router.previous", "left", "profile(-1)", ROUTER, "profile", "Previous profile"),
    Key("router.next", "right", "profile(1)", ROUTER, "profile", "Next profile", True),
    Key("router.choose", "enter", "choose", ROUTER, "choose", "Why not this one? Try it, go there"),
    Key("router.back", "escape", "back", ROUTER, "back", "Back to the decision"),
    Key("router.explain", "e", "view('explain')", ROUTER, "why", "Every rule", True, True),
    Key("router.fixes", "f", "view('fixes')", ROUTER, "fixes", "What would change it", True, True),
    Key("router.what_if", "w", "view('what_if')", ROUTER, "what if", "Try changes", True, True),
    Key("router.matrix", "m", "view('matrix')", ROUTER, "matrix", "Profiles by models", True, True),
    Key("router.try", "t", "try_prompt", ROUTER, "try", "Try a prompt", True, True),
    Key("router.apply", "P", "apply", ROUTER, "apply", "Save what is tried, or export", True, True),
    Key(
        "router.breakpoints",
        "b",
        "view('breakpoints')",
        ROUTER,
        "breaks",
        "Winner by the context asked for",
        True,
        True,
    ),
    Key(
        "router.difference",
        "d",
        "view('difference')",
        ROUTER,
        "diff",
        "What the tried changes do to every profile",
        True,
        True,
    ),
    Key("router.lint", "i", "view('lint')", ROUTER, "lint", "What is hardly meant", True, True),
    Key("router.scenarios", "T", "view('scenarios')", ROUTER, "cases", "Run the cases", True, True),
    Key(
        "router.record", "R", "record", ROUTER, "record", "Keep this decision as a case", True, True
    ),
    Key("router.copy", "y", "copy", ROUTER, "copy", "Copy the decision as text", False, True),
    Key("what_if.more", "plus,equals_sign", "step(1)", WHAT_IF, "more", "The next value", True),
    Key("what_if.less", "minus", "step(-1)", WHAT_IF, "less", "The value before", True),
    Key("what_if.switch", "space", "switch", WHAT_IF, "switch", "Switch", True),
    Key("what_if.remove", "x", "remove", WHAT_IF, "remove", "Take out, or bring back", True),
    Key("what_if.down", "J", "shift(1)", WHAT_IF, "down", "Move a family down"),
    Key("what_if.up", "K", "shift(-1)", WHAT_IF, "up", "Move a family up"),
    Key("what_if.undo", "u", "undo", WHAT_IF, "undo", "Take the last change back", True),
    Key("what_if.redo", "ctrl+r", "redo", WHAT_IF, "redo", "Make it again"),
    Key("what_if.reset", "backspace", "reset", WHAT_IF, "reset", "Take everything back"),
    Key("doctor.verify", "v", "verify", DOCTOR, "verify", "Hash every file of the store"),
    Key("doctor.repair", "R", "repair", DOCTOR, "repair", "Fetch what is missing or bad"),
    Key("doctor.reclaim", "x", "reclaim", DOCTOR, "reclaim", "Remove what is left over"),
    Key("doctor.again", "r", "again", DOCTOR, "again", "Look again"),
    Key("doctor.close", "escape,q,D", "dismiss", DOCTOR, "close", "Close"),
)

ALSO = {WHAT_IF: ("router.apply",)}
"""Keys that the footer of a place shows besides its own, by id."""

_named: dict[str, str] = {}
"""What the bindings in force are called, by id."""

_SYMBOLS = {
    "slash": "/",
    "question_mark": "?",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "left": "←",
    "right": "→",
    "plus": "+",
    "minus": "-",
    "equals_sign": "=",
    "escape": "esc",
    "up": "↑",
    "down": "↓",
    "pagedown": "page down",
    "pageup": "page up",
}


def bindings(where: str) -> "list[BindingType]":
    """Textual's bindings for one place."""
    from textual.binding import Binding

    return [
        Binding(key.keys, key.action, key.description, show=False, id=key.id)
        for key in in_place(where)
        if key.keys
    ]


def put(there: "BindingsMap", keys: Iterable[Key], *places: str) -> None:
    """Give the bindings of a widget the keys that they have now.

    Args:
        places: those whose keys act in it.
    """
    from textual.binding import Binding

    ours = {key.id for key in KEYS}
    for name, bound in tuple(there.key_to_bindings.items()):
        there.key_to_bindings[name] = [binding for binding in bound if binding.id not in ours]
    for key in keys:
        if key.where in places:
            for name in filter(None, key.keys.split(",")):
                binding = Binding(name, key.action, key.description, show=False, id=key.id)
                there.key_to_bindings.setdefault(name, []).append(binding)


def use(keys: Iterable[Key]) -> None:
    """Have texts name these keys from now on: one program has one keyboard."""
    _named.clear()
    _named.update((key.id, cap(key) or f"“{key.description}”") for key in keys)


def named(key_id: str) -> str:
    """What a text calls the key of a binding: its first one, or where it has none what it does."""
    if not _named:
        use(KEYS)
    return _named[key_id]


def in_place(where: str, keys: Iterable[Key] = KEYS) -> Iterator[Key]:
    """The bindings of one place, in order."""
    return (key for key in keys if key.where == where)


@cache
def actions(where: str) -> frozenset[str]:
    """The names of the actions of one place, without their arguments."""
    return frozenset(key.action.partition("(")[0] for key in in_place(where))


def caps(key: Key) -> str:
    """How its keys are printed: `j or ↓`."""
    names = [name for name in reversed(key.keys.split(",")) if name]
    return " or ".join(_SYMBOLS.get(name, name) for name in names)


def cap(key: Key) -> str:
    """How its first key is printed; empty when it has none."""
    first = key.keys.split(",")[0]
    return _SYMBOLS.get(first, first)
