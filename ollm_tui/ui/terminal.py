"""What Textual leaves to its apps: ending well on signals and when the terminal has gone."""

import asyncio
import os
import signal
import sys
import termios
import threading
from collections.abc import Callable
from contextlib import suppress

from textual.driver import Driver

CHECK_EVERY_S = 1.0
GIVE_UP_AFTER_S = 1.5


def leave_on_signals(leave: Callable[[int], None]) -> None:
    """Call `leave` with the exit status of SIGTERM or SIGHUP instead of dying in the screen.

    Left alone, either signal would leave the shell in the alternate screen with the mouse on.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, leave, 128 + number)


def go_on_when_continued(redraw: Callable[[], object]) -> None:
    """Have SIGCONT restore the screen, also where no SIGTSTP came before, as after a SIGSTOP.

    Textual takes every SIGCONT for the end of a SIGTSTP, which has ended its mode: it begins
    another one with a second reader of keys beside the first. Keys are then lost, leaving never
    ends, and the terminal stays raw. So the mode is ended first where it was not.

    Args:
        redraw: called once the screen is ours again.
    """
    pausing, going_on = signal.getsignal(signal.SIGTSTP), signal.getsignal(signal.SIGCONT)
    driver = getattr(going_on, "__self__", None)
    if not callable(pausing) or not callable(going_on) or not isinstance(driver, Driver):
        return
    is_paused = False

    def pause() -> None:
        nonlocal is_paused
        is_paused = True
        pausing(signal.SIGTSTP, None)

    def go_on() -> None:
        nonlocal is_paused
        # Another program, such as an editor, may have the terminal: Textual then leaves it alone.
        is_ours = getattr(driver, "_auto_restart", True)
        if is_ours and not is_paused:
            driver.suspend_application_mode()
        is_paused = False
        going_on(signal.SIGCONT, None)
        if is_ours:
            redraw()

    # By the loop, since a handler that interrupts a write to the screen waits for it for ever.
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTSTP, pause)
    loop.add_signal_handler(signal.SIGCONT, go_on)


def heed_the_last_size() -> None:
    """Have the last of several sizes be the one that counts, however busy the machine is.

    Textual's handler of SIGWINCH reads the size and then tells it. A second signal between the two
    interrupts the handler and tells the newer size first; the older one, told last, then stays.
    """
    tell_size = signal.getsignal(signal.SIGWINCH)
    if callable(tell_size):
        # By the loop, where nothing comes between the two.
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGWINCH, tell_size, signal.SIGWINCH, None)


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


def why_no_screen() -> str:
    """Why there can be no screen; empty = there is a terminal for keys, and one to draw on."""
    if is_gone():
        return "keys are read from standard input, which is no terminal"
    if sys.__stderr__ is None or not sys.__stderr__.isatty():
        return "it is drawn on standard error, as Textual does, which is no terminal"
    return ""


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
