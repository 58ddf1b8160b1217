"""Progress is honest whatever a provider reports. Decisions P1 to P7."""

import math

import pytest

from ollm_tui.core.progress import ProgressEvent, PullPhase, PullState, PullStep
from ollm_tui.service.progress import ProgressTracker
from tests.unit.service.fake import RESOLVING, SUCCESS, VERIFYING, WRITING, FakeClock, layer

MB = 10**6


@pytest.fixture
def tracker(clock: FakeClock) -> ProgressTracker:
    tracker = ProgressTracker("m", clock, clock.wall)
    tracker.start()
    return tracker


def downloading(tracker: ProgressTracker) -> ProgressEvent:
    return tracker.event(PullState.DOWNLOADING)


def run(
    tracker: ProgressTracker,
    clock: FakeClock,
    *,
    seconds: float,
    start: int = 0,
    speed: int = 10 * MB,
    total: int = 1000 * MB,
    tick_s: float = 0.06,
) -> int:
    """Report a layer as a server does that receives `speed` bytes a second; return its bytes."""
    completed = start
    for _ in range(round(seconds / tick_s)):
        clock.now_s += tick_s
        completed += round(speed * tick_s)
        tracker.feed(layer("a", completed, total))
    return completed


def test_before_any_total_everything_is_zero(tracker: ProgressTracker) -> None:
    tracker.feed(RESOLVING)
    event = downloading(tracker)
    assert (event.percentage, event.downloaded_bytes, event.total_bytes) == (0.0, 0, 0)
    assert (event.download_speed, event.eta_s) == (0.0, None)


def test_layers_are_summed_and_a_digest_counts_once(tracker: ProgressTracker) -> None:
    tracker.feed(layer("a", 50, 100))
    tracker.feed(layer("b", 10, 300))
    tracker.feed(layer("a", 60, 100))
    event = downloading(tracker)
    assert (event.downloaded_bytes, event.total_bytes, event.percentage) == (70, 400, 17.5)


def test_a_total_that_grows_does_not_take_the_percentage_back(tracker: ProgressTracker) -> None:
    tracker.feed(layer("a", 50, 100))
    assert downloading(tracker).percentage == 50.0
    tracker.feed(layer("b", 10, 300))
    assert downloading(tracker).percentage == 50.0
    tracker.feed(layer("b", 190, 300))
    assert downloading(tracker).percentage == 60.0


def test_layers_that_take_turns_keep_their_own_bytes(tracker: ProgressTracker) -> None:
    for step in (1, 2, 3):
        tracker.feed(layer("a", 10 * step, 100))
        tracker.feed(layer("b", 20 * step, 100))
    assert downloading(tracker).downloaded_bytes == 90


def test_a_rollback_takes_nothing_back_and_is_no_speed(
    tracker: ProgressTracker, clock: FakeClock
) -> None:
    reached = run(tracker, clock, seconds=3)
    before = downloading(tracker)
    for part in (0.92, 0.95, 0.99):
        clock.now_s += 2
        tracker.feed(layer("a", int(reached * part), 1000 * MB))
    after = downloading(tracker)
    assert (after.downloaded_bytes, after.percentage) == (reached, before.percentage)
    assert after.download_speed == 0.0


@pytest.mark.parametrize("step", [VERIFYING, WRITING, layer("a", 100, 100)])
def test_a_hundred_percent_is_for_success_alone(tracker: ProgressTracker, step: object) -> None:
    tracker.feed(layer("a", 100, 100))
    tracker.feed(step)  # type: ignore[arg-type]
    assert tracker.event(tracker.state()).percentage == 99.0
    tracker.feed(SUCCESS)
    event = tracker.event(PullState.COMPLETE)
    assert (event.percentage, event.downloaded_bytes) == (100.0, event.total_bytes)


def test_verifying_means_that_all_has_arrived(tracker: ProgressTracker) -> None:
    tracker.feed(layer("a", 94, 100))
    tracker.feed(layer("b", 0, 7))
    tracker.feed(VERIFYING)
    assert downloading(tracker).downloaded_bytes == 107
    assert tracker.state() is PullState.VERIFYING


def test_starting_over_does_not_mean_that_all_has_arrived(tracker: ProgressTracker) -> None:
    tracker.feed(layer("a", 40, 100))
    tracker.start()
    tracker.feed(RESOLVING)
    assert downloading(tracker).downloaded_bytes == 40
    tracker.feed(layer("a", 38, 100))
    assert downloading(tracker).downloaded_bytes == 40


