"""The border to callbacks: a subscriber that raises is logged and never stops the service."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from ollm_tui.core.error import OllmError
from ollm_tui.core.event import Event

_LOG = logging.getLogger(__name__)
T = TypeVar("T")
Subscriber = Callable[[Event], None]


def call_all(callbacks: Iterable[Callable[[T], None]], value: T) -> None:
    """Hand `value` to each callback; what one raises is logged, the others still hear."""
    for callback in tuple(callbacks):
        try:
            callback(value)
        except Exception:
            _LOG.exception("a subscriber failed on %s", type(value).__name__)


class Publisher:
    """Tells every subscriber every event, on the event loop."""

    def __init__(self) -> None:
        self._subscribers: list[Subscriber] = []

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Tell it from now on; returns how to stop that."""
        self._subscribers.append(subscriber)

        def unsubscribe() -> None:
            if subscriber in self._subscribers:
                self._subscribers.remove(subscriber)

        return unsubscribe

    def publish(self, event: Event) -> None:
        """Tell everybody who listens now."""
        call_all(self._subscribers, event)


def log_bug(task: "asyncio.Task[None]") -> None:
    """Log what a background task should not have raised."""
    if not task.cancelled() and (bug := task.exception()) is not None:
        _LOG.error("a task broke", exc_info=bug)


def as_bug(error: BaseException) -> OllmError:
    """An error for people out of one that should not have happened."""
    return OllmError(
        "Something went wrong inside ollm-tui",
        cause=str(error) or type(error).__name__,
        actions=("Please report it, with the log (--log-file FILE).",),
    )
