"""A registry in this process that answers rightly, or wrongly in exactly the way a test wants."""

import re
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.store_builder import MadeModel

_TLS_HANDSHAKE = 0x16
"""Servers of plain http answer it in plain http."""
_RANGE = re.compile(r"bytes=(\d+)-")


@dataclass
class Exchange:
    """One request, and the connection to answer it on in any way, lawful or not."""

    registry: "FaultyRegistry"
    method: str
    path: str
    headers: dict[str, str]
    connection: socket.socket

    @property
    def blob(self) -> bytes:
        """What the registry has under the path's digest."""
        return self.registry.blobs[self.path.rpartition("/")[2]]

    @property
    def start(self) -> int:
        """The first byte asked for."""
        match = _RANGE.fullmatch(self.headers.get("range", ""))
        return int(match[1]) if match else 0

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def head(self, status: int, **headers: object) -> None:
        """Send the head of an answer."""
        lines = [f"HTTP/1.1 {status} Whatever"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.send("\r\n".join([*lines, "", ""]).encode("latin-1"))

    def whole(self, status: int, body: bytes, **headers: object) -> None:
        """Send a complete answer."""
        self.head(status, **({"Content_Length": len(body)} | headers))
        self.send(body)

    def part(self, body: bytes | None = None, **headers: object) -> None:
        """Send the head of the part asked for, and then these bytes instead of the right ones."""
        size, start = len(self.blob), self.start
        headers = {"ETag": '"v1"', "Content_Length": size - start} | headers
        if start:
            headers = {"Content_Range": f"bytes {start}-{size - 1}/{size}"} | headers
        self.head(206 if start else 200, **headers)
        self.send(self.blob[start:] if body is None else body)

    def reset(self) -> None:
        """Cut the connection with a TCP reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def wait(self) -> None:
        """Send nothing more until the client hangs up or the test ends."""
        self.registry.stalls.release()
        self.connection.settimeout(0.05)
        while not self.registry.closing.is_set():
            try:
                if not self.connection.recv(1024):
                    return
            except TimeoutError:
                continue


Fault = Callable[[Exchange], None]


@dataclass
class FaultyRegistry:
    """Serves models on a loopback port; faults are used up in order, one per request."""

    port: int = 0
    address: str = "127.0.0.1"
    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, bytes] = field(default_factory=dict)
    blob_faults: dict[str, deque[Fault]] = field(default_factory=dict)
    """By digest."""
    manifest_faults: deque[Fault] = field(default_factory=deque)
    routes: dict[str, Fault] = field(default_factory=dict)
    """By the beginning of the path, for everything else."""
    requests: list[Exchange] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)
    stalls: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    @property
    def netloc(self) -> str:
        return f"{self.address}:{self.port}"

    def name(self, name: str = "ns/model:tag") -> str:
        """The name of a model here, as one pulls it."""
        return f"http://{self.netloc}/{name}"

    def push(self, model: MadeModel, name: str = "ns/model:tag") -> None:
        repository, tag = name.split(":")
        self.blobs.update(model.blobs)
        self.manifests[f"/v2/{repository}/manifests/{tag}"] = model.manifest

    def fail(self, digest: str, *faults: Fault) -> None:
        """Answer the next requests for a blob with these."""
        self.blob_faults[digest] = deque(faults)

    def asked(self, part: str) -> list[Exchange]:
        """The requests with this in their path."""
        return [request for request in self.requests if part in request.path]

    def answer(self, exchange: Exchange) -> None:
        self.requests.append(exchange)
        path = exchange.path
        for beginning, route in self.routes.items():
            if path.startswith(beginning):
                return route(exchange)
        if "/manifests/" in path:
            if self.manifest_faults:
                return self.manifest_faults.popleft()(exchange)
            if path in self.manifests:
                return exchange.whole(200, self.manifests[path])
        digest = path.rpartition("/")[2]
        if faults := self.blob_faults.get(digest):
            return faults.popleft()(exchange)
        if digest in self.blobs:
            return exchange.part()
        return exchange.whole(404, b'{"errors":[{"code":"NAME_UNKNOWN","message":"unknown"}]}')


@contextmanager
def faulty_registry(address: str = "127.0.0.1") -> Iterator[FaultyRegistry]:
    """Run a registry."""
    listener = socket.create_server((address, 0))
    registry = FaultyRegistry(listener.getsockname()[1], address)
    threads: list[threading.Thread] = []

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                thread = threading.Thread(target=_serve, args=(registry, connection), daemon=True)
                threads.append(thread)
                thread.start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield registry
    finally:
        registry.closing.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in (acceptor, *threads):
            thread.join(5)


def _serve(registry: FaultyRegistry, connection: socket.socket) -> None:
    with suppress(OSError), connection:
        data = b""
        while b"\r\n\r\n" not in data:
            chunk = connection.recv(65536)
            if not chunk:
                return
            data += chunk
            if data[0] == _TLS_HANDSHAKE:
                return connection.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")
        first, *lines = data.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        registry.answer(Exchange(registry, method, path, headers, connection))


def status(code: int, body: bytes = b"", **headers: object) -> Fault:
    """Answer with a status."""
    return lambda exchange: exchange.whole(code, body, **headers)


def redirect(url: str, code: int = 307) -> Fault:
    """Send on to another address."""
    return status(code, Location=url)


def cut_after(count: int) -> Fault:
    """Announce all, send this many bytes and close."""
    return lambda exchange: exchange.part(exchange.blob[exchange.start :][:count])


def reset_after(count: int) -> Fault:
    """Announce all, send this many bytes and reset the connection."""

    def fault(exchange: Exchange) -> None:
        cut_after(count)(exchange)
        exchange.reset()

    return fault


def stall_after(count: int) -> Fault:
    """Announce all, send this many bytes, and nothing more."""

    def fault(exchange: Exchange) -> None:
        cut_after(count)(exchange)
        exchange.wait()

    return fault


def silent(exchange: Exchange) -> None:
    """Send nothing at all."""
    exchange.wait()


def whole_file(exchange: Exchange) -> None:
    """Ignore the range asked for."""
    exchange.whole(200, exchange.blob)


def wrong_bytes(exchange: Exchange) -> None:
    """The right length of the wrong bytes."""
    exchange.part(bytes(len(exchange.blob) - exchange.start))


def wrong_range(exchange: Exchange) -> None:
    """Another part than the one asked for."""
    size = len(exchange.blob)
    exchange.part(Content_Range=f"bytes 0-{size - 1}/{size}")


def chunked(exchange: Exchange) -> None:
    """All of it, in chunks and without a length."""
    exchange.head(200, Transfer_Encoding="chunked")
    for at in range(0, len(exchange.blob), 1000):
        chunk = exchange.blob[at : at + 1000]
        exchange.send(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
    exchange.send(b"0\r\n\r\n")


def long_body(exchange: Exchange) -> None:
    """More bytes than the manifest says."""
    exchange.whole(200, exchange.blob + b"more")


def short_body(exchange: Exchange) -> None:
    """Announces fewer bytes than the manifest says, and sends those."""
    exchange.whole(200, exchange.blob[:-1])


def endless(exchange: Exchange) -> None:
    """Never stops sending."""
    exchange.head(200, Content_Type="application/json")
    with suppress(OSError):
        while not exchange.registry.closing.is_set():
            exchange.send(b" " * 65536)
