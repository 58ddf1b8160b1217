"""Every I/O call on each of our files fails once: what was there stays, or what should be is."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.conftest import Fault
from tests.terminal import ROOT

COMPILER = shutil.which("cc")
SOURCE = Path(__file__).with_name("failing_io.c")


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled shim."""
    if COMPILER is None:
        pytest.skip("no C compiler (cc) for the library that makes I/O calls fail")
    built = tmp_path_factory.mktemp("shim") / "failing_io.so"
    command = (COMPILER, "-shared", "-fPIC", "-O1", "-o", str(built), str(SOURCE), "-ldl")
    subprocess.run(command, check=True)
    return built


@pytest.mark.timeout(600)
@pytest.mark.parametrize("operation", ["configuration", "trust", "look", "state", "store"])
def test_whichever_call_fails_the_old_or_the_new_is_there(
    fault: Fault, shim: Path, tmp_path: Path, operation: str
) -> None:
    place = tmp_path / "files"
    place.mkdir()
    step = 1 if fault.is_full or operation in ("configuration", "trust", "look") else 9
    done = subprocess.run(
        (sys.executable, "-m", "tests.faults.io_calls", operation, str(place), str(step)),
        env={**os.environ, "LD_PRELOAD": str(shim)},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert told["wrong"] == []
    assert told["runs"] > 10
    fault.ran(told["runs"])
