"""How the screen looked last: a small file beside the state, so that the first frame is right.

Loads nothing of Textual. A file that cannot be read or makes no sense is no file.

Source: ruling Z29.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

_LIMIT_BYTES = 65_536
_WIDEST_NAME = 64
DARK, LIGHT, TERMINAL = "textual-dark", "textual-light", "ansi-dark"
_COLOURFUL = ("256color", "kitty", "direct")
_PLAIN_TERMINALS = ("linux", "dumb", "unknown", "vt100", "vt220")


class Look(NamedTuple):
    """What was picked; empty = nothing was."""

    theme: str = ""
    sort: str = ""
    """The title of the column that Installed is sorted by."""
    is_reversed: bool = False


class LookFile:
    """The file.

    Args:
        path: where it is; None = nothing is kept.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def read(self) -> Look:
        """What was kept, or nothing."""
        try:
            if self._path is None or self._path.stat().st_size > _LIMIT_BYTES:
                return Look()
            text = self._path.read_text("utf-8")
        except (OSError, ValueError):
            return Look()
        import json  # only where there is a file

        try:
            kept = json.loads(text)
        except (ValueError, RecursionError):
            return Look()
        if not isinstance(kept, dict):
            return Look()
        theme, sort = kept.get("theme"), kept.get("sort")
        return Look(
            theme if isinstance(theme, str) and len(theme) <= _WIDEST_NAME else "",
            sort if isinstance(sort, str) and len(sort) <= _WIDEST_NAME else "",
            kept.get("reversed") is True,
        )

    def write(self, look: Look) -> None:
        """Keep a look; slow, since it waits for the disk.

        Raises:
            OSError: it could not be kept.
        """
        if self._path is None:
            return
        import json

        from ollm_tui.config.atomic import write_atomically

        self._path.parent.mkdir(parents=True, exist_ok=True)
        kept = {"theme": look.theme, "sort": look.sort, "reversed": look.is_reversed}
        write_atomically(self._path, json.dumps(kept).encode() + b"\n", mode=0o600)


def usual_theme(environment: Mapping[str, str]) -> str:
    """The theme for who has picked none: with few colours the terminal's own."""
    if environment.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit"):
        return DARK
    _, _, colours = environment.get("TERM", "").lower().rpartition("-")
    return DARK if colours in _COLOURFUL or colours == "" else TERMINAL


def is_ascii_only(environment: Mapping[str, str]) -> bool:
    """Whether the terminal shows ASCII only: it says so itself, or the locale names no UTF-8."""
    if environment.get("TERM", "").lower() in _PLAIN_TERMINALS:
        return True
    overall, language = environment.get("LC_ALL", ""), environment.get("LANG", "")
    kind = environment.get("LC_CTYPE", "")
    if kind == "C.UTF-8" and language in ("C", "POSIX"):
        kind = language  # Python has put it there by itself
    locale = overall or kind or language
    # Most who have set nothing, as in a container, do have a terminal that shows everything.
    return bool(locale) and "utf8" not in locale.lower().replace("-", "")
