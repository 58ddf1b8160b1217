"""Ending work in a thread from outside, at once, even while it waits for a connection."""

import contextlib
import socket
import threading


class Stopped(Exception):
    """The work was to end, and has; never shown to anyone."""


class StopSignal:
    """Asked for by one thread, obeyed by another."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None

    @property
    def is_set(self) -> bool:
        """Whether the work is to end."""
        return self._event.is_set()

    def set(self) -> None:
        """Ask for the end; a wait on the watched connection ends now."""
        self._event.set()
        with self._lock:
            self._shut_down()

    def check(self) -> None:
        """Raise Stopped if the end was asked for."""
        if self._event.is_set():
            raise Stopped

    def wait(self, seconds: float) -> None:
        """Sleep, unless the end is asked for: then raise Stopped."""
        if self._event.wait(seconds):
            raise Stopped

    def watch(self, connection: socket.socket | None) -> None:
        """Name the connection that the work waits for now."""
        with self._lock:
            self._socket = connection
            if self._event.is_set():
                self._shut_down()

    def _shut_down(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):  # it has ended by itself
                # Not the method of an SSL socket: that one also forgets its keys, under the
                # feet of the thread that reads.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
