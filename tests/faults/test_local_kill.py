"""Downloads that are killed, at any moment, and go on from what is on disk."""

import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ollm_tui.providers.local import journal
from ollm_tui.providers.local.attempt import MIB, TransferPolicy
from ollm_tui.providers.local.provider import LocalProvider
from tests.faults.conftest import Fault
from tests.faulty_registry import FaultyRegistry, faulty_registry
from tests.provider.local.pulling import (
    big_model,
    is_installed,
    no_wrong_file,
    pull,
    weights_digest,
)
from tests.terminal import ROOT

SIZE = 24 * MIB
RATE = 60 * MIB
MODEL = big_model(SIZE)
WEIGHTS = weights_digest(MODEL)
CHILD = """
import asyncio, sys
from pathlib import Path
from ollm_tui.providers.local.provider import LocalProvider

async def main():
    provider = LocalProvider(Path(sys.argv[1]), bytes_per_s=float(sys.argv[3]))
    async for step in provider.pull(sys.argv[2]):
        print(step.phase, flush=True)
    await provider.close()

asyncio.run(main())
"""


@contextlib.asynccontextmanager
async def local(root: Path, policy: TransferPolicy | None = None) -> AsyncIterator[LocalProvider]:
    provider = LocalProvider(root, policy=policy)
    yield provider
    await provider.close()


def kill_a_pull(root: Path, name: str, after_s: float | None) -> None:
    """Start a pull in a process of its own and kill it, so many seconds after its first word.

    Args:
        after_s: None = as soon as some of it has arrived, however busy the machine is.
    """
    command = (sys.executable, "-c", CHILD, str(root), name, str(RATE))
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as child:
        assert child.stdout is not None
        child.stdout.readline()
        while after_s is None and right_prefix(root) < 2 * MIB and child.poll() is None:
            time.sleep(0.01)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(after_s or 0)
        child.kill()


def right_prefix(root: Path) -> int:
    """How many bytes of the weights are on disk and right, from their beginning."""
    part = root / ".ollm-tui" / f"{WEIGHTS.replace(':', '-')}.part"
    data = part.read_bytes() if part.exists() else b""
    right = MODEL.layers["model"]
    low, high = 0, min(len(data), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if data[:middle] == right[:middle] else (low, middle - 1)
    return low


async def resume(registry: FaultyRegistry, root: Path) -> int:
    """Pull to the end; returns from which byte on the weights were asked for."""
    registry.requests.clear()
    async with local(root) as provider:
        await pull(provider, registry.name())
    assert is_installed(root, f"{registry.netloc}/ns/model/tag", MODEL)
    requests = registry.asked(f"/blobs/{WEIGHTS}")
    return requests[0].start if requests else SIZE


@pytest.mark.timeout(600)
async def test_after_a_kill_a_resume_fetches_at_most_a_mebibyte_again(
    tmp_path: Path, fault: Fault
) -> None:
    duration_s = SIZE / RATE * 1.3
    resumed = 0
    with faulty_registry() as registry:
        registry.push(MODEL)
        for number, chance in enumerate(fault.dice(full=100, short=5)):
            root = tmp_path / str(number)
            # The first one on the way, so that there is always something to go on with.
            after_s = chance.uniform(0, duration_s) if number else None
            await asyncio.to_thread(kill_a_pull, root, registry.name(), after_s)
            assert no_wrong_file(root)
            arrived = right_prefix(root)
            begun = await resume(registry, root)
            assert begun <= SIZE
            fault.saw("fetched again", (arrived - begun) / MIB, "MiB")
            assert arrived - begun <= MIB
            resumed += 0 < begun < SIZE
    assert resumed  # else nothing was tested


async def test_after_a_power_cut_a_resume_goes_on_from_what_was_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Simulated: another boot, and rubbish where the data had not been made durable."""
    policy = TransferPolicy(sync_bytes=4 * MIB)
    with faulty_registry() as registry:
        registry.push(MODEL)
        async with local(tmp_path, policy) as provider:
            provider.limit.bytes_per_s = RATE
            steps = provider.pull(registry.name())
            async for step in steps:
                if step.completed_bytes > SIZE // 2:
                    break
            await steps.aclose()
        staged = tmp_path / ".ollm-tui" / WEIGHTS.replace(":", "-")
        known = journal.read_journal(staged.with_name(f"{staged.name}.journal"))
        assert known is not None
        assert known.durable_bytes > 4 * MIB
        assert known.written_bytes - known.durable_bytes < 64 * MIB
        with staged.with_name(f"{staged.name}.part").open("r+b") as file:
            file.seek(known.durable_bytes)
            file.write(bytes(SIZE - known.durable_bytes))
        monkeypatch.setattr(journal, "boot_id", lambda: "the next boot")
        assert await resume(registry, tmp_path) == known.durable_bytes


async def test_rubbish_that_was_believed_costs_a_second_fetch_and_no_wrong_file(
    tmp_path: Path,
) -> None:
    with faulty_registry() as registry:
        registry.push(MODEL)
        async with local(tmp_path) as provider:
            provider.limit.bytes_per_s = RATE
            steps = provider.pull(registry.name())
            async for step in steps:
                if step.completed_bytes > SIZE // 4:
                    break
            await steps.aclose()
        with (tmp_path / ".ollm-tui" / f"{WEIGHTS.replace(':', '-')}.part").open("r+b") as file:
            file.write(b"rubbish")
        assert 0 < await resume(registry, tmp_path) < SIZE


def test_an_import_of_the_provider_does_not_bring_httpx() -> None:
    code = (
        "import sys; import ollm_tui.providers.local.provider; "
        "sys.exit(any(name in sys.modules for name in ('httpx', 'pydantic', 'yaml')))"
    )
    started_s = time.monotonic()
    assert subprocess.run((sys.executable, "-c", code), cwd=ROOT, check=False).returncode == 0
    assert time.monotonic() - started_s < 20
