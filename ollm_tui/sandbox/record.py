"""What the server was asked, for tests to look at from any thread."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """One request as it came in."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: object
    """Parsed when it is JSON, text otherwise, None when empty."""
    time_s: float
    """Monotonic."""


class Record:
    """All requests so far, oldest first."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._requests: list[RecordedRequest] = []

    def add(self, request: RecordedRequest) -> None:
        """Note one more."""
        with self._changed:
            self._requests.append(request)
            self._changed.notify_all()

    def clear(self) -> None:
        """Forget them."""
        with self._changed:
            self._requests.clear()

    def all(self) -> list[RecordedRequest]:
        """Return a copy of the list."""
        with self._changed:
            return list(self._requests)

    def count(self, path: str | None = None, method: str | None = None) -> int:
        """Return how many there were, of one path or method if given."""
        return sum(
            path in (None, request.path) and method in (None, request.method)
            for request in self.all()
        )

    def wait(self, path: str, count: int = 1, timeout_s: float = 5.0) -> bool:
        """Block until `path` was asked for `count` times; return whether it was in time."""
        return self._wait(lambda: self.count(path) >= count, timeout_s)

    async def arrived(self, path: str, count: int = 1, timeout_s: float = 5.0) -> bool:
        """Do the same as `wait` without blocking the caller's loop."""
        return await asyncio.to_thread(self.wait, path, count, timeout_s)

    def _wait(self, reached: Callable[[], bool], timeout_s: float) -> bool:
        with self._changed:
            return self._changed.wait_for(reached, timeout_s)
