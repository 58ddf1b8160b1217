"""A provider whose pulls do nothing but tell of themselves: what the program makes of their steps,
without the wire that brings them."""

import asyncio
import time
from collections.abc import AsyncGenerator

from ollm_tui.core.progress import PullPhase, PullStep
from ollm_tui.providers.ollama import OllamaProvider

_TOLD_EVERY_S = 0.1
_TOTAL_BYTES = 10**12


class TalkativeProvider(OllamaProvider):
    """A server's, but for its pulls.

    Args:
        host: of the server.
        events_per_s: steps of each pull, told ten times a second those that have come since.
    """

    def __init__(self, host: str, events_per_s: float) -> None:
        super().__init__(host)
        self._events_per_s = events_per_s

    async def pull(self, name: str) -> AsyncGenerator[PullStep, None]:
        """Tell of a download that never ends."""
        layer = f"sha256:{abs(hash(name)):064x}"
        began_s, told = time.monotonic(), 0
        while True:
            await asyncio.sleep(_TOLD_EVERY_S)
            due = int((time.monotonic() - began_s) * self._events_per_s)
            for number in range(told, due):
                yield PullStep(
                    PullPhase.TRANSFERRING, f"pulling {layer[7:19]}", layer, _TOTAL_BYTES,
                    number * 10_000,
                )  # fmt: skip
            told = due
