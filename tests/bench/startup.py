"""How long until something can be seen: CPU time at a landmark, as a ratio to a bare Textual app.

Each run of the program stands between two runs of the bare app, and the median of the ratios
counts: the machine's speed drifts by more than what is measured.
"""

import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from tests.bench.row import Row, row_of
from tests.terminal import OLLM_TUI, ROOT, Terminal

_ESCAPES = re.compile(
    rb"\x1b\[[0-9;?<>=]*[a-zA-Z]|\x1b[()][A-Z0-9]|\x1b\][^\x07\x1b]*(\x07|\x1b\\)"
)
BARE = (
    sys.executable,
    "-c",
    "from textual.app import App\n"
    "from textual.widgets import Static\n"
    "class Bare(App):\n"
    "    def compose(self):\n"
    "        yield Static('BARE-READY')\n"
    "Bare().run()\n",
)
RUNS = 7
READ_BACK = (
    "the frame without them takes nearly all of the bar; SQLite has to be loaded, a thousand "
    "models be read back and checked like anything from outside, and the list drawn"
)
"""Why the last known list does not come within the bar."""
FIRST = ("1 Installed", "2 Downloads", "3 Inspector", "4 Router", "palette")


class Start(NamedTuple):
    """CPU seconds and memory when the first frame was out, and when the list was."""

    first_cpu_s: float
    first_rss_mib: float
    list_cpu_s: float | None
    rss_mib: float


def ratios(
    command: Sequence[str],
    live: str | None,
    runs: int,
    *,
    home: str | None = None,
    landmarks: Sequence[str] = FIRST,
) -> tuple[list[float], list[float]]:
    """CPU at the first frame and at the landmark `live`, over that of the bare app, per run.

    Args:
        home: OLLM_HOME, with what an earlier run left there; None = an empty one for each run.
        landmarks: what the first frame shows.
    """
    first, listed = [], []
    _start(BARE, ("BARE-READY",), None)
    _start(command, landmarks, live, home)
    before = _start(BARE, ("BARE-READY",), None).first_cpu_s
    for _ in range(runs):
        run = _start(command, landmarks, live, home)
        after = _start(BARE, ("BARE-READY",), None).first_cpu_s
        bare = (before + after) / 2
        before = after
        first.append(run.first_cpu_s / bare)
        if run.list_cpu_s is not None:
            listed.append(run.list_cpu_s / bare)
    return first, listed


def spread(values: Sequence[float]) -> str:
    """The median and the quartiles."""
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:.2f} [{low:.2f}-{high:.2f}]"


@contextmanager
def sandbox(*flags: str) -> Iterator[str]:
    """The sandbox server in a process of its own; yields its address."""
    server = subprocess.Popen(
        (sys.executable, "-m", "ollm_tui.sandbox", *flags),
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert server.stdout is not None
    try:
        yield server.stdout.readline().strip().removeprefix("http://")
    finally:
        server.terminate()
        server.wait(10)


def bench_rows() -> list[Row]:
    """CPU at the first frame and at the list of 1,000 models, over a bare app's first frame."""
    with sandbox("--models", "1000") as address:
        command = (*OLLM_TUI, "--no-config", "--host", address)
        first, listed = ratios(command, "1,000 of 1,000", RUNS)
    bare = "a bare Textual app"
    return [
        row_of("first frame, CPU", first, 1.35, reference=bare),
        row_of("1,000 models asked from a server, CPU", listed, 2.0, reference=bare),
        row_of(
            "first frame with 1,000 last-known models, CPU", _known(), 1.35, reference=bare
        )._replace(cause=READ_BACK),
    ]


def _known() -> list[float]:
    """The first frame with what an earlier run knew in it; the server is gone by then."""
    with tempfile.TemporaryDirectory() as home:
        with sandbox("--models", "1000") as address:
            command = (*OLLM_TUI, "--no-config", "--host", address)
            with Terminal(command, environment={"OLLM_HOME": home}) as terminal:
                terminal.wait_for("1,000 of 1,000")
                terminal.send("q")
                terminal.wait_end()
        landmarks = (*FIRST, "1,000 of 1,000")
        return ratios(command, None, RUNS, home=home, landmarks=landmarks)[0]


def memory_ratio(command: Sequence[str], live: str) -> float:
    """Resident memory once the landmark is seen, over that of the bare app."""
    run = _start(command, FIRST, live)
    return run.rss_mib / _start(BARE, ("BARE-READY",), None).rss_mib


def watch(
    command: Sequence[str],
    first: Sequence[str],
    live: str | None,
    environment: Mapping[str, str],
    *,
    timeout_s: float = 30,
) -> Start:
    """Start a program in a terminal, and end it as soon as its landmarks are seen.

    Args:
        first: all of what the first frame shows.
        live: what the list shows and the first frame does not; None = the first frame is enough.
    """
    with Terminal(command, environment=environment) as terminal:
        # Escapes split no landmark: each is drawn as one run of one style.
        seen, text, first_cpu_s, first_rss_mib = bytearray(), "", 0.0, 0.0
        end_s = time.monotonic() + timeout_s
        while time.monotonic() < end_s:
            data = terminal.read_raw(0.005)
            if not data:
                continue
            seen += data
            text = _ESCAPES.sub(b"", bytes(seen)).decode(errors="replace")
            if not first_cpu_s and all(mark in text for mark in first):
                first_cpu_s, first_rss_mib = terminal.cpu_s, terminal.rss_mib
                if live is None:
                    return Start(first_cpu_s, first_rss_mib, None, first_rss_mib)
            if first_cpu_s and live is not None and live in text:
                return Start(first_cpu_s, first_rss_mib, terminal.cpu_s, terminal.rss_mib)
    raise SystemExit(f"never seen: {first} {live}\n{text}")


def _start(
    command: Sequence[str], first: Sequence[str], live: str | None, home: str | None = None
) -> Start:
    # A home of its own: what an earlier run knew must not be what is measured.
    with tempfile.TemporaryDirectory() as empty:
        return watch(command, first, live, {"OLLM_HOME": home or empty})


__all__ = ["OLLM_TUI", "ratios", "sandbox", "spread", "watch"]
