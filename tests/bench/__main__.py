"""`make bench`: the performance bars; start-up as ratios to a bare app measured in the same run.

`make bench ARGS=transfer` measures the download engine instead: 2 GiB, beside curl and openssl,
aria2c where it is installed, and huggingface_hub after `make bench-peers`; ARGS=startup and
ARGS=keys only how long the screen takes, ARGS=load only what it takes of the machine.
"""

import statistics
import sys
import tempfile
from collections.abc import Iterator
from typing import NamedTuple

from tests.bench import (
    bench_advice,
    bench_config,
    bench_routing,
    bench_service,
    keys,
    load,
    startup,
)
from tests.terminal import OLLM_TUI, Terminal

RUNS = 7


class Row(NamedTuple):
    """One bar and how it was met."""

    name: str
    text: str
    is_met: bool


def start_up() -> Iterator[Row]:
    """CPU at the first frame and at the list of 1,000 models, over a bare app's first frame."""
    with startup.sandbox("--models", "1000") as address:
        command = (*OLLM_TUI, "--no-config", "--host", address)
        first, listed = startup.ratios(command, "1,000 of 1,000", RUNS)
    for name, values, bar in (
        ("first frame, CPU over a bare Textual app", first, 1.35),
        ("1,000 models asked from a server, CPU over a bare app", listed, 2.0),
    ):
        text = f"{startup.spread(values)}, bar {bar}"
        yield Row(name, text, statistics.median(values) <= bar)


def known() -> Iterator[Row]:
    """The first frame with what an earlier run knew in it; the server is gone by then."""
    with tempfile.TemporaryDirectory() as home:
        with startup.sandbox("--models", "1000") as address:
            command = (*OLLM_TUI, "--no-config", "--host", address)
            with Terminal(command, environment={"OLLM_HOME": home}) as terminal:
                terminal.wait_for("1,000 of 1,000")
                terminal.send("q")
                terminal.wait_end()
        landmarks = (*startup.FIRST, "1,000 of 1,000")
        first, _ = startup.ratios(command, None, RUNS, home=home, landmarks=landmarks)
    yield Row(
        "first frame with 1,000 last-known models, CPU over a bare app",
        f"{startup.spread(first)}, bar 1.35",
        statistics.median(first) <= 1.35,
    )


def busy() -> Iterator[Row]:
    """What downloads, and doing nothing, take of a core; what many models take of memory."""
    for name, value, bar, unit in load.rows():
        yield Row(name, f"{value:.3g}{unit}, bar {bar:.3g}{unit}", value <= bar)


def typing() -> Iterator[Row]:
    """How long a key takes to be seen with ten thousand models."""
    for name, seconds, bar in keys.rows():
        yield Row(
            f"10,000 models, {name}",
            f"{seconds * 1000:.3g} ms, bar {bar * 1000:.3g} ms",
            seconds <= bar,
        )


def main() -> int:
    """Measure, print the table, and return 1 when a bar is missed."""
    if sys.argv[1:] == ["transfer"]:
        from tests.bench import bench_transfer

        rows = [Row(row.name, row.shown, row.value <= row.bar) for row in bench_transfer.rows()]
    elif sys.argv[1:] == ["startup"]:
        rows = list(start_up())
    elif sys.argv[1:] == ["keys"]:
        rows = list(typing())
    elif sys.argv[1:] == ["load"]:
        rows = [*known(), *busy()]
    else:
        rows = [*start_up(), *known(), *typing(), *busy()]
        for module in (bench_config, bench_routing, bench_advice, bench_service):
            rows += [
                Row(name, f"{seconds * 1000:.3g} ms, bar {bar * 1000:.3g} ms", seconds <= bar)
                for name, seconds, bar in module.rows()
            ]
    for row in rows:
        print(f"{'ok    ' if row.is_met else 'MISSED'} {row.name}: {row.text}")
    return int(not all(row.is_met for row in rows))


sys.exit(main())
