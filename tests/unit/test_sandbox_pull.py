"""The made-up server's pulls go as the real one's do, and go wrong as they are told."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count, pairwise
from typing import Any

import httpx
import pytest

from ollm_tui.sandbox.faults import CUT, NOT_FOUND, PullMode
from ollm_tui.sandbox.models import SandboxModel
from ollm_tui.sandbox.pull import Downloads
from ollm_tui.sandbox.roster import catalogue_models, installed_models
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.sandbox.store import Store
from ollm_tui.sandbox.timing import INSTANT

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NAME = "qwen3:4b"
MODEL = next(model for model in catalogue_models() if model.name == NAME)
WEIGHTS = MODEL.layers[0]
Event = dict[str, Any]


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    with SandboxServer(timing=INSTANT) as server:
        yield server


@pytest.fixture
async def client(server: SandboxServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        base_url=server.url, trust_env=False, verify=False, timeout=5
    ) as client:
        yield client


async def pull(client: httpx.AsyncClient, name: str = NAME) -> list[Event]:
    response = await client.post("/api/pull", json={"model": name})
    assert response.status_code == 200
    return [json.loads(line) for line in response.text.splitlines() if line.strip()]


async def pull_text(client: httpx.AsyncClient) -> str:
    return (await client.post("/api/pull", json={"model": NAME})).text


async def read_until_cut(client: httpx.AsyncClient) -> list[Event]:
    events = []

    async def read() -> None:
        async with client.stream("POST", "/api/pull", json={"model": NAME}) as response:
            async for line in response.aiter_lines():
                events.append(json.loads(line))

    with pytest.raises(httpx.RemoteProtocolError):
        await read()
    return events


def installed(server: SandboxServer) -> bool:
    return server.store.find(NAME) is not None


def small_layers(model: SandboxModel) -> set[str]:
    return {layer.digest for layer in model.layers[1:]}


async def test_a_pull_sends_what_the_real_server_sends(
    server: SandboxServer, client: httpx.AsyncClient
) -> None:
    events = await pull(client)
    assert events[0] == {"status": "pulling manifest"}
    blob = {"status": f"pulling {WEIGHTS.digest[7:19]}", "digest": WEIGHTS.digest}
    assert events[1] == blob | {"total": WEIGHTS.size_bytes}
    assert [event.get("status") for event in events[-3:]] == [
        "verifying sha256 digest",
        "writing manifest",
        "success",
    ]
    counts = [e.get("completed", 0) for e in events if e.get("digest") == WEIGHTS.digest]
    assert counts == sorted(counts)
    assert counts[-1] < WEIGHTS.size_bytes
    assert installed(server)
    assert server.partial_bytes == {}


async def test_small_blobs_that_are_new_send_nothing_and_known_ones_are_complete(
    server: SandboxServer, client: httpx.AsyncClient
) -> None:
    known = {layer.digest for model in installed_models() for layer in model.layers}
    events = await pull(client)
    seen = {event["digest"]: event for event in events if "digest" in event}
    assert set(seen) == {WEIGHTS.digest} | (small_layers(MODEL) & known)
    for digest in small_layers(MODEL) & known:
        assert seen[digest]["completed"] == seen[digest]["total"]


async def test_a_second_pull_finds_everything_there(client: httpx.AsyncClient) -> None:
    await pull(client)
    again = [event for event in await pull(client) if "digest" in event]
    assert [event["digest"] for event in again] == [layer.digest for layer in MODEL.layers]
    assert all(event["completed"] == event["total"] for event in again)


async def test_a_new_version_removes_the_layers_of_the_old_one(
    server: SandboxServer, client: httpx.AsyncClient
) -> None:
    old = installed_models()[0]
    server.offer(replace(old, weights_key="the next version"))
    events = await pull(client, old.name)
    assert events[-2:] == [{"status": "removing unused layers"}, {"status": "success"}]
    entry = server.store.find(old.name)
    assert entry is not None
    assert entry.model.digest != old.digest


async def test_without_a_stream_there_is_one_object(client: httpx.AsyncClient) -> None:
    good = await client.post("/api/pull", json={"model": NAME, "stream": False})
    bad = await client.post("/api/pull", json={"model": "nothing", "stream": False})
    assert (good.status_code, good.json()) == (200, {"status": "success"})
    assert (bad.status_code, bad.json()) == (500, {"error": NOT_FOUND})


async def test_an_unknown_name_fails_inside_the_stream(client: httpx.AsyncClient) -> None:
    assert await pull(client, "no/such-model:1b") == [
        {"status": "pulling manifest"},
        {"error": NOT_FOUND},
    ]


@pytest.mark.parametrize("name", ["", "a b", "m@sha256:0", "host:5000/m"])
async def test_an_impossible_name_fails_before_it(client: httpx.AsyncClient, name: str) -> None:
    response = await client.post("/api/pull", json={"model": name})
    assert (response.status_code, response.json()) == (400, {"error": "invalid model name"})


async def test_cloud_and_local_together_are_refused(client: httpx.AsyncClient) -> None:
    response = await client.post("/api/pull", json={"model": "m:cloud:local"})
    assert response.json() == {"error": 'use either :local or :cloud, not both: "m:cloud:local"'}


async def test_a_cancelled_pull_keeps_its_bytes_and_goes_on_from_there(
    server: SandboxServer, client: httpx.AsyncClient
) -> None:
    gate = server.faults.hold_pull()
    gate.release(4)
    async with client.stream("POST", "/api/pull", json={"model": NAME}) as response:
        lines = response.aiter_lines()
        events = [json.loads(await anext(lines)) for _ in range(5)]
        assert await gate.arrived(5)
    reached = events[-1]["completed"]
    assert server.partial_bytes[WEIGHTS.digest] >= reached > 0
    assert not installed(server)
    server.faults.clear()
    resumed = await pull(client)
    assert resumed[1]["completed"] >= reached
    assert installed(server)


async def test_a_second_puller_shares_the_progress(
    server: SandboxServer, client: httpx.AsyncClient
) -> None:
    gate = server.faults.hold_pull()
    gate.release(6)
    async with client.stream("POST", "/api/pull", json={"model": NAME}) as first:
        lines = first.aiter_lines()
        events = [json.loads(await anext(lines)) for _ in range(7)]
        async with client.stream("POST", "/api/pull", json={"model": NAME}) as second:
            lines = second.aiter_lines()
            await anext(lines)
            assert await gate.arrived(8)
            gate.open()
            assert json.loads(await anext(lines))["completed"] >= events[-1]["completed"]


async def test_at_a_set_speed_progress_follows_the_clock() -> None:
    speed = 100_000_000.0
    timing = replace(INSTANT, pull_speed_bytes_per_s=speed, connect_delay_s=0.5)
    seconds = count(0.0, 0.25)
    downloads = Downloads(Store((), lambda: NOW), lambda: timing, lambda: next(seconds))
    events = [event async for event in downloads.events(MODEL)]
    done: list[int] = [
        int(str(e.get("completed", 0))) for e in events if e.get("digest") == WEIGHTS.digest
    ]
    assert done[:3] == [0, 0, done[2]]
    steps = [after - before for before, after in pairwise(done[1:])]
    assert all(speed * 0.25 * 0.8 < step < speed * 0.25 * 1.2 for step in steps)
    assert len(set(steps)) > len(steps) // 2
    assert len(done) == pytest.approx(WEIGHTS.size_bytes / speed / 0.25, rel=0.2)


async def test_an_error_comes_at_its_place(
    server: SandboxServer, client: httpx.AsyncClient
) -> None:
    server.faults.pull("error", NAME, at_bytes=10**9, text="no space left on device")
    events = await pull(client)
    assert events[-1] == {"error": "no space left on device"}
    assert events[-2]["completed"] >= 10**9 > events[-3]["completed"]
    assert not installed(server)


async def test_a_fault_can_happen_a_number_of_times(
    server: SandboxServer, client: httpx.AsyncClient
) -> None:
    server.faults.pull("error", at_bytes=0, times=1)
    assert await pull(client) == [{"status": "pulling manifest"}, {"error": NOT_FOUND}]
    assert (await pull(client))[-1] == {"status": "success"}


async def test_a_cut_connection_is_no_proper_end(
    server: SandboxServer, client: httpx.AsyncClient
) -> None:
    server.faults.pull("cut", at_bytes=10**9)
    events = await read_until_cut(client)
    assert events[-1]["completed"] >= 10**9
    assert server.partial_bytes[WEIGHTS.digest] >= 10**9


async def test_silence_lasts_until_the_client_gives_up(
    server: SandboxServer, client: httpx.AsyncClient
) -> None:
    server.faults.pull("silence", at_bytes=10**9)
    async with client.stream("POST", "/api/pull", json={"model": NAME}, timeout=0.1) as response:
        with pytest.raises(httpx.ReadTimeout):
            async for _ in response.aiter_lines():
                pass
    assert not installed(server)


async def test_progress_can_go_backwards_once(
    server: SandboxServer, client: httpx.AsyncClient
) -> None:
    server.faults.pull("backwards", at_bytes=10**9)
    counts = [e["completed"] for e in await pull(client) if "completed" in e]
    counts = counts[: counts.index(max(counts)) + 1]
    drops = [b < a for a, b in pairwise(counts)]
    assert drops.count(True) == 1


async def test_a_tensor_model_reports_itself_as_a_whole(
    server: SandboxServer, client: httpx.AsyncClient
) -> None:
    server.faults.pull("tensor")
    events = await pull(client)
    blobs = [event for event in events if "digest" in event]
    assert {event["digest"] for event in blobs} == {"sha256:model"}
    assert {event["total"] for event in blobs} == {MODEL.size_bytes}
    assert {"status": "verifying sha256 digest"} not in events
    assert events[-1] == {"status": "success"}


async def test_blob_events_can_be_missing_or_all_cached(
    server: SandboxServer, client: httpx.AsyncClient
) -> None:
    server.faults.pull("cached")
    cached = [event for event in await pull(client) if "digest" in event]
    assert [event["completed"] for event in cached] == [e.size_bytes for e in MODEL.layers]
    server.faults.pull("no_blob_events")
    assert [event["status"] for event in await pull(client)] == [
        "pulling manifest",
        "verifying sha256 digest",
        "writing manifest",
        "success",
    ]


async def test_an_orderly_end_need_not_be_success(
    server: SandboxServer, client: httpx.AsyncClient
) -> None:
    server.faults.pull("no_success")
    assert (await pull(client))[-1] == {"status": "writing manifest"}
    assert not installed(server)


async def chunks_of(client: httpx.AsyncClient) -> list[bytes]:
    async with client.stream("POST", "/api/pull", json={"model": NAME}) as response:
        return [chunk async for chunk in response.aiter_raw()]


async def test_a_line_can_break_inside_a_character(
    server: SandboxServer, client: httpx.AsyncClient
) -> None:
    server.faults.pull("split_utf8")
    chunks = await chunks_of(client)
    assert any(chunk.endswith(b"\xc3") for chunk in chunks)
    assert "über Umwege" in b"".join(chunks).decode()


async def test_lines_can_be_broken_in_every_other_way(
    server: SandboxServer, client: httpx.AsyncClient
) -> None:
    async def text(mode: PullMode) -> str:
        server.faults.pull(mode)
        return await pull_text(client)

    assert "<html>" in (await text(PullMode.JUNK_LINE)).splitlines()[1]
    wrong = (await text(PullMode.WRONG_TYPES)).splitlines()[1]
    assert json.loads(wrong)["total"] == "many"
    assert max(len(line) for line in (await text(PullMode.LONG_LINE)).splitlines()) > 2**20
    assert "\n\n" in await text(PullMode.BLANK_LINES)
    assert (await text(PullMode.NO_FINAL_NEWLINE)).endswith('{"status":"success"}')
    server.faults.pull("two_per_chunk")
    assert (await chunks_of(client))[0].count(b"\n") >= 2


async def test_an_endless_line_has_no_end(server: SandboxServer, client: httpx.AsyncClient) -> None:
    server.faults.pull("endless_line")
    async with client.stream("POST", "/api/pull", json={"model": NAME}) as response:
        received = 0
        async for chunk in response.aiter_raw():
            received += len(chunk)
            if received > 2 * 2**20:
                break
    assert not installed(server)


async def test_a_script_is_sent_line_by_line_as_the_test_lets_it(
    server: SandboxServer, client: httpx.AsyncClient
) -> None:
    script = server.faults.script_pull(
        NAME, [{"status": "pulling manifest"}, "not json\n", b'{"stat', b'us":"success"}\n']
    )
    async with client.stream("POST", "/api/pull", json={"model": NAME}) as response:
        chunks = response.aiter_raw()
        script.advance()
        assert await anext(chunks) == b'{"status":"pulling manifest"}\n'
        assert script.sent == 1
        script.advance(2)
        received = b""
        while received != b'not json\n{"stat':
            received += await anext(chunks)
        script.advance()
        assert await anext(chunks) == b'us":"success"}\n'
        assert [chunk async for chunk in chunks] == []
    assert await script.until_ended()


async def test_a_script_that_ends_in_success_installs_the_model_first(
    server: SandboxServer, client: httpx.AsyncClient
) -> None:
    server.faults.script_pull(NAME, [{"status": "success"}]).advance()
    await pull(client)
    assert installed(server)


async def test_a_script_can_cut_and_sees_its_client_leave(
    server: SandboxServer, client: httpx.AsyncClient
) -> None:
    cut = server.faults.script_pull(NAME, [{"status": "pulling manifest"}, CUT])
    cut.advance(2)
    assert await read_until_cut(client) == [{"status": "pulling manifest"}]
    left = server.faults.script_pull(NAME, [{"status": "pulling manifest"}] * 2)
    left.advance()
    async with client.stream("POST", "/api/pull", json={"model": NAME}) as response:
        await anext(response.aiter_lines())
        assert not left.ended.is_set()
    assert await left.until_ended()
