"""How often a stream is read."""

from contextlib import ExitStack

import pytest

from ollm_tui.providers.pace import (
    ALL_READS_PER_S,
    BURST,
    LEAST_READS_PER_S,
    PROMPT_S,
    READS_PER_S,
    Pace,
    Pacer,
)


class World:
    """A clock that only sleeping and working move."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.slept_s = 0.0
        self.pacer = Pacer(lambda: self.now_s, self.sleep)
        self._open = ExitStack()

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        self.slept_s += seconds

    async def read(self, pace: Pace, took_s: float = 2 * PROMPT_S) -> None:
        self.now_s += took_s
        await pace.keep()

    def pace(self, phase: float = 0.0) -> Pace:
        return self._open.enter_context(self.pacer.stream(phase))


async def test_a_short_stream_waits_for_nothing() -> None:
    world = World()
    pace = world.pace()
    for _ in range(BURST):
        await world.read(pace)
    assert world.slept_s == 0


async def test_what_comes_too_fast_is_read_so_many_times_a_second() -> None:
    world = World()
    pace = world.pace()
    for _ in range(BURST + 50):
        await world.read(pace)
    assert world.now_s == pytest.approx(50 / READS_PER_S, abs=0.05)


async def test_what_comes_slowly_never_waits() -> None:
    world = World()
    pace = world.pace()
    for _ in range(10 * BURST):
        await world.read(pace, 1.01 / READS_PER_S)
    assert world.slept_s == 0


async def test_streams_that_begin_together_are_read_at_different_times() -> None:
    waits = []
    for phase in (0.0, 0.25, 0.75):
        world = World()
        pace = world.pace(phase)
        for _ in range(BURST + 1):
            await world.read(pace)
        waits.append(world.now_s * READS_PER_S)
    assert waits == pytest.approx([1.0, 1.25, 1.75], abs=0.05)


async def test_what_is_at_hand_is_all_read_before_the_next_wait() -> None:
    world = World()
    pace = world.pace()
    for _ in range(BURST + 1):
        await world.read(pace)
    slept_s = world.slept_s
    for _ in range(1000):  # a second's worth of lines that came meanwhile
        await world.read(pace, PROMPT_S / 10)
    assert world.slept_s == slept_s


@pytest.mark.parametrize(
    ("streams", "reads_per_s"),
    [(1, READS_PER_S), (20, ALL_READS_PER_S / 20), (1000, LEAST_READS_PER_S)],
)
async def test_many_streams_are_each_read_less_often(streams: int, reads_per_s: float) -> None:
    world = World()
    pace, *_ = [world.pace() for _ in range(streams)]
    for _ in range(BURST + 50):
        await world.read(pace)
    assert world.now_s == pytest.approx(50 / reads_per_s, abs=0.1)


async def test_a_stream_that_ended_leaves_its_reads_to_the_others() -> None:
    world = World()
    pace = world.pace()
    for _ in range(99):
        with world.pacer.stream():
            pass
    for _ in range(BURST + 50):
        await world.read(pace)
    assert world.now_s == pytest.approx(50 / READS_PER_S, abs=0.05)
