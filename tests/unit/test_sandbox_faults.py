"""The made-up server's endpoints fail as told, its gates hold, it starts and stops fast."""

import asyncio
import gc
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from ollm_tui.sandbox.__main__ import main
from ollm_tui.sandbox.faults import CUT, WRONG_SHAPES, EndpointMode
from ollm_tui.sandbox.gate import Gate
from ollm_tui.sandbox.roster import HOSTILE_NAMES
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.sandbox.timing import INSTANT

TAGS = "/api/tags"


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


@pytest.mark.parametrize(
    ("mode", "status", "start", "kind"),
    [
        ("ok", 200, b'{"models":[{', "application/json"),
        ("http401", 401, b'{"error":"unauthorized","signin_url":', "application/json"),
        ("http404", 404, b"404 page not found", "text/plain"),
        ("http500", 500, b'{"error":"something went wrong"}', "application/json"),
        ("http503", 503, b'{"error":"server busy, please try again.  max', "application/json"),
        ("html", 200, b"<!doctype html>", "text/html"),
        ("garbage", 200, b'{"models":[{"name":"llama3.2:3b","size":19', "application/json"),
        ("empty", 200, b"", "application/json"),
    ],
)
async def test_each_mode_answers_as_it_should(
    server: SandboxServer,
    client: httpx.AsyncClient,
    mode: str,
    status: int,
    start: bytes,
    kind: str,
) -> None:
    server.faults.set(TAGS, mode)
    response = await client.get(TAGS)
    assert response.status_code == status
    assert response.content.startswith(start)
    assert response.headers["content-type"].startswith(kind)
    assert (await client.get("/api/version")).status_code == 200


@pytest.mark.parametrize("variant", range(len(WRONG_SHAPES)))
async def test_every_wrong_shape_is_json(
    server: SandboxServer, client: httpx.AsyncClient, variant: int
) -> None:
    server.faults.set(TAGS, "wrong_shape", variant=variant)
    response = await client.get(TAGS)
    assert response.content == WRONG_SHAPES[variant]
    response.json()


async def test_a_refusal_has_no_body_and_a_text_can_be_chosen(
    server: SandboxServer, client: httpx.AsyncClient
) -> None:
    server.faults.set(TAGS, "http403")
    refused = await client.get(TAGS)
    assert (refused.status_code, refused.content) == (403, b"")
    server.faults.set(TAGS, "http500", text="stat x: no such file or directory")
    assert (await client.get(TAGS)).json() == {"error": "stat x: no such file or directory"}


async def test_dropped_and_cut_answers_end_the_connection(
    server: SandboxServer, client: httpx.AsyncClient
) -> None:
    server.faults.set(TAGS, "drop", times=1)
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        await client.get(TAGS)
    server.faults.set(TAGS, "cut", times=1)
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
        await client.get(TAGS)
    assert (await client.get(TAGS)).status_code == 200


async def test_a_hanging_endpoint_is_accepted_and_not_answered(
    server: SandboxServer, client: httpx.AsyncClient
) -> None:
    server.faults.set(TAGS, "hang")
    with pytest.raises(httpx.ReadTimeout):
        await client.get(TAGS, timeout=0.05)
    assert server.count(TAGS) == 1


async def test_a_slow_endpoint_is_right_but_late(
    server: SandboxServer, client: httpx.AsyncClient
) -> None:
    server.faults.set(TAGS, "slow", delay_s=0.05)
    start_s = time.monotonic()
    assert (await client.get(TAGS)).json()["models"]
    assert time.monotonic() - start_s >= 0.05


async def test_a_huge_body_is_as_huge_as_asked(
    server: SandboxServer, client: httpx.AsyncClient
) -> None:
    server.faults.set(TAGS, "huge", size_bytes=3 * 2**20)
    assert len((await client.get(TAGS)).content) > 3 * 2**20


async def test_a_star_hits_every_path_that_is_not_named(
    server: SandboxServer, client: httpx.AsyncClient
) -> None:
    server.faults.set("*", EndpointMode.HTTP_500)
    server.faults.set("/api/version", EndpointMode.OK)
    assert (await client.get(TAGS)).status_code == 500
    assert (await client.get("/api/version")).status_code == 200
    server.faults.clear()
    assert (await client.get(TAGS)).status_code == 200


async def test_a_held_endpoint_waits_for_the_test(
    server: SandboxServer, client: httpx.AsyncClient
) -> None:
    gate = server.faults.hold(TAGS)
    first, second = (asyncio.create_task(client.get(TAGS)) for _ in range(2))
    assert await gate.arrived(2)
    assert gate.waiting == 2
    server.faults.release(TAGS)
    done, _ = await asyncio.wait({first, second}, return_when=asyncio.FIRST_COMPLETED)
    assert len(done) == 1
    server.faults.free(TAGS)
    assert (await first).status_code == (await second).status_code == 200


