"""A cache with a time to live: single flight per key, and no stale write after an invalidation.

Owns freshness only; what to serve when a fetch fails is its user's decision (`peek`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class CacheEntry(NamedTuple, Generic[V]):
    """A value and when it was fetched, in seconds of the cache's clock."""

    value: V
    fetched_at_s: float


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
        self._entries: dict[K, CacheEntry[V]] = {}
        self._flights: dict[K, asyncio.Task[V]] = {}

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
            flight = asyncio.ensure_future(self._fetch(key, fetch))
            self._flights[key] = flight
            flight.add_done_callback(_retrieve)
        return await asyncio.shield(flight)

    def fresh(self, key: K) -> V | None:
        """The value if it is still fresh."""
        entry = self._entries.get(key)
        if entry is not None and self._clock() - entry.fetched_at_s < self._ttl_s:
            return entry.value
        return None

    def peek(self, key: K) -> CacheEntry[V] | None:
        """The last value, however old, or None when there never was one or it was dropped."""
        return self._entries.get(key)

    def put(self, key: K, value: V) -> None:
        """Store a value that was learnt in another way."""
        self._entries[key] = CacheEntry(value, self._clock())

    def invalidate(self, key: K) -> None:
        """Make the next `get` fetch, and keep a fetch under way from being stored."""
        self._entries.pop(key, None)
        self._flights.pop(key, None)

    def expire(self, key: K) -> None:
        """As `invalidate`, but `peek` still finds the last value."""
        if (entry := self._entries.get(key)) is not None:
            self._entries[key] = CacheEntry(entry.value, entry.fetched_at_s - self._ttl_s)
        self._flights.pop(key, None)

    def clear(self) -> None:
        """Invalidate every key."""
        self._entries.clear()
        self._flights.clear()

    async def _fetch(self, key: K, fetch: Callable[[], Awaitable[V]]) -> V:
        try:
            value = await fetch()
            if self._flights.get(key) is asyncio.current_task():
                self._entries[key] = CacheEntry(value, self._clock())
            return value
        finally:
            if self._flights.get(key) is asyncio.current_task():
                del self._flights[key]


def _retrieve(flight: asyncio.Task[V]) -> None:
    """Mark an exception as seen even when every caller has gone."""
    if not flight.cancelled():
        flight.exception()
