"""Long answers on the event loop, in slices so short that no key waits for one."""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
SLICE_S = 0.008
SHOW_EVERY_S = 0.1


async def take_all(
    parts: Iterable[T],
    take: Callable[[T], None],
    show: Callable[[], None],
    clock: Callable[[], float] = time.perf_counter,
) -> None:
    """Hand every part over, and let keys have their turn whenever a slice is used up.

    Args:
        show: draws what has been handed over; called ten times a second, and at the end.
        clock: seconds.
    """
    slice_end_s = clock() + SLICE_S
    next_show_s = clock() + SHOW_EVERY_S
    for part in parts:
        take(part)
        if clock() < slice_end_s:
            continue
        if clock() >= next_show_s:
            show()
            next_show_s = clock() + SHOW_EVERY_S
        await asyncio.sleep(0)
        slice_end_s = clock() + SLICE_S
    show()