async def test_permits_count_before_and_after_the_wait() -> None:
    gate = Gate()
    gate.release(2)
    await gate.pass_through()
    await gate.pass_through()
    waiting = asyncio.create_task(gate.pass_through())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})
    assert gate.waiting == 0
    gate.release()
    await gate.pass_through()
    gate.open()
    await gate.pass_through()


async def test_a_permit_given_to_one_who_leaves_is_not_lost() -> None:
    gate = Gate()
    waiting = asyncio.create_task(gate.pass_through())
    await asyncio.sleep(0)
    gate.release()
    waiting.cancel()
    await asyncio.wait({waiting})
    await asyncio.wait_for(gate.pass_through(), 1)


async def test_arrivals_can_be_waited_for(server: SandboxServer, client: httpx.AsyncClient) -> None:
    request = asyncio.create_task(client.get(TAGS))
    assert await server.arrived(TAGS)
    assert (await request).status_code == 200
    assert not await server.arrived(TAGS, 2, timeout_s=0.01)


async def test_open_streams_do_not_delay_the_stop(
    server: SandboxServer, client: httpx.AsyncClient
) -> None:
    script = server.faults.script_pull("qwen3:4b", [{"status": "pulling manifest"}] * 2)
    script.advance()
    async with client.stream("POST", "/api/pull", json={"model": "qwen3:4b"}) as response:
        lines = response.aiter_lines()
        await anext(lines)
        start_s = time.monotonic()
        server.stop()
        assert time.monotonic() - start_s < 1
        with pytest.raises(httpx.TransportError):
            await anext(lines)
    server.stop()
    with pytest.raises(httpx.ConnectError):
        await client.get(TAGS)


async def test_it_comes_back_on_the_same_port_with_what_it_had(
    server: SandboxServer, client: httpx.AsyncClient
) -> None:
    server.load("phi4")
    server.stop()
    server.start()
    assert (await client.get("/api/ps")).json()["models"][0]["name"] == "phi4:latest"


async def test_connections_can_be_dropped_while_it_goes_on(
    server: SandboxServer, client: httpx.AsyncClient
) -> None:
    gate = server.faults.hold(TAGS)
    request = asyncio.create_task(client.get(TAGS))
    assert await gate.arrived()
    server.drop_connections()
    with pytest.raises(httpx.TransportError):
        await request
    assert (await client.get("/api/version")).status_code == 200


def test_hostile_names_arrive_as_they_are() -> None:
    with (
        SandboxServer(timing=INSTANT, models=0, hostile=True) as server,
        httpx.Client(base_url=server.url, trust_env=False, verify=False) as client,
    ):
        models = client.get(TAGS).json()["models"]
        assert {model["name"] for model in models} == set(HOSTILE_NAMES)
        name = "click[@click=app.quit]me[/]:latest"
        shown = client.post("/api/show", json={"model": name}).json()
        assert shown["details"]["family"] == name
        assert client.request("DELETE", "/api/delete", json={"model": name}).status_code == 200


def test_any_number_of_models_can_be_made_up() -> None:
    server = SandboxServer(models=1000, timing=INSTANT)
    models = [entry.model for entry in server.store.installed()]
    assert len({model.name for model in models}) == 1000
    assert len({model.digest for model in models}) == 1000


def test_as_a_process_it_prints_its_address_and_obeys_a_signal() -> None:
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-m", "ollm_tui.sandbox", "--models", "3", "--fault", "/api/ps=http500"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    with process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert len(httpx.get(f"{url}{TAGS}", trust_env=False, verify=False).json()["models"]) == 3
        assert httpx.get(f"{url}/api/ps", trust_env=False, verify=False).status_code == 500
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0


def test_a_fault_that_does_not_exist_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--fault", "/api/tags=sulk"])
    assert "no such mode: sulk" in capsys.readouterr().err


def test_a_connection_made_while_it_stops_is_closed() -> None:
    for count in range(1, 6):
        server = SandboxServer(timing=INSTANT, models=1).start()
        port = int(server.host.rpartition(":")[2])
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
        server.stop()
        for client in clients:
            client.close()
    gc.collect()  # a socket left open warns now, and a warning is an error


async def test_a_chat_says_what_its_script_says(
    server: SandboxServer, client: httpx.AsyncClient
) -> None:
    line = {"message": {"content": "Hi"}, "done": False}
    script = server.faults.script_chat("phi4", [line, "no JSON", CUT])
    asked = {"model": "phi4:latest", "messages": [{"role": "user", "content": "Hi"}]}
    script.advance(3)
    with pytest.raises(httpx.RemoteProtocolError):
        async with client.stream("POST", "/api/chat", json=asked) as response:
            assert [chunk async for chunk in response.aiter_raw()]
    assert await script.until_ended()
    assert script.sent == 3
    server.faults.clear()
    assert (await client.post("/api/chat", json=asked)).text.startswith('{"model":"phi4:latest"')
