"""Pulls that go wrong: events changed on their way, lines broken on theirs.

Each fault is a small generator around the ordinary pull of pull.py.
"""

import asyncio
import json
import math
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing

from ollm_tui.sandbox.faults import CUT, PullFault, PullMode, PullScript
from ollm_tui.sandbox.gate import Gate
from ollm_tui.sandbox.models import SandboxModel
from ollm_tui.sandbox.pull import (
    SUCCESS_EVENT,
    VERIFYING_EVENT,
    WRITING_EVENT,
    Event,
    Events,
)

Lines = AsyncGenerator[bytes, None]
_LONG_LINE_BYTES = 1_200_000
_ENDLESS_CHUNKS = 4096
_CHUNK_BYTES = 65_536
_UMLAUTS = '{"status":"pulling manifest über Umwege"}\n'.encode()


class ConnectionCutError(Exception):
    """The script says that the connection ends here."""


def json_line(event: object) -> bytes:
    """Return one line of NDJSON."""
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


async def faulty_events(events: AsyncIterator[Event], mode: PullMode) -> Events:
    """Yield the events that the mode lets through."""
    async for event in events:
        if "digest" in event and mode is PullMode.NO_BLOB_EVENTS:
            continue
        if event == VERIFYING_EVENT and mode is PullMode.TENSOR:
            continue
        yield event
        if event == WRITING_EVENT and mode is PullMode.NO_SUCCESS:
            return


async def with_accidents(events: AsyncIterator[Event], fault: PullFault) -> Events:
    """Yield the events until the fault's place in bytes is reached, then let it happen."""
    received: dict[object, int] = {}
    pending = fault.mode in (PullMode.ERROR, PullMode.CUT, PullMode.SILENCE, PullMode.BACKWARDS)
    async for event in events:
        yield event
        if "digest" in event:
            completed = event.get("completed", 0)
            received[event["digest"]] = completed if isinstance(completed, int) else 0
        if not pending or sum(received.values()) < fault.at_bytes:
            continue
        if fault.mode is PullMode.BACKWARDS and not event.get("completed"):
            continue
        pending = False
        match fault.mode:
            case PullMode.ERROR:
                yield {"error": fault.text}
                return
            case PullMode.CUT:
                raise ConnectionCutError
            case PullMode.SILENCE:
                await _silence(fault.silence_s)
            case PullMode.BACKWARDS:
                completed = received[event["digest"]]
                yield {**event, "completed": completed - completed * 8 // 100}


async def tensor_events(events: AsyncIterator[Event], model: SandboxModel) -> Events:
    """Yield totals of the whole model instead of blobs."""
    received: dict[object, int] = {}
    async for event in events:
        if "digest" in event:
            completed = event.get("completed", 0)
            received[event["digest"]] = completed if isinstance(completed, int) else 0
            done = sum(received.values())
            tensor = {"status": "pulling model", "digest": "sha256:model"}
            yield {**tensor, "total": model.size_bytes} | ({"completed": done} if done else {})
        else:
            yield event


async def gated(events: AsyncIterator[Event], gate: Gate | None) -> Events:
    """Yield the first event, then one for each permit."""
    first = True
    async for event in events:
        if gate and not first:
            await gate.pass_through()
        first = False
        yield event


async def faulty_lines(events: AsyncIterator[Event], mode: PullMode) -> Lines:
    """Yield what goes over the wire, a chunk at a time, broken as the mode says."""
    number = 0
    held = b""
    async for event in events:
        number += 1
        line = json_line(event)
        if number == 2:
            async for chunk in _inserted(mode):
                yield chunk
        if mode is PullMode.BLANK_LINES:
            yield b"\n" + line + b"\r\n\n"
        elif mode is PullMode.TWO_PER_CHUNK:
            held += line
            if number % 2 == 0:
                yield held
                held = b""
        elif mode is PullMode.NO_FINAL_NEWLINE and event == SUCCESS_EVENT:
            yield line.rstrip(b"\n")
        else:
            yield line
    if held:
        yield held


async def pull_lines(
    events: Events, model: SandboxModel, fault: PullFault, gate: Gate | None
) -> Lines:
    """Yield what a pull sends: its events through everything that is set to go wrong."""
    async with AsyncExitStack() as stack:

        async def closed_at_the_end(stage: Events) -> Events:
            return await stack.enter_async_context(aclosing(stage))

        events = await closed_at_the_end(events)
        events = await closed_at_the_end(faulty_events(events, fault.mode))
        if fault.mode is PullMode.TENSOR:
            events = await closed_at_the_end(tensor_events(events, model))
        events = await closed_at_the_end(with_accidents(events, fault))
        events = await closed_at_the_end(gated(events, gate))
        async for chunk in faulty_lines(events, fault.mode):
            yield chunk


async def script_lines(script: PullScript) -> Lines:
    """Yield a script's items, one chunk for each permit."""
    try:
        for item in script.items:
            await script.gate.pass_through()
            script.sent += 1
            if item is CUT:
                raise ConnectionCutError
            if isinstance(item, str):
                yield item.encode()
            elif isinstance(item, bytes):
                yield item
            else:
                yield json_line(item)
    finally:
        script.ended.set()


async def _inserted(mode: PullMode) -> Lines:
    match mode:
        case PullMode.JUNK_LINE:
            yield b"<html>504 Gateway Time-out</html>\n"
        case PullMode.WRONG_TYPES:
            yield b'{"status":7,"digest":[],"total":"many","completed":null}\n'
        case PullMode.SPLIT_UTF8:
            middle = _UMLAUTS.index("ü".encode()) + 1
            yield _UMLAUTS[:middle]
            yield _UMLAUTS[middle:]
        case PullMode.LONG_LINE:
            yield json_line({"status": "x" * _LONG_LINE_BYTES})
        case PullMode.ENDLESS_LINE:
            yield b'{"status":"'
            for _ in range(_ENDLESS_CHUNKS):
                yield b"x" * _CHUNK_BYTES
            raise ConnectionCutError


async def _silence(silence_s: float) -> None:
    if math.isinf(silence_s):
        await asyncio.get_running_loop().create_future()
    await asyncio.sleep(silence_s)
