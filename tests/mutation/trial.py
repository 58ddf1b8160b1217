"""Runs tests against a module that is not the one on disk, each time in a process of its own.

Nothing is written anywhere: the child's import system is handed the other code. Everything that
does not come from this project is imported once, before the children are forked.
"""

import gc
import glob
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from enum import StrEnum
from functools import partial
from types import CodeType, ModuleType
from typing import IO, NamedTuple

WORKERS = 2
MEMORY_LIMIT_BYTES = 4 * 2**30
_LINES_KEPT = 30
_OURS = ("ollm_tui", "tests", "conftest", "__main__")
# Nobody reads why a test fails, so that assertions need no rewriting.
_PYTEST = ("-x", "-q", "--assert=plain", "-p", "no:cacheprovider")
_MEMORY_DISK = "/dev/shm"
_SCRATCH = tempfile.TemporaryDirectory(dir=_MEMORY_DISK if os.path.isdir(_MEMORY_DISK) else None)


class Outcome(StrEnum):
    """What the tests said."""

    PASSED = "passed"
    FAILED = "failed"
    """A test failed."""
    BROKEN = "broken"
    """The tests could not even be collected."""
    NO_TESTS = "no tests"
    TIMEOUT = "timeout"


_OUTCOMES = {0: Outcome.PASSED, 1: Outcome.FAILED, 5: Outcome.NO_TESTS}


class Trial(NamedTuple):
    """One change and the tests that should notice it."""

    name: str
    path: str
    """The module's file, relative to the working directory."""
    code: CodeType | None
    """What it shall be instead; None = as it is."""
    stages: tuple[tuple[str, ...], ...]
    """Arguments of pytest, one run after the other until one fails."""


class _Running(NamedTuple):
    trial: Trial
    started: float
    output: IO[bytes]


def run_trials(
    trials: Iterator[Trial], limit_s: float, report: Callable[[Trial, Outcome, str], None]
) -> None:
    """Run every trial, two at a time, and tell of each as it ends.

    Args:
        limit_s: what takes longer is killed.
        report: told what became of a trial, and what pytest printed last.
    """
    running: dict[int, _Running] = {}
    waiting = True
    while running or waiting:
        while waiting and len(running) < WORKERS:
            trial = next(trials, None)
            if trial is None:
                waiting = False
            else:
                output: IO[bytes] = tempfile.TemporaryFile()
                pid = _start(partial(_in_child, trial, output.fileno()))
                running[pid] = _Running(trial, time.monotonic(), output)
        pid, status = os.waitpid(-1, os.WNOHANG) if running else (0, 0)
        if pid:
            ended = running.pop(pid)
            _sweep(pid)
            report(ended.trial, _outcome(status), _last_words(ended.output))
            continue
        for pid, (trial, started, output) in list(running.items()):
            if time.monotonic() - started > limit_s:
                os.killpg(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                del running[pid]
                _sweep(pid)
                report(trial, Outcome.TIMEOUT, _last_words(output))
        time.sleep(0.005)


def _last_words(output: IO[bytes]) -> str:
    with output:
        output.seek(0)
        lines = output.read().decode("utf-8", "replace").splitlines()
    return "\n".join(lines[-_LINES_KEPT:])


def run_unchanged(stages: tuple[tuple[str, ...], ...]) -> tuple[Outcome, float]:
    """Run tests on the package as it is; return what they said and the seconds they took.

    What they import from elsewhere is imported here, for all the children to come.
    """
    reader, writer = os.pipe()

    def child() -> int:
        code = _in_child(Trial("unchanged", "", None, stages), output.fileno())
        names = [name for name in sys.modules if name.partition(".")[0] not in _OURS]
        os.write(writer, json.dumps([name for name in names if len(name) < 100]).encode())
        return code

    output: IO[bytes] = tempfile.TemporaryFile()
    started = time.monotonic()
    pid = _start(child)
    os.close(writer)
    with open(reader, "rb") as pipe:
        names = json.loads(pipe.read() or b"[]")
    outcome = _outcome(os.waitpid(pid, 0)[1])
    _sweep(pid)
    seconds = time.monotonic() - started
    words = _last_words(output)
    if outcome is not Outcome.PASSED:
        print(words)
    for name in names:
        with suppress(Exception):  # whatever it is, the children will meet it themselves
            importlib.import_module(name)
    gc.collect()
    gc.freeze()
    return outcome, seconds


def _start(child: Callable[[], int]) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 3
    try:
        code = child()
    finally:
        os._exit(code)


def _outcome(status: int) -> Outcome:
    return _OUTCOMES.get(os.waitstatus_to_exitcode(status), Outcome.BROKEN)


def _in_child(trial: Trial, output: int) -> int:
    os.setpgid(0, 0)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    if trial.code is not None:
        sys.meta_path.insert(0, _Finder(trial.path, trial.code))
    import pytest

    for number, arguments in enumerate(trial.stages):
        folder = f"--basetemp={_scratch(os.getpid())}-{number}"
        code = int(pytest.main([*_PYTEST, folder, *arguments]))
        if code:
            return code
    return 0


def _scratch(pid: int) -> str:
    """A child's own folder: pytest's numbering is not meant for so many at once."""
    return f"{_SCRATCH.name}/{pid}"


def _sweep(pid: int) -> None:
    for folder in glob.glob(f"{_scratch(pid)}-*"):
        shutil.rmtree(folder, ignore_errors=True)


def module_name(path: str) -> str:
    """ollm_tui/routing/router.py is ollm_tui.routing.router."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, fullname: str, path: str, code: CodeType) -> None:
        super().__init__(fullname, path)
        self._code = code

    def get_code(self, fullname: str) -> CodeType:
        return self._code


class _Finder(importlib.abc.MetaPathFinder):
    """Finds one module, and finds it changed."""

    def __init__(self, path: str, code: CodeType) -> None:
        self._name = module_name(path)
        self._loader = _Loader(self._name, os.path.abspath(path), code)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name:
            return None
        return importlib.util.spec_from_file_location(fullname, loader=self._loader)
