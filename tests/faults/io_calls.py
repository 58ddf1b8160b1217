"""Fails every I/O call of an operation on our files, one after another: `io_calls NAME FOLDER`.

Runs in a process with `failing_io.c` preloaded. For n = 1, 2, 3 … the n-th call below a fresh
folder fails, and what is there afterwards must be what was before or what should be; until the
operation makes fewer than n calls. Source: SQLite's way of testing, reliability anchors C2.
"""

import asyncio
import contextlib
import ctypes
import errno
import json
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from ollm_tui.config.change import Change
from ollm_tui.config.inputs import Inputs
from ollm_tui.config.layer import SourceFile
from ollm_tui.config.lint import Knowledge
from ollm_tui.config.manager import ConfigManager
from ollm_tui.config.problem import Origin
from ollm_tui.config.trust import is_trusted, trust
from ollm_tui.core.error import OllmError
from ollm_tui.core.event import Notice
from ollm_tui.providers.local.attempt import TransferPolicy
from ollm_tui.providers.local.provider import LocalProvider
from ollm_tui.service.service import ModelService
from ollm_tui.ui.look import Look, LookFile
from tests.faulty_registry import FaultyRegistry, faulty_registry
from tests.provider.local.pulling import big_model, is_installed, no_wrong_file
from tests.unit.service.fake import FakeProvider, Recorder, model, settle

_SHIM = ctypes.CDLL(None)
ERRORS = {"EIO": errno.EIO, "ENOSPC": errno.ENOSPC}


class Operation(NamedTuple):
    """Something that writes, and what may be there afterwards."""

    prepare: Callable[[Path], None]
    act: Callable[[Path], None]
    """Raises an OllmError or an OSError if it failed and says so."""
    judge: Callable[[Path, bool], None]
    """Told whether `act` said that it failed; raises what is wrong."""


@contextlib.contextmanager
def failing(
    folder: Path, number: int, *, for_ever: bool, error: int
) -> Iterator[Callable[[], int]]:
    """Let a call below the folder fail; gives how many were made."""
    _SHIM.failing_io(str(folder).encode(), number, int(for_ever), error)
    made = -1

    def calls() -> int:
        return made

    try:
        yield calls
    finally:
        made = _SHIM.failing_io_calls()
        _SHIM.failing_io(b"", 0, 0, 0)


def listing(folder: Path) -> set[str]:
    """Names of files, but for those that a disk on which every call fails did not let go."""
    names = {entry.name for entry in folder.iterdir()}
    return {name for name in names if not (IS_FOR_EVER and ".ollm-" in name)}


IS_FOR_EVER = False

# The configuration.

OLD = "# mine\noptions:\n  topK: 1  # few\n"
NEW = "# mine\noptions:\n  topK: 2  # few\n"


def _write_config(folder: Path) -> None:
    (folder / ".ollm").mkdir()
    (folder / ".ollm" / "config.yaml").write_text(OLD)


def _change_config(folder: Path) -> None:
    inputs = Inputs(cwd=folder, user_home=folder)
    manager = ConfigManager(inputs, Knowledge(profiles=("general",)))
    manager.load_config()
    manager.apply(manager.plan(Origin.USER, [Change(("options", "topK"), 2)]))


def _judge_config(folder: Path, failed: bool) -> None:
    text = (folder / ".ollm" / "config.yaml").read_text()
    assert text == (OLD if failed else NEW), text
    backup = folder / ".ollm" / "config.yaml.bak"
    assert not backup.exists() or backup.read_text() == OLD
    assert listing(folder / ".ollm") <= {"config.yaml", "config.yaml.bak"}


# Small files that are replaced as a whole.

BEFORE = SourceFile("before", Origin.WORKSPACE, True, "1" * 64)
AFTER = SourceFile("after", Origin.WORKSPACE, True, "2" * 64)


def _judge_trust(folder: Path, failed: bool) -> None:
    assert is_trusted(folder, BEFORE)
    assert is_trusted(folder, AFTER) is not failed
    assert listing(folder) == {"trusted.json"}


def _judge_look(folder: Path, failed: bool) -> None:
    theme = LookFile(folder / "look.json").read().theme
    assert theme == ("before" if failed else "after"), theme
    assert listing(folder) == {"look.json"}


# The state file.


