"""A lock between processes that the system lets go of when its holder dies, however it dies."""

import logging
import os
from contextlib import suppress
from pathlib import Path

_LOG = logging.getLogger(__name__)


class ProcessLock:
    """An exclusive lock on a file; the file itself stays empty and is never removed.

    Args:
        path: of the file; its directory is made on first use.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._is_usable = True

    @property
    def is_usable(self) -> bool:
        """Whether somebody can hold it at all, as far as known."""
        return self._is_usable

    @property
    def is_held(self) -> bool:
        """Whether this process holds it."""
        return self._descriptor is not None

    def acquire(self, *, shared: bool = False) -> bool:
        """Take it if it is free; whether it is held now.

        Args:
            shared: beside others who take it so.
        """
        if self._descriptor is not None or not self._is_usable:
            return self.is_held
        import fcntl

        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            _LOG.warning("%s", error)
            self._is_usable = False  # nobody can hold it, so it is not tried again
            return False
        try:
            kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Let go of it; nothing happens if it is not held."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with suppress(OSError):  # it is closed all the same
                os.close(descriptor)
