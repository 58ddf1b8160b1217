"""The download queue: order, places, joining, cancelling, and what everybody is told."""

import asyncio
from itertools import pairwise

import pytest

from ollm_tui.core.error import DownloadFailed, InvalidName, ModelNotFound, OllmError
from ollm_tui.core.event import QueueState
from ollm_tui.core.model import ModelStatus
from ollm_tui.core.progress import ProgressEvent, PullState
from ollm_tui.service.heartbeat import PUBLISH_EVERY_S
from ollm_tui.service.service import ModelService
from tests.unit.service.fake import (
    RESOLVING,
    SUCCESS,
    FakeClock,
    FakeProvider,
    Recorder,
    layer,
    settle,
)

QUEUED, DOWNLOADING, VERIFYING = PullState.QUEUED, PullState.DOWNLOADING, PullState.VERIFYING
COMPLETE, CANCELLED, ERROR = PullState.COMPLETE, PullState.CANCELLED, PullState.ERROR


def states(service: ModelService) -> list[PullState]:
    return [item.progress.status for item in service.queue.items]


async def test_a_pull_tells_each_state_once_and_ends_complete(
    service: ModelService, provider: FakeProvider, clock: FakeClock, recorder: Recorder
) -> None:
    pulling = asyncio.ensure_future(service.pull_model("new:1b", recorder.on_progress))
    await settle()
    pull = provider.pulls[0]
    await pull.report(RESOLVING, layer("a", 25, 100))
    await clock.advance(PUBLISH_EVERY_S)
    await pull.report(layer("a", 50, 100))
    await clock.advance(PUBLISH_EVERY_S)
    await pull.succeed()
    await pulling
    assert recorder.states == [QUEUED, DOWNLOADING, DOWNLOADING, DOWNLOADING, COMPLETE]
    assert [event.percentage for event in recorder.progress] == [0, 0, 25, 50, 100]
    assert {event.model for event in recorder.progress} == {"new:1b"}
    assert pull.is_closed


async def test_a_pull_of_what_is_there_completes_in_one_round_trip(
    service: ModelService, provider: FakeProvider, recorder: Recorder
) -> None:
    pulling = asyncio.ensure_future(service.pull_model("phi3:mini", recorder.on_progress))
    await settle()
    await provider.pulls[0].report(layer("a", 70, 70), layer("b", 30, 30), SUCCESS)
    await pulling
    last = recorder.progress[-1]
    assert recorder.states == [QUEUED, DOWNLOADING, COMPLETE]
    assert (last.percentage, last.downloaded_bytes, last.total_bytes) == (100.0, 100, 100)


async def test_downloads_start_in_order_and_no_more_than_allowed(
    service: ModelService, provider: FakeProvider
) -> None:
    for name in ("a", "b", "c", "d"):
        service.enqueue(name)
    await settle()
    assert states(service) == [DOWNLOADING, DOWNLOADING, QUEUED, QUEUED]
    await provider.pulls[1].succeed()
    assert [pull.name for pull in provider.pulls] == ["a:latest", "b:latest", "c:latest"]
    assert states(service) == [DOWNLOADING, COMPLETE, DOWNLOADING, QUEUED]


async def test_an_equal_pull_is_joined_however_it_is_spelled(
    service: ModelService, provider: FakeProvider
) -> None:
    numbers = {service.enqueue(name) for name in ("new", "NEW:latest", "library/new:Latest")}
    callers = [asyncio.ensure_future(service.pull_model("new")) for _ in range(2)]
    await settle()
    await provider.pulls[0].succeed()
    await asyncio.gather(*callers)
    assert (len(numbers), len(provider.pulls)) == (1, 1)


async def test_who_joins_late_is_told_how_it_stands_and_never_less(
    service: ModelService, provider: FakeProvider, clock: FakeClock, recorder: Recorder
) -> None:
    service.enqueue("new")
    await settle()
    await provider.pulls[0].report(layer("a", 40, 100))
    await clock.advance(PUBLISH_EVERY_S)
    service.enqueue("new", recorder.on_progress)
    assert [(event.status, event.percentage) for event in recorder.progress] == [(DOWNLOADING, 40)]


async def test_the_same_name_is_pulled_anew_once_it_has_ended(
    service: ModelService, provider: FakeProvider
) -> None:
    first = service.enqueue("new")
    await settle()
    await provider.pulls[0].succeed()
    assert service.enqueue("new") != first
    await settle()
    assert len(provider.pulls) == 2


