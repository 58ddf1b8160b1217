"""How a download stands: what a provider reports, and what subscribers are told."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class PullPhase(StrEnum):
    """What a provider is doing for a pull."""

    RESOLVING = "resolving"
    TRANSFERRING = "transferring"
    VERIFYING = "verifying"
    FINISHING = "finishing"
    SUCCESS = "success"


class PullState(StrEnum):
    """Where a download stands, as subscribers see it."""

    QUEUED = "queued"
    DOWNLOADING = "downloading"
    VERIFYING = "verifying"
    STALLED = "stalled"
    PAUSED = "paused"
    COMPLETE = "complete"
    CANCELLED = "cancelled"
    ERROR = "error"

    @property
    def is_final(self) -> bool:
        """Whether nothing more follows by itself."""
        return self in (PullState.COMPLETE, PullState.CANCELLED, PullState.ERROR)

    @property
    def is_active(self) -> bool:
        """Whether a provider is at work on it."""
        return self in (PullState.DOWNLOADING, PullState.VERIFYING, PullState.STALLED)


class PullStep(NamedTuple):
    """One report of a provider during a pull, of one layer at most.

    A named tuple, for there are many: making a frozen dataclass takes four times as long. Steps may
    repeat, go backwards and end below the total; only SUCCESS means success.
    """

    phase: PullPhase
    detail: str = ""
    """The provider's own words, sanitised."""
    layer: str = ""
    """Digest of the layer, or empty."""
    total_bytes: int = 0
    """Of that layer, or of the whole pull when `layer` is empty; 0 = not said."""
    completed_bytes: int = 0


@dataclass(frozen=True, slots=True)
class LayerProgress:
    """One layer of a download."""

    layer: str
    total_bytes: int
    completed_bytes: int


@dataclass(frozen=True, slots=True)
class ProgressEvent:
    """One report to subscribers about one download. Source: design, Property 4."""

    model: str
    status: PullState
    percentage: float
    """0 to 100; at most 99 before success; never falls."""
    downloaded_bytes: int
    total_bytes: int
    """0 while nobody has said."""
    download_speed: float
    """Bytes per second over the last few seconds."""
    timestamp: datetime
    """Aware, UTC."""
    eta_s: float | None = None
    error: str | None = None
