"""Whatever changes the queue is told at once, and written into the download's own log."""

import asyncio

import pytest

from ollm_tui.core.error import DownloadFailed
from ollm_tui.core.event import QueueState
from ollm_tui.core.progress import PullState
from ollm_tui.service.service import ModelService
from tests.unit.service.fake import FakeClock, FakeProvider, Recorder, layer, settle

DONE, FAILED, PAUSED, RUNS, FIRST_WAITS, LAST_WAITS = range(6)


@pytest.fixture
async def numbers(service: ModelService, provider: FakeProvider) -> list[int]:
    """Downloads of every kind, and two that wait for a place."""
    service.set_concurrency(3)
    numbers = [service.enqueue(name) for name in ("done", "failed", "paused", "runs", "e", "f")]
    await settle()
    await provider.pulls[DONE].succeed()
    await provider.pulls[FAILED].fail(DownloadFailed("no", retryable=False))
    await service.pause(numbers[PAUSED])
    service.set_concurrency(1)
    await settle()
    return numbers


def queue_events(recorder: Recorder) -> list[QueueState]:
    return [event for event in recorder.events if isinstance(event, QueueState)]


@pytest.mark.parametrize(
    ("action", "which"),
    [
        ("move", LAST_WAITS),
        ("resume", PAUSED),
        ("pause", RUNS),
        ("cancel", RUNS),
        ("cancel", LAST_WAITS),
        ("retry", FAILED),
        ("clear", DONE),
        ("enqueue", DONE),
    ],
)
async def test_every_change_is_told_as_it_is_then(
    service: ModelService, numbers: list[int], recorder: Recorder, action: str, which: int
) -> None:
    before = service.queue
    match action:
        case "move":
            service.move(numbers[which], -1)
        case "resume":
            service.resume(numbers[which])
        case "retry":
            service.retry(numbers[which])
        case "clear":
            service.clear_finished()
        case "enqueue":
            service.enqueue("another")
        case "pause":
            await service.pause(numbers[which])
        case "cancel":
            await service.cancel(numbers[which])
    told = queue_events(recorder)
    assert told
    assert told[-1] == service.queue != before


async def test_more_places_are_taken_and_told(
    service: ModelService, numbers: list[int], recorder: Recorder
) -> None:
    service.set_concurrency(4)
    assert queue_events(recorder)[-1] == service.queue
    await settle()
    states = [item.progress.status for item in service.queue.items]
    assert states[FIRST_WAITS:] == [PullState.DOWNLOADING] * 2


async def test_to_the_end_and_no_further_can_one_be_moved(
    service: ModelService, numbers: list[int]
) -> None:
    service.move(numbers[DONE], 99)
    assert service.queue.items[-1].id == numbers[DONE]
    service.move(numbers[DONE], -99)
    assert service.queue.items[0].id == numbers[DONE]


@pytest.mark.parametrize(
    ("which", "words"),
    [(DONE, "complete"), (FAILED, "no"), (PAUSED, "paused")],
)
async def test_the_log_ends_with_how_it_ended(
    service: ModelService, numbers: list[int], which: int, words: str
) -> None:
    assert service.queue.items[which].log[-1].endswith(words)


async def test_a_cancelled_one_says_so_in_its_log(
    service: ModelService, numbers: list[int]
) -> None:
    await service.cancel(numbers[RUNS])
    assert service.queue.items[RUNS].log[-1].endswith("cancelled")


async def test_after_a_wait_it_is_downloading_again(
    service: ModelService, provider: FakeProvider, clock: FakeClock
) -> None:
    service.enqueue("a")
    await settle()
    await provider.pulls[0].report(layer("x", 1, 2))
    await provider.pulls[0].fail(DownloadFailed("cut"))
    states = [service.queue.items[0].progress.status]
    await clock.advance(1.0)
    states.append(service.queue.items[0].progress.status)
    assert states == [PullState.STALLED, PullState.DOWNLOADING]


async def test_a_speed_is_noted_once_a_second_and_the_queue_told_of_it(
    service: ModelService, provider: FakeProvider, clock: FakeClock, recorder: Recorder
) -> None:
    service.enqueue("a")
    await settle()
    for second in range(1, 9):
        await provider.pulls[0].report(layer("x", second * 100, 10_000))
        await clock.advance(1.0)
    assert 7 <= len(service.queue.items[0].speeds) <= 9
    told = len(queue_events(recorder))
    await clock.advance(5.0)  # nothing comes any more
    assert 4 <= len(queue_events(recorder)) - told <= 7


async def test_a_caller_that_leaves_after_the_end_changes_nothing(
    service: ModelService, provider: FakeProvider
) -> None:
    pulling = asyncio.ensure_future(service.pull_model("a"))
    await settle()
    await provider.pulls[0].succeed()
    await pulling
    assert service.queue.items[0].progress.status is PullState.COMPLETE