@pytest.mark.parametrize("name", ["", "no good", "a@sha256:0", "../x"])
async def test_a_bad_name_is_refused_before_anything_is_asked(
    service: ModelService, provider: FakeProvider, name: str
) -> None:
    with pytest.raises(InvalidName):
        await service.pull_model(name)
    assert not provider.asked
    assert not service.queue.items


async def test_plain_http_reaches_the_provider(
    service: ModelService, provider: FakeProvider
) -> None:
    service.enqueue("http://127.0.0.1:5000/library/tiny")
    await settle()
    assert provider.pulls[0].name == "http://127.0.0.1:5000/library/tiny:latest"


async def test_a_failure_reaches_the_waiters_and_the_row(
    service: ModelService, provider: FakeProvider, recorder: Recorder
) -> None:
    callers = [
        asyncio.ensure_future(service.pull_model("new", recorder.on_progress)) for _ in range(2)
    ]
    await settle()
    error = ModelNotFound("The registry has no model new", cause="404")
    await provider.pulls[0].fail(error)
    assert await asyncio.gather(*callers, return_exceptions=True) == [error, error]
    assert service.queue.items[0].error is error
    assert recorder.finals == [ERROR, ERROR]  # one for each who asked
    assert "404" in (recorder.progress[-1].error or "")


async def test_a_name_that_the_registry_has_not_is_answered_with_one_like_it(
    service: ModelService, provider: FakeProvider
) -> None:
    service.enqueue("mistral-nemoo:12b")
    await settle()
    await provider.pulls[0].fail(ModelNotFound("The registry has no such model"))
    error = service.queue.items[0].error
    assert error is not None
    assert error.actions[0] == "Did you mean mistral-nemo:12b?"


