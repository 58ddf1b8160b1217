"""The command in this process, and a made-up server for it to ask."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ollm_tui.cli.main import main
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.sandbox.timing import INSTANT
from ollm_tui.service import retry


class Result(NamedTuple):
    """What a run of the command gave."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON object that stdout holds, and nothing else."""
        assert self.out.endswith("\n")
        assert self.out.count("\n") == 1
        return json.loads(self.out)


Cli = Callable[..., Result]
Snapshot = Callable[..., str]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Runs the command, as the console script does but in this process."""

    def run(*arguments: str) -> Result:
        capsys.readouterr()
        try:
            status = main(arguments)
        except SystemExit as end:  # argparse ends the program by itself
            status = int(end.code or 0)
        out, err = capsys.readouterr()
        return Result(status, out, err)

    return run


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    """A server with the built-in thirty models and two in memory, which waits for nothing."""
    with SandboxServer(timing=INSTANT, loaded=("llama3.2:3b", "phi3:mini")) as sandbox:
        yield sandbox


@pytest.fixture
def ask(cli: Cli, server: SandboxServer) -> Cli:
    """Runs the command against that server."""
    return lambda *arguments: cli(*arguments, "--host", server.host)


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    """Writes a file of models and returns its path."""

    def write(*models: object, name: str = "models.json") -> str:
        path = tmp_path / name
        path.write_text(json.dumps({"models": models}))
        return str(path)

    return write


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Broken downloads are tried again at once: how long to wait is tested elsewhere."""
    monkeypatch.setattr(retry, "FIRST_WAIT_S", 0.001)
    monkeypatch.setattr(retry, "LONGEST_WAIT_S", 0.002)
