"""The store behind a provider, as the service tells of it."""

from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import timedelta

import pytest

from ollm_tui.core.diagnosis import Check
from ollm_tui.core.error import ProviderOffline, StoreError, Unsupported
from ollm_tui.core.event import StoreState
from ollm_tui.core.progress import PullPhase, PullStep
from ollm_tui.core.store import DiskUsage, Finding, FindingKind, Leftover, LeftoverKind, StorePlace
from ollm_tui.service.doctor import check_no_store, check_server
from tests.unit.service.fake import FakeClock, FakeProvider, Recorder, make_service, model

BROKEN = Finding(FindingKind.DAMAGED_FILE, "a:latest", "missing", "Repair it.", model="a:latest")
STRAY = Finding(FindingKind.STRAY_FILE, "x", "no name", "Remove it.")


class FakeStore:
    """A store that has what a test puts in."""

    def __init__(self, place: StorePlace, leftovers: Sequence[Leftover] = ()) -> None:
        self.place = place
        self.leftovers = list(leftovers)
        self.findings: tuple[Finding, ...] = ()
        self.steps: tuple[PullStep, ...] = (
            PullStep(PullPhase.VERIFYING),
            PullStep(PullPhase.SUCCESS),
        )

    async def usage(self) -> DiskUsage:
        return DiskUsage((), tuple(self.leftovers), 7, 0, 0, 100, is_exact=True)

    async def inspect(
        self, *, verify: bool = False, on_progress: Callable[[int, int], None] | None = None
    ) -> tuple[Finding, ...]:
        if on_progress is not None:
            on_progress(7, 7)
        return self.findings

    async def repair(self, name: str) -> AsyncGenerator[PullStep, None]:
        for step in self.steps:
            yield step

    async def reclaim(self, items: Sequence[Leftover]) -> int:
        self.leftovers = [item for item in self.leftovers if item not in items]
        return sum(item.size_bytes for item in items)


class StoredProvider(FakeProvider):
    """A provider with a store, or with the reason why there is none."""

    def __init__(self, store: FakeStore | Unsupported) -> None:
        super().__init__(model("a:latest"))
        self.store = store

    async def open_store(self) -> FakeStore:
        if isinstance(self.store, Unsupported):
            raise self.store
        return self.store


def leftover(kind: LeftoverKind, clock: FakeClock, hours: float = 2.0) -> Leftover:
    return Leftover(kind, str(kind), "", 10, clock.wall() - timedelta(hours=hours))


async def test_a_measured_store_is_published_once_per_change(clock: FakeClock) -> None:
    service = make_service(StoredProvider(FakeStore(StorePlace("/s", "the default"))), clock)
    recorder = Recorder()
    service.subscribe(recorder)
    await service.store.refresh()
    states = [event for event in recorder.events if isinstance(event, StoreState)]
    assert [state.loading for state in states] == [True, False]
    assert states[-1] == service.store.state
    assert states[-1].usage is not None
    await service.close()


async def test_without_a_store_the_reason_is_published_and_raised(clock: FakeClock) -> None:
    for provider in (FakeProvider(), StoredProvider(Unsupported("far away"))):
        service = make_service(provider, clock)
        await service.store.refresh()
        assert isinstance(service.store.state.error, Unsupported)
        with pytest.raises(Unsupported):
            await service.store.inspect()
        await service.close()


async def test_what_is_old_can_be_reclaimed_and_of_a_servers_store_only_ours(
    clock: FakeClock,
) -> None:
    items = [leftover(kind, clock) for kind in LeftoverKind]
    young = leftover(LeftoverKind.ORPHAN, clock, hours=0.9)
    for has_server, wanted in ((False, items), (True, items[:1])):
        store = FakeStore(StorePlace("/s", "x", has_server=has_server), [*items, young])
        service = make_service(StoredProvider(store), clock)
        report = await service.store.inspect()
        assert list(report.reclaimable) == wanted
        assert not report.is_healthy
        assert await service.store.reclaim(report.reclaimable) == 10 * len(wanted)
        assert service.store.state.usage is not None
        assert young in service.store.state.usage.leftovers
        await service.close()


async def test_each_model_that_can_be_repaired_is_named_once(clock: FakeClock) -> None:
    store = FakeStore(StorePlace("/s", "x"))
    store.findings = (STRAY, BROKEN, BROKEN)
    service = make_service(StoredProvider(store), clock)
    assert (await service.store.inspect()).repairable == ("a:latest",)
    await service.close()


async def test_a_repair_that_just_ends_has_failed(clock: FakeClock) -> None:
    store = FakeStore(StorePlace("/s", "x"))
    service = make_service(StoredProvider(store), clock)
    seen: list[PullStep] = []
    await service.store.repair("a", seen.append)
    assert seen == list(store.steps)
    store.steps = store.steps[:1]
    with pytest.raises(StoreError, match="ended before it was done"):
        await service.store.repair("a")
    await service.close()


async def test_a_server_is_told_of_in_a_line(clock: FakeClock) -> None:
    provider = FakeProvider(model("a:latest"))
    service = make_service(provider, clock)
    check = await check_server(service)
    assert (check.is_healthy, check.summary) == (True, "fake 1.2.3 at 127.0.0.1:1, 1 model")
    provider.errors["list"] = StoreError("Broken", cause="by a test", actions=("Mend it.",))
    check = await check_server(service)
    assert (check.is_healthy, check.summary) == (False, "Broken (by a test)")
    assert check.actions == ("Mend it.",)
    await service.close()


def test_a_store_out_of_reach_is_nothing_wrong_and_an_unreadable_one_is() -> None:
    absent, broken = check_no_store(Unsupported("far away")), check_no_store(StoreError("broken"))
    assert (absent.is_healthy, absent.is_there) == (True, False)
    assert (broken.is_healthy, broken.is_there) == (False, True)


def test_what_is_wrong_with_the_server_is_not_said_again_of_its_store() -> None:
    error = ProviderOffline("Nobody there")
    server = Check("server", False, str(error), error.actions)
    check = check_no_store(error, [server])
    assert (check.is_there, check.actions) == (False, ())
    assert "Nobody there" not in check.summary
    assert check_no_store(error).summary == "Nobody there"
