"""What a look at everything found: a line about each part, and what is wrong with the store."""

from dataclasses import dataclass

from ollm_tui.core.store import DiskUsage, Finding, Leftover, StorePlace


@dataclass(frozen=True, slots=True)
class Check:
    """How one part is. Texts are for people and sanitised."""

    area: str
    """server, configuration, terminal or store."""
    is_healthy: bool
    summary: str
    """One line."""
    actions: tuple[str, ...] = ()
    """What to do next; there is something when it is not healthy."""
    is_there: bool = True
    """Whether there is anything to judge; what is not there is not unhealthy, nor well."""


@dataclass(frozen=True, slots=True)
class StoreReport:
    """A store that was looked through."""

    place: StorePlace
    usage: DiskUsage
    findings: tuple[Finding, ...]
    reclaimable: tuple[Leftover, ...]
    """Left over for long enough to be removed."""
    is_verified: bool
    """Whether every file was hashed."""

    @property
    def is_healthy(self) -> bool:
        """Whether nothing in it needs anybody."""
        return not self.findings and not self.reclaimable

    @property
    def repairable(self) -> tuple[str, ...]:
        """The models that a repair could help, each once."""
        return tuple(dict.fromkeys(found.model for found in self.findings if found.model))
