"""The time left of a download, as a subscriber hears it, on a clock that runs as fast as it can."""

from collections.abc import AsyncIterator, Collection

import pytest

from ollm_tui.core.plan import PullPlan
from ollm_tui.core.progress import ProgressEvent, PullState
from ollm_tui.service.service import ModelService
from tests.unit.service.fake import FakeClock, FakeProvider, FakePull, layer, make_service, settle

MB = 10**6
SPEED = 20 * MB
LAYERS = {"weights": 2000 * MB, "template": 300 * MB, "config": 100 * MB}
TOTAL = sum(LAYERS.values())
TICK_S = 0.06


class Paced(FakeProvider):
    """A registry whose manifest can be read, and a line that brings so much a second."""

    async def plan(self, name: str) -> PullPlan:
        return PullPlan(name, "f" * 64, False, TOTAL, TOTAL)

    async def free_bytes(self) -> int | None:
        return None

    async def freed_bytes(self, names: Collection[str]) -> int | None:
        return None


class Download:
    """One download on that line, and how wrong each time left was that was told of it."""

    def __init__(self, service: ModelService, provider: Paced, clock: FakeClock) -> None:
        self._service, self._provider, self._clock = service, provider, clock
        self._done = 0
        self._started_s = 0.0
        self.errors: list[float] = []
        self.early = 0

    async def begin(self, present: int = 0) -> None:
        self._service.enqueue("m", self.hear)
        await settle()
        self._done = present
        self._started_s = self._clock()
        await self._report()

    def hear(self, event: ProgressEvent) -> None:
        if event.status is not PullState.DOWNLOADING or event.eta_s is None:
            return
        true_s = (TOTAL - self._done) / SPEED
        if self._clock() - self._started_s < 5.0:
            self.early += 1
        elif true_s > 1.0:
            self.errors.append(abs(event.eta_s - true_s) / true_s)

    async def run(self, seconds: float) -> None:
        for _ in range(round(seconds / TICK_S)):
            await self._clock.advance(TICK_S)
            self._done = min(TOTAL, self._done + round(SPEED * TICK_S))
            await self._report()

    async def stall(self, seconds: float) -> None:
        await self._clock.advance(seconds)
        self._started_s = self._clock()

    @property
    def pull(self) -> FakePull:
        return self._provider.pulls[-1]

    async def _report(self) -> None:
        left = self._done
        for name, size in LAYERS.items():
            if left > 0:
                await self.pull.report(layer(name, min(left, size), size))
            left -= size


@pytest.fixture
async def download(clock: FakeClock) -> AsyncIterator[Download]:
    provider = Paced()
    service = make_service(provider, clock)
    yield Download(service, provider, clock)
    await service.close()


@pytest.mark.parametrize("present", [0, round(0.6 * TOTAL)])
async def test_it_is_within_a_tenth_after_five_seconds(download: Download, present: int) -> None:
    await download.begin(present)
    await download.run((TOTAL - present) / SPEED)
    assert len(download.errors) > 30
    assert max(download.errors) < 0.1


async def test_it_is_within_a_tenth_again_after_a_stall(download: Download) -> None:
    await download.begin()
    await download.run(20)
    await download.stall(29.5)  # by a hair too short to be connected anew
    download.errors.clear()
    await download.run(20)
    assert len(download.errors) > 10
    assert max(download.errors) < 0.1


async def test_it_is_within_a_tenth_again_when_it_was_connected_anew(download: Download) -> None:
    await download.begin()
    await download.run(20)
    await download.stall(33)  # and the next try has begun
    download.errors.clear()
    await download.run(20)
    assert len(download.errors) > 10
    assert max(download.errors) < 0.1
