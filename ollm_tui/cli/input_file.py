"""Files that a verb is given to read, within limits."""

import asyncio
import os
import sys

from ollm_tui.core.error import ConfigError

LIMIT_BYTES = 64 * 2**20
"""Source: ruling Z23."""
PIPED_LIMIT_BYTES = 16 * 2**20
"""More than any model's context holds."""
LIMIT_NODES = 5_000_000


def read_input(path: str) -> bytes:
    """The whole file.

    Raises:
        ConfigError: it cannot be read, or is too large.
    """
    try:
        with open(path, "rb") as file:
            raw = file.read(LIMIT_BYTES + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigError(
            f"{path} cannot be read", cause=why or "", actions=("Check the path.",)
        ) from error
    if len(raw) > LIMIT_BYTES:
        raise ConfigError(
            f"{path} is too large",
            cause=f"more than {LIMIT_BYTES // 2**20} MiB",
            actions=("Check that it is the file you meant.",),
        )
    return raw


async def read_piped() -> str:
    """All of standard input; ctrl-c ends the wait for it, which it would not in a thread.

    Raises:
        ConfigError: it is closed, too large, or no UTF-8.
    """
    try:
        number = sys.stdin.fileno()
    except (AttributeError, OSError, ValueError) as error:  # closed, or not of this system
        raise _unreadable("it is closed") from error
    raw = bytearray()
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    try:
        loop.add_reader(number, ready.set)
    except OSError:  # a file, of which no one can say when it is ready: it always is
        ready.set()
    try:
        while len(raw) <= PIPED_LIMIT_BYTES:
            await ready.wait()
            chunk = os.read(number, 65_536)
            if not chunk:
                break
            raw += chunk
            if loop.remove_reader(number):
                ready.clear()
                loop.add_reader(number, ready.set)
    except OSError as error:
        raise _unreadable(error.strerror or str(error)) from error
    finally:
        loop.remove_reader(number)
    if len(raw) > PIPED_LIMIT_BYTES:
        raise _unreadable(f"it is more than {PIPED_LIMIT_BYTES // 2**20} MiB")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _unreadable(f"it is not UTF-8 at byte {error.start:,}") from error


def _unreadable(why: str) -> ConfigError:
    return ConfigError(
        "The prompt cannot be read from standard input",
        cause=why,
        actions=("Give it as words: `ollm-tui run PROMPT`.",),
    )
