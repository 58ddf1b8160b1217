"""What the made-up server has: installed models, models in memory, blobs.

Thread-safe: tests turn it from their own thread while the server reads it in another.
Knows nothing of HTTP.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ollm_tui.sandbox.models import SandboxModel
from ollm_tui.sandbox.names import parse

Clock = Callable[[], datetime]
FOREVER = timedelta(days=365 * 200)
DEFAULT_KEEP_ALIVE = timedelta(minutes=5)
DEFAULT_CONTEXT_TOKENS = 4096
"""What is served where nobody asks, on a GPU below 23 GiB."""
VRAM_BYTES = 16 * 2**30


@dataclass(frozen=True, slots=True)
class Installed:
    """One manifest."""

    model: SandboxModel
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class Loaded:
    """One model in memory, under the name it was loaded by."""

    model: SandboxModel
    context_tokens: int
    keep_alive: timedelta
    expires_at: datetime
    size_bytes: int
    size_vram_bytes: int


class Store:
    """The state of the made-up server."""

    def __init__(self, models: Iterable[SandboxModel], clock: Clock) -> None:
        self._lock = threading.RLock()
        self._clock = clock
        self._installed: dict[str, Installed] = {}
        self._lower: dict[str, str] = {}
        self._loaded: dict[str, Loaded] = {}
        self._blobs: set[str] = set()
        self._generation = 0
        now = clock()
        for model in models:
            self.install(model, modified_at=now - timedelta(seconds=model.age_s))

    @property
    def generation(self) -> int:
        """Grows with every change of what is installed."""
        return self._generation

    def now(self) -> datetime:
        """The time on this server."""
        return self._clock()

    def installed(self) -> tuple[Installed, ...]:
        """Return every model, newest first."""
        with self._lock:
            return tuple(
                sorted(self._installed.values(), key=lambda entry: entry.modified_at, reverse=True)
            )

    def find(self, name: str) -> Installed | None:
        """Return the model that `name` means: tag filled in, case ignored."""
        with self._lock:
            if name in self._installed:
                return self._installed[name]
            parsed = parse(name.strip())
            key = self._lower.get(parsed.display.lower()) if parsed else None
            return self._installed[key] if key is not None else None

    def install(self, model: SandboxModel, modified_at: datetime | None = None) -> bool:
        """Add or replace a model; return whether an older one had layers that are now unused."""
        with self._lock:
            old = self._installed.get(model.name)
            self._installed[model.name] = Installed(model, modified_at or self._clock())
            self._lower[model.name.lower()] = model.name
            self._blobs.update(layer.digest for layer in model.layers)
            self._generation += 1
            return old is not None and old.model.digest != model.digest and self._prune(old.model)

    def remove(self, name: str) -> bool:
        """Drop a manifest and the blobs that only it used; return whether there was one.

        A model in memory stays there.
        """
        with self._lock:
            entry = self.find(name)
            if entry is None:
                return False
            del self._installed[entry.model.name]
            self._lower.pop(entry.model.name.lower(), None)
            self._generation += 1
            self._prune(entry.model)
            return True

    def copy(self, source: str, destination: str) -> bool:
        """Give a model a second name; return whether there was a model."""
        with self._lock:
            entry = self.find(source)
            parsed = parse(destination)
            if entry is None or parsed is None:
                return False
            existing = self._lower.get(parsed.display.lower(), parsed.display)
            if existing != entry.model.name:
                copied = replace(entry.model, name=existing)
                self.install(copied)
            return True

    def has_blob(self, digest: str) -> bool:
        """Return whether a finished blob is there."""
        with self._lock:
            return digest in self._blobs

    def add_blob(self, digest: str) -> None:
        """Note that a blob has arrived."""
        with self._lock:
            self._blobs.add(digest)

    def loaded(self) -> tuple[Loaded, ...]:
        """Return what is in memory, latest to leave first."""
        with self._lock:
            now = self._clock()
            for key in [key for key, one in self._loaded.items() if one.expires_at <= now]:
                del self._loaded[key]
            return tuple(
                sorted(self._loaded.values(), key=lambda one: one.expires_at, reverse=True)
            )

    def is_loaded(self, model: SandboxModel, context_tokens: int | None = None) -> bool:
        """Return whether the weights are in memory, with that window if one is given."""
        runners = {one.model.weights_digest: one for one in self.loaded()}
        runner = runners.get(model.weights_digest)
        return runner is not None and context_tokens in (None, runner.context_tokens)

    def load(
        self,
        model: SandboxModel,
        context_tokens: int | None = None,
        keep_alive: timedelta | None = None,
    ) -> Loaded:
        """Bring a model into memory, or renew its stay.

        Args:
            context_tokens: the window asked for; None = what it has, else the default.
            keep_alive: None = what it has, else five minutes; negative = for ever.
        """
        with self._lock:
            others = {one.model.weights_digest: one for one in self.loaded()}
            runner = others.pop(model.weights_digest, None)
            if context_tokens is None:
                context_tokens = runner.context_tokens if runner else DEFAULT_CONTEXT_TOKENS
            context_tokens = min(context_tokens, model.context_length)
            if keep_alive is None:
                keep_alive = runner.keep_alive if runner else DEFAULT_KEEP_ALIVE
            size_bytes = model.memory_bytes(context_tokens)
            free = VRAM_BYTES - sum(one.size_vram_bytes for one in others.values())
            loaded = Loaded(
                model=runner.model if runner else model,
                context_tokens=context_tokens,
                keep_alive=keep_alive,
                expires_at=self._clock() + (FOREVER if keep_alive < timedelta(0) else keep_alive),
                size_bytes=size_bytes,
                size_vram_bytes=max(0, min(size_bytes, free)),
            )
            self._loaded[model.weights_digest] = loaded
            return loaded

    def unload(self, model: SandboxModel) -> bool:
        """Take the weights out of memory, whatever name they came by; return whether they were."""
        with self._lock:
            return self._loaded.pop(model.weights_digest, None) is not None

    def _prune(self, old: SandboxModel) -> bool:
        used = {layer.digest for one in self._installed.values() for layer in one.model.layers}
        unused = {layer.digest for layer in old.layers} - used
        self._blobs -= unused
        return bool(unused)
