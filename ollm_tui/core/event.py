"""What the service publishes: the whole state of one subject each time, never a delta.

A subscriber may miss any event but the last of a subject and still be right. Named tuples, since
they are all made before the first frame and a dataclass takes six times as long to define.
"""

from __future__ import annotations  # the types named are needed only once there are any

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from ollm_tui.core.error import OllmError
    from ollm_tui.core.model import ModelInfo, Problem, RunningModel
    from ollm_tui.core.progress import LayerProgress, ProgressEvent
    from ollm_tui.core.store import DiskUsage, StorePlace
    from ollm_tui.core.unused import UnusedModel


class ServerHealth(StrEnum):
    """How the provider answers."""

    CONNECTING = "connecting"
    ONLINE = "online"
    OFFLINE = "offline"
    BROKEN = "broken"
    """It answers, but not as promised."""


class ServerState(NamedTuple):
    """The provider in use."""

    provider: str
    host: str
    health: ServerHealth = ServerHealth.CONNECTING
    version: str = ""
    error: OllmError | None = None


class ModelsState(NamedTuple):
    """The installed models.

    `models` is what was last known; `stale` says that it could not be confirmed, `error` why.
    """

    models: tuple[ModelInfo, ...] = ()
    problems: tuple[Problem, ...] = ()
    as_of: datetime | None = None
    """When the provider last confirmed it, aware; None = never."""
    stale: bool = False
    loading: bool = False
    error: OllmError | None = None


class QueueItem(NamedTuple):
    """One download, from asked for to ended."""

    id: int
    name: str
    display_name: str
    progress: ProgressEvent
    layers: tuple[LayerProgress, ...] = ()
    detail: str = ""
    """What is going on, in the provider's words."""
    error: OllmError | None = None
    speeds: tuple[float, ...] = ()
    """Bytes per second, one sample a second, oldest first."""
    log: tuple[str, ...] = ()
    """What happened to it, oldest first."""
    failed_tries: int = 0
    """Tries in a row that failed without any byte more."""
    tries: int = 5
    """As many of them end it."""
    next_try_at: datetime | None = None
    """When it is tried again by itself, aware; None = it does not wait for that."""
    needed_bytes: int | None = None
    """What it will still write to the disk; None = unknown."""
    free_bytes: int | None = None
    """What the disk has for it, beside what others that run will write; None = unknown."""

    unused: tuple[UnusedModel, ...] | None = None
    """What could be deleted to make room for it, largest first; None = nobody has looked."""

    @property
    def is_held(self) -> bool:
        """Whether it waits in the queue because the disk has no room for it."""
        return (
            self.progress.status.value == "queued"
            and self.needed_bytes is not None
            and self.free_bytes is not None
            and self.needed_bytes > self.free_bytes
        )


class QueueState(NamedTuple):
    """All downloads of this run, in queue order."""

    items: tuple[QueueItem, ...] = ()


class RunningState(NamedTuple):
    """The models in memory."""

    models: tuple[RunningModel, ...] = ()
    error: OllmError | None = None
    """Why nobody can say, for a provider that keeps no models in memory."""


class StoreState(NamedTuple):
    """The model store on disk, once anybody has asked for it."""

    place: StorePlace | None = None
    usage: DiskUsage | None = None
    loading: bool = False
    error: OllmError | None = None
    """Why the last question was not answered; `usage` is what was known before."""


class PendingDeletion(NamedTuple):
    """Models that will be deleted unless that is taken back."""

    names: tuple[str, ...]
    due_at: datetime
    """Aware."""
    is_held: bool = False
    """Its time stands still, for somebody is asked about it."""


class PendingDeletions(NamedTuple):
    """All deletes that can still be taken back, oldest first."""

    pending: tuple[PendingDeletion, ...] = ()


class UpdateVerdict(StrEnum):
    """How an installed model compares with its registry."""

    CURRENT = "current"
    OUTDATED = "outdated"
    SKIPPED = "skipped"
    """There is nothing to compare with."""
    FAILED = "failed"
    """The registry could not be asked."""


class ModelUpdate(NamedTuple):
    """What comparing one model with its registry found."""

    name: str
    display_name: str
    verdict: UpdateVerdict
    digest: str
    """The installed model's when it was compared."""
    registry_digest: str = ""
    total_bytes: int = 0
    """Of the registry's model."""
    missing_bytes: int = 0
    """Of it that an update would fetch; all of it where that is unknown."""
    reason: str = ""
    """Why it was skipped or failed."""


class UpdatesState(NamedTuple):
    """What is known of updates for the models that are installed now."""

    found: tuple[ModelUpdate, ...] = ()
    left: int = 0
    """How many models are still being compared."""

    @property
    def outdated(self) -> tuple[ModelUpdate, ...]:
        """Those for which the registry has something else."""
        return tuple(u for u in self.found if u.verdict is UpdateVerdict.OUTDATED)


class Notice(NamedTuple):
    """Something worth telling once."""

    text: str
    error: OllmError | None = None


Event = (
    ServerState
    | ModelsState
    | QueueState
    | RunningState
    | StoreState
    | UpdatesState
    | PendingDeletions
    | Notice
)
