"""Where words go: data to stdout, everything else to stderr. Nothing else in `cli` writes.

Texts come here safe to print; see `core/text.py`.
"""

import os
import sys
from collections.abc import Iterator
from typing import TextIO

from ollm_tui.core.error import NotEnoughSpace, OllmError, ScenarioError

_SHOWN_PROBLEMS = 20


def say(text: str) -> None:
    """Write a line of data to stdout, at once; raises as `write`."""
    write(text + "\n")


def write(text: str) -> None:
    """Write data to stdout as it is, at once.

    Raises:
        BrokenPipeError: whoever read it has gone.
        OllmError: it cannot be written.
    """
    if sys.stdout is None:  # closed before the program began
        raise _unwritable("standard output is closed")
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _abandon(sys.stdout)
        raise
    except OSError as error:
        _abandon(sys.stdout)
        raise _unwritable(error.strerror or str(error)) from error


def warn(text: str) -> None:
    """Tell people something on stderr."""
    write_error(f"ollm-tui: {text}\n")


def print_error(error: OllmError) -> None:
    """Say on stderr what failed, why, and what to do next."""
    lines = [f"ollm-tui: {error.message}"]
    if isinstance(error, ScenarioError):
        lines.extend(f"  {problem}" for problem in error.problems[:_SHOWN_PROBLEMS])
        if (more := len(error.problems) - _SHOWN_PROBLEMS) > 0:
            lines.append(f"  and {more:,} more")
    else:
        if isinstance(error, NotEnoughSpace):
            lines.extend(_room(error))
        elif error.cause:
            lines.append(f"  because: {error.cause}")
        lines.extend(f"  try: {action}" for action in error.actions)
    write_error("\n".join(lines) + "\n")


def write_error(text: str) -> None:
    """Write to stderr as it is; when nobody can read it, there is nobody to tell."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        _abandon(sys.stderr)


def flush() -> None:
    """Write out what others, such as argparse, left in stdout."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        _abandon(sys.stdout)


def _room(error: NotEnoughSpace) -> Iterator[str]:
    """What a full disk lacks, and what could be deleted."""
    from ollm_tui.ui import format as words

    if error.reason:
        yield f"  because: {error.reason}"
    if error.needed_bytes:
        yield f"  because: it {words.room_missing(error.needed_bytes, error.free_bytes)}"
    if error.unused:
        names = " ".join(name for one in error.unused for name in one.names)
        yield f"  {words.not_in_use(error.unused)}"
        yield f"  try: Delete what you do not need of them: ollm-tui rm {names}"


def _abandon(stream: TextIO) -> None:
    """Let the rest go nowhere, so that the interpreter's last flush does not fail as well."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _unwritable(why: str) -> OllmError:
    return OllmError(
        "The output cannot be written", cause=why, actions=("Send it to another place.",)
    )
