"""Trying again, the speed limit, stopping, and hashing beside the transfer."""

import hashlib
import socket
import threading

import pytest

from ollm_tui.core.error import DownloadFailed
from ollm_tui.providers.local.attempt import Attempts, TransferPolicy, TryAgain
from ollm_tui.providers.local.digester import Digester
from ollm_tui.providers.local.rate import RateLimit
from ollm_tui.providers.local.stop import Stopped, StopSignal


class FakeStop(StopSignal):
    """Remembers waits instead of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.waits_s: list[float] = []

    def wait(self, seconds: float) -> None:
        self.waits_s.append(seconds)


def test_pauses_grow_up_to_their_limit_and_then_it_ends() -> None:
    stop = FakeStop()
    policy = TransferPolicy(tries=8, backoff_s=1, backoff_limit_s=5)
    attempts = Attempts("llama3", policy, stop)
    for _ in range(7):
        attempts.failed(TryAgain("it was reset"))
    with pytest.raises(DownloadFailed, match="reset") as caught:
        attempts.failed(TryAgain("it was reset"))
    assert caught.value.retryable
    longest_s = [1, 2, 4, 5, 5, 5, 5]
    assert len(stop.waits_s) == len(longest_s)
    assert all(0 <= wait <= most for wait, most in zip(stop.waits_s, longest_s, strict=True))


def test_progress_begins_the_count_anew() -> None:
    stop = FakeStop()
    attempts = Attempts("llama3", TransferPolicy(tries=2), stop)
    for _ in range(20):
        attempts.failed(TryAgain("cut"), progressed=True)
    with pytest.raises(DownloadFailed):
        attempts.failed(TryAgain("cut"))


def test_who_asks_to_be_left_alone_is_but_not_for_ever() -> None:
    stop = FakeStop()
    attempts = Attempts("llama3", TransferPolicy(), stop)
    attempts.failed(TryAgain("busy", 7.5))
    attempts.failed(TryAgain("busy", 86_400))
    assert stop.waits_s == [7.5, 120]


def test_the_speed_limit_holds_over_everyone_and_can_change() -> None:
    stop, now_s = FakeStop(), 100.0
    limit = RateLimit(1000, clock=lambda: now_s)
    limit.take(500, stop)
    limit.take(500, stop)
    assert stop.waits_s == [0.5, 1.0]
    assert limit.portion(10**6) == 50
    limit.bytes_per_s = None
    limit.take(10**9, stop)
    assert len(stop.waits_s) == 2
    assert limit.portion(10**6) == 10**6


def test_time_unused_gives_no_right_to_a_burst() -> None:
    stop, now_s = FakeStop(), 0.0
    limit = RateLimit(1000, clock=lambda: now_s)
    now_s = 60.0
    limit.take(1000, stop)
    assert stop.waits_s == [1.0]


def test_a_stop_ends_a_wait_for_a_connection() -> None:
    stop = StopSignal()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        stop.watch(ours)
        received: list[bytes] = []
        thread = threading.Thread(target=lambda: received.append(ours.recv(1)))
        thread.start()
        stop.set()
        thread.join(5)
        assert received == [b""]
        with pytest.raises(Stopped):
            stop.check()
        with pytest.raises(Stopped):
            stop.wait(60)


def test_a_connection_named_after_the_stop_is_ended_too() -> None:
    stop = StopSignal()
    stop.set()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        stop.watch(ours)
        assert ours.recv(1) == b""


def test_buffers_are_hashed_in_order_and_come_back() -> None:
    digester = Digester(buffer_bytes=4096, buffer_count=2)
    wanted = hashlib.sha256()
    seen = set()
    for number in range(50):
        buffer = digester.buffer()
        seen.add(id(buffer))
        buffer[:] = bytes([number]) * 4096
        wanted.update(buffer[: 4096 - number])
        digester.hand_over(buffer, 4096 - number)
    assert digester.finish() == f"sha256:{wanted.hexdigest()}"
    assert len(seen) <= 2
