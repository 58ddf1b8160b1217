"""Where the model store is on this machine, and whether it can be used.

Everything from outside (settings, environment, home) is handed in. Nothing is created here.

Source: reference/ollama.md 4.1.
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SERVICE_STORES = (
    Path("/usr/share/ollama/.ollama/models"),
    Path("/var/lib/ollama/.ollama/models"),
    Path("/var/lib/ollama/models"),
)


@dataclass(frozen=True, slots=True)
class StoreLocation:
    """A directory, and why it was chosen."""

    path: Path
    source: str
    """For people: "OLLAMA_MODELS", "the setting", "the Linux service" or "the default"."""
    exists: bool
    is_readable: bool
    is_writable: bool
    """Whether models can be added; for a store still to be made, whether it can be."""


def locate_store(
    *,
    home: Path,
    setting: str = "",
    ollama_models: str = "",
    candidates: Sequence[Path] | None = None,
) -> StoreLocation:
    """Choose the store: the setting, OLLAMA_MODELS, then the first usual place with models in it.

    Args:
        home: the user's home directory.
        setting: of this program; empty = none. `~` means `home` here and in `ollama_models`.
        ollama_models: OLLAMA_MODELS of the environment; a server may see another.
        candidates: usual places beside the one in `home`; None = those of this system.
    """
    for text, source in ((setting, "the setting"), (ollama_models, "OLLAMA_MODELS")):
        if stripped := text.strip().strip("\"'"):
            return store_at(_expanded(stripped, home), source)
    default = home / ".ollama" / "models"
    if _has_manifests(default):
        return store_at(default, "the default")
    if candidates is None:
        candidates = SERVICE_STORES if sys.platform == "linux" else ()
    for path in candidates:
        if _has_manifests(path):
            return store_at(path, "the Linux service")
    return store_at(default, "the default")


def store_at(path: Path, source: str) -> StoreLocation:
    """How a directory is that was chosen for `source`."""
    exists = path.is_dir()
    return StoreLocation(
        path=path,
        source=source,
        exists=exists,
        is_readable=exists and os.access(path, os.R_OK | os.X_OK),
        is_writable=_is_writable(path),
    )


def _is_writable(path: Path) -> bool:
    """Whether every directory that takes new files, or the parent of what is missing, does."""
    if not path.is_dir():
        above = next((parent for parent in path.parents if parent.exists()), Path("/"))
        return not path.exists() and above.is_dir() and os.access(above, os.W_OK | os.X_OK)
    places = (path, path / "blobs", path / "manifests")
    return all(os.access(place, os.W_OK | os.X_OK) for place in places if place.exists())


def _has_manifests(path: Path) -> bool:
    try:
        return (path / "manifests").is_dir()
    except OSError:
        return False  # a directory above it may not be entered


def _expanded(text: str, home: Path) -> Path:
    if text == "~" or text.startswith("~/"):
        return home / text[2:]
    return Path(os.path.abspath(text))
