"""The program is killed at any moment, and the next start finds its queue as it was."""

import asyncio
import contextlib
import multiprocessing
import os
import random
import signal
import sqlite3
import threading
import time
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

from ollm_tui.core.progress import PullState
from ollm_tui.service.service import ModelService
from tests.faults.conftest import Fault
from tests.unit.service.fake import FakeProvider, settle

Rows = list[tuple[str, bool]]
RESTART_LIMIT_S = 2.0
MOMENTS, FEW_MOMENTS = 200, 8


def change(service: ModelService, dice: random.Random, number: int) -> None:
    """One change that a user makes; the same for the same dice."""
    unfinished = [item for item in service.queue.items if not item.progress.status.is_final]
    what = dice.choice(["enqueue", "enqueue", "pause", "cancel", "move"])
    if what == "enqueue" or not unfinished:
        service.enqueue(f"model-{number}")
        return
    item = dice.choice(unfinished)
    if what == "pause":
        asyncio.ensure_future(service.pause(item.id))  # noqa: RUF006 - awaited by settling
    elif what == "cancel":
        asyncio.ensure_future(service.cancel(item.id))  # noqa: RUF006
    else:
        service.move(item.id, dice.choice([-2, 1]))


def essence(service: ModelService) -> Rows:
    """What a restart has to find."""
    return [
        (item.name, item.progress.status is PullState.PAUSED)
        for item in service.queue.items
        if not item.progress.status.is_final
    ]


def use_until_killed(path: Path, seed: int, told: "Connection[Rows, None]") -> None:
    """Change the queue again and again; tell what it is now before that is written."""

    async def use() -> None:
        service = ModelService(FakeProvider(), state_path=path)
        await service.start()
        dice = random.Random(seed)
        memory = service._memory
        assert memory is not None
        for number in range(10_000):
            is_told = threading.Event()
            memory._file.post(partial(_wait, is_told))
            change(service, dice, number)
            await settle()
            told.send(essence(service))
            is_told.set()
            await memory._file.run(lambda _file: None, None)

    asyncio.run(use())


def test_a_kill_at_any_moment_loses_and_doubles_nothing(tmp_path: Path, fault: Fault) -> None:
    processes = multiprocessing.get_context("fork")  # everything is imported already
    for seed, dice in enumerate(fault.dice(full=MOMENTS, short=FEW_MOMENTS)):
        path = tmp_path / str(seed) / "state.db"
        ours, theirs = processes.Pipe(duplex=False)
        process = processes.Process(target=use_until_killed, args=(path, seed, theirs))
        process.start()
        theirs.close()
        told: list[Rows] = [[], ours.recv()]
        deadline_s = time.monotonic() + dice.random() * 0.15
        while ours.poll(max(0.0, deadline_s - time.monotonic())):
            told.append(ours.recv())
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        with contextlib.suppress(EOFError, OSError), ours:
            while True:
                told.append(ours.recv())
        process.close()
        # The last change was told of, but may not have been written yet.
        found, took_s = _restarted(path)
        fault.saw("restart", took_s, "s")
        assert took_s < RESTART_LIMIT_S
        assert found in told[-2:]


def _wait(is_told: threading.Event, _file: sqlite3.Connection) -> None:
    is_told.wait()


def _restarted(path: Path) -> tuple[Rows, float]:
    async def restart() -> tuple[Rows, float]:
        service = ModelService(FakeProvider(), state_path=path)
        started_s = time.monotonic()
        await service.start()
        took_s = time.monotonic() - started_s
        found = essence(service)
        await service.close()
        return found, took_s

    found = asyncio.run(restart())
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    return found
