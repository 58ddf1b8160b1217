"""Eight processes at once on one state folder: no two download one model, and all are told."""

import json
import subprocess
from collections.abc import Iterator

import pytest

from ollm_tui.sandbox.roster import catalogue_models
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.sandbox.timing import INSTANT
from tests.faults.conftest import Fault
from tests.terminal import OLLM_TUI, ROOT

NAMES = tuple(model.name for model in catalogue_models()[:4])


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxServer]:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with SandboxServer(timing=INSTANT) as sandbox:
        yield sandbox


@pytest.mark.timeout(600)
def test_many_processes_never_download_one_model_twice_at_once(
    fault: Fault, server: SandboxServer
) -> None:
    """Row 24."""
    for chance in fault.dice(full=20, short=1):
        server.clear()
        for name in NAMES:
            server.store.remove(name)
        count = chance.choice([2, 8]) if fault.is_full else 4
        wanted = [chance.sample(NAMES, chance.randint(1, 3)) for _ in range(count)]
        gates = [server.faults.hold_pull(name) for name in NAMES]
        processes = [
            subprocess.Popen(
                (*OLLM_TUI, "pull", *names, "--json", "--host", server.host),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,  # what was read ahead with the first line would be lost
            )
            for names in wanted
        ]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline()  # every one has asked before the first ends
        assert any(gate.wait_for(1) for gate in gates)
        for name in NAMES:  # all wait at the gates, and nobody has asked twice
            asked = sum(
                request.path == "/api/pull" and f"'{name}'" in str(request.body)
                for request in server.requests
            )
            fault.saw("downloads of one model at once", asked)
            assert asked <= 1
        for gate in gates:
            gate.open()
        for process, names in zip(processes, wanted, strict=True):
            out, err = process.communicate(timeout=60)
            assert process.returncode == 0, err
            finals = [json.loads(line)["status"] for line in out.splitlines()]
            assert finals.count("complete") == len(set(names)), (finals, err)
        for name in {name for names in wanted for name in names}:
            assert server.store.find(name) is not None
