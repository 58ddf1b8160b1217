"""A cache with a time to live: single flight per key, and no stale write after an invalidation.

Owns freshness only. What to show when a fetch fails is for its user to decide.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class TTLCache(Generic[K, V]):
    """Values by key, fresh while younger than `ttl_s`.

    A fetch that was under way when its key was invalidated still answers those who waited for
    it, but is not stored, and later callers fetch again. Source: design, Properties 2, 5, 21, 22.

    Args:
        ttl_s: seconds a value stays fresh; fresh means age < ttl_s.
        clock: monotonic seconds; the wall clock never matters.
    """

    def __init__(self, ttl_s: float, clock: Callable[[], float]) -> None:
        self._ttl_s = ttl_s
        self._clock = clock
        self._entries: dict[K, tuple[V, float]] = {}  # with the time at which it was fetched
        self._flights: dict[K, asyncio.Task[V]] = {}
        self._tasks: set[asyncio.Task[V]] = set()  # flights, those of invalidated keys included

    async def get(self, key: K, fetch: Callable[[], Awaitable[V]], *, refresh: bool = False) -> V:
        """Return the fresh value, or fetch it; callers of one key share one fetch.

        Cancelling one caller does not cancel the fetch. What the fetch raises goes to everyone
        who waits for it and is not cached.

        Args:
            refresh: fetch even when a fresh value is there.
        """
        if not refresh and (value := self.fresh(key)) is not None:
            return value
        flight = self._flights.get(key)
        if flight is None:
            flight = asyncio.ensure_future(self._fly(key, fetch))
            self._flights[key] = flight
            self._tasks.add(flight)
            flight.add_done_callback(self._landed)
        return await asyncio.shield(flight)

    def fresh(self, key: K) -> V | None:
        """The value if it is still fresh."""
        entry = self._entries.get(key)
        if entry is not None and self._clock() - entry[1] < self._ttl_s:
            return entry[0]
        return None

    def last(self, key: K) -> V | None:
        """The value however old, unless it was invalidated."""
        entry = self._entries.get(key)
        return None if entry is None else entry[0]

    def will_store(self, key: K) -> bool:
        """Whether the fetch that asks this about its key is still the one that counts."""
        return self._flights.get(key) is asyncio.current_task()

    def invalidate(self, key: K) -> None:
        """Make the next `get` fetch, and keep a fetch under way from being stored."""
        self._entries.pop(key, None)
        self._flights.pop(key, None)

    def outdate(self, key: K) -> None:
        """Make the next `get` fetch; a fetch that is under way still counts."""
        self._entries.pop(key, None)

    def clear(self) -> None:
        """Invalidate every key."""
        self._entries.clear()
        self._flights.clear()

    async def close(self) -> None:
        """Cancel every fetch, and with it whoever waits for one."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _fly(self, key: K, fetch: Callable[[], Awaitable[V]]) -> V:
        try:
            value = await fetch()
            if self.will_store(key):
                self._entries[key] = value, self._clock()
            return value
        finally:
            if self.will_store(key):
                del self._flights[key]

    def _landed(self, flight: asyncio.Task[V]) -> None:
        self._tasks.discard(flight)
        if not flight.cancelled():
            flight.exception()  # seen, even when every caller has gone
