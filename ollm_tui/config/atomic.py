"""A file replaced as a whole or not at all."""

import os
import time
from contextlib import suppress
from pathlib import Path as FilePath

_LITTER_AFTER_S = 3600.0


def write_atomically(path: FilePath, content: bytes, *, mode: int) -> None:
    """Write `content` beside `path`, force it to disk, and rename it into place.

    Args:
        path: the file; a symbolic link is followed, so that it stays one.
        mode: permission bits of the new file.

    Raises:
        OSError: nothing has changed.
    """
    import tempfile  # 15 ms that only a save should cost

    target = FilePath(os.path.realpath(path))
    prefix = f".{target.name}.ollm-"
    descriptor, name = tempfile.mkstemp(prefix=prefix, dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(name, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
    with suppress(OSError):  # the file is in its place; only a power cut could take it back
        _sync_folder(target.parent)
    with suppress(OSError):
        _remove_litter(target.parent, prefix)


def _sync_folder(folder: FilePath) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_litter(folder: FilePath, prefix: str) -> None:
    """Remove what a killed process left, once nobody can be at work on it any more."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(prefix):
                with suppress(FileNotFoundError):  # another process has just renamed its own
                    if entry.stat().st_mtime < time.time() - _LITTER_AFTER_S:
                        os.unlink(entry.path)
