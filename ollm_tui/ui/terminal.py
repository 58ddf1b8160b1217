"""What Textual leaves to its apps: ending well on signals and when the terminal has gone."""

import asyncio
import os
import signal
import sys
import termios
import threading
from collections.abc import Callable
from contextlib import suppress

CHECK_EVERY_S = 1.0
GIVE_UP_AFTER_S = 1.5


def leave_on_signals(leave: Callable[[int], None]) -> None:
    """Call `leave` with the exit status of SIGTERM or SIGHUP instead of dying in the screen.

    Left alone, either signal would leave the shell in the alternate screen with the mouse on.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, leave, 128 + number)


def is_gone() -> bool:
    """Whether the terminal that was there at start has closed.

    Textual goes on reading a closed terminal for ever, at nearly a whole core.
    """
    stdin = sys.__stdin__
    if stdin is None:
        return True
    try:
        termios.tcgetattr(stdin.fileno())
    except (termios.error, OSError, ValueError):
        return True
    return False


def has_terminal() -> bool:
    """Whether there is a terminal to read keys from and, on stderr as Textual does, to draw on."""
    return not is_gone() and sys.__stderr__ is not None and sys.__stderr__.isatty()


def leave_for_sure(status: int) -> None:
    """End the process in any case shortly, for when nobody reads the terminal any more.

    Writing to a terminal that has gone can block for ever, in Textual's thread as in ours.
    """

    def end() -> None:
        with suppress(OSError):
            os._exit(status)

    timer = threading.Timer(GIVE_UP_AFTER_S, end)
    timer.daemon = True
    timer.start()
