"""The made-up download: which events a pull sends, and what of it stays behind.

A download belongs to its digest: pullers of one digest share it, it runs while somebody looks, and
what has arrived stays. No byte is stored. Runs in the server's loop only.
"""

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing

from ollm_tui.sandbox.models import Layer, SandboxModel
from ollm_tui.sandbox.store import Store
from ollm_tui.sandbox.timing import Timing

Event = Mapping[str, object]
Events = AsyncGenerator[Event, None]
MANIFEST_EVENT: Event = {"status": "pulling manifest"}
VERIFYING_EVENT: Event = {"status": "verifying sha256 digest"}
WRITING_EVENT: Event = {"status": "writing manifest"}
UNUSED_EVENT: Event = {"status": "removing unused layers"}
SUCCESS_EVENT: Event = {"status": "success"}
_SMALL_BYTES = 1_000_000
_STEPS = 10


class Downloads:
    """What has arrived of each blob, and how many wait for it."""

    def __init__(
        self,
        store: Store,
        timing: Callable[[], Timing],
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._timing = timing
        self._now_s = now_s
        self._received: dict[str, float] = {}
        self._watchers: dict[str, int] = {}
        self._moved_at_s: dict[str, float] = {}

    def partial_bytes(self) -> dict[str, int]:
        """Return what is there of unfinished blobs, by digest."""
        return {digest: int(received) for digest, received in self._received.items()}

    async def events(self, model: SandboxModel) -> Events:
        """Yield a pull's events as the server does; the model is installed before the last."""
        yield MANIFEST_EVENT
        for layer in model.layers:
            if self._store.has_blob(layer.digest):
                yield blob_event(layer, layer.size_bytes)
                continue
            async with aclosing(self._receive(layer)) as steps:
                async for received in steps:
                    yield blob_event(layer, received)
        if not model.remote:
            yield VERIFYING_EVENT
            await asyncio.sleep(self._timing().verify_delay_s)
        yield WRITING_EVENT
        if self._store.install(model):
            yield UNUSED_EVENT
        yield SUCCESS_EVENT

    async def _receive(self, layer: Layer) -> AsyncGenerator[int, None]:
        """Yield what is there at each tick. A blob that is complete at a tick says no more."""
        digest = layer.digest
        self._attach(layer)
        try:
            while digest in self._received:
                await asyncio.sleep(self._timing().pull_tick_s)
                if layer.size_bytes <= _SMALL_BYTES:
                    self._add(layer, layer.size_bytes)
                elif not self._timing().stepped:
                    self._run(layer)
                if digest in self._received:
                    yield int(self._received[digest])
                # After the event, so that the first one has no progress yet, as by the clock.
                if self._timing().stepped:
                    self._add(layer, math.ceil(layer.size_bytes / _STEPS))
        finally:
            self._watchers[digest] -= 1

    def _attach(self, layer: Layer) -> None:
        self._received.setdefault(layer.digest, 0.0)
        if not self._watchers.get(layer.digest):
            delay_s = self._timing().connect_delay_s
            self._moved_at_s[layer.digest] = self._now_s() + delay_s
        self._watchers[layer.digest] = self._watchers.get(layer.digest, 0) + 1

    def _run(self, layer: Layer) -> None:
        now_s = self._now_s()
        elapsed_s = now_s - self._moved_at_s[layer.digest]
        if elapsed_s > 0:
            self._moved_at_s[layer.digest] = now_s
            weather = 1 + 0.12 * math.sin(now_s * 1.3) + 0.06 * math.sin(now_s * 7.1)
            self._add(layer, elapsed_s * self._timing().pull_speed_bytes_per_s * weather)

    def _add(self, layer: Layer, count: float) -> None:
        if layer.digest not in self._received:
            return  # Another puller has brought it home.
        self._received[layer.digest] += count
        if self._received[layer.digest] >= layer.size_bytes:
            del self._received[layer.digest]
            self._store.add_blob(layer.digest)


def blob_event(layer: Layer, completed: int) -> Event:
    """Return a blob's progress; zeros are left out."""
    event: dict[str, object] = {
        "status": f"pulling {layer.digest.removeprefix('sha256:')[:12]}",
        "digest": layer.digest,
    }
    if layer.size_bytes:
        event["total"] = layer.size_bytes
    if completed:
        event["completed"] = completed
    return event
