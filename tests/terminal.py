"""A program in a real pseudo-terminal: its keys, its screen, its raw bytes, its CPU time."""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import pyte

ROOT = Path(__file__).parent.parent
OLLM_TUI = (sys.executable, "-m", "ollm_tui")


class Terminal:
    """Runs a command in a terminal of its own; a context manager that ends what it started.

    Args:
        command: program and arguments.
        columns: width in cells.
        rows: height in cells.
        environment: added to the current one.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 120,
        rows: int = 40,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.raw = bytearray()
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.status: int | None = None
        variables = dict(os.environ, TERM="xterm-256color", COLORTERM="truecolor")
        variables["PYTHONPATH"] = str(ROOT)
        for name in ("COLUMNS", "LINES"):  # would overrule the size of the terminal
            variables.pop(name, None)
        variables.update(environment or {})
        size = struct.pack("HHHH", rows, columns, 0, 0)
        self.pid, self._fd = pty.fork()
        if self.pid == 0:  # the child
            fcntl.ioctl(0, termios.TIOCSWINSZ, size)
            os.execve(command[0], list(command), variables)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, size)

    @property
    def text(self) -> str:
        """What a person sees now."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    @property
    def is_whole(self) -> bool:
        """Whether the boxes reach the right edge, as once all is drawn at the present size.

        Of frames that were drawn for other sizes, parts may stay for a while.
        """
        lines = self._screen.display
        return bool(lines[-1].strip()) and all(line[-1] in "│╮╯" for line in lines[2:-1])

    @property
    def cpu_s(self) -> float:
        """CPU seconds of the process so far, all its threads."""
        # Linux numbers the CPU clock of a process like this (MAKE_PROCESS_CPUCLOCK).
        return time.clock_gettime(~self.pid << 3 | 2)

    @property
    def is_cooked(self) -> bool:
        """Whether it gives whole lines, as a shell wants it."""
        return bool(termios.tcgetattr(self._fd)[3] & termios.ICANON)

    def send(self, keys: str) -> None:
        """Type."""
        os.write(self._fd, keys.encode())

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size."""
        self._screen.resize(rows, columns)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    @property
    def rss_mib(self) -> float:
        """Memory in use."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def read(self, timeout_s: float = 0.05) -> bytes:
        """Take in what the program has written meanwhile, and draw it."""
        data = self.read_raw(timeout_s)
        try:
            self._stream.feed(data)
        except TypeError as error:  # of pyte, when a sequence has more numbers than it may have
            raise AssertionError(f"no terminal understands {bytes(self.raw[-4096:])!r}") from error
        return data

    def read_raw(self, timeout_s: float) -> bytes:
        """As `read`, but draw nothing, which takes long."""
        ready, _, _ = select.select([self._fd], [], [], timeout_s)
        if not ready:
            return b""
        try:
            data = os.read(self._fd, 1 << 16)
        except OSError:  # the other side has closed
            return b""
        self.raw += data
        return data

    def wait_for(self, *texts: str, timeout_s: float = 15.0) -> str:
        """Read until all of `texts` are on the screen, and return the screen."""
        return self.wait_until(lambda: all(text in self.text for text in texts), texts, timeout_s)

    def wait_gone(self, *texts: str, timeout_s: float = 15.0) -> str:
        """Read until none of `texts` is on the screen."""
        return self.wait_until(
            lambda: not any(text in self.text for text in texts), texts, timeout_s
        )

    def wait_whole(self, *texts: str, gone: Sequence[str] = (), timeout_s: float = 60.0) -> str:
        """Read until one whole screen has all of `texts` and none of `gone`; after a new size."""
        return self.wait_until(
            lambda: (
                self.is_whole
                and all(text in self.text for text in texts)
                and not any(text in self.text for text in gone)
            ),
            texts,
            timeout_s,
        )

    def wait_until(self, is_so: Callable[[], bool], wanted: Sequence[str], timeout_s: float) -> str:
        """Read until something is so, which `wanted` names, and return the screen."""
        end_s = time.monotonic() + timeout_s
        while time.monotonic() < end_s:
            self.read()
            if is_so():
                return self.text
        raise AssertionError(f"waited {timeout_s} s for {wanted}; the screen:\n{self.text}")

    def poll(self) -> int | None:
        """The exit status, negative for a signal, or None while the program runs."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status

    def wait_end(self, timeout_s: float = 20.0) -> int:
        """Read until the program has ended and return its exit status, negative for a signal."""
        end_s = time.monotonic() + timeout_s
        while time.monotonic() < end_s:
            self.read()
            status = self.poll()
            if status is not None:
                while self.read(0):
                    pass
                return status
        raise AssertionError(f"still running after {timeout_s} s:\n{self.text}")

    def hang_up(self) -> None:
        """Close the terminal, as closing its window does."""
        os.close(self._fd)
        self._fd = -1

    def close(self) -> None:
        """End the program, if it still runs, and the terminal."""
        if self.status is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(self.pid, 0)
        if self._fd >= 0:
            os.close(self._fd)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
