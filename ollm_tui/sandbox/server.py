"""The made-up server, running in a thread of its own: what tests, screenshots and --demo hold."""

import asyncio
import socket
import threading
from collections.abc import Iterable
from datetime import datetime
from types import TracebackType
from typing import Self

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from ollm_tui.sandbox.app import create_app
from ollm_tui.sandbox.border import Border
from ollm_tui.sandbox.faults import Faults
from ollm_tui.sandbox.models import SandboxModel
from ollm_tui.sandbox.profile import PROFILES
from ollm_tui.sandbox.record import RecordedRequest
from ollm_tui.sandbox.roster import (
    catalogue_models,
    hostile_models,
    installed_models,
    synthetic_models,
)
from ollm_tui.sandbox.store import Clock, Store
from ollm_tui.sandbox.timing import Timing
from ollm_tui.sandbox.world import World

_START_LIMIT_S = 10.0
_STOP_LIMIT_S = 0.5


class SandboxServer:
    """An Ollama-compatible server on a loopback port, to be turned from any thread."""

    def __init__(
        self,
        *,
        port: int = 0,
        models: int | Iterable[SandboxModel] | None = None,
        loaded: Iterable[str] = (),
        catalogue: Iterable[SandboxModel] | None = None,
        timing: Timing | None = None,
        version: str = "0.33",
        hostile: bool = False,
        base_path: str = "",
        clock: Clock | None = None,
    ) -> None:
        """Prepare a server; `start` opens its port.

        Args:
            port: 0 = any free one.
            models: what is installed; a number makes up so many; None = the built-in thirty.
            loaded: names of models that are in memory from the start.
            catalogue: what can be pulled besides; None = the built-in twenty.
            timing: speeds and delays; None = those of the demo. Tests take INSTANT.
            version: a key of PROFILES.
            hostile: also install models with hostile names.
            base_path: such as "/ollama", put before every path.
            clock: the server's time, aware; None = the real one.
        """
        profile = PROFILES[version]
        if models is None:
            models = installed_models()
        elif isinstance(models, int):
            models = synthetic_models(models)
        installed = [model for model in models if profile.remote_stubs or not model.remote]
        installed += hostile_models() if hostile else ()
        store = Store(installed, clock or (lambda: datetime.now().astimezone()))
        offered = catalogue_models() if catalogue is None else catalogue
        self.world = World(store, offered, profile, timing or Timing())
        for name in loaded:
            self.load(name)
        self._port = port
        self._base_path = base_path
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def host(self) -> str:
        """The address without scheme, such as "127.0.0.1:41234"."""
        return f"127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        """The address with scheme and base path, without a slash at the end."""
        return f"http://{self.host}{self._base_path}"

    @property
    def store(self) -> Store:
        """What is installed and loaded."""
        return self.world.store

    @property
    def faults(self) -> Faults:
        """The knobs."""
        return self.world.faults

    @property
    def timing(self) -> Timing:
        """Speeds and delays; may be replaced while downloads run."""
        return self.world.timing

    @timing.setter
    def timing(self, timing: Timing) -> None:
        self.world.timing = timing

    @property
    def requests(self) -> list[RecordedRequest]:
        """All requests so far, oldest first."""
        return self.world.record.all()

    def count(self, path: str | None = None, method: str | None = None) -> int:
        """Return how many requests there were, of one path or method if given."""
        return self.world.record.count(path, method)

    async def arrived(self, path: str, count: int = 1, timeout_s: float = 5.0) -> bool:
        """Wait until `path` was asked for `count` times; return whether it was in time."""
        return await self.world.record.arrived(path, count, timeout_s)

    def clear(self) -> None:
        """Forget the requests."""
        self.world.record.clear()

    @property
    def partial_bytes(self) -> dict[str, int]:
        """What has arrived of unfinished blobs, by digest."""
        return self.world.downloads.partial_bytes()

    def offer(self, model: SandboxModel) -> None:
        """Put a model into the catalogue, or another version of one that is there."""
        self.world.offer(model)

    def load(self, name: str, context_tokens: int | None = None) -> None:
        """Put an installed model into memory."""
        entry = self.store.find(name)
        if entry is None:
            raise KeyError(name)
        self.store.load(entry.model, context_tokens)

    def start(self) -> Self:
        """Open the port and serve; returns when the server answers."""
        # asyncio turns Nagle's delay off only for sockets that name their protocol.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self._port))
        self._port = listener.getsockname()[1]
        app = Border(create_app(self.world), self.faults, self.world.record, self._base_path)
        self._server = _Server(app)
        self._thread = threading.Thread(
            target=self._server.run_until_stopped, args=(listener,), name="sandbox", daemon=True
        )
        self._thread.start()
        if not self._server.ready.wait(_START_LIMIT_S):
            raise RuntimeError("The made-up server did not start")
        return self

    def drop_connections(self) -> None:
        """Cut every open connection, whatever it is in the middle of, and go on serving."""
        if self._server:
            self._server.request_abort()

    def stop(self) -> None:
        """Close every connection and the port; `start` opens the same port again.

        A second call does nothing.
        """
        server, thread = self._server, self._thread
        if server is None or thread is None:
            return
        self._server = self._thread = None
        server.request_stop()
        thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


class _Server(uvicorn.Server):
    """uvicorn without signal handlers, polling and patience."""

    def __init__(self, app: Border) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=_Protocol,
                ws="none",
                lifespan="off",
                loop="none",
                log_config=None,
                log_level="error",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=75,
            )
        )
        self.ready = threading.Event()
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def run_until_stopped(self, listener: socket.socket) -> None:
        asyncio.run(self.serve(sockets=[listener]))

    def request_stop(self) -> None:
        if self._loop:
            self._loop.call_soon_threadsafe(self._stopping.set)

    def request_abort(self) -> None:
        if self._loop:
            self._loop.call_soon_threadsafe(self._abort_connections)

    async def main_loop(self) -> None:
        await self.on_tick(0)
        self._loop = asyncio.get_running_loop()
        self.ready.set()
        await self._stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # What was accepted just now becomes a connection in the next turns of the loop, and breaks
        # in asyncio, with its socket left open, if the server is closed before that.
        loop = asyncio.get_running_loop()
        for server in self.servers:
            for listener in server.sockets:
                loop.remove_reader(listener.fileno())
        for _ in range(2):
            await asyncio.sleep(0)
        for server in self.servers:
            server.close()
        self._abort_connections()
        # Every answer ends when its client has left, so this takes a few turns of the loop.
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=_STOP_LIMIT_S)
        await asyncio.sleep(0)

    def _abort_connections(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()


class _Protocol(H11Protocol):
    """Hands the transport on, so that a fault can close it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}
