"""How often a stream is read: what comes faster waits in the kernel and is read in one go.

Each read costs system calls and a turn of the loop, however little it brings; twenty downloads
that tell of themselves a hundred times a second took a quarter of a core that way.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from random import random

READS_PER_S = 5.0
"""Often enough for a bar that moves."""
BURST = 20
"""Reads in a row that wait for nothing, so that short streams are read as they come."""
PROMPT_S = 0.002
"""What comes within this was there already; waiting before it would only make it late."""


class Pace:
    """Lets reads through: a burst at once, then so many a second.

    Args:
        clock: seconds, monotonic.
        sleep: waits for so many seconds.
        phase: 0 to 1, by how much of a period it is ahead of others: streams that began together
            would all be read in the same turn of the loop, and hold keys up.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        phase: float | None = None,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._allowed = BURST - (random() if phase is None else phase)
        self._counted_at_s = self._resumed_at_s = clock()

    async def keep(self) -> None:
        """Wait, after a read, until the next one is due; not at all while there is more at hand."""
        now_s = self._clock()
        if now_s - self._resumed_at_s < PROMPT_S:
            self._resumed_at_s = now_s
            return
        gained = (now_s - self._counted_at_s) * READS_PER_S
        self._allowed = min(BURST, self._allowed + gained) - 1
        self._counted_at_s = now_s
        if self._allowed < 0:
            await self._sleep(-self._allowed / READS_PER_S)
        self._resumed_at_s = self._clock()
