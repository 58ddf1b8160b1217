"""How fast all downloads together may be."""

import threading
import time
from collections.abc import Callable

from ollm_tui.providers.local.stop import StopSignal


class RateLimit:
    """Bytes per second over all threads that ask; who is too early waits.

    Args:
        bytes_per_s: None = no limit. Can be changed at any time.
        clock: monotonic seconds.
    """

    def __init__(
        self, bytes_per_s: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.bytes_per_s = bytes_per_s
        self._clock = clock
        self._lock = threading.Lock()
        self._free_at_s = clock()

    def portion(self, wanted: int) -> int:
        """How many bytes to read at once, so that the wait for them is short."""
        limit = self.bytes_per_s
        return wanted if limit is None else max(1, min(wanted, int(limit / 20)))

    def take(self, count: int, stop: StopSignal) -> None:
        """Account for bytes that have arrived, and wait until the next may.

        Raises:
            Stopped: asked for meanwhile.
        """
        limit = self.bytes_per_s
        if limit is None:
            return
        with self._lock:
            now_s = self._clock()
            self._free_at_s = max(self._free_at_s, now_s) + count / limit
            pause_s = self._free_at_s - now_s
        stop.wait(pause_s)
