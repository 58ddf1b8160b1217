"""Whom to ask and how: all that is needed to build a provider. Standard library only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ollm_tui.config.login import RegistryLogin


@dataclass(frozen=True, slots=True)
class Connection:
    """The provider in use."""

    name: str
    """Its name in the configuration."""
    kind: str
    """ollama or local."""
    host: str = field(repr=False)
    """URL without a slash at the end; may carry credentials, so show it masked."""
    shown_host: str
    """`host` for people."""
    is_named: bool
    """Whether anybody chose it; if not, the local store may stand in for an absent server."""
    host_origin: str = "default"
    """Where the address comes from, for people: `env OLLM_HOST`, a file with its line."""
    timeout_s: float = 15
    options: Mapping[str, object] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    api_key: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    """Absolute path, or None for the system's certificates."""
    registries: "Mapping[str, RegistryLogin]" = field(default_factory=dict, repr=False)
    """By host or host:port, in small letters; whoever the provider is."""