def test_what_was_there_already_completes_without_speed(
    tracker: ProgressTracker, clock: FakeClock
) -> None:
    for digest in ("a", "b"):
        clock.now_s += 0.01
        tracker.feed(layer(digest, 16 * 10**12, 16 * 10**12))
        assert downloading(tracker).download_speed == 0.0
    tracker.feed(SUCCESS)
    event = tracker.event(PullState.COMPLETE)
    assert (event.percentage, event.total_bytes) == (100.0, 32 * 10**12)


def test_a_pull_without_any_layer_completes_at_a_hundred(tracker: ProgressTracker) -> None:
    tracker.feed(SUCCESS)
    assert tracker.event(PullState.COMPLETE).percentage == 100.0


def test_a_total_that_is_not_said_is_what_has_come(tracker: ProgressTracker) -> None:
    tracker.feed(layer("a", 5, 0))
    event = downloading(tracker)
    assert (event.downloaded_bytes, event.total_bytes, event.percentage) == (5, 5, 99.0)


@pytest.mark.parametrize("tick_s", [0.01, 0.06, 1.0])
def test_speed_is_within_a_tenth(tracker: ProgressTracker, clock: FakeClock, tick_s: float) -> None:
    run(tracker, clock, seconds=12, tick_s=tick_s)
    assert downloading(tracker).download_speed == pytest.approx(10 * MB, rel=0.1)


def test_the_time_before_the_first_byte_is_not_slowness(
    tracker: ProgressTracker, clock: FakeClock
) -> None:
    clock.now_s += 4  # the manifest took its time
    run(tracker, clock, seconds=2)
    assert downloading(tracker).download_speed == pytest.approx(10 * MB, rel=0.1)


def test_speed_follows_a_change_within_the_window(
    tracker: ProgressTracker, clock: FakeClock
) -> None:
    reached = run(tracker, clock, seconds=10)
    run(tracker, clock, seconds=5.1, start=reached, speed=2 * MB)
    assert downloading(tracker).download_speed == pytest.approx(2 * MB, rel=0.1)


def test_speed_fades_when_nothing_comes(tracker: ProgressTracker, clock: FakeClock) -> None:
    run(tracker, clock, seconds=10)
    speeds = []
    for _ in range(6):
        clock.now_s += 1
        speeds.append(downloading(tracker).download_speed)
    assert speeds == sorted(speeds, reverse=True)
    assert speeds[-1] == 0.0


def test_there_is_no_time_left_in_the_first_moments(
    tracker: ProgressTracker, clock: FakeClock
) -> None:
    reached = run(tracker, clock, seconds=1.8)
    assert downloading(tracker).eta_s is None
    run(tracker, clock, seconds=0.6, start=reached)
    assert downloading(tracker).eta_s is not None


@pytest.mark.parametrize("present", [0, 600 * MB])
def test_time_left_is_within_a_tenth_also_after_a_resume(
    tracker: ProgressTracker, clock: FakeClock, present: int
) -> None:
    tracker.feed(layer("a", present, 1000 * MB))
    reached = run(tracker, clock, seconds=5, start=present)
    eta_s = downloading(tracker).eta_s
    assert eta_s == pytest.approx((1000 * MB - reached) / (10 * MB), rel=0.1)


def test_time_left_is_right_again_soon_after_a_stall(
    tracker: ProgressTracker, clock: FakeClock
) -> None:
    reached = run(tracker, clock, seconds=5)
    clock.now_s += 30
    assert (tracker.state(), downloading(tracker).eta_s) == (PullState.STALLED, None)
    reached = run(tracker, clock, seconds=3, start=reached)
    assert tracker.state() is PullState.DOWNLOADING
    eta_s = downloading(tracker).eta_s
    assert eta_s == pytest.approx((1000 * MB - reached) / (10 * MB), rel=0.1)


def test_a_second_try_measures_its_own_bytes_only(
    tracker: ProgressTracker, clock: FakeClock
) -> None:
    run(tracker, clock, seconds=5)
    clock.now_s += 3
    tracker.start()
    clock.now_s += 2
    tracker.feed(layer("a", 500 * MB, 1000 * MB))  # grown meanwhile
    assert downloading(tracker).download_speed == 0.0
    run(tracker, clock, seconds=3, start=500 * MB)
    assert downloading(tracker).download_speed == pytest.approx(10 * MB, rel=0.1)


