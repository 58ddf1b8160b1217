"""The command as a process of its own: imports, pipes, signals, closed streams, the terminal."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ollm_tui.sandbox.roster import catalogue_models
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.sandbox.timing import INSTANT
from tests.cli.conftest import Cli
from tests.terminal import OLLM_TUI, ROOT, Terminal

NAME = catalogue_models()[0].name
HEAVY = {"textual", "rich", "httpx", "pydantic", "yaml", "humanize"}


@pytest.fixture(autouse=True)
def _own_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*OLLM_TUI, *arguments]
    stdin = subprocess.DEVNULL
    return subprocess.run(command, stdin=stdin, capture_output=True, text=True, timeout=20)


def run_in_shell(command: str) -> subprocess.CompletedProcess[str]:
    """Run a line of bash, in which `ollm-tui` is our own copy."""
    line = f'ollm-tui() {{ "{sys.executable}" -m ollm_tui "$@"; }}; {command}'
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=20)


def start(*arguments: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen([*OLLM_TUI, *arguments], stdout=pipe, stderr=pipe, text=True)


def imported_by(code: str) -> set[str]:
    """The top-level packages that a fresh interpreter has loaded after running `code`."""
    at_exit = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr))"
    command = [sys.executable, "-c", f"{at_exit}\n{code}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    return {name.partition(".")[0] for name in done.stderr.splitlines()[-1].split()}


def running(*arguments: str) -> str:
    return f"sys.argv[1:] = {arguments!r}\nfrom ollm_tui.cli.main import run\nrun()"


@pytest.mark.parametrize(
    "code",
    [
        running("--version"),
        running("--help"),
        running("search", "code"),
        "import ollm_tui.service.service, ollm_tui.providers.ollama",
    ],
)
def test_what_needs_nothing_heavy_loads_nothing_heavy(code: str) -> None:
    loaded = imported_by(code)
    assert "ollm_tui" in loaded
    assert not HEAVY & loaded


def test_the_list_loads_neither_the_screen_nor_the_configuration(server: SandboxServer) -> None:
    assert not HEAVY & imported_by(running("list", "--host", server.host))
    assert HEAVY & imported_by(running("ps", "--host", server.host)) == {"httpx"}


def test_a_process_prints_data_and_words_apart(server: SandboxServer) -> None:
    done = run("show", "nothing", "--host", server.host)
    assert (done.returncode, done.stdout) == (1, "")
    assert "nothing is not installed" in done.stderr


def test_a_reader_that_leaves_early_is_no_error() -> None:
    with SandboxServer(timing=INSTANT, models=2000) as server:
        list_models = f"ollm-tui list --host {server.host}"
        done = run_in_shell(f"{list_models} | head -1; echo ${{PIPESTATUS[0]}}")
    head, status = done.stdout.splitlines()
    assert head.startswith("NAME ")
    assert status == "0"
    assert done.stderr == ""


def test_a_pull_whose_progress_nobody_reads_stops(server: SandboxServer) -> None:
    gate = server.faults.hold_pull(NAME)
    with start("pull", NAME, "--json", "--host", server.host) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert gate.wait_for(1)
        process.stdout.close()
        assert process.stderr is not None
        said = process.stderr.read()
        assert process.wait(20) == 4
    assert "its progress is not read" in said
    assert "Traceback" not in said
    assert server.store.find(NAME) is None


def test_ctrl_c_during_a_pull_closes_the_stream_and_exits_130(server: SandboxServer) -> None:
    script = server.faults.script_pull(NAME, [{"status": "pulling manifest"}, {"status": "x"}])
    script.advance(1)
    with start("pull", NAME, "--host", server.host) as process:
        assert script.gate.wait_for(2, 15)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert script.ended.wait(5)
    assert script.sent == 1
    assert out == ""
    assert err.splitlines()[-1] == f"{NAME}: cancelled, nothing kept for the next try"


@pytest.mark.parametrize(
    ("redirection", "status"), [(">/dev/full", 4), (">&-", 4), ("2>&-", 0), ("<&-", 0)]
)
def test_a_stream_that_is_full_or_closed_is_no_traceback(redirection: str, status: int) -> None:
    done = run_in_shell(f"ollm-tui search code {redirection}")
    assert done.returncode == status
    said = done.stderr.splitlines()
    assert len(said) == (3 if status else 0)
    if status:
        assert said[0] == "ollm-tui: The output cannot be written"


def test_without_a_terminal_the_screen_says_what_to_do_instead() -> None:
    done = run()
    assert (done.returncode, done.stdout) == (2, "")
    assert "ollm-tui list" in done.stderr


@pytest.mark.parametrize(
    ("keys", "status", "is_there"), [("y\r", 0, False), ("\r", 1, True), ("\x03", 130, True)]
)
def test_rm_asks_on_a_terminal(
    server: SandboxServer, keys: str, status: int, is_there: bool
) -> None:
    with Terminal([*OLLM_TUI, "rm", "mistral:7b", "--host", server.host]) as terminal:
        terminal.wait_for(
            "Delete mistral:7b? Frees up to 4.4 GB; files that other models share stay. [y/N]"
        )
        terminal.send(keys)
        assert terminal.wait_end() == status
    assert (server.store.find("mistral:7b") is not None) is is_there


def test_the_bar_of_a_pull_gives_way_to_errors(server: SandboxServer) -> None:
    gate = server.faults.hold_pull(NAME)
    command = [*OLLM_TUI, "pull", NAME, "nothing:1b", "--host", server.host]
    with Terminal(command, columns=100) as terminal:
        terminal.wait_for("ollm-tui: ", "try:", f"{NAME} downloading")
        gate.open()
        assert terminal.wait_end() == 1
        lines = terminal.text.splitlines()
    assert "nothing:1b: failed" in lines
    assert any(line.startswith("ollm-tui: ") for line in lines)
    assert any(line.startswith(f"{NAME}: done, ") for line in lines)


def test_the_log_goes_to_the_file_named(cli: Cli, tmp_path: Path) -> None:
    path = str(tmp_path / "run.log")
    with SandboxServer(timing=INSTANT, version="0.5") as server:
        assert cli("list", "--host", server.host, "--log-file", path).status == 0
    with open(path) as file:
        assert "smollm2:1.7b is not in the model database" in file.read()


def test_a_log_file_that_cannot_be_written_is_wrong_usage(cli: Cli, tmp_path: Path) -> None:
    result = cli("search", "--log-file", str(tmp_path / "missing" / "run.log"))
    assert (result.status, result.out) == (2, "")
    assert "because: No such file or directory" in result.err


def test_a_bug_is_told_as_one_and_logged(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> int:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("ollm_tui.cli.searching.search", broken)
    path = str(tmp_path / "run.log")
    result = cli("search", "--log-file", path)
    assert (result.status, result.out) == (4, "")
    assert "Traceback" not in result.err
    assert "report it" in result.err
    with open(path) as file:
        assert "ZeroDivisionError: a bug" in file.read()
