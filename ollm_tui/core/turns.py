"""Reckoning in threads, one after the other.

Threads share the interpreter. The one that draws competes for it with every thread that reckons:
four at once, as right after a start, make a key wait four times as long as one, and end no earlier.
"""

import threading
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

TURN: Final = threading.RLock()
"""Held by the thread that reckons; never by the event loop's own."""


def in_turn(job: Callable[[], T]) -> T:
    """Do something that takes the processor for long and waits for hardly anything else."""
    with TURN:
        return job()
