"""The server is killed in the middle of downloads and comes back: seen soon, and gone on with."""

import asyncio
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager

import pytest

from ollm_tui.core.event import ServerHealth
from ollm_tui.core.progress import PullState
from ollm_tui.providers.ollama import OllamaProvider
from ollm_tui.sandbox.roster import catalogue_models
from ollm_tui.service.service import ModelService
from tests.faults.conftest import Fault
from tests.terminal import ROOT
from tests.unit.service.fake import Recorder

NOTICED_S, RECOVERED_S = 2.0, 5.0
SLOW, FAST = "1e6", "inf"
SERVICES = 10
"""At one server at once: each its own queue, probe and download."""


@contextmanager
def server_process(port: int, speed: str) -> Iterator[tuple[int, "subprocess.Popen[str]"]]:
    command = (sys.executable, "-m", "ollm_tui.sandbox", "--port", str(port), "--speed", speed)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline().strip().rpartition(":")[2]), process
        finally:
            process.kill()


async def until(is_so: Callable[[], bool], limit_s: float) -> float:
    """Wait for something; returns how long it took."""
    began_s = time.monotonic()
    while not is_so():
        assert time.monotonic() < began_s + limit_s
        await asyncio.sleep(0.01)
    return time.monotonic() - began_s


@pytest.mark.timeout(300)
async def test_a_killed_server_is_noticed_and_its_downloads_complete_when_it_is_back(
    fault: Fault,
) -> None:
    names = [model.name for model in catalogue_models()[: SERVICES if fault.is_full else 2]]
    for chance in fault.dice(full=5, short=1):
        await kill_and_bring_back(names, chance, fault)
        fault.ran(len(names) - 1)  # one is counted with the dice


async def kill_and_bring_back(names: list[str], chance: random.Random, fault: Fault) -> None:
    """One server with a service for each name, killed while all download."""
    services: list[ModelService] = []
    recorders = [Recorder() for _ in names]

    def all_are(health: ServerHealth) -> bool:
        return all(service.server.health is health for service in services)

    async with AsyncExitStack() as closing:
        with server_process(0, SLOW) as (port, process):
            for name, recorder in zip(names, recorders, strict=True):
                service = ModelService(OllamaProvider(f"127.0.0.1:{port}"))
                closing.push_async_callback(service.close)
                await service.start()
                await service.refresh()
                service.enqueue(name, recorder.on_progress)
                services.append(service)
            await until(lambda: all(recorder.progress for recorder in recorders), 10)
            await asyncio.sleep(0.2 + chance.random() * 0.5)
            process.send_signal(signal.SIGKILL)
            process.wait()
        noticed_s = await until(lambda: all_are(ServerHealth.OFFLINE), 10)
        fault.saw("until offline is shown", noticed_s, "s")
        assert noticed_s < NOTICED_S
        await asyncio.sleep(chance.random() * 1.5)
        with server_process(port, FAST):
            recovered_s = await until(lambda: all_are(ServerHealth.ONLINE), 20)
            fault.saw("until online again", recovered_s, "s")
            assert recovered_s < RECOVERED_S
            await until(lambda: all(recorder.finals for recorder in recorders), 60)
    for recorder in recorders:
        percentages = [event.percentage for event in recorder.progress]
        assert percentages == sorted(percentages)
        assert recorder.finals == [PullState.COMPLETE]
