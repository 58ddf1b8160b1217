"""Connections that break, between the real provider and a real server: a proxy breaks them."""

import asyncio
import json
import random
import time
import tracemalloc
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

import pytest

from ollm_tui.core.error import OllmError, ProviderGarbled, ProviderOffline
from ollm_tui.core.progress import PullState
from ollm_tui.providers import ollama_api
from ollm_tui.providers.ollama import OllamaProvider
from ollm_tui.sandbox.roster import catalogue_models
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.sandbox.timing import INSTANT
from ollm_tui.service import retry
from ollm_tui.service.service import ModelService
from tests.faults.conftest import Fault
from tests.faults.proxy import Break, Kind, tcp_proxy
from tests.provider.loopback import Answerer, Exchange, LoopbackServer, whole
from tests.unit.service.fake import Recorder

LIMIT_S = 0.3
SLACK_S = 1.7
"""For a busy machine: what ends within the limit is seen to end a little later."""
MIB = 1024 * 1024
BEGUN_BYTES = 400
"""The head of an answer and its first line are shorter."""


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    with SandboxServer(timing=INSTANT) as sandbox:
        yield sandbox


def _port(server: SandboxServer) -> int:
    return int(server.host.rpartition(":")[2])


@asynccontextmanager
async def service_at(address: str) -> AsyncIterator[ModelService]:
    service = ModelService(OllamaProvider(address), dice=lambda: 0.0, concurrency=8)
    try:
        yield service
    finally:
        await service.close()


@asynccontextmanager
async def loopback() -> AsyncIterator[LoopbackServer]:
    found = LoopbackServer()
    listener = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.port = listener.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        listener.close()


