"""Downloads that break: tried again, with waits that grow, until there is no hope."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import pairwise

import pytest

from ollm_tui.core.error import (
    DownloadFailed,
    InvalidName,
    ModelNotFound,
    OllmError,
    ProviderGarbled,
    ProviderOffline,
    ProviderRefused,
)
from ollm_tui.core.model import ModelStatus
from ollm_tui.core.progress import PullState
from ollm_tui.providers.ollama import OllamaProvider
from ollm_tui.sandbox.faults import PullMode
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.sandbox.timing import INSTANT
from ollm_tui.service import retry
from ollm_tui.service.service import ModelService
from tests.unit.service.fake import (
    RESOLVING,
    VERIFYING,
    FakeClock,
    FakeProvider,
    Recorder,
    layer,
    settle,
)

CUT = DownloadFailed("Could not download a", cause="EOF")
STALLED, DOWNLOADING, PAUSED = PullState.STALLED, PullState.DOWNLOADING, PullState.PAUSED


def busy(status: int, retry_after_s: float | None = None) -> ProviderRefused:
    error = ProviderRefused("busy", status=status)
    error.retry_after_s = retry_after_s
    return error


def state(service: ModelService) -> PullState:
    return service.queue.items[0].progress.status


@pytest.mark.parametrize(
    ("error", "has_begun", "may_pass"),
    [
        (CUT, False, True),
        (DownloadFailed("no", cause="no space left", retryable=False), True, False),
        (ProviderOffline("no"), True, True),
        (ProviderOffline("no"), False, False),
        *((busy(status), False, True) for status in (408, 429, 500, 502, 503, 504)),
        *((busy(status), True, False) for status in (400, 401, 403, 404, 412)),
        (ProviderGarbled("a web page"), True, False),
        (ModelNotFound("no"), True, False),
        (InvalidName("no"), True, False),
    ],
)
def test_only_what_can_pass_is_tried_again(
    error: OllmError, has_begun: bool, may_pass: bool
) -> None:
    assert retry.may_pass(error, has_begun=has_begun) is may_pass


@pytest.mark.parametrize(
    ("failed_tries", "longest_s"), [(0, 1), (1, 1), (2, 2), (3, 4), (4, 8), (6, 30), (60, 30)]
)
@pytest.mark.parametrize("dice", [0.0, 0.5, 0.99])
def test_waits_double_up_to_half_a_minute_with_full_jitter(
    failed_tries: int, longest_s: float, dice: float
) -> None:
    assert retry.wait_s(CUT, failed_tries, lambda: dice) == longest_s * dice


@pytest.mark.parametrize(("asked_s", "wait_s"), [(0, 0.5), (17, 17), (3600, 120)])
def test_a_wait_that_was_asked_for_is_kept_up_to_two_minutes(asked_s: float, wait_s: float) -> None:
    assert retry.wait_s(busy(429, asked_s), 1, lambda: 0.5) == wait_s


def test_real_dice_stay_in_their_range() -> None:
    assert all(0 <= retry.roll() < 1 for _ in range(100))


async def test_a_broken_download_is_tried_again_and_keeps_its_percentage(
    service: ModelService, provider: FakeProvider, clock: FakeClock, recorder: Recorder
) -> None:
    pulling = asyncio.ensure_future(service.pull_model("a", recorder.on_progress))
    await settle()
    await provider.pulls[0].report(RESOLVING, layer("x", 60, 100))
    await provider.pulls[0].fail(CUT)
    item = service.queue.items[0]
    assert (item.progress.status, item.progress.percentage) == (STALLED, 60)
    assert item.next_try_at is not None
    assert (item.next_try_at - clock.wall()).total_seconds() == pytest.approx(1, rel=0.01)
    assert "EOF" in item.detail
    await clock.advance(1)
    assert len(provider.pulls) == 2
    assert service.queue.items[0].next_try_at is None
    await provider.pulls[1].report(RESOLVING, layer("x", 55, 100), layer("x", 70, 100))
    await provider.pulls[1].succeed()
    await pulling
    percentages = [event.percentage for event in recorder.progress]
    assert percentages == sorted(percentages)
    assert recorder.finals == [PullState.COMPLETE]


async def test_five_tries_without_a_byte_more_are_enough(
    service: ModelService, provider: FakeProvider, clock: FakeClock, recorder: Recorder
) -> None:
    pulling = asyncio.ensure_future(service.pull_model("a", recorder.on_progress))
    asked_at_s = []
    for number in range(retry.TRIES):
        await settle()
        asked_at_s.append(clock.now_s)
        await provider.pulls[number].report(RESOLVING)
        await provider.pulls[number].fail(CUT)
        assert service.queue.items[0].failed_tries == number + 1
        await clock.advance(100 if number == retry.TRIES - 1 else 2**number)
    with pytest.raises(DownloadFailed, match="EOF"):
        await pulling
    assert [round(after - before) for before, after in pairwise(asked_at_s)] == [1, 2, 4, 8]
    assert recorder.finals == [PullState.ERROR]
    assert len(provider.pulls) == retry.TRIES


async def test_as_many_tries_as_were_asked_for_are_enough(
    service: ModelService, provider: FakeProvider, clock: FakeClock
) -> None:
    service.set_tries(2)
    pulling = asyncio.ensure_future(service.pull_model("a"))
    for number in range(2):
        await settle()
        await provider.pulls[number].fail(CUT)
        assert service.queue.items[0].tries == 2
        await clock.advance(100)
    with pytest.raises(DownloadFailed):
        await pulling
    assert len(provider.pulls) == 2


async def test_progress_starts_the_count_anew(
    service: ModelService, provider: FakeProvider, clock: FakeClock
) -> None:
    service.enqueue("a")
    for number in range(40):
        await settle()
        await provider.pulls[-1].report(layer("x", 100 + number // 4, 1000))
        await provider.pulls[-1].fail(CUT)
        await clock.advance(10)
    assert state(service) is DOWNLOADING
    assert len(provider.pulls) == 41


async def test_what_nobody_could_reach_fails_at_once(
    service: ModelService, provider: FakeProvider
) -> None:
    provider.errors["pull"] = ProviderOffline("No answer", cause="refused")
    with pytest.raises(ProviderOffline):
        await service.pull_model("a")
    assert provider.asked["pull"] == 1


async def test_retry_does_not_wait_any_longer(
    service: ModelService, provider: FakeProvider, clock: FakeClock
) -> None:
    number = service.enqueue("a")
    await settle()
    await provider.pulls[0].fail(busy(429, 60.0))
    await clock.advance(30)
    assert len(provider.pulls) == 1
    service.retry(number)
    await settle()
    assert len(provider.pulls) == 2


async def test_a_server_that_returns_is_asked_at_once(
    service: ModelService, provider: FakeProvider, clock: FakeClock
) -> None:
    service.enqueue("a")
    await settle()
    await provider.pulls[0].report(RESOLVING)
    await provider.pulls[0].fail(ProviderOffline("broke"))
    provider.errors["running"] = ProviderOffline("No answer")
    with pytest.raises(ProviderOffline):
        await service.refresh_running()
    provider.errors.clear()
    await service.refresh()
    await settle()
    assert len(provider.pulls) == 2


@pytest.mark.parametrize("how", ["cancel", "pause", "close"])
async def test_a_wait_for_the_next_try_can_be_ended(
    service: ModelService, provider: FakeProvider, clock: FakeClock, recorder: Recorder, how: str
) -> None:
    number = service.enqueue("a", recorder.on_progress)
    await settle()
    await provider.pulls[0].fail(CUT)
    if how == "cancel":
        await service.cancel(number)
    elif how == "pause":
        await service.pause(number)
    else:
        await service.close()
    assert recorder.states[-1] == (PAUSED if how == "pause" else PullState.CANCELLED)
    await clock.advance(100)
    assert len(provider.pulls) == 1
    assert service.queue.items[0].next_try_at is None


async def test_a_download_that_waits_is_still_told_of(
    service: ModelService, provider: FakeProvider, clock: FakeClock, recorder: Recorder
) -> None:
    service.enqueue("a", recorder.on_progress)
    await settle()
    await provider.pulls[0].fail(busy(503, 60.0))
    await clock.advance(58)
    times = [event.timestamp.timestamp() for event in recorder.progress]
    assert max(after - before for before, after in pairwise(times)) <= 2.0
    assert state(service) is STALLED


async def test_half_a_minute_without_bytes_is_reconnected(
    service: ModelService, provider: FakeProvider, clock: FakeClock
) -> None:
    service.enqueue("a")
    await settle()
    await provider.pulls[0].report(layer("x", 10, 100))
    await clock.advance(29)
    assert state(service) is DOWNLOADING
    await provider.pulls[0].report(layer("x", 10, 100))  # a frame without bytes is no progress
    await clock.advance(1.2)
    assert (state(service), provider.pulls[0].is_closed) == (STALLED, True)
    assert "30 s" in service.queue.items[0].detail
    await clock.advance(2)
    assert len(provider.pulls) == 2
    await provider.pulls[1].report(layer("x", 20, 100))
    await clock.advance(0.2)
    assert state(service) is DOWNLOADING


async def test_a_dead_mirror_ends_by_itself(
    service: ModelService, provider: FakeProvider, clock: FakeClock
) -> None:
    pulling = asyncio.ensure_future(service.pull_model("a"))
    await clock.advance(5 * 30 + 1 + 2 + 4 + 8 + 5)
    with pytest.raises(DownloadFailed, match="30 s"):
        await pulling
    assert len(provider.pulls) == retry.TRIES


async def test_verifying_may_take_as_long_as_it_takes(
    service: ModelService, provider: FakeProvider, clock: FakeClock
) -> None:
    service.enqueue("a")
    await settle()
    await provider.pulls[0].report(layer("x", 100, 100), VERIFYING)
    await clock.advance(1800)
    assert state(service) is PullState.VERIFYING
    assert not provider.pulls[0].is_closed


async def test_cancelling_at_the_moment_of_a_stall_cancels(
    service: ModelService, provider: FakeProvider, clock: FakeClock, recorder: Recorder
) -> None:
    number = service.enqueue("a", recorder.on_progress)
    await settle()
    clock.now_s += 31
    service._queue._heartbeat.beat(
        is_sample_due=False
    )  # the stall is noticed, its task not yet woken
    await service.cancel(number)
    assert recorder.finals == [PullState.CANCELLED]
    assert provider.pulls[0].is_closed


async def test_pausing_closes_the_stream_and_frees_the_place(
    service: ModelService, provider: FakeProvider, recorder: Recorder
) -> None:
    waiting = asyncio.ensure_future(service.pull_model("a", recorder.on_progress))
    await settle()
    for name in ("b", "c"):
        service.enqueue(name)
    await settle()
    await provider.pulls[0].report(layer("x", 37, 100))
    await service.pause(service.queue.items[0].id)
    assert provider.pulls[0].is_closed
    assert [item.progress.status for item in service.queue.items] == [
        PAUSED,
        DOWNLOADING,
        DOWNLOADING,
    ]
    assert service.queue.items[0].progress.percentage == 37
    assert await service.get_model_status("a") is ModelStatus.NOT_FOUND
    assert not waiting.done()
    service.resume(service.queue.items[0].id)
    assert state(service) is PullState.QUEUED
    await provider.pulls[1].succeed()
    assert state(service) is DOWNLOADING
    await provider.pulls[-1].succeed()
    await waiting
    assert recorder.finals == [PullState.COMPLETE]


async def test_what_is_queued_can_be_paused_and_is_then_passed_over(
    service: ModelService, provider: FakeProvider
) -> None:
    numbers = [service.enqueue(name) for name in ("a", "b", "c", "d")]
    await settle()
    await service.pause(numbers[2])
    await provider.pulls[0].succeed()
    assert [item.progress.status for item in service.queue.items] == [
        PullState.COMPLETE,
        DOWNLOADING,
        PAUSED,
        DOWNLOADING,
    ]


@pytest.mark.parametrize("again", ["resume", "retry", "enqueue"])
async def test_what_is_paused_goes_on_in_three_ways(
    service: ModelService, provider: FakeProvider, again: str
) -> None:
    number = service.enqueue("a")
    await settle()
    await service.pause(number)
    if again == "resume":
        service.resume(number)
    elif again == "retry":
        service.retry(number)
    else:
        service.enqueue("A:latest")
    await settle()
    assert [item.progress.status for item in service.queue.items] == [DOWNLOADING]


async def test_resuming_while_the_stream_is_still_closing(
    service: ModelService, provider: FakeProvider
) -> None:
    number = service.enqueue("a")
    await settle()
    pausing = asyncio.ensure_future(service.pause(number))
    await asyncio.sleep(0)
    service.resume(number)
    await pausing
    await settle()
    assert [pull.is_closed for pull in provider.pulls] == [True, False]
    assert state(service) is DOWNLOADING


@pytest.mark.parametrize("first", ["pause", "cancel"])
async def test_cancelling_beats_pausing(
    service: ModelService, provider: FakeProvider, recorder: Recorder, first: str
) -> None:
    number = service.enqueue("a", recorder.on_progress)
    await settle()
    both = [service.pause(number), service.cancel(number)]
    await asyncio.gather(*(both if first == "pause" else reversed(both)))
    assert recorder.finals == [PullState.CANCELLED]


async def test_a_paused_download_can_be_cancelled_and_then_deleted(
    service: ModelService, provider: FakeProvider
) -> None:
    number = service.enqueue("phi3:mini")
    await settle()
    await service.pause(number)
    await service.cancel(number)
    assert state(service) is PullState.CANCELLED
    await service.delete_model("phi3:mini")


async def test_moving_changes_who_is_next(service: ModelService, provider: FakeProvider) -> None:
    numbers = [service.enqueue(name) for name in ("a", "b", "c", "d", "e")]
    service.move(numbers[4], -2)
    assert [item.name[0] for item in service.queue.items] == ["a", "b", "e", "c", "d"]
    await settle()
    await provider.pulls[0].succeed()
    assert provider.pulls[-1].name == "e:latest"
    for number, by in ((numbers[0], -5), (numbers[1], 99), (4711, 1)):
        service.move(number, by)
    assert [item.name[0] for item in service.queue.items] == ["a", "e", "c", "d", "b"]


async def test_concurrency_can_be_changed_while_downloads_run(
    service: ModelService, provider: FakeProvider
) -> None:
    for name in ("a", "b", "c", "d"):
        service.enqueue(name)
    service.set_concurrency(3)
    await settle()
    assert len(provider.pulls) == 3
    service.set_concurrency(0)  # one is the least
    await provider.pulls[0].succeed()
    await provider.pulls[1].succeed()
    assert len(provider.pulls) == 3
    await provider.pulls[2].succeed()
    assert len(provider.pulls) == 4


async def test_retrying_what_has_failed_keeps_its_place_unless_it_is_there_already(
    service: ModelService, provider: FakeProvider
) -> None:
    numbers = [service.enqueue(name) for name in ("a", "b")]
    await settle()
    await provider.pulls[0].fail(ModelNotFound("no"))
    service.retry(numbers[0])
    assert [item.id for item in service.queue.items] == numbers
    await settle()
    await provider.pulls[2].fail(ModelNotFound("no"))
    another = service.enqueue("a")
    service.retry(numbers[0])
    assert [item.id for item in service.queue.items] == [numbers[1], another]


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    with SandboxServer(timing=INSTANT) as server:
        yield server


@pytest.fixture
async def real_service(server: SandboxServer) -> AsyncIterator[ModelService]:
    service = ModelService(OllamaProvider(server.url), dice=lambda: 0.0)
    yield service
    await service.close()


@pytest.mark.parametrize("mode", [PullMode.CUT, PullMode.NO_SUCCESS, PullMode.ERROR])
@pytest.mark.parametrize("times", [1, 4])
async def test_a_pull_cut_several_times_completes_over_the_wire(
    server: SandboxServer, real_service: ModelService, mode: PullMode, times: int
) -> None:
    server.faults.pull(mode, at_bytes=10**9, text="max retries exceeded: EOF", times=times)
    recorder = Recorder()
    await real_service.pull_model("qwen3:4b", recorder.on_progress)
    percentages = [event.percentage for event in recorder.progress]
    assert percentages == sorted(percentages)
    assert recorder.finals == [PullState.COMPLETE]


async def test_a_busy_server_is_asked_again_over_the_wire(
    server: SandboxServer, real_service: ModelService
) -> None:
    server.faults.set("/api/pull", "http503", times=2)
    await real_service.pull_model("qwen3:4b")
    assert server.count("/api/pull") == 3
