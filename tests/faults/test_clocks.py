"""Clocks that jump: the wall clock changes nothing, and in a whole process a minute is a minute."""

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ollm_tui.core.progress import PullState
from ollm_tui.service.service import ModelService
from tests.faults.conftest import Fault
from tests.terminal import ROOT
from tests.unit.service.fake import FakeClock, FakeProvider, Recorder, layer, model, settle

HOUR = timedelta(hours=1)
JUMPS = (HOUR, -HOUR, timedelta(days=3652), timedelta(days=-3652), timedelta(minutes=-59))
CHILD = """
import asyncio, sys, time
from ollm_tui.service.service import ModelService
from tests.unit.service.fake import FakeProvider, model

async def main():
    provider = FakeProvider(model("a:1b"))
    service = ModelService(provider)
    await service.list_models()
    began_s, years = time.monotonic(), set()
    while time.monotonic() - began_s < 65:
        await service.list_models()
        years.add(time.gmtime().tm_year)
        if time.monotonic() - began_s < 59:
            assert provider.asked["list"] == 1, time.monotonic() - began_s
        time.sleep(0.5)
    assert provider.asked["list"] == 2, provider.asked
    print("right", sorted(years))
    await service.close()

asyncio.run(main())
"""


async def test_jumps_of_the_wall_clock_change_nothing_but_what_is_told_of_it(fault: Fault) -> None:
    """Row 17: during cache, progress and queue."""
    for chance in fault.dice(full=20, short=5):
        clock, provider, offset = FakeClock(), FakeProvider(model("known:1b")), [timedelta()]

        def now(clock: FakeClock = clock, offset: list[timedelta] = offset) -> datetime:
            return clock.wall() + offset[0]

        service = ModelService(provider, clock=clock, sleep=clock.sleep, now=now, dice=lambda: 0.5)
        recorder = Recorder()
        await service.list_models()
        service.enqueue("a", recorder.on_progress)
        await settle()
        for second in range(1, 59):
            offset[0] += chance.choice(JUMPS)
            await provider.pulls[0].report(layer("x", second * 100, 10_000))
            await clock.advance(1.0)
            await service.list_models()
            assert provider.asked["list"] == 1
        speed = recorder.progress[-1].download_speed
        fault.saw("error of the speed", abs(speed - 100), "%")
        assert abs(speed - 100) <= 10
        assert all((event.eta_s or 0) >= 0 for event in recorder.progress)
        await clock.advance(3.0)
        await service.list_models()
        assert provider.asked["list"] == 2
        await provider.pulls[0].succeed()
        assert recorder.finals == [PullState.COMPLETE]
        assert service.models.as_of is not None
        assert service.models.as_of.tzinfo is UTC
        await service.close()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("kind", ["time runs fast", "the wall clock jumps"])
def test_in_a_whole_process_a_list_is_fresh_for_a_minute(
    fault: Fault, kind: str, tmp_path: Path
) -> None:
    """With libfaketime: sixty times as fast, or by the wall clock ten years on in the middle."""
    if shutil.which("faketime") is None:
        pytest.skip("faketime is not installed (apt-get install faketime)")
    library = next(Path("/usr/lib").rglob("libfaketime.so.1"), None)
    assert library is not None
    told: dict[str, str] = {"FAKETIME": "+0 x60"}
    child = CHILD
    if kind == "the wall clock jumps":
        # Only the wall clock is false; time itself passes by a clock of the test's own.
        moment = tmp_path / "moment"
        moment.write_text("+0\n")
        told = {
            "FAKETIME_TIMESTAMP_FILE": str(moment),
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        child = f"""
import select, time
real, start = time.monotonic, time.monotonic()
time.monotonic = lambda: start + 60 * (real() - start)
def jump(seconds):
    select.select([], [], [], seconds / 60)
    with open({str(moment)!r}, "w") as file:
        file.write(["+0", "+10y", "-10y", "+1h", "-1h"][int(10 * (real() - start)) % 5] + "\\n")
time.sleep = jump
{CHILD}"""
    done = subprocess.run(
        (sys.executable, "-c", child),
        env={**os.environ, "LD_PRELOAD": str(library), "PYTHONPATH": str(ROOT), **told},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("right")
    if kind == "the wall clock jumps":
        assert len(done.stdout.split(",")) > 1, done.stdout  # it did jump
    fault.ran()
