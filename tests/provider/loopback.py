"""A loopback server that answers with exactly the bytes that a test hands it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field


@dataclass
class Request:
    """What came over the wire."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> object:
        """The body, parsed."""
        return json.loads(self.body)


@dataclass
class Exchange:
    """One request, and the connection to answer it on in any way, lawful or not."""

    request: Request
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        """Send raw bytes."""
        self.writer.write(data)
        await self.writer.drain()

    async def begin(self, content_type: str = "application/x-ndjson") -> None:
        """Send the head of a chunked answer."""
        await self.send(
            f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n"
            "Transfer-Encoding: chunked\r\n\r\n".encode()
        )

    async def chunk(self, data: bytes) -> None:
        """Send one piece of a chunked answer."""
        await self.send(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    async def line(self, message: object) -> None:
        """Send one NDJSON line."""
        await self.chunk(json.dumps(message).encode() + b"\n")

    async def end(self) -> None:
        """End a chunked answer as the protocol says."""
        await self.send(b"0\r\n\r\n")

    def reset(self) -> None:
        """Cut the connection with a TCP reset."""
        self.writer.transport.abort()

    async def disconnected(self) -> None:
        """Return once the client has hung up."""
        try:
            while await self.reader.read(1024):
                pass
        except ConnectionError:
            pass


Answerer = Callable[[Exchange], Awaitable[None]]


def whole(
    body: object = b"", status: str = "200 OK", content_type: str = "application/json", **extra: str
) -> Answerer:
    """Answer with a complete response; a body that is not bytes is sent as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in extra.items())
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(data)}\r\n{more}\r\n"
    )

    async def answer(exchange: Exchange) -> None:
        await exchange.send(head.encode() + data)

    return answer


def raw(data: bytes) -> Answerer:
    """Answer with these bytes and hang up."""

    async def answer(exchange: Exchange) -> None:
        await exchange.send(data)
        exchange.writer.close()

    return answer


def lines(*messages: object) -> Answerer:
    """Answer with a stream of NDJSON lines."""

    async def answer(exchange: Exchange) -> None:
        await exchange.begin()
        for message in messages:
            await exchange.line(message)
        await exchange.end()

    return answer


@dataclass
class LoopbackServer:
    """Answers by path; remembers what was asked."""

    port: int = 0
    answers: dict[str, Answerer] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)

    @property
    def address(self) -> str:
        """host:port."""
        return f"127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        try:
            while (request := await _read_request(reader)) is not None:
                self.requests.append(request)
                answer = self.answers.get(request.path, _NO_ROUTE)
                await answer(Exchange(request, reader, writer))
                if writer.is_closing():
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client hung up
        finally:
            writer.close()


_NO_ROUTE = whole(b"404 page not found", "404 Not Found", "text/plain")


async def _read_request(reader: asyncio.StreamReader) -> Request | None:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").strip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {}
    for line in rest:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, path, headers, body)
