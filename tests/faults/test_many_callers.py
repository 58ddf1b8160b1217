"""A thousand callers of whom half leave, and streams that stall at any moment."""

import asyncio
from itertools import pairwise

from ollm_tui.core.progress import PullState
from tests.faults.conftest import Fault
from tests.unit.service.fake import (
    FakeClock,
    FakeProvider,
    Recorder,
    layer,
    make_service,
    model,
    settle,
)

CALLERS = 1000


async def test_a_thousand_callers_of_whom_half_leave_make_one_request(fault: Fault) -> None:
    """Row 25."""
    for chance in fault.dice(full=50, short=3):
        provider = FakeProvider(model("a:1b"))
        provider.hold("list")
        service = make_service(provider, FakeClock())
        callers = [asyncio.ensure_future(service.list_models()) for _ in range(CALLERS)]
        await settle()
        leavers = set(chance.sample(callers, CALLERS // 2))
        for caller in leavers:
            caller.cancel()
        await settle()
        assert provider.asked["list"] == 1
        provider.free("list")
        answers = await asyncio.gather(*callers, return_exceptions=True)
        for caller, answer in zip(callers, answers, strict=True):
            assert isinstance(answer, asyncio.CancelledError) == (caller in leavers)
        assert provider.asked["list"] == 1
        await service.close()


async def test_a_stall_is_told_every_two_seconds_as_one(fault: Fault) -> None:
    """Row 4: frames without bytes, or nothing at all, for 35 seconds from any moment on."""
    for chance in fault.dice(full=20, short=6):
        provider, clock, recorder = FakeProvider(), FakeClock(), Recorder()
        service = make_service(provider, clock)
        times: list[float] = []

        def hear(event, clock=clock, times=times, recorder=recorder) -> None:  # type: ignore[no-untyped-def]
            times.append(clock.now_s)
            recorder.on_progress(event)

        service.enqueue("a", hear)
        await settle()
        arrived, has_frames = 0, chance.random() < 0.5
        for _ in range(chance.randint(1, 12)):
            arrived += chance.randint(1, 50)
            await provider.pulls[0].report(layer("x", arrived, 1000))
            await clock.advance(chance.random() * 2)
        stalled_at = len(recorder.progress)
        for _ in range(29):
            await clock.advance(1.0)
            if has_frames:
                await provider.pulls[0].report(layer("x", arrived, 1000))
        await clock.advance(6.0)
        gap_s = max(later - earlier for earlier, later in pairwise(times))
        fault.saw("gap between two events", gap_s, "s")
        assert gap_s <= 2.0
        told = recorder.progress[stalled_at:]
        assert any(event.status is PullState.STALLED for event in told)
        assert any(not event.download_speed for event in told)
        await service.close()
