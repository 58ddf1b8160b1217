"""From a provider's raw steps to honest progress: never backwards, never 100 % before success.

Pure arithmetic over an injected clock. Owns speed and time left, since only bytes over time give
them rightly after a resume or a stall.
"""

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime

from ollm_tui.core.progress import LayerProgress, ProgressEvent, PullPhase, PullState, PullStep

SPEED_WINDOW_S = 5.0
ETA_AFTER_S = 2.0
STALL_AFTER_S = 30.0
_BEFORE_SUCCESS = 99.0


class _Layer:
    __slots__ = ("completed", "present", "total")

    def __init__(self, total: int, present: int) -> None:
        self.total = total
        self.completed = present
        self.present = present  # bytes that were there before; they took no time


class ProgressTracker:
    """The progress of one download.

    Layers are summed by digest; a layer counts as done when another one starts, because servers
    give no last report. Source: design, Property 4, and its notes on progress.

    Args:
        model: the name that events carry.
        clock: monotonic seconds.
        now: the wall clock, for time stamps only.
    """

    def __init__(
        self,
        model: str,
        clock: Callable[[], float],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._model = model
        self._clock = clock
        self._now = now
        self._layers: dict[str, _Layer] = {}
        self._current = ""
        self._phase = PullPhase.RESOLVING
        self._downloaded = 0
        self._percentage = 0.0
        self._started_s = clock()
        self._last_bytes_s = self._started_s
        self._samples: deque[tuple[float, int]] = deque()

    @property
    def phase(self) -> PullPhase:
        """The last phase the provider reported."""
        return self._phase

    @property
    def layers(self) -> tuple[LayerProgress, ...]:
        """Each layer in the order in which it appeared."""
        return tuple(
            LayerProgress(digest, layer.total, layer.completed)
            for digest, layer in self._layers.items()
        )

    def feed(self, step: PullStep) -> None:
        """Take in one report of the provider."""
        self._phase = step.phase
        if step.layer:
            self._feed_layer(step)
        if step.layer != self._current or step.phase is not PullPhase.TRANSFERRING:
            self._finish_current()
        self._current = step.layer
        self._sample()

    def event(self, status: PullState, error: str | None = None) -> ProgressEvent:
        """The progress as of now."""
        total = sum(layer.total for layer in self._layers.values())
        speed = self._speed() if status is PullState.DOWNLOADING else 0.0
        if status is PullState.COMPLETE:
            total = max(total, self._downloaded)
            self._downloaded, self._percentage = total, 100.0
        elif total:
            share = min(_BEFORE_SUCCESS, 100.0 * self._downloaded / total)
            self._percentage = max(self._percentage, share)
        return ProgressEvent(
            model=self._model,
            status=status,
            percentage=self._percentage,
            downloaded_bytes=self._downloaded,
            total_bytes=max(total, self._downloaded),
            download_speed=speed,
            timestamp=self._now(),
            eta_s=self._eta(total, speed),
            error=error,
        )

    def state(self) -> PullState:
        """What an active download is doing now."""
        if self._phase in (PullPhase.VERIFYING, PullPhase.FINISHING, PullPhase.SUCCESS):
            return PullState.VERIFYING
        if self._clock() - self._last_bytes_s > STALL_AFTER_S:
            return PullState.STALLED
        return PullState.DOWNLOADING

    def _feed_layer(self, step: PullStep) -> None:
        layer = self._layers.get(step.layer)
        if layer is None:
            layer = self._layers[step.layer] = _Layer(step.total_bytes, step.completed_bytes)
        layer.total = max(layer.total, step.total_bytes, step.completed_bytes)
        layer.completed = max(layer.completed, step.completed_bytes)

    def _finish_current(self) -> None:
        layer = self._layers.get(self._current)
        if layer is not None:
            layer.completed = layer.total

    def _sample(self) -> None:
        now_s = self._clock()
        downloaded = sum(layer.completed for layer in self._layers.values())
        if downloaded > self._downloaded:
            self._downloaded = downloaded
            self._last_bytes_s = now_s
        received = sum(layer.completed - layer.present for layer in self._layers.values())
        if self._samples and now_s - self._samples[-1][0] < SPEED_WINDOW_S / 100:
            self._samples[-1] = (self._samples[-1][0], received)
        else:
            self._samples.append((now_s, received))

    def _speed(self) -> float:
        now_s = self._clock()
        while len(self._samples) > 1 and now_s - self._samples[1][0] >= SPEED_WINDOW_S:
            self._samples.popleft()
        if not self._samples:
            return 0.0
        since_s, before = self._samples[0]
        if now_s - since_s <= 0:
            return 0.0
        return max(0.0, (self._samples[-1][1] - before) / (now_s - since_s))

    def _eta(self, total: int, speed: float) -> float | None:
        if speed <= 0 or not total or self._clock() - self._started_s < ETA_AFTER_S:
            return None
        return (total - self._downloaded) / speed
