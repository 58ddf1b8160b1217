"""How the terminal is, in a line, for who wants to know what is wrong. Draws nothing."""

import locale
import os
import sys
from collections.abc import Mapping

from ollm_tui.core.diagnosis import Check
from ollm_tui.core.text import clean_line

AREA = "terminal"
LEAST = (80, 24)
"""Columns and rows that the screen needs."""


def check_terminal() -> Check:
    """Look at the terminal that this process writes to."""
    stream = next(
        (s for s in (sys.__stdout__, sys.__stderr__) if s is not None and s.isatty()), None
    )
    size = None
    if stream is not None:
        try:
            size = tuple(os.get_terminal_size(stream.fileno()))
        except OSError:
            size = (0, 0)
    return judge_terminal(os.environ, size, locale.getpreferredencoding(False))


def judge_terminal(
    environment: Mapping[str, str], size: tuple[int, ...] | None, encoding: str
) -> Check:
    """Whether the screen can be used there.

    Args:
        size: columns and rows; None = the output goes to no terminal.
        encoding: of the locale.
    """
    if size is None:
        return Check(AREA, True, "none here: the output goes to a file or a pipe")
    kind = clean_line(environment.get("TERM", ""), 40)
    facts = [kind or "unknown", f"{size[0]}x{size[1]}", _colours(environment), encoding]
    actions = []
    if kind in ("", "dumb", "unknown"):
        actions.append("Set TERM to what the terminal is, such as xterm-256color.")
    if (size[0], size[1]) < LEAST or size[1] < LEAST[1]:
        actions.append(f"Make the window {LEAST[0]}x{LEAST[1]} or larger.")
    if encoding.lower().replace("-", "") != "utf8":
        actions.append("Choose a UTF-8 locale (LANG=C.UTF-8), or signs come out wrong.")
    return Check(AREA, not actions, ", ".join(facts), tuple(actions))


def _colours(environment: Mapping[str, str]) -> str:
    if environment.get("NO_COLOR"):
        return "no colours (NO_COLOR)"
    if environment.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return "16 million colours"
    return "256 colours" if "256" in environment.get("TERM", "") else "16 colours"
