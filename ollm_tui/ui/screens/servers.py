"""Whom to ask from now on: one of the configured providers, or an address typed here."""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple, Protocol

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Label

from ollm_tui.core.error import OllmError
from ollm_tui.core.event import ServerState
from ollm_tui.service.service import ModelService
from ollm_tui.ui import work
from ollm_tui.ui.columns import Column, Piece
from ollm_tui.ui.rows import RowList
from ollm_tui.ui.screens.dialog import Dialog

_HINT = (
    "enter switches; type a name of these, or an address such as 192.168.1.5:11434 for another; "
    "esc leaves"
)


class Server(NamedTuple):
    """A place to ask."""

    name: str
    """In the configuration; empty for one that was typed."""
    kind: str
    address: str
    """For people."""
    detail: str = ""
    """What is sent along: names of headers, of the key's variable, of the certificates."""
    typed: str = ""
    """The address as it was typed; empty for a configured one."""


class ServerSource(Protocol):
    """Where servers come from. All of it is slow: it reads files and makes connections."""

    def servers(self) -> Sequence[Server]:
        """The configured ones."""
        ...

    def typed(self, address: str) -> Server:
        """The one at an address; without headers or keys, which belong to others.

        Raises:
            ConfigError: it is no address.
        """
        ...

    def make_service(self, server: Server) -> ModelService:
        """A service on it.

        Raises:
            ConfigError: it cannot be used.
        """
        ...

    def memory_bytes(self, server: Server) -> int | None:
        """The memory of the machine that runs its models; None = nobody knows."""
        ...


class ServerList(RowList[Server]):
    """One line each."""

    COLUMNS = (
        Column("", 1),
        Column("NAME", 14),
        Column("KIND", 6, drop=2),
        Column("ADDRESS", 20, flexible=True),
        Column("WITH", 28, drop=1),
    )

    def __init__(self, now: ServerState) -> None:
        super().__init__(id="servers", key=lambda server: server.name, classes="")
        self.can_focus = False
        self._now = now

    def show(self, servers: Sequence[Server]) -> None:
        """Show what can be asked, with the cursor on the one that is asked now."""
        self.set_items(servers, [("None is configured.", "dim")])
        asked = [index for index, server in enumerate(servers) if self._is_asked(server)]
        self.move_to(asked[0] if asked else 0)

    def _is_asked(self, server: Server) -> bool:
        if server.kind != self._now.provider:
            return False
        address = server.address.removeprefix("http://").rstrip("/")
        return server.kind == "local" or address == self._now.host.removeprefix("http://")

    def cells(self, server: Server) -> Sequence[Piece]:
        return (
            ("●", "good") if self._is_asked(server) else ("", ""),
            (server.name, ""),
            (server.kind, "dim"),
            (server.address, ""),
            (server.detail, "dim"),
        )


class ServerScreen(Dialog[Server | None]):
    """Answers with the server to ask, or None to leave it.

    Args:
        source: where they come from.
        now: the one that is asked.
    """

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("down", "move(1)", show=False, priority=True),
        Binding("up", "move(-1)", show=False, priority=True),
    ]

    def __init__(self, source: ServerSource, now: ServerState) -> None:
        super().__init__()
        self._source = source
        self._now = now
        self._is_picked = False  # in the table, so that enter takes it
        self._is_read = False  # the table, so that it is known what is a name
        self._is_awaited = False  # by an enter that came before

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Switch the server"
            field = Input(placeholder="address of another server")
            field.cursor_blink = self.app.animation_level != "none"
            yield field
            yield ServerList(self._now)
            yield Label(Content(_HINT), classes="hint")

    def on_mount(self) -> None:
        self.query_one(ServerList).set_items((), [("Reading the configuration …", "dim")])
        self.set_focus(self.query_one(Input))  # at once, for what is typed meanwhile
        work.run(self, self._read(), "servers", exclusive=True)

    async def _read(self) -> None:
        try:
            servers = await work.in_thread(self._source.servers)
        finally:
            self._is_read = True  # without a table every text is an address
        if not self.is_attached:
            return
        is_awaited = self._is_awaited
        self.query_one(ServerList).show(servers)
        self._typed()
        if is_awaited:
            self._submitted()

    @property
    def _named(self) -> Server | None:
        """The server whose name is typed, or the first whose name begins so, unless that is an
        address: a host of that name is asked with its port, `box:11434`."""
        typed = self.query_one(Input).value.strip().casefold()
        if not typed:
            return None
        begun = [
            one for one in self.query_one(ServerList).items if one.name.casefold().startswith(typed)
        ]
        whole = [one for one in begun if one.name.casefold() == typed]
        is_address = bool(set(typed) & set(".:/["))
        return next(iter(whole or (() if is_address else begun)), None)

    def action_move(self, by: int) -> None:
        self._is_picked = True
        self.query_one(ServerList).action_move(by)

    def action_leave(self) -> None:
        self.dismiss(None)

    @on(Input.Changed)
    def _typed(self) -> None:
        self._is_picked = self._is_awaited = False
        named = self._named
        if named is None:
            self._say(_HINT)
            return
        rows = self.query_one(ServerList)
        rows.move_to(rows.items.index(named))
        typed = self.query_one(Input).value.strip()
        host = "" if set(typed) & set(":/") else f"for a host of that name write {typed}:11434; "
        self._say(f"enter switches to {named.name}, {named.address}; {host}esc leaves")

    @on(RowList.Moved)
    def _moved(self) -> None:
        if self._named not in (None, self.query_one(ServerList).item):
            self._is_picked = True  # by a click as well
            self._say(_HINT)

    @on(RowList.Chosen)
    def _chosen(self) -> None:
        self.dismiss(self.query_one(ServerList).item)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        address = self.query_one(Input).value.strip()
        if address and not self._is_read:
            self._is_awaited = True
            return
        if not address or self._is_picked or self._named is not None:
            self.dismiss(self.query_one(ServerList).item)
            return
        try:
            self.dismiss(self._source.typed(address))
        except OllmError as error:
            self._say(f"{error.message}: {error.cause}", is_error=True)

    def _say(self, text: str, *, is_error: bool = False) -> None:
        hint = self.query_one(".hint", Label)
        hint.update(Content(text))
        hint.set_class(is_error, "-error")