async def _state_run(folder: Path, names: tuple[str, ...], recorder: Recorder) -> None:
    service = ModelService(FakeProvider(model("known:1b")), state_path=folder / "state.db")
    service.subscribe(recorder)
    await service.start()
    await service.refresh()
    for name in names:
        service.enqueue(name)
        await settle()
    assert [item.name for item in service.queue.items][-len(names) :] == list(names)
    await service.close()


def _state_prepare(folder: Path) -> None:
    asyncio.run(_state_run(folder, ("old:1b",), Recorder()))


def _state_act(folder: Path) -> None:
    recorder = Recorder()
    asyncio.run(_state_run(folder, ("new:1b", "newer:1b"), recorder))
    if any(isinstance(event, Notice) for event in recorder.events):
        raise OSError("told")


def _state_judge(folder: Path, failed: bool) -> None:
    async def names() -> list[str]:
        service = ModelService(FakeProvider(), state_path=folder / "state.db")
        await service.start()
        found = [item.name for item in service.queue.items]
        await service.close()
        return found

    found = asyncio.run(names())
    wanted = ["old:1b", "new:1b", "newer:1b"]
    # A step that could not be written may be missing, but never one before another.
    assert found == wanted[: len(found)], found
    assert found, "the queue of before is lost"
    connection = sqlite3.connect(folder / "state.db")
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    assert not (folder / "state.db.bad").exists()


# The model store.

MODEL = big_model(3 * 1024 * 1024)
POLICY = TransferPolicy(tries=2, backoff_s=0, sync_bytes=1024 * 1024, buffer_bytes=256 * 1024)
REGISTRY: FaultyRegistry


async def _pull(folder: Path) -> None:
    provider = LocalProvider(folder / "models", policy=POLICY)
    try:
        async for _ in provider.pull(REGISTRY.name()):
            pass
    finally:
        await provider.close()


def _store_judge(folder: Path, failed: bool) -> None:
    root = folder / "models"
    path = f"{REGISTRY.netloc}/ns/model/tag"
    assert no_wrong_file(root)
    if not failed or (root / "manifests" / path).exists():
        assert is_installed(root, path, MODEL)
    asyncio.run(_pull(folder))
    assert is_installed(root, path, MODEL)
    # What could not be removed is shown among the files that no model needs, and is small.
    for entry in (root / ".ollm-tui").iterdir():
        assert (
            entry.name == "store.lock"
            or entry.name.startswith("manifest-")
            or (entry.name.endswith((".journal", ".journal.new")))
        ), entry.name


OPERATIONS = {
    "configuration": Operation(_write_config, _change_config, _judge_config),
    "trust": Operation(
        lambda folder: trust(folder, BEFORE), lambda folder: trust(folder, AFTER), _judge_trust
    ),
    "look": Operation(
        lambda folder: LookFile(folder / "look.json").write(Look(theme="before")),
        lambda folder: LookFile(folder / "look.json").write(Look(theme="after")),
        _judge_look,
    ),
    "state": Operation(_state_prepare, _state_act, _state_judge),
    "store": Operation(
        lambda folder: None, lambda folder: asyncio.run(_pull(folder)), _store_judge
    ),
}


def fail_each(operation: Operation, place: Path, step: int) -> tuple[int, list[str]]:
    """Fail every `step`-th call; returns how many runs, and what went wrong in which."""
    global IS_FOR_EVER
    runs, wrong = 0, []
    for name, error in ERRORS.items():
        for for_ever in (False, True):
            IS_FOR_EVER, number = for_ever, 1
            while True:
                folder = place / f"{name}-{for_ever}-{number}"
                folder.mkdir()
                operation.prepare(folder)
                failed = False
                with failing(folder, number, for_ever=for_ever, error=error) as calls:
                    try:
                        operation.act(folder)
                    except (OllmError, OSError):
                        failed = True
                try:
                    operation.judge(folder, failed)
                except (AssertionError, OllmError, OSError) as fault:
                    wrong.append(f"{name}, call {number}{' and all after' * for_ever}: {fault!r}")
                runs += 1
                if calls() < number:
                    break
                number += step
    return runs, wrong


def main() -> None:
    """Do it, and print the runs and what went wrong as JSON."""
    global REGISTRY
    name, place, step = sys.argv[1:]
    with faulty_registry() as REGISTRY:
        REGISTRY.push(MODEL)
        runs, wrong = fail_each(OPERATIONS[name], Path(place), int(step))
    sys.stdout.write(json.dumps({"runs": runs, "wrong": wrong}) + "\n")


if __name__ == "__main__":
    main()
