"""Two hundred downloads, each cut one to five times: all complete, and no percentage ever falls."""

import asyncio
import random

from ollm_tui.core.error import DownloadFailed, OllmError, ProviderOffline, ProviderRefused
from ollm_tui.core.progress import PullState
from tests.faults.conftest import Fault
from tests.unit.service.fake import (
    FakeClock,
    FakeProvider,
    FakePull,
    Recorder,
    layer,
    make_service,
    settle,
)

PULLS = 200
TOTAL = 1000
CUTS: tuple[OllmError, ...] = (
    DownloadFailed("cut", cause="EOF"),
    ProviderOffline("the connection broke"),
    ProviderRefused("busy", status=503),
)


class Server:
    """Brings each pull on by some bytes at a time, and cuts it as often as was drawn."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._present: dict[str, int] = {}
        self._cuts: dict[str, int] = {}

    async def bring_on(self, pull: FakePull) -> None:
        cuts = self._cuts.setdefault(pull.name, self._dice.randint(1, 5))
        present = self._present.get(pull.name, 0) + self._dice.randint(50, 300)
        # A part whose connection is reset is counted back.
        self._present[pull.name] = min(present - self._dice.choice([0, 0, 40]), TOTAL)
        await pull.report(layer("x", self._present[pull.name], TOTAL))
        if cuts and self._dice.random() < 0.5:
            self._cuts[pull.name] -= 1
            await pull.fail(self._dice.choice(CUTS))
        elif self._present[pull.name] == TOTAL and not cuts:
            await pull.succeed()


async def test_pulls_that_are_cut_all_complete(fault: Fault) -> None:
    provider, clock = FakeProvider(), FakeClock()
    service = make_service(provider, clock, concurrency=20)
    recorders = [Recorder() for _ in range(PULLS)]
    callers = [
        asyncio.ensure_future(service.pull_model(f"model-{number}", recorder.on_progress))
        for number, recorder in enumerate(recorders)
    ]
    server = Server(random.Random(7))
    while not all(caller.done() for caller in callers):
        await settle()
        for pull in [pull for pull in provider.pulls if not pull.is_closed]:
            await server.bring_on(pull)
        await clock.advance(1.0)
    await asyncio.gather(*callers)
    for recorder in recorders:
        percentages = [event.percentage for event in recorder.progress]
        assert percentages == sorted(percentages)
        assert recorder.finals == [PullState.COMPLETE]
    assert len(provider.pulls) >= 2 * PULLS
    await service.close()
    fault.ran(PULLS)
