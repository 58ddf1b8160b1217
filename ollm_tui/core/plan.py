"""What a pull would do, known before it begins."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PullPlan:
    """What a pull would do, from the registry's manifest and what is here already."""

    name: str
    digest: str
    """The registry's, 64 hex digits."""
    is_current: bool
    """Whether exactly this is installed, with nothing missing; False also when that is unknown."""
    total_bytes: int
    """Every file once."""
    missing_bytes: int
    """Files that are here in part count as missing; all of them do where that is unknown."""