async def test_what_a_download_failed_of_is_in_the_log(
    service: ModelService, provider: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    service.enqueue("a")
    await settle()
    await provider.pulls[0].fail(DownloadFailed("It broke", cause="oddly", retryable=False))
    assert any("It broke" in record.getMessage() for record in caplog.records)


async def test_a_bug_in_a_provider_is_shown_as_one_and_logged_whole(
    service: ModelService, provider: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    pulling = asyncio.ensure_future(service.pull_model("new"))
    await settle()
    bug = ValueError("\x1b[2J oops")
    await provider.pulls[0].fail(bug)
    assert [record.exc_info and record.exc_info[1] for record in caplog.records] == [bug]
    with pytest.raises(OllmError, match="inside ollm-tui") as caught:
        await pulling
    assert "\x1b" not in str(caught.value)
    assert states(service) == [ERROR]


async def test_what_is_queued_is_cancelled_without_being_asked_for(
    service: ModelService, provider: FakeProvider, recorder: Recorder
) -> None:
    for name in ("a", "b"):
        service.enqueue(name)
    number = service.enqueue("c", recorder.on_progress)
    await service.cancel(number)
    await settle()
    await provider.pulls[0].succeed()
    assert recorder.states == [QUEUED, CANCELLED]
    assert "c:latest" not in [pull.name for pull in provider.pulls]


async def test_cancelling_closes_the_stream_and_starts_the_next(
    service: ModelService, provider: FakeProvider, recorder: Recorder
) -> None:
    number = service.enqueue("a", recorder.on_progress)
    for name in ("b", "c"):
        service.enqueue(name)
    await settle()
    await provider.pulls[0].report(layer("x", 37, 100))
    await service.cancel(number)
    assert provider.pulls[0].is_closed
    assert (recorder.finals, recorder.progress[-1].percentage) == ([CANCELLED], 37.0)
    assert states(service) == [CANCELLED, DOWNLOADING, DOWNLOADING]


async def test_cancelling_before_the_first_step_of_its_task(
    service: ModelService, provider: FakeProvider, recorder: Recorder
) -> None:
    number = service.enqueue("a", recorder.on_progress)
    await service.cancel(number)
    assert recorder.finals == [CANCELLED]
    assert not provider.pulls


async def test_cancelling_what_has_ended_changes_nothing(
    service: ModelService, provider: FakeProvider, recorder: Recorder
) -> None:
    number = service.enqueue("a", recorder.on_progress)
    await settle()
    await provider.pulls[0].succeed()
    await service.cancel(number)
    await service.cancel(4711)
    assert recorder.finals == [COMPLETE]


async def test_two_cancels_at_once_are_one(
    service: ModelService, provider: FakeProvider, recorder: Recorder
) -> None:
    number = service.enqueue("a", recorder.on_progress)
    await settle()
    await asyncio.gather(service.cancel(number), service.cancel(number))
    assert recorder.finals == [CANCELLED]
    assert provider.pulls[0].is_closed


async def test_a_waiter_is_told_that_somebody_else_cancelled(
    service: ModelService, provider: FakeProvider
) -> None:
    pulling = asyncio.ensure_future(service.pull_model("a"))
    await settle()
    await service.cancel(service.queue.items[0].id)
    with pytest.raises(DownloadFailed, match="cancelled"):
        await pulling


async def test_a_caller_that_is_cancelled_takes_its_download_with_it(
    service: ModelService, provider: FakeProvider, recorder: Recorder
) -> None:
    pulling = asyncio.ensure_future(service.pull_model("a", recorder.on_progress))
    await settle()
    pulling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pulling
    assert provider.pulls[0].is_closed
    assert states(service) == [CANCELLED]


@pytest.mark.parametrize("is_enqueued", [True, False])
async def test_a_caller_that_is_cancelled_leaves_the_download_to_others(
    service: ModelService, provider: FakeProvider, recorder: Recorder, is_enqueued: bool
) -> None:
    leaving = asyncio.ensure_future(service.pull_model("a", recorder.on_progress))
    await settle()
    if is_enqueued:
        service.enqueue("a")
    else:
        staying = asyncio.ensure_future(service.pull_model("a"))
        await settle()
    leaving.cancel()
    await settle()
    assert states(service) == [DOWNLOADING]
    await provider.pulls[0].succeed()
    assert recorder.finals == []  # whoever has left hears no more
    if not is_enqueued:
        await staying


STEPS = (RESOLVING, layer("a", 10, 100), layer("a", 90, 100), SUCCESS)


@pytest.mark.parametrize("by", ["queue", "caller"])
@pytest.mark.parametrize("turns", range(1, 14))
async def test_cancelled_at_any_await_it_ends_once_and_leaves_nothing(
    service: ModelService, provider: FakeProvider, recorder: Recorder, turns: int, by: str
) -> None:
    provider.script = STEPS
    pulling = asyncio.ensure_future(service.pull_model("a", recorder.on_progress))
    for _ in range(turns):
        await asyncio.sleep(0)
    if by == "caller":
        pulling.cancel()
    else:
        await service.cancel(service.queue.items[0].id)
    await asyncio.gather(pulling, return_exceptions=True)
    await settle()
    assert recorder.finals in ([CANCELLED], [COMPLETE])
    assert recorder.states[-1:] == recorder.finals
    assert all(pull.is_closed for pull in provider.pulls)
    # Too early or too late to matter at both ends of the range, so that all of it is covered.
    assert recorder.finals == ([COMPLETE] if turns >= 12 else [CANCELLED]) or 1 < turns < 12


async def test_a_subscriber_that_raises_stops_nothing(
    service: ModelService, provider: FakeProvider, clock: FakeClock, recorder: Recorder
) -> None:
    def broken(_event: object) -> None:
        raise RuntimeError("a bug of somebody else")

    service.subscribe(broken)
    service.enqueue("a", broken)
    service.enqueue("a", recorder.on_progress)
    await settle()
    await provider.pulls[0].report(layer("x", 1, 2))
    await clock.advance(PUBLISH_EVERY_S)
    await provider.pulls[0].succeed()
    assert recorder.finals == [COMPLETE]


async def test_a_callback_may_use_the_queue(service: ModelService, provider: FakeProvider) -> None:
    def follow_up(event: ProgressEvent) -> None:
        if event.status is COMPLETE:
            service.enqueue("b")
            service.clear_finished()
        if event.status is DOWNLOADING and event.percentage == 0:
            service.enqueue("c")

    service.enqueue("a", follow_up)
    await settle()
    await provider.pulls[0].succeed()
    assert sorted(item.name for item in service.queue.items) == ["b:latest", "c:latest"]


async def test_without_any_step_something_is_told_every_two_seconds(
    service: ModelService, provider: FakeProvider, clock: FakeClock, recorder: Recorder
) -> None:
    service.enqueue("a", recorder.on_progress)
    await clock.advance(20)
    times = [event.timestamp.timestamp() for event in recorder.progress]
    gaps = [after - before for before, after in pairwise(times)]
    assert max(gaps) <= 2.0
    assert len(times) >= 10


async def test_steps_in_a_flood_are_told_at_most_ten_times_a_second(
    service: ModelService, provider: FakeProvider, clock: FakeClock, recorder: Recorder
) -> None:
    service.enqueue("a", recorder.on_progress)
    await settle()
    for completed in range(200):
        await provider.pulls[0].report(layer("x", completed, 1000))
        await clock.advance(0.01)
    assert len(recorder.progress) <= 2 + 20
    assert len([e for e in recorder.events if isinstance(e, QueueState)]) <= 3 + 20


async def test_nothing_is_told_after_the_end_and_no_timer_stays(
    service: ModelService, provider: FakeProvider, clock: FakeClock, recorder: Recorder
) -> None:
    service.enqueue("a", recorder.on_progress)
    await settle()
    await provider.pulls[0].succeed()
    told = len(recorder.progress)
    await clock.advance(10)
    assert len(recorder.progress) == told
    assert clock.sleepers == 0


async def test_a_row_remembers_speeds_layers_and_what_happened(
    service: ModelService, provider: FakeProvider, clock: FakeClock
) -> None:
    service.enqueue("a")
    await settle()
    await provider.pulls[0].report(RESOLVING)
    for second in range(5):
        await provider.pulls[0].report(layer("x", 100 * second, 1000))
        await clock.advance(1.0)
    item = service.queue.items[0]
    assert item.speeds[-1] == pytest.approx(100, rel=0.3)
    assert [(layer.layer, layer.completed_bytes) for layer in item.layers] == [("x", 400)]
    assert item.detail == "pulling x"
    assert [line.split(" ", 1)[1] for line in item.log] == ["pulling manifest", "pulling x"]


async def test_retry_queues_what_failed_once_more(
    service: ModelService, provider: FakeProvider
) -> None:
    number = service.enqueue("a")
    await settle()
    await provider.pulls[0].fail(ModelNotFound("no"))
    service.retry(number)
    await settle()
    assert states(service) == [DOWNLOADING]
    await provider.pulls[1].succeed()
    assert states(service) == [COMPLETE]


async def test_retry_leaves_everything_else_alone(
    service: ModelService, provider: FakeProvider
) -> None:
    number = service.enqueue("a")
    await settle()
    service.retry(number)
    service.retry(4711)
    assert [item.id for item in service.queue.items] == [number]
    await provider.pulls[0].succeed()
    service.retry(number)
    assert states(service) == [COMPLETE]


async def test_clearing_forgets_only_what_has_ended(
    service: ModelService, provider: FakeProvider, recorder: Recorder
) -> None:
    for name in ("a", "b", "c"):
        service.enqueue(name)
    await settle()
    await provider.pulls[0].succeed()
    service.clear_finished()
    assert [item.name for item in service.queue.items] == ["b:latest", "c:latest"]
    assert recorder.events[-1] == service.queue


async def test_closing_ends_everything_and_starts_nothing(
    service: ModelService, provider: FakeProvider, recorder: Recorder
) -> None:
    for name in ("a", "b", "c"):
        service.enqueue(name, recorder.on_progress)
    waiting = asyncio.ensure_future(service.pull_model("c"))
    await settle()
    await service.close()
    assert states(service) == [CANCELLED] * 3
    assert recorder.finals == [CANCELLED] * 3
    assert [pull.is_closed for pull in provider.pulls] == [True, True]
    with pytest.raises(DownloadFailed, match="cancelled"):
        await waiting
    with pytest.raises(DownloadFailed, match="cancelled"):
        await service.pull_model("late")


async def test_status_says_downloading_only_while_bytes_move(
    service: ModelService, provider: FakeProvider
) -> None:
    for name in ("a", "b", "c", "phi3:mini"):
        service.enqueue(name)
    await settle()
    expected = {
        "a": ModelStatus.DOWNLOADING,
        "A:latest": ModelStatus.DOWNLOADING,
        "c": ModelStatus.NOT_FOUND,  # queued, not started
        "Phi3:Mini": ModelStatus.AVAILABLE,  # installed, an update is queued
        "nowhere": ModelStatus.NOT_FOUND,
        "not a name": ModelStatus.NOT_FOUND,
    }
    assert {name: await service.get_model_status(name) for name in expected} == expected
    await provider.pulls[0].succeed()
    assert await service.get_model_status("a") is ModelStatus.AVAILABLE
