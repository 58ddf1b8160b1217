"""How often a stream is read: what comes faster waits in the kernel and is read in one go.

Each read costs system calls and a turn of the loop, however little it brings; twenty downloads
that tell of themselves a hundred times a second took a quarter of a core that way.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from random import random

READS_PER_S = 5.0
"""Of one stream: often enough for a bar that moves."""
ALL_READS_PER_S = 40.0
"""Of all streams of a provider together, so that many cost hardly more than a few."""
LEAST_READS_PER_S = 1.0
"""Of one stream, however many there are."""
BURST = 20
"""Reads in a row that wait for nothing, so that short streams are read as they come."""
PROMPT_S = 0.002
"""What comes within this was there already; waiting before it would only make it late."""


class Pacer:
    """Shares the reads out among the streams of one provider.

    Args:
        clock: seconds, monotonic.
        sleep: waits for so many seconds.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._streams = 0

    @contextmanager
    def stream(self, phase: float | None = None) -> "Iterator[Pace]":
        """The pace of one stream more, for as long as it is read.

        Args:
            phase: 0 to 1, by how much of a period it is ahead of others: streams that began
                together would all be read in the same turn of the loop, and hold keys up.
        """
        self._streams += 1
        ahead = random() if phase is None else phase
        try:
            yield Pace(self._reads_per_s, self._clock, self._sleep, ahead)
        finally:
            self._streams -= 1

    def _reads_per_s(self) -> float:
        return min(READS_PER_S, max(LEAST_READS_PER_S, ALL_READS_PER_S / self._streams))


class Pace:
    """Lets the reads of a stream through: a burst at once, then so many a second."""

    def __init__(
        self,
        reads_per_s: Callable[[], float],
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        phase: float,
    ) -> None:
        self._reads_per_s = reads_per_s
        self._clock = clock
        self._sleep = sleep
        self._allowed = BURST - phase
        self._counted_at_s = self._resumed_at_s = clock()

    async def keep(self) -> None:
        """Wait, after a read, until the next one is due; not at all while there is more at hand."""
        now_s = self._clock()
        if now_s - self._resumed_at_s < PROMPT_S:
            self._resumed_at_s = now_s
            return
        reads_per_s = self._reads_per_s()
        gained = (now_s - self._counted_at_s) * reads_per_s
        self._allowed = min(BURST, self._allowed + gained) - 1
        self._counted_at_s = now_s
        if self._allowed < 0:
            await self._sleep(-self._allowed / reads_per_s)
        self._resumed_at_s = self._clock()
