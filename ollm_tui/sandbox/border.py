"""What every request passes first: the record, the Host check, gates, and endpoint faults.

Knows nothing of models.
"""

import asyncio
import ipaddress
import json
import time
from collections.abc import AsyncIterator
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ollm_tui.sandbox.body import JSON_TYPE, json_response, plain_response
from ollm_tui.sandbox.faults import WRONG_SHAPES, EndpointFault, EndpointMode, Faults
from ollm_tui.sandbox.pull_faults import ConnectionCutError
from ollm_tui.sandbox.record import Record, RecordedRequest

_PORTAL = (
    "<!doctype html><html><head><title>Guest Wi-Fi</title></head>"
    "<body><h1>Please sign in</h1><a href='/login'>Continue</a></body></html>"
)
_GARBAGE = '{"models":[{"name":"llama3.2:3b","size":19'
_BUSY = "server busy, please try again.  maximum pending requests exceeded"
_CHUNK = b"x" * 65_536
_LOCAL_NAMES = ("localhost", "")
_LOCAL_ENDINGS = (".localhost", ".local", ".internal")


class Border:
    """The outermost ASGI application."""

    def __init__(self, app: ASGIApp, faults: Faults, record: Record, base_path: str) -> None:
        self._app = app
        self._faults = faults
        self._record = record
        self._base_path = base_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, until it is answered or the client has left."""
        body = await _read_body(receive)
        path = scope["path"]
        self._record.add(_recorded(scope, body))
        completed = False

        async def watched_send(message: Message) -> None:
            nonlocal completed
            completed = message["type"] == "http.response.body" and not message.get("more_body")
            await send(message)

        if self._base_path:
            path = path.removeprefix(self._base_path) if path.startswith(self._base_path) else "/-"
        inner_scope = {**scope, "path": path or "/", "raw_path": (path or "/").encode()}
        answer = asyncio.create_task(self._answer(inner_scope, body, watched_send))
        departure = asyncio.create_task(_departure(receive))
        try:
            await asyncio.wait({answer, departure}, return_when=asyncio.FIRST_COMPLETED)
            if completed or answer.done():
                await answer
        except ConnectionCutError:
            scope["state"]["transport"].close()
        finally:
            for task in (answer, departure):
                task.cancel()
            await asyncio.wait({answer, departure})

    async def _answer(self, scope: Scope, body: bytes, send: Send) -> None:
        if not _is_local(Headers(scope=scope).get("host", "")):
            await Response(status_code=403)(scope, _never, send)
            return
        gate = self._faults.gate_at(scope["path"])
        if gate:
            await gate.pass_through()
        fault = self._faults.take_endpoint(scope["path"])
        if fault and fault.mode is EndpointMode.CUT:
            send = _cutting(send)
        elif fault and fault.mode is EndpointMode.SLOW:
            await asyncio.sleep(fault.delay_s)
        elif fault and fault.mode is not EndpointMode.OK:
            response = await _faulty_response(fault)
            await response(scope, _never, send)
            return
        await self._app(scope, _replay(body), send)


async def _faulty_response(fault: EndpointFault) -> Response:
    match fault.mode:
        case EndpointMode.DROP:
            raise ConnectionCutError
        case EndpointMode.HANG:
            await _never()
        case EndpointMode.HTTP_401:
            address = "https://ollama.com/connect?name=sandbox"
            return json_response({"error": "unauthorized", "signin_url": address}, 401)
        case EndpointMode.HTTP_403:
            return Response(status_code=403)
        case EndpointMode.HTTP_404:
            return plain_response(fault.text or "404 page not found", 404)
        case EndpointMode.HTTP_500:
            return json_response({"error": fault.text or "something went wrong"}, 500)
        case EndpointMode.HTTP_503:
            return json_response({"error": fault.text or _BUSY}, 503)
        case EndpointMode.HTML:
            return Response(fault.text or _PORTAL, media_type="text/html")
        case EndpointMode.GARBAGE:
            return Response(fault.text or _GARBAGE, media_type=JSON_TYPE)
        case EndpointMode.WRONG_SHAPE:
            return Response(WRONG_SHAPES[fault.variant], media_type=JSON_TYPE)
        case EndpointMode.HUGE:
            return StreamingResponse(_huge(fault.size_bytes), media_type=JSON_TYPE)
    return Response(media_type=JSON_TYPE)


async def _huge(size_bytes: int) -> AsyncIterator[bytes]:
    yield b'{"models":[],"padding":"'
    for _ in range(-(-size_bytes // len(_CHUNK))):
        yield _CHUNK
    yield b'"}'


def _cutting(send: Send) -> Send:
    async def cut(message: Message) -> None:
        if message["type"] != "http.response.body":
            await send(message)
            return
        body = message.get("body", b"")
        await send({**message, "body": body[: len(body) // 2], "more_body": True})
        raise ConnectionCutError

    return cut


def _recorded(scope: Scope, body: bytes) -> RecordedRequest:
    parsed: object = None
    if body:
        try:
            parsed = json.loads(body)
        except ValueError:
            parsed = body.decode(errors="replace")
    return RecordedRequest(
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("ascii", "replace"),
        headers=dict(Headers(scope=scope)),
        body=parsed,
        time_s=time.monotonic(),
    )


async def _read_body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(body)


def _replay(body: bytes) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return messages.pop() if messages else await _never()

    return receive


async def _never() -> Any:
    await asyncio.get_running_loop().create_future()


async def _departure(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _is_local(host: str) -> bool:
    name = host.rpartition(":")[0] if ":" in host and not host.endswith("]") else host
    name = name.strip("[]").lower().rstrip(".")
    if name in _LOCAL_NAMES or name.endswith(_LOCAL_ENDINGS):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or address.is_private or address.is_unspecified
