"""A model store on disk as people see it: where its bytes are, and what is wrong with it.

Source: reference/ollama.md 3.6, 4 and 6.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ollm_tui.core.text import clean_line

GRACE_S = 3600.0
"""Younger leftovers may belong to a pull that has not listed its model yet."""


@dataclass(frozen=True, slots=True)
class StorePlace:
    """Which store it is, and what may be done to it."""

    path: str
    """Sanitised."""
    source: str
    """Why this one, for people: "OLLAMA_MODELS", "the default"."""
    exists: bool = True
    is_writable: bool = True
    """Whether this process may add files to it."""
    has_server: bool = False
    """Whether a server owns it, so that only repairs are done, and those through the server."""


class FindingKind(StrEnum):
    """What sort of thing is wrong."""

    UNUSABLE_MANIFEST = "unusable manifest"
    STRAY_FILE = "stray file"
    DAMAGED_FILE = "damaged file"
    UNREADABLE_WEIGHTS = "unreadable weights"
    CONFUSABLE_NAMES = "confusable names"
    PERMISSION = "permission"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. All texts are for people and sanitised."""

    kind: FindingKind
    subject: str
    """A model, or a path below the store."""
    reason: str
    fix: str
    """The next step, one sentence."""
    model: str = ""
    """The model that a repair would be asked for, or empty."""


class LeftoverKind(StrEnum):
    """What a leftover is."""

    DOWNLOAD = "download"
    """Of ours: it can be resumed."""
    SERVER_DOWNLOAD = "server download"
    """Of an Ollama server, which may be at work on it."""
    ORPHAN = "orphan"
    """A whole blob that no model needs."""
    TEMPORARY = "temporary"


@dataclass(frozen=True, slots=True)
class Leftover:
    """A file of a store that is part of no model."""

    kind: LeftoverKind
    name: str
    """Its own in its directory, as it is on disk."""
    digest: str
    """sha256:…, or empty."""
    size_bytes: int
    """On disk."""
    modified_at: datetime
    model: str = ""
    """Pull this to go on with it; known for downloads of ours."""
    completed_bytes: int = 0
    total_bytes: int = 0
    is_active: bool = False
    """Whether a process is at work on it now; known for downloads of ours."""

    @property
    def display_name(self) -> str:
        """The name, safe to print."""
        return clean_line(self.name)

    def age_s(self, now: datetime) -> float:
        """Seconds since it was last written to."""
        return max(0.0, (now - self.modified_at).total_seconds())


@dataclass(frozen=True, slots=True)
class ModelUsage:
    """What one model takes on disk."""

    name: str
    unique_bytes: int
    """What deleting it would free."""
    shared_bytes: int


@dataclass(frozen=True, slots=True)
class DiskUsage:
    """What a store takes on disk."""

    models: tuple[ModelUsage, ...]
    leftovers: tuple[Leftover, ...]
    """Largest first."""
    blob_bytes: int
    """Of every whole blob, each once."""
    partial_bytes: int
    orphaned_bytes: int
    free_bytes: int
    is_exact: bool
    """False while a manifest cannot be read: what is nobody's may be its own."""

    def reclaimable(self, now: datetime, grace_s: float = GRACE_S) -> tuple[Leftover, ...]:
        """The leftovers that can go: old enough, in nobody's hands, and surely nobody's.

        Args:
            now: aware.
            grace_s: how long a file must have been left alone.
        """
        return tuple(
            item
            for item in self.leftovers
            if item.age_s(now) >= grace_s
            and not item.is_active
            and (self.is_exact or item.kind is not LeftoverKind.ORPHAN)
        )
