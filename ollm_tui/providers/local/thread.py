"""Blocking work for coroutines, in threads that never keep the program from ending."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from ollm_tui.core.error import StoreError
from ollm_tui.providers.local.stop import Stopped, StopSignal
from ollm_tui.providers.local.store import Store

_Result = TypeVar("_Result")


class _Outcome(Generic[_Result]):
    result: _Result
    error: BaseException | None = None


def notify(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    """Set an event from any thread; one whose loop has ended is nobody's any more."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(event.set)


async def in_thread(work: Callable[[StopSignal], _Result]) -> _Result:
    """Run `work` in a thread; a cancellation returns at once and asks the work to end."""
    stop = StopSignal()
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    outcome: _Outcome[_Result] = _Outcome()

    def run() -> None:
        try:
            outcome.result = work(stop)
        except BaseException as error:
            outcome.error = error
        finally:
            notify(loop, ended)

    threading.Thread(target=run, name="local provider", daemon=True).start()
    try:
        await ended.wait()
    finally:
        stop.set()
    if isinstance(outcome.error, Stopped):
        raise asyncio.CancelledError from outcome.error
    if outcome.error is not None:
        raise outcome.error
    return outcome.result


async def in_store(store: Store, work: Callable[[StopSignal], _Result]) -> _Result:
    """As `in_thread`, for work on a store: what the system says of it comes in our words."""

    def guarded(stop: StopSignal) -> _Result:
        try:
            return work(stop)
        except OSError as error:
            raise StoreError(
                f"The model store {store.display} cannot be used",
                cause=error.strerror or str(error),
            ) from error

    return await in_thread(guarded)
