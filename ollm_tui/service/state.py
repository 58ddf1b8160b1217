"""The state file: what one run leaves for the next. SQLite, in a thread of its own.

Owns the file, its tables and what happens when it cannot be read; `list_store` and `queue_store`
know what is in them. Nothing here may stop the program: without its file it remembers nothing.

Source: ruling Z28; decision C5.
"""

import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ollm_tui.core.event import Notice
from ollm_tui.core.text import clean_line

if TYPE_CHECKING:
    import sqlite3
    from concurrent.futures import ThreadPoolExecutor

_LOG = logging.getLogger(__name__)

VERSION = 1
BUSY_TIMEOUT_S = 5.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS lists (
    provider TEXT, host TEXT, as_of TEXT, list TEXT, PRIMARY KEY (provider, host)
);
CREATE TABLE IF NOT EXISTS queue (
    provider TEXT, host TEXT, key TEXT, place INTEGER, name TEXT, state TEXT,
    downloaded_bytes INTEGER, total_bytes INTEGER, PRIMARY KEY (provider, host, key)
);
CREATE TABLE IF NOT EXISTS history (
    number INTEGER PRIMARY KEY, provider TEXT, host TEXT, name TEXT, state TEXT,
    downloaded_bytes INTEGER, ended_at TEXT, error TEXT
);
CREATE TABLE IF NOT EXISTS wishes (
    number INTEGER PRIMARY KEY AUTOINCREMENT, provider TEXT, host TEXT, wish TEXT, name TEXT,
    argument INTEGER
);
CREATE TABLE IF NOT EXISTS shared (
    provider TEXT, host TEXT, items TEXT, taken INTEGER, PRIMARY KEY (provider, host)
);
"""

T = TypeVar("T")
Job = Callable[["sqlite3.Connection"], T]


class StateFile:
    """Runs jobs on the file, one after the other, off the event loop.

    Args:
        path: where; its directory is made on first use.
        on_notice: told once when the file cannot be used, or had to be set aside.
    """

    def __init__(self, path: Path, on_notice: Callable[[Notice], None]) -> None:
        self._path = path
        self._on_notice = on_notice
        self._thread: ThreadPoolExecutor | None = None
        self._connection: sqlite3.Connection | None = None
        self._is_usable = True
        self._notices: list[Notice] = []  # from the thread, for the loop
        self._pending: set[asyncio.Future[object]] = set()

    async def run(self, job: Job[T], default: T) -> T:
        """Run a job in the file's thread and return its result; `default` if there is no file."""
        if not self._is_usable:
            return default
        if self._thread is None:
            from concurrent.futures import ThreadPoolExecutor

            self._thread = ThreadPoolExecutor(1, thread_name_prefix="state")
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(self._thread, self._try, job, default)
        try:
            return await asyncio.shield(running)
        finally:
            while self._notices:
                self._on_notice(self._notices.pop(0))

    def post(self, job: Job[object]) -> None:
        """Run a job some time soon, after those posted before."""
        task = asyncio.ensure_future(self.run(job, None))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def close(self) -> None:
        """Finish every job and let go of the file."""
        await asyncio.gather(*self._pending)
        if self._thread is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
            self._thread.shutdown()
            self._thread = None

    # In the thread.

    def _try(self, job: Job[T], default: T) -> T:
        import sqlite3

        for attempt in (1, 2):
            try:
                connection = self._connection or self._connect()
                with connection:
                    return job(connection)
            except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
                _LOG.warning("state file: %s", error)
                if "locked" in str(error):
                    return default  # by another process, and for this time only
                if attempt == 2 or not _is_corrupt(error) or not self._set_aside(error):
                    self._give_up(error)
                    return default
        return default

    def _connect(self) -> "sqlite3.Connection":
        import sqlite3

        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        connection = sqlite3.connect(self._path, timeout=BUSY_TIMEOUT_S)
        try:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > VERSION:
                raise OSError("it was written by a newer ollm-tui")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            if version < VERSION:
                connection.executescript(_SCHEMA)
                connection.execute(f"PRAGMA user_version = {VERSION}")
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _set_aside(self, why: Exception) -> bool:
        """Keep a file that makes no sense, out of the way; whether that worked."""
        self._disconnect()
        bad = self._path.with_name(f"{self._path.name}.bad")
        try:
            os.replace(self._path, bad)
            for suffix in ("-wal", "-shm"):
                Path(f"{self._path}{suffix}").unlink(missing_ok=True)
        except OSError as error:
            _LOG.warning("state file: %s", error)
            return False
        self._notices.append(
            Notice(
                clean_line(
                    f"The state file could not be read ({why}); it is kept as {bad.name}, "
                    "and a new one was begun."
                )
            )
        )
        return True

    def _give_up(self, why: Exception) -> None:
        if self._is_usable:
            self._is_usable = False
            self._notices.append(
                Notice(
                    clean_line(
                        f"The state file {self._path} cannot be used ({why}); downloads and "
                        "lists are not remembered for the next start."
                    )
                )
            )
        self._disconnect()


def _is_corrupt(error: Exception) -> bool:
    import sqlite3

    if isinstance(error, sqlite3.OperationalError):
        return str(error).startswith(("no such", "table "))  # tables that are not ours
    if isinstance(error, UnicodeDecodeError):  # even SQLite's words about it make no sense
        return True
    return type(error) is sqlite3.DatabaseError  # the others say that a call was wrong
