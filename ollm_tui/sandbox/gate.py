"""A turnstile between a test's thread and the server's loop: one waits, the other lets through."""

import asyncio
import threading
from collections import deque


class Gate:
    """Whoever passes needs a permit; permits may be given before or after somebody waits."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._permits = 0
        self._open = False
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._arrivals = 0

    @property
    def waiting(self) -> int:
        """How many stand before it now."""
        with self._changed:
            return len(self._waiting)

    def release(self, count: int = 1) -> None:
        """Let `count` through, now or when they come."""
        with self._changed:
            for _ in range(count):
                if self._waiting:
                    self._wake(self._waiting.popleft())
                else:
                    self._permits += 1

    def open(self) -> None:
        """Let everybody through from now on."""
        with self._changed:
            self._open = True
            while self._waiting:
                self._wake(self._waiting.popleft())

    def wait_for(self, count: int = 1, timeout_s: float = 5.0) -> bool:
        """Block until `count` have come to the gate in all; return whether they did in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._arrivals >= count, timeout_s)

    async def arrived(self, count: int = 1, timeout_s: float = 5.0) -> bool:
        """Do the same as `wait_for` without blocking the caller's loop."""
        return await asyncio.to_thread(self.wait_for, count, timeout_s)

    async def pass_through(self) -> None:
        """Wait for a permit and use it. For the server."""
        with self._changed:
            self._arrivals += 1
            self._changed.notify_all()
            if self._open:
                return
            if self._permits:
                self._permits -= 1
                return
            permit: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(permit)
        try:
            await permit
        except asyncio.CancelledError:
            with self._changed:
                if permit in self._waiting:
                    self._waiting.remove(permit)
                elif not self._open:
                    self._permits += 1
            raise

    @staticmethod
    def _wake(permit: asyncio.Future[None]) -> None:
        def wake() -> None:
            if not permit.done():
                permit.set_result(None)

        permit.get_loop().call_soon_threadsafe(wake)
