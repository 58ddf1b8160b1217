"""Several processes and one queue: real ones, of which the one that downloads is killed."""

import json
import signal
import subprocess
from collections.abc import Iterator

import pytest

from ollm_tui.sandbox.roster import catalogue_models
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.sandbox.timing import INSTANT
from tests.faults.conftest import Fault
from tests.terminal import OLLM_TUI, ROOT

A, B, C = (model.name for model in catalogue_models()[:3])
PATIENCE_S = 20


@pytest.fixture(autouse=True)
def _own_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    with SandboxServer(timing=INSTANT) as sandbox:
        yield sandbox


def pull(server: SandboxServer, name: str) -> "subprocess.Popen[bytes]":
    pipe = subprocess.PIPE
    command = [*OLLM_TUI, "pull", name, "--json", "--host", server.host]
    # Unbuffered: what was read ahead with the first line would be lost to `communicate`.
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, bufsize=0)


def status(server: SandboxServer, name: str) -> str:
    command = [*OLLM_TUI, "status", name, "--host", server.host]
    return subprocess.run(command, capture_output=True, text=True, timeout=20).stdout.strip()


def pulls(server: SandboxServer, name: str) -> int:
    return sum(
        request.path == "/api/pull" and f"'{name}'" in str(request.body)
        for request in server.requests
    )


def first_line(process: "subprocess.Popen[bytes]") -> dict[str, object]:
    assert process.stdout is not None
    line = process.stdout.readline()
    told = json.loads(line)
    assert isinstance(told, dict)
    return told


def test_one_process_downloads_and_its_death_is_noticed(server: SandboxServer) -> None:
    gates = {name: server.faults.hold_pull(name) for name in (A, B)}
    with pull(server, A) as keeper:
        assert gates[A].wait_for(1, PATIENCE_S)
        with pull(server, B) as watcher:
            assert first_line(watcher)["status"] == "queued"
            assert gates[B].wait_for(1, PATIENCE_S)  # the keeper has taken the wish
            assert status(server, B) == "downloading"
            assert pulls(server, A) == pulls(server, B) == 1
            keeper.send_signal(signal.SIGKILL)
            keeper.communicate()
            assert gates[B].wait_for(2, PATIENCE_S)
            assert gates[A].wait_for(2, PATIENCE_S)  # what the dead one wanted goes on, too
            for gate in gates.values():
                gate.open()
            out, err = watcher.communicate(timeout=PATIENCE_S)
    assert watcher.returncode == 0, err
    assert "another ollm-tui keeps the queue" in err.decode()
    told = [json.loads(line) for line in out.splitlines()]
    assert [one["status"] for one in told if one["status"] in ("complete", "error")] == ["complete"]
    percentages = [one["percentage"] for one in told]
    assert percentages == sorted(percentages)
    assert server.store.find(B) is not None


def test_killed_at_any_moment_nobody_waits_for_ever(server: SandboxServer, fault: Fault) -> None:
    for dice in fault.dice(full=20, short=2):
        server.clear()
        for name in (A, B, C):
            server.store.remove(name)
        processes = [pull(server, name) for name in (A, B, C)]
        for process in processes:
            first_line(process)
        victim = processes.pop(dice.randrange(3))
        try:
            victim.wait(dice.random() * 1.5)
        except subprocess.TimeoutExpired:
            victim.send_signal(signal.SIGKILL)
        victim.communicate()
        for process in processes:
            out, err = process.communicate(timeout=PATIENCE_S)
            assert process.returncode == 0, err
            finals = [json.loads(line)["status"] for line in out.splitlines()]
            assert finals.count("complete") == 1
