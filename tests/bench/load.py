"""What the screen takes of the machine: with downloads, with nothing to do, with many models.

In a real terminal, against the made-up server in a process of its own. `rows()` for `make bench`.
Also what runs in that terminal: `python -m tests.bench.load LAG_FILE DOWNLOADS HOST [inside]` opens
the screen with so many downloads, and writes how late its event loop was.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from textual.pilot import Pilot

from ollm_tui.cli.arguments import parse_arguments
from ollm_tui.cli.screen import make_app
from ollm_tui.cli.setup import Setup
from ollm_tui.sandbox.roster import synthetic_models
from ollm_tui.service.service import ModelService
from ollm_tui.ui.app import OllmApp
from tests.bench import startup
from tests.bench.row import Row as BenchRow
from tests.bench.talkative import TalkativeProvider
from tests.terminal import OLLM_TUI, Terminal

EVENTS_PER_S = 100
STARTED_S, SETTLE_S, MEASURE_S = 3.0, 4.0, 10.0
PROBE_S = 0.02

EACH_LINE = (
    "every line passes h11, httpcore and httpx, which for 100 downloads were half of the work, and "
    "then is a step of ours, which was a quarter"
)
"""Why so many events take more of a core than the bar. Reading HTTP past the library might do with
less; that was not tried. Ollama itself sends a line every 60 ms, so 16 a second for a download."""

Row = tuple[str, float, float, str]
"""What is measured, its value, the bar, the unit of both."""


def rows() -> Iterator[Row]:
    """Measure; takes a minute."""
    for count, bar in ((20, 8.0), (100, 12.0)):
        name = f"{count} downloads at {EVENTS_PER_S} events/s each"
        for where, inside in (("", False), (", made in the program", True)):
            share, lag_s = _downloading(count, inside=inside)
            yield f"{name}{where}, of a core", share * 100, bar, " %"
            yield f"{name}{where}, loop lag p99", lag_s * 1000, 10.0, " ms"
    yield "idle, of a core", _idle() * 100, 1.0, " %"
    with startup.sandbox("--models", "10000") as address:
        command = (*OLLM_TUI, "--no-config", "--host", address)
        ratio = startup.memory_ratio(command, "10,000 of 10,000")
        yield "memory with 10,000 models, over a bare app", ratio, 2.0, "x"


def _downloading(count: int, *, inside: bool) -> tuple[float, float]:
    """The share of a core, and how late the event loop is at worst but for one time in 100.

    Args:
        inside: the steps are made in the program and come over no wire, so that only what the
            program does with them is measured.
    """
    flags = ("--offer", str(count), "--speed", "1e6", "--events", str(EVENTS_PER_S))
    with tempfile.TemporaryDirectory() as home, startup.sandbox(*flags) as address:
        lag_file = Path(home) / "lag"
        program = (sys.executable, "-m", "tests.bench.load")
        command = (*program, str(lag_file), str(count), address, *(("inside",) if inside else ()))
        environment = {"OLLM_HOME": home, "OLLM_NO_REGISTRY": "1"}
        with Terminal(command, environment=environment) as terminal:
            terminal.wait_for(f"{count} active", timeout_s=60)
            _drain(terminal, SETTLE_S)
            share = _share(terminal)
            terminal.send("qq")
            terminal.wait_end()
        return share, _p99([float(line) for line in lag_file.read_text().split()])


def _idle() -> float:
    with startup.sandbox() as address, tempfile.TemporaryDirectory() as home:
        command = (*OLLM_TUI, "--no-config", "--host", address)
        with Terminal(command, environment={"OLLM_HOME": home}) as terminal:
            terminal.wait_for("31 of 31")
            _drain(terminal, SETTLE_S)
            return _share(terminal)


def _share(terminal: Terminal) -> float:
    cpu_s, wall_s = terminal.cpu_s, time.monotonic()
    _drain(terminal, MEASURE_S)
    return (terminal.cpu_s - cpu_s) / (time.monotonic() - wall_s)


def _drain(terminal: Terminal, seconds: float) -> None:
    end_s = time.monotonic() + seconds
    while (left_s := end_s - time.monotonic()) > 0:
        terminal.read_raw(min(0.1, left_s))


def bench_rows() -> list[BenchRow]:
    """For the table of `make bench`."""
    return [
        BenchRow(
            name,
            value,
            bar,
            unit.strip(),
            cause=EACH_LINE if "events/s each, of" in name else "",
        )
        for name, value, bar, unit in rows()
    ]


def _p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[98]


class _Probe:
    """Fills the queue of an app that has started, and then writes down how late its loop is."""

    def __init__(self, app: OllmApp, count: int) -> None:
        self.lags: list[float] = []
        self._app = app
        self._count = count

    async def run(self, _: Pilot[object]) -> None:
        """Go on until the app ends; in its own context, as what keys do."""
        await asyncio.sleep(STARTED_S)
        self._app.service.set_concurrency(self._count)
        for model in synthetic_models(self._count):
            self._app.service.enqueue(model.name)
        await asyncio.sleep(SETTLE_S)
        while self._app.is_running:
            before_s = time.perf_counter()
            await asyncio.sleep(PROBE_S)
            self.lags.append(time.perf_counter() - before_s - PROBE_S)


def _open(lag_file: Path, count: int, host: str, where: str = "") -> None:
    options = parse_arguments(["--no-config", "--host", host])
    app = make_app(Setup(options), options)
    if where:
        app.service = ModelService(TalkativeProvider(host, EVENTS_PER_S))
    probe = _Probe(app, count)
    app.run(auto_pilot=probe.run)
    lag_file.write_text("\n".join(map(str, probe.lags)))


if __name__ == "__main__":
    _open(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