def test_waiting_in_the_queue_is_no_stall(clock: FakeClock) -> None:
    tracker = ProgressTracker("m", clock, clock.wall)
    clock.now_s += 3600
    tracker.start()
    assert tracker.state() is PullState.DOWNLOADING


@pytest.mark.parametrize(("idle_s", "state"), [(29.9, "downloading"), (30.1, "stalled")])
def test_thirty_seconds_without_bytes_are_a_stall(
    tracker: ProgressTracker, clock: FakeClock, idle_s: float, state: str
) -> None:
    tracker.feed(layer("a", 1, 10))
    for _ in range(10):
        clock.now_s += idle_s / 10
        tracker.feed(layer("a", 1, 10))  # frames, but no bytes
    assert tracker.state() == state


def test_verifying_is_never_a_stall(tracker: ProgressTracker, clock: FakeClock) -> None:
    tracker.feed(VERIFYING)
    clock.now_s += 3600
    assert tracker.state() is PullState.VERIFYING


def test_what_is_fetched_after_long_verifying_is_no_stall_at_once(
    tracker: ProgressTracker, clock: FakeClock
) -> None:
    tracker.feed(layer("a", 100, 100))
    clock.now_s += 60
    tracker.feed(VERIFYING)
    tracker.feed(layer("b", 0, 100))
    assert tracker.state() is PullState.DOWNLOADING
    clock.now_s += 30
    assert tracker.state() is PullState.STALLED


@pytest.mark.parametrize("state", [PullState.QUEUED, PullState.STALLED, PullState.VERIFYING])
def test_only_a_download_that_runs_has_speed(
    tracker: ProgressTracker, clock: FakeClock, state: PullState
) -> None:
    run(tracker, clock, seconds=5)
    event = tracker.event(state)
    assert (event.download_speed, event.eta_s) == (0.0, None)


def test_a_cancelled_download_keeps_its_last_percentage(tracker: ProgressTracker) -> None:
    tracker.feed(layer("a", 37, 100))
    event = tracker.event(PullState.CANCELLED)
    assert (event.percentage, event.downloaded_bytes, event.total_bytes) == (37.0, 37, 100)


def test_a_clock_that_stands_still_is_no_division_by_zero(tracker: ProgressTracker) -> None:
    for completed in range(0, 100, 10):
        tracker.feed(layer("a", completed, 100))
        assert math.isfinite(downloading(tracker).download_speed)


def test_fetching_again_what_was_lost_is_no_stall(
    tracker: ProgressTracker, clock: FakeClock
) -> None:
    tracker.feed(layer("a", 900, 1000))
    for completed in range(0, 800, 10):
        clock.now_s += 1
        tracker.feed(layer("a", completed, 1000))
        assert tracker.state() is PullState.DOWNLOADING
    assert downloading(tracker).downloaded_bytes == 900


def test_what_an_earlier_run_knew_is_told_until_layers_say_more(tracker: ProgressTracker) -> None:
    tracker.recall(60, 200)
    event = tracker.event(PullState.PAUSED)
    assert (event.percentage, event.downloaded_bytes, event.total_bytes) == (30.0, 60, 200)
    tracker.start()
    tracker.feed(layer("a", 50, 100))
    assert downloading(tracker).downloaded_bytes == 60
    tracker.feed(layer("a", 100, 100))
    assert (downloading(tracker).downloaded_bytes, downloading(tracker).total_bytes) == (100, 200)
    tracker.feed(SUCCESS)
    event = tracker.event(PullState.COMPLETE)
    assert (event.percentage, event.downloaded_bytes, event.total_bytes) == (100.0, 100, 100)


def test_a_total_said_before_any_layer_counts_for_all_of_it(tracker: ProgressTracker) -> None:
    tracker.feed(PullStep(PullPhase.RESOLVING, "reading the manifest", total_bytes=500 * MB))
    tracker.feed(layer("a", 50 * MB, 100 * MB))
    assert downloading(tracker).total_bytes == 500 * MB
    assert downloading(tracker).percentage == 10


def test_a_total_said_after_the_manifest_is_not_the_whole(tracker: ProgressTracker) -> None:
    tracker.feed(PullStep(PullPhase.VERIFYING, "verifying", total_bytes=500 * MB))
    assert downloading(tracker).total_bytes == 0
