"""Places that cannot be written: a full disk for our own files, read-only mounts, no home."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from ollm_tui.core.error import OllmError
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.sandbox.timing import INSTANT
from tests.faults.conftest import Fault
from tests.faults.io_calls import NEW, OLD, _change_config, _state_act, _state_prepare
from tests.terminal import OLLM_TUI, ROOT, Terminal

KIB = 1024
Mount = Callable[..., Path]


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """Mounts a small memory disk; needs root."""
    made: list[Path] = []

    def make(options: str = "size=4m") -> Path:
        place = tmp_path / f"disk{len(made)}"
        place.mkdir()
        command = ("mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place))
        if os.geteuid() or subprocess.run(command, check=False, capture_output=True).returncode:
            pytest.skip("a tmpfs cannot be mounted here (mount needs root)")
        made.append(place)
        return place

    yield make
    for place in made:
        subprocess.run(("umount", str(place)), check=True)


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    with SandboxServer(timing=INSTANT) as sandbox:
        yield sandbox


@pytest.mark.parametrize("left_bytes", [0, KIB, 4 * KIB, 1024 * KIB])
def test_on_a_full_disk_no_file_of_ours_is_cut_and_room_mends_it(
    fault: Fault, mount: Mount, left_bytes: int
) -> None:
    """Row 15, for the configuration and the state; downloads are in test_local_disk_full."""
    disk = mount()
    for number in fault.dice(full=10, short=1):
        folder = disk / str(number.random())
        (folder / ".ollm").mkdir(parents=True)
        config = folder / ".ollm" / "config.yaml"
        config.write_text(OLD)
        _state_prepare(folder)
        filler = disk / "filler"
        space = os.statvfs(disk)
        with filler.open("wb") as file:
            count = space.f_bavail * space.f_frsize - left_bytes
            os.posix_fallocate(file.fileno(), 0, max(1, count))
        for act in (_change_config, _state_act):
            with suppress(OllmError, OSError):  # there may be room for it, or not
                act(folder)
        assert config.read_text() in (OLD, NEW)
        filler.unlink()
        _change_config(folder)
        _state_act(folder)
        assert config.read_text() == NEW
        assert {entry.name for entry in (folder / ".ollm").iterdir()} == {
            "config.yaml",
            "config.yaml.bak",
        }
        subprocess.run(("rm", "-rf", str(folder)), check=True)


def _homes(mount: Mount, tmp_path: Path) -> dict[str, dict[str, str]]:
    read_only = str(mount("size=1m,ro"))
    return {
        "state folder read-only": {"OLLM_HOME": read_only},
        "home read-only": {"HOME": read_only},
        "home missing": {"HOME": str(tmp_path / "nowhere" / "home")},
        "home empty": {"HOME": ""},
        "home is a file": {"HOME": str(Path(__file__))},
    }


@pytest.mark.parametrize(
    "kind",
    ["state folder read-only", "home read-only", "home missing", "home empty", "home is a file"],
)
def test_where_nothing_can_be_kept_it_runs_in_memory(
    fault: Fault, mount: Mount, server: SandboxServer, tmp_path: Path, kind: str
) -> None:
    """Row 16: verbs work with nothing on stderr but a warning; the screen runs."""
    variables = _homes(mount, tmp_path)[kind]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    verbs = (("list",), ("pull", "qwen3:0.6b"), ("config", "show"))
    for verb in verbs if fault.is_full else verbs[:1]:
        done = subprocess.run(
            (*OLLM_TUI, *verb, "--host", server.host),
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        assert done.stderr.count("cannot be used") <= 1
    fault.ran()
    if not (fault.is_full or kind == "state folder read-only"):
        return
    with Terminal((*OLLM_TUI, "--host", server.host), environment=variables) as terminal:
        terminal.wait_for(" of 3", "● ollama")
        terminal.send("p")
        terminal.wait_for("esc leaves")
        terminal.send("llama3.2:1b\r")
        terminal.wait_for("llama3.2:1b", "done")
        os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.wait_end() == 128 + signal.SIGTERM
