"""The settings of routing as plain data; who reads them from where is not known here."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ollm_tui.core.fit import usual_budget


@dataclass(frozen=True, slots=True)
class RoutingConfig:
    """How models are chosen. The defaults are those of the configuration file."""

    enabled: bool = True
    """False: `default_model` always, no profiles and no overrides."""
    default_profile: str = "general"
    overrides: Mapping[str, str] = field(default_factory=dict)
    """Profile name to model name."""
    default_model: str | None = None
    pinned_model: str | None = None
    """Asked for by name for this run (--model); bypasses routing."""
    strict_overrides: bool = False
    """An override that names no installed model is an error, not a warning."""
    family_match: str = "substring"
    """"substring": a preferred entry counts for every family that holds it; "exact": equal ones."""
    memory_budget_bytes: int | None = None
    """Models that need more rank last within their slot; None = unlimited."""
    memory_bytes: int | None = None
    """Of the machine that runs the models, so that a limit can be explained; None = unknown."""
    allow_remote: bool = True
    prefer_loaded: bool = False
    num_ctx: int | None = None
    """Context that prompts ask the server for, in tokens; None = they leave it to the server."""
    max_tokens: int | None = None
    """Longest answer that prompts ask for, in tokens; None = they leave it to the server."""
    origins: Mapping[str, str] = field(default_factory=dict)
    """Where a setting was written, by key ("model.default", "model.routing.overrides.code")."""

    @property
    def has_usual_budget(self) -> bool:
        """Whether the limit is the one that this machine has when none is set."""
        return self.memory_bytes is not None and self.memory_budget_bytes == usual_budget(
            self.memory_bytes
        )
