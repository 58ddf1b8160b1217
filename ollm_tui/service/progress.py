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
_SAMPLE_EVERY_S = 0.05
_BEFORE_SUCCESS = 99.0
_ALL_ARRIVED = (PullPhase.VERIFYING, PullPhase.FINISHING, PullPhase.SUCCESS)


class _Layer:
    __slots__ = ("completed", "present", "reported", "total")

    def __init__(self, present: int) -> None:
        self.total = 0
        self.reported = present
        self.completed = present  # the most that was ever reported
        self.present = present  # bytes that were there before; they took no time


class ProgressTracker:
    """The progress of one download over all its tries.

    Layers are summed by digest. Servers give no last report of a layer, so all of them count as
    complete once verifying has begun. Source: design, Property 4; decisions P1 to P7.

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
        self._phase = PullPhase.RESOLVING
        self._downloaded_bytes = 0
        self._received_bytes = 0
        self._expected_total_bytes = 0
        self._percentage = 0.0
        self._samples: deque[tuple[float, int]] = deque()
        self._measuring_since_s = self._grew_at_s = self._moved_at_s = clock()

    @property
    def phase(self) -> PullPhase:
        """The last phase the provider reported."""
        return self._phase

    @property
    def downloaded_bytes(self) -> int:
        """The most that has ever been there."""
        return self._downloaded_bytes

    @property
    def layers(self) -> tuple[LayerProgress, ...]:
        """Each layer in the order in which it appeared."""
        return tuple(
            LayerProgress(digest, layer.total, layer.completed)
            for digest, layer in self._layers.items()
        )

    def recall(self, downloaded_bytes: int, total_bytes: int) -> None:
        """Go on from what an earlier run knew, which is all there is until layers are reported."""
        self._downloaded_bytes = downloaded_bytes
        self._expected_total_bytes = total_bytes

    def expect(self, total_bytes: int) -> None:
        """All of it will be so many bytes, says a manifest; before any layer is reported."""
        self._expected_total_bytes = total_bytes

    def start(self) -> None:
        """A try begins: what came before says nothing about speed and stalls."""
        self._phase = PullPhase.RESOLVING
        self._grew_at_s = self._moved_at_s = self._clock()
        self._samples.clear()

    def feed(self, step: PullStep) -> None:
        """Take in one report of the provider."""
        self._phase = step.phase
        if step.layer:
            layer = self._layers.get(step.layer)
            if layer is None:
                layer = self._layers[step.layer] = _Layer(step.completed_bytes)
            layer.total = max(layer.total, step.total_bytes, step.completed_bytes)
            layer.completed = max(layer.completed, step.completed_bytes)
            self._measure(is_moving=step.completed_bytes > layer.reported)
            layer.reported = step.completed_bytes
        elif step.total_bytes and step.phase is PullPhase.RESOLVING:
            self.expect(step.total_bytes)
        elif step.phase in _ALL_ARRIVED:
            for layer in self._layers.values():
                layer.completed = layer.total
            self._measure(is_moving=True)

    def event(self, status: PullState, error: str | None = None) -> ProgressEvent:
        """The progress as of now."""
        total = self._total_bytes()
        speed = self._speed() if status is PullState.DOWNLOADING else 0.0
        if status is PullState.COMPLETE:
            self._downloaded_bytes, self._percentage = total, 100.0
        elif total:
            share = min(_BEFORE_SUCCESS, 100.0 * self._downloaded_bytes / total)
            self._percentage = max(self._percentage, share)
        return ProgressEvent(
            model=self._model,
            status=status,
            percentage=self._percentage,
            downloaded_bytes=self._downloaded_bytes,
            total_bytes=total,
            download_speed=speed,
            timestamp=self._now(),
            eta_s=self._eta_s(total, speed),
            error=error,
        )

    def state(self) -> PullState:
        """What an active download is doing now."""
        if self._phase in _ALL_ARRIVED:
            return PullState.VERIFYING
        if self._clock() - self._moved_at_s >= STALL_AFTER_S:
            return PullState.STALLED
        return PullState.DOWNLOADING

    def _total_bytes(self) -> int:
        known = sum(layer.total for layer in self._layers.values())
        if not known or self._phase not in _ALL_ARRIVED:
            known = max(known, self._expected_total_bytes)
        return max(known, self._downloaded_bytes)

    def _measure(self, *, is_moving: bool) -> None:
        now_s = self._clock()
        downloaded = sum(layer.completed for layer in self._layers.values())
        has_grown = downloaded > self._downloaded_bytes
        self._downloaded_bytes = max(downloaded, self._downloaded_bytes)
        if has_grown and now_s - self._grew_at_s > SPEED_WINDOW_S:
            self._samples.clear()  # an average over a gap would be wrong for a whole window
        if has_grown or is_moving:
            # Also what is fetched a second time after a rollback: it is no stall.
            self._moved_at_s = now_s
        if has_grown:
            self._grew_at_s = now_s
        self._received_bytes = sum(
            layer.completed - layer.present for layer in self._layers.values()
        )
        if not self._samples:
            self._measuring_since_s = now_s
        elif now_s - self._samples[-1][0] < _SAMPLE_EVERY_S:
            return
        self._samples.append((now_s, self._received_bytes))

    def _speed(self) -> float:
        """Bytes per second over the window, which ends now."""
        now_s = self._clock()
        while len(self._samples) > 1 and now_s - self._samples[1][0] >= SPEED_WINDOW_S:
            self._samples.popleft()
        if not self._samples:
            return 0.0
        since_s, before = self._samples[0]
        if now_s <= since_s or now_s - self._grew_at_s >= SPEED_WINDOW_S:
            return 0.0
        return (self._received_bytes - before) / (now_s - since_s)

    def _eta_s(self, total: int, speed: float) -> float | None:
        is_early = self._clock() - self._measuring_since_s < ETA_AFTER_S
        if speed <= 0 or is_early:
            return None
        return (total - self._downloaded_bytes) / speed
