"""Eight processes at once on one state folder: no two download one model, and all are told."""

import json
import subprocess
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from ollm_tui.sandbox.roster import catalogue_models
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.sandbox.timing import INSTANT
from ollm_tui.service.progress import STALL_AFTER_S
from tests.faults.conftest import Fault
from tests.terminal import OLLM_TUI, ROOT

PROCESS_HEADER = "x-process"
TEMPTATION_S = 1.0
"""In which a process that does not know of the others would ask for itself."""
NAMES = tuple(model.name for model in catalogue_models()[:4])


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxServer]:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with SandboxServer(timing=INSTANT) as sandbox:
        yield sandbox


@pytest.mark.timeout(600)
def test_many_processes_never_download_one_model_twice_at_once(
    fault: Fault, server: SandboxServer, tmp_path: Path
) -> None:
    """Row 24. One process may ask again, as after a stall; a second one may not."""
    for chance in fault.dice(full=20, short=1):
        server.clear()
        server.faults.clear()  # a gate once opened holds nobody any more
        for name in NAMES:
            server.store.remove(name)
        count = chance.choice([2, 8]) if fault.is_full else 4
        wanted = [chance.sample(NAMES, chance.randint(1, 3)) for _ in range(count)]
        gates = [server.faults.hold_pull(name) for name in NAMES]
        processes = [
            subprocess.Popen(
                (
                    *OLLM_TUI,
                    "pull",
                    *names,
                    "--json",
                    "--config",
                    _signed(tmp_path, number, server),
                ),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,  # what was read ahead with the first line would be lost
            )
            for number, names in enumerate(wanted)
        ]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline()  # every one has asked before the first ends
        assert any(gate.wait_for(1) for gate in gates)
        time.sleep(TEMPTATION_S)
        for process in processes:
            assert process.poll() is None, process.communicate()
        for name in NAMES:  # all wait at the gates, and no two ask for one
            pulls = [
                (round(request.time_s, 3), request.headers[PROCESS_HEADER])
                for request in server.requests
                if request.path == "/api/pull" and f"'{name}'" in str(request.body)
            ]
            askers = {asker for _, asker in pulls}
            fault.saw("processes that download one model", len(askers))
            fault.saw("times one asked for it", len(pulls))
            assert len(askers) <= 1, (name, pulls, wanted)
            waits_s = [later - first for (first, _), (later, _) in pairwise(pulls)]
            assert all(wait_s >= STALL_AFTER_S for wait_s in waits_s), (name, pulls, wanted)
        for gate in gates:
            gate.open()
        for process, names in zip(processes, wanted, strict=True):
            out, err = process.communicate(timeout=60)
            assert process.returncode == 0, err
            finals = [json.loads(line)["status"] for line in out.splitlines()]
            assert finals.count("complete") == len(set(names)), (finals, err)
        for name in {name for names in wanted for name in names}:
            assert server.store.find(name) is not None


def _signed(directory: Path, number: int, server: SandboxServer) -> str:
    """A configuration by which the server can tell one process from another."""
    path = directory / f"{number}.yaml"
    host = {"host": server.host, "headers": {PROCESS_HEADER: str(number)}}
    path.write_text(json.dumps({"providers": {"ollama": host}}), "utf-8")
    return str(path)
