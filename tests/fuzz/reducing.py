"""Makes an input that fails as small as one that fails in the same way can be."""

import time
from collections.abc import Callable

_WITHIN_S = 20.0


def way_of(error: BaseException) -> tuple[object, ...]:
    """What two failures of one mistake have in common: the kind, and the line that raised it."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = (frame.tb_frame.f_code.co_filename, frame.tb_lineno) if frame else ()
    return type(error), *place


def reduced(data: bytes, run: Callable[[bytes], None], within_s: float = _WITHIN_S) -> bytes:
    """A part of `data` that fails as `data` does, and no longer does without any byte of it.

    Args:
        run: raises for what fails; `data` is returned if it does not.
        within_s: after this, the smallest part so far.
    """
    until_s = time.monotonic() + within_s
    wanted = _failure(data, run)
    size = max(1, len(data) // 2)
    while wanted is not None:
        at = 0
        is_smaller = False
        while at < len(data):
            if time.monotonic() > until_s:
                return data
            part = data[:at] + data[at + size :]
            if _failure(part, run) == wanted:
                data, is_smaller = part, True
            else:
                at += size
        if size == 1 and not is_smaller:
            break
        size = max(1, size // 2)
    return data


def _failure(data: bytes, run: Callable[[bytes], None]) -> tuple[object, ...] | None:
    try:
        run(data)
    except Exception as error:
        return way_of(error)
    return None
