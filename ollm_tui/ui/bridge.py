"""From service events to the screen: the latest state per subject, handed over ten times a second.

However fast a service publishes, a screen draws at most ten times a second; with nothing to say no
timer runs.
"""

import time
from collections.abc import Callable
from typing import Protocol

from ollm_tui.core.event import Event, Notice

FLUSH_EVERY_S = 0.1


class Timers(Protocol):
    """What the bridge needs of Textual: to be called later on the event loop."""

    def set_timer(self, delay: float, callback: Callable[[], None]) -> object:
        """Call back once after `delay` seconds."""
        ...


class Bridge:
    """Collects events and hands them over in bunches.

    Args:
        show: draws one event.
        timers: the app.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        show: Callable[[Event], None],
        timers: Timers,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._show = show
        self._timers = timers
        self._clock = clock
        self._latest: dict[type[Event], Event] = {}
        self._notices: list[Notice] = []
        self._is_waiting = False
        self._flushed_at_s = float("-inf")

    def publish(self, event: Event) -> None:
        """Take an event; on the event loop's thread."""
        if isinstance(event, Notice):
            self._notices.append(event)
        else:
            self._latest[type(event)] = event
        if self._is_waiting:
            return
        due_in_s = self._flushed_at_s + FLUSH_EVERY_S - self._clock()
        if due_in_s <= 0:
            self._flush()
        else:
            self._is_waiting = True
            self._timers.set_timer(due_in_s, self._flush)

    def _flush(self) -> None:
        self._is_waiting = False
        self._flushed_at_s = self._clock()
        events = [*self._latest.values(), *self._notices]
        self._latest.clear()
        self._notices.clear()
        for event in events:
            self._show(event)