async def test_streams_cut_at_any_byte_are_gone_on_with_to_the_end(
    fault: Fault, server: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row 1: what the server promised is there in the end, once, and no percentage falls."""
    monkeypatch.setattr(retry, "TRIES", 7)  # five cuts may come before any byte more
    name = catalogue_models()[0].name
    breaks: list[Break] = []

    def next_break(request: bytes) -> Break:
        return breaks.pop() if breaks and b" /api/pull " in request else Break()

    with tcp_proxy(_port(server), next_break) as proxy:
        async with service_at(proxy.netloc) as service:
            await service.pull_model(name)  # so that the length of a whole answer is known
            whole_bytes = max(proxy.carried_bytes)
        for chance in fault.dice(full=200, short=6):
            server.clear()
            server.store.remove(name)
            async with service_at(proxy.netloc) as service:
                kinds = [Kind.CUT, Kind.RESET]
                # The last is the first to be used: what never begins at all is not tried again.
                begun = Break(Kind.CUT, chance.randrange(BEGUN_BYTES, whole_bytes))
                breaks[:] = [
                    Break(chance.choice(kinds), chance.randrange(whole_bytes))
                    for _ in range(chance.randint(0, 4))
                ] + [begun]
                recorder = Recorder()
                await service.pull_model(name, recorder.on_progress)
                percentages = [event.percentage for event in recorder.progress]
                assert percentages == sorted(percentages)
                assert recorder.finals == [PullState.COMPLETE]
                assert len(service.queue.items) == 1
            assert server.store.find(name) is not None


KINDS = [
    (Kind.RESET, (ProviderOffline,)),
    (Kind.CUT, (ProviderOffline,)),
    (Kind.HALF_CLOSE, (ProviderOffline,)),
    (Kind.SILENCE, (ProviderOffline,)),
    (Kind.TRICKLE, (ProviderOffline,)),
    (Kind.GARBAGE, (ProviderOffline, ProviderGarbled)),
]


@pytest.mark.parametrize(("kind", "expected"), KINDS, ids=[kind for kind, _ in KINDS])
async def test_no_broken_connection_is_waited_for_beyond_the_limit(
    fault: Fault,
    server: SandboxServer,
    kind: Kind,
    expected: tuple[type[OllmError], ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Row 3: the right error within the limit, wherever the answer breaks off."""
    monkeypatch.setattr(ollama_api, "FIRST_TIMEOUT_S", LIMIT_S)
    breaks: list[Break] = []
    with tcp_proxy(_port(server), lambda _: breaks.pop() if breaks else Break()) as proxy:
        provider = OllamaProvider(proxy.netloc, read_timeout_s=LIMIT_S)
        await provider.list_models()
        head_and_body = max(proxy.carried_bytes)
        await provider.close()
        for chance in fault.dice(full=25, short=2):
            after = chance.choice([0, 1, chance.randrange(head_and_body - 1)])
            # What is no HTTP, no chunk and no JSON, wherever it comes.
            garbage = b"\x16\x03\x01\x00" + chance.randbytes(200)
            breaks[:] = [Break(kind, after, 0.01 if kind is Kind.TRICKLE else 0.0, garbage)] * 4
            provider = OllamaProvider(proxy.netloc, read_timeout_s=LIMIT_S)
            began_s = time.monotonic()
            with pytest.raises(expected):
                await provider.list_models()
            took_s = time.monotonic() - began_s
            await provider.close()
            fault.saw("until the error", took_s, "s")
            assert took_s < 2 * LIMIT_S + SLACK_S


@pytest.mark.parametrize("percent", [50, 99])
async def test_a_server_that_fails_at_random_is_asked_until_it_does_not(
    fault: Fault, percent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row 5, as ostree tests it: without retries it fails cleanly, and repeating gets there."""
    async with loopback() as server:
        for chance in fault.dice(full=40 if percent == 50 else 10, short=3):
            ending = json.dumps({"status": "success"}).encode() + b"\n"
            fine = whole(ending, content_type="application/x-ndjson")
            broken = whole({"error": "overloaded"}, "500 Oops"), whole(b"", "408 Timeout")

            server.answers["/api/pull"] = _at_random(chance, percent, fine, broken)
            server.answers["/api/tags"] = whole({"models": []})
            monkeypatch.setattr(retry, "TRIES", 1)
            async with service_at(server.address) as service:
                failures = [failure async for failure in _failures(service)]
            assert all(failure.cause and failure.actions for failure in failures)
            fault.saw("runs until done", len(failures) + 1)
            assert len(failures) < (40 if percent == 50 else 2000)
            monkeypatch.setattr(retry, "TRIES", 100 if percent == 50 else 2000)
            async with service_at(server.address) as service:
                await service.pull_model("a")
                assert service.queue.items[0].progress.status is PullState.COMPLETE


def _at_random(
    chance: random.Random, percent: int, fine: Answerer, broken: Sequence[Answerer]
) -> Answerer:
    async def answer(exchange: Exchange) -> None:
        is_broken = chance.random() * 100 < percent
        await (chance.choice(broken) if is_broken else fine)(exchange)

    return answer


async def _failures(service: ModelService) -> AsyncIterator[OllmError]:
    """Pull again and again until it succeeds."""
    while True:
        try:
            await service.pull_model("a")
        except OllmError as error:
            yield error
        else:
            return


async def test_a_line_without_end_takes_no_memory(fault: Fault) -> None:
    """Row 8: refused at 1 MiB with less than 20 MiB more in use."""

    async def endless(exchange: Exchange) -> None:
        await exchange.begin()
        for _ in range(64):
            await exchange.chunk(b"x" * MIB)

    async with loopback() as server:
        server.answers["/api/pull"] = endless
        for _ in fault.dice(full=5, short=1):
            provider = OllamaProvider(server.address)
            await provider.warm()
            tracemalloc.start()
            with pytest.raises(ProviderGarbled):
                async for _step in provider.pull("a"):
                    pass
            peak_mib = tracemalloc.get_traced_memory()[1] / MIB
            tracemalloc.stop()
            await provider.close()
            fault.saw("memory", peak_mib, "MiB")
            assert peak_mib < 20
