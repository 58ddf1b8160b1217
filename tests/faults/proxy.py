"""A TCP proxy between a client and a real server that breaks connections as a test asks."""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

_CHUNK_BYTES = 65536


class Kind(StrEnum):
    """What happens to what the server sends."""

    PASS = "pass"
    CUT = "cut"
    """Closed after so many bytes."""
    RESET = "reset"
    HALF_CLOSE = "half close"
    """The server's end is closed after so many bytes, the client's stays open."""
    SILENCE = "silence"
    """After so many bytes nothing more, and nobody closes."""
    GARBAGE = "garbage"
    """Random bytes instead, after so many right ones."""
    TRICKLE = "trickle"
    """After so many bytes one each `delay_s`."""


class Break(NamedTuple):
    """How one connection goes."""

    kind: Kind = Kind.PASS
    after_bytes: int = 0
    delay_s: float = 0.0
    """Before the first byte of the answer; TRICKLE: before each."""
    garbage: bytes = b""


@dataclass
class Proxy:
    """A listening proxy."""

    target: tuple[str, int]
    next_break: Callable[[bytes], Break]
    """Asked once for each connection, with what the client sends first."""
    port: int = 0
    connections: int = 0
    carried_bytes: list[int] = field(default_factory=list)
    """Per connection, from the server to the client."""
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def netloc(self) -> str:
        """host:port."""
        return f"127.0.0.1:{self.port}"

    def serve(self, client: socket.socket) -> None:
        """Carry one connection to its end."""
        number = self.connections
        self.connections += 1
        self.carried_bytes.append(0)
        with suppress(OSError), client, socket.create_connection(self.target, 5) as server:
            request = client.recv(_CHUNK_BYTES)
            how = self.next_break(request)
            server.sendall(request)
            forth = threading.Thread(target=_carry, args=(client, server), daemon=True)
            forth.start()
            if how.delay_s and how.kind is not Kind.TRICKLE:
                self.closing.wait(how.delay_s)
            with suppress(OSError):
                self._answer(number, how, client, server)
            if how.kind is Kind.RESET:
                with suppress(OSError):  # a thread that still reads would keep it from closing
                    client.shutdown(socket.SHUT_RD)
                forth.join(5)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.close()
            for end in (client, server):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            forth.join(5)

    def _answer(
        self, number: int, how: Break, client: socket.socket, server: socket.socket
    ) -> None:
        left = how.after_bytes if how.kind is not Kind.PASS else None
        while left is None or left > 0:
            data = server.recv(_CHUNK_BYTES if left is None else min(left, _CHUNK_BYTES))
            if not data:
                return
            self.carried_bytes[number] += len(data)
            client.sendall(data)
            left = None if left is None else left - len(data)
        match how.kind:
            case Kind.HALF_CLOSE:
                client.shutdown(socket.SHUT_WR)
                self._until_gone(client)
            case Kind.SILENCE:
                self._until_gone(client)
            case Kind.GARBAGE:
                client.sendall(how.garbage)
            case Kind.TRICKLE:
                while (data := server.recv(1)) and not self.closing.wait(how.delay_s):
                    client.sendall(data)

    def _until_gone(self, client: socket.socket) -> None:
        """Wait until the client hangs up; `_carry` reads what it sends, and notices."""
        while not self.closing.wait(0.02):
            with suppress(BlockingIOError):
                if not client.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT):
                    return


def _carry(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(_CHUNK_BYTES):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@contextmanager
def tcp_proxy(
    port: int, next_break: Callable[[bytes], Break] = lambda _: Break(), host: str = "127.0.0.1"
) -> Iterator[Proxy]:
    """Run a proxy to a server on this machine."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    proxy = Proxy((host, port), next_break, listener.getsockname()[1])
    threads: list[threading.Thread] = []

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                thread = threading.Thread(target=proxy.serve, args=(client,), daemon=True)
                threads.append(thread)
                thread.start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield proxy
    finally:
        proxy.closing.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        end_s = time.monotonic() + 5
        for thread in (acceptor, *threads):
            thread.join(max(0.0, end_s - time.monotonic()))
