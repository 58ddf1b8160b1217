"""A change to the settings, before it is anything in a file. Loads no library."""

from dataclasses import dataclass

from ollm_tui.config.node import Path


@dataclass(frozen=True, slots=True)
class Change:
    """One setting to write."""

    path: Path
    value: object
    """A scalar, list or mapping; None removes the key."""
