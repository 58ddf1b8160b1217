"""What a download needs is known before it begins, and one that finds no room waits for it."""

import asyncio
from collections.abc import AsyncIterator, Collection
from dataclasses import replace

import pytest

from ollm_tui.core.error import DownloadFailed, NotEnoughSpace, OllmError
from ollm_tui.core.event import QueueItem, QueueState
from ollm_tui.core.model import ModelInfo
from ollm_tui.core.name import name_key
from ollm_tui.core.plan import PullPlan
from ollm_tui.core.progress import PullState
from ollm_tui.providers.base import DiskSupport, PlanSupport
from ollm_tui.service.heartbeat import PUBLISH_EVERY_S
from ollm_tui.service.preflight import PLAN_WAIT_S, SILENCE_S
from ollm_tui.service.service import ModelService
from tests.unit.service.fake import (
    RESOLVING,
    SUCCESS,
    FakeClock,
    FakeProvider,
    Recorder,
    layer,
    make_service,
    model,
    settle,
)

UNREACHABLE = DownloadFailed("No answer", cause="refused")
QUEUED, DOWNLOADING = PullState.QUEUED, PullState.DOWNLOADING


class Planner(FakeProvider):
    """A provider whose registry and disk can be seen."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: dict[str, int] = {}
        """By the first letter of a name."""
        self.here_bytes = 0
        self.left_bytes: int | None = None

    async def plan(self, name: str) -> PullPlan:
        await self._asked("plan")
        total = self.sizes.get(name[0], 10)
        return PullPlan(name, "f" * 64, False, total, total - self.here_bytes)

    async def free_bytes(self) -> int | None:
        await self._asked("free")
        return self.left_bytes

    async def freed_bytes(self, names: Collection[str]) -> int | None:
        return None


@pytest.fixture
def planner() -> Planner:
    return Planner()


@pytest.fixture
async def downloads(planner: Planner, clock: FakeClock) -> AsyncIterator[ModelService]:
    service = make_service(planner, clock)
    yield service
    await service.close()


def item(service: ModelService, name: str) -> QueueItem:
    return next(item for item in service.queue.items if item.name.startswith(name))


def states(service: ModelService) -> dict[str, PullState]:
    return {item.name[0]: item.progress.status for item in service.queue.items}


def unrouted(name: str, size_bytes: int) -> ModelInfo:
    """A model that no profile chooses."""
    return replace(model(name, size_bytes=size_bytes), embedding_only=True)


def unused(service: ModelService, name: str) -> list[str]:
    return [one.names[0] for one in item(service, name).unused or ()]


async def in_threads() -> None:
    """As `settle`, and until what is asked of the router, in a thread, has come."""
    for _ in range(50):
        await asyncio.sleep(0.002)
        await settle()


def test_the_planner_is_what_it_says(planner: Planner, provider: FakeProvider) -> None:
    assert isinstance(planner, PlanSupport)
    assert isinstance(planner, DiskSupport)
    assert not isinstance(provider, PlanSupport | DiskSupport)


async def test_the_total_is_told_before_the_first_byte(
    downloads: ModelService, planner: Planner
) -> None:
    recorder = Recorder()
    planner.sizes["a"] = 400
    downloads.enqueue("a", recorder.on_progress)
    await settle()
    first = next(event for event in recorder.progress if event.status is DOWNLOADING)
    assert (first.downloaded_bytes, first.total_bytes, first.percentage) == (0, 400, 0)
    await planner.pulls[0].report(layer("x", 50, 100))
    assert item(downloads, "a").progress.total_bytes == 400  # and not what has appeared so far
    await planner.pulls[0].report(layer("x", 100, 100), layer("y", 300, 300))
    await planner.pulls[0].succeed()
    assert recorder.progress[-1].downloaded_bytes == recorder.progress[-1].total_bytes == 400


async def test_a_slow_registry_holds_up_a_download_for_a_moment_only(
    downloads: ModelService, planner: Planner, clock: FakeClock
) -> None:
    planner.hold("plan")
    downloads.enqueue("a")
    await clock.advance(PLAN_WAIT_S - 0.1)
    assert states(downloads) == {"a": QUEUED}
    await clock.advance(0.1)
    assert states(downloads) == {"a": DOWNLOADING}
    planner.sizes["a"] = 400
    await planner.release("plan")
    await clock.advance(PUBLISH_EVERY_S)
    assert item(downloads, "a").progress.total_bytes == 400


async def test_nobody_overtakes_one_whose_manifest_is_still_asked_for(
    downloads: ModelService, planner: Planner, clock: FakeClock
) -> None:
    downloads.set_concurrency(1)
    planner.hold("plan")
    downloads.enqueue("a")
    downloads.enqueue("b")
    await settle()
    await planner.release("plan", 1)
    assert states(downloads) == {"a": QUEUED, "b": QUEUED}
    await planner.release("plan")
    assert states(downloads) == {"a": DOWNLOADING, "b": QUEUED}


async def test_a_registry_that_does_not_answer_changes_nothing_and_is_left_alone(
    downloads: ModelService, planner: Planner, clock: FakeClock
) -> None:
    planner.errors["plan"] = UNREACHABLE
    downloads.enqueue("a")
    await settle()
    assert states(downloads) == {"a": DOWNLOADING}
    downloads.enqueue("b")
    await settle()
    assert planner.asked["plan"] == 1
    downloads.enqueue("other.example/ns/c")
    await settle()
    assert planner.asked["plan"] == 2  # another registry may answer
    await clock.advance(SILENCE_S)
    downloads.enqueue("d")
    await settle()
    assert planner.asked["plan"] == 3


async def test_what_does_not_fit_waits_for_room_and_lets_others_pass(
    downloads: ModelService, planner: Planner, clock: FakeClock
) -> None:
    planner.sizes |= {"a": 17, "b": 5}
    planner.left_bytes = 9
    downloads.enqueue("a")
    downloads.enqueue("b")
    await settle()
    assert states(downloads) == {"a": QUEUED, "b": DOWNLOADING}
    held = item(downloads, "a")
    assert (held.is_held, held.needed_bytes, held.free_bytes) == (True, 17, 4)  # b gets its 5
    assert not item(downloads, "b").is_held
    planner.left_bytes = 30
    await clock.advance(5)
    assert states(downloads) == {"a": DOWNLOADING, "b": DOWNLOADING}
    assert planner.asked["plan"] == 2


async def test_one_that_waits_for_room_names_what_could_be_deleted(
    downloads: ModelService, planner: Planner, clock: FakeClock
) -> None:
    for name, size in (("used:1", 40), ("idle:1", 30), ("small:1", 20)):
        planner.models[name_key(name)] = unrouted(name, size)
    planner.load_into_memory("used:1")
    planner.sizes |= {"a": 17}
    planner.left_bytes = 9
    told = Recorder()
    downloads.subscribe(told)
    downloads.enqueue("a")
    await in_threads()
    assert unused(downloads, "a") == ["idle:1", "small:1"]
    queues = [event for event in told.events if isinstance(event, QueueState)]
    assert queues[-1].items[0].unused == item(downloads, "a").unused
    await downloads.delete_model("idle:1")
    await clock.advance(5)
    await in_threads()
    assert unused(downloads, "a") == ["small:1"]
    planner.left_bytes = 39
    await clock.advance(5)
    assert states(downloads) == {"a": DOWNLOADING}
    assert item(downloads, "a").unused is None


async def test_a_full_disk_that_cannot_be_seen_names_what_could_be_deleted(
    downloads: ModelService, planner: Planner
) -> None:
    planner.models[name_key("idle:1")] = unrouted("idle:1", 30)
    planner.sizes |= {"a": 100}
    downloads.enqueue("a")
    await settle()
    await planner.pulls[0].report(layer("x", 40, 100))
    await planner.pulls[0].fail(NotEnoughSpace("The disk is full", cause="no space left"))
    await in_threads()
    assert states(downloads) == {"a": PullState.ERROR}
    error = item(downloads, "a").error
    assert isinstance(error, NotEnoughSpace)
    assert [one.names for one in error.unused] == [("idle:1",)]
    assert item(downloads, "a").unused == error.unused
    assert (error.needed_bytes, error.free_bytes) == (60, None)


async def test_one_cancelled_while_others_look_for_what_could_be_deleted_ends_once(
    downloads: ModelService, planner: Planner
) -> None:
    recorder = Recorder()
    number = downloads.enqueue("a", recorder.on_progress)
    await settle()
    planner.hold("running")
    await planner.pulls[0].fail(NotEnoughSpace("The disk is full", cause="no space left"))
    await downloads.cancel(number)
    assert recorder.finals == [PullState.CANCELLED]


async def test_the_whole_queue_counts(
    downloads: ModelService, planner: Planner, clock: FakeClock
) -> None:
    planner.sizes |= {"a": 6, "b": 6}
    planner.left_bytes = 10
    downloads.enqueue("a")
    downloads.enqueue("b")
    await settle()
    assert states(downloads) == {"a": DOWNLOADING, "b": QUEUED}
    assert item(downloads, "b").free_bytes == 4
    await planner.pulls[0].report(layer("x", 4, 6))  # of which the disk has less by now
    planner.left_bytes = 6
    await clock.advance(5)
    assert item(downloads, "b").free_bytes == 4
    await planner.pulls[0].report(layer("x", 6, 6))
    await planner.pulls[0].succeed()
    planner.left_bytes = 7
    await clock.advance(5)
    assert states(downloads) == {"a": PullState.COMPLETE, "b": DOWNLOADING}


async def test_what_is_here_already_needs_no_room(
    downloads: ModelService, planner: Planner
) -> None:
    planner.sizes["a"], planner.here_bytes, planner.left_bytes = 17, 10, 7
    downloads.enqueue("a")
    await settle()
    assert states(downloads) == {"a": DOWNLOADING}
    assert item(downloads, "a").needed_bytes == 7


async def test_one_that_waits_for_room_can_be_cancelled_and_nobody_looks_on(
    downloads: ModelService, planner: Planner, clock: FakeClock
) -> None:
    planner.sizes["a"], planner.left_bytes = 17, 9
    number = downloads.enqueue("a")
    await settle()
    await downloads.cancel(number)
    await clock.advance(6)
    looked = planner.asked["free"]
    await clock.advance(60)
    assert planner.asked["free"] == looked


@pytest.mark.parametrize("free", [3, None])
async def test_a_disk_that_fills_up_on_the_way_is_waited_for_where_it_can_be_seen(
    downloads: ModelService, planner: Planner, clock: FakeClock, free: int | None
) -> None:
    planner.left_bytes = 100
    downloads.enqueue("a")
    await settle()
    planner.left_bytes = free
    error = NotEnoughSpace("The disk is full", needed_bytes=10, free_bytes=3)
    await planner.pulls[0].fail(error)
    if free is None:
        assert item(downloads, "a").error is error
        return
    assert item(downloads, "a").is_held
    assert any("The disk is full" in line for line in item(downloads, "a").log)
    planner.left_bytes = 100
    await clock.advance(5)
    assert states(downloads) == {"a": DOWNLOADING}


async def test_a_disk_that_cannot_be_looked_at_holds_up_nothing(
    downloads: ModelService, planner: Planner
) -> None:
    planner.errors["free"] = OllmError("No such place")
    planner.sizes["a"] = 17
    downloads.enqueue("a")
    await settle()
    assert states(downloads) == {"a": DOWNLOADING}


STEPS = (RESOLVING, layer("a", 10, 100), layer("a", 90, 100), SUCCESS)


@pytest.mark.parametrize("by", ["queue", "caller"])
@pytest.mark.parametrize("turns", range(1, 30))
async def test_cancelled_at_any_await_it_ends_once_and_leaves_nothing(
    planner: Planner, clock: FakeClock, turns: int, by: str
) -> None:
    service = make_service(planner, clock)
    recorder = Recorder()
    planner.script = STEPS
    planner.left_bytes = 1000
    pulling = asyncio.ensure_future(service.pull_model("a", recorder.on_progress))
    for _ in range(turns):
        await asyncio.sleep(0)
    if by == "caller":
        pulling.cancel()
    elif service.queue.items:
        await service.cancel(service.queue.items[0].id)
    await asyncio.gather(pulling, return_exceptions=True)
    await settle()
    assert recorder.finals in ([PullState.CANCELLED], [PullState.COMPLETE])
    assert recorder.states[-1:] == recorder.finals
    assert all(pull.is_closed for pull in planner.pulls)
    # Both ends of what happens are in the range, so that all of it is covered.
    assert recorder.finals == [PullState.CANCELLED] or turns > 1
    assert recorder.finals == [PullState.COMPLETE] or turns < 29
    await service.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_closing_ends_what_is_asked(planner: Planner, clock: FakeClock) -> None:
    service = make_service(planner, clock)
    planner.hold("plan")
    service.enqueue("a")
    await settle()
    await service.close()
    await settle()
    assert states(service) == {"a": PullState.CANCELLED}
    assert asyncio.all_tasks() == {asyncio.current_task()}
