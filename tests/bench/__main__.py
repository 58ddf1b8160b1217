"""`make bench`: the performance bars; start-up as ratios to a bare app measured in the same run.

`make bench ARGS=transfer` measures the download engine instead: 2 GiB, beside curl and openssl,
aria2c where it is installed, and huggingface_hub after `make bench-peers`; ARGS=startup and
ARGS=keys only how long the screen takes.
"""

import statistics
import sys
from collections.abc import Iterator
from typing import NamedTuple

from tests.bench import (
    bench_advice,
    bench_config,
    bench_routing,
    bench_service,
    keys,
    simulator,
    startup,
)
from tests.terminal import OLLM_TUI

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


def typing() -> Iterator[Row]:
    """How long a key takes to be seen: with ten thousand models, and in the simulator."""
    rows = [(f"10,000 models, {name}", seconds, bar) for name, seconds, bar in keys.rows()]
    for name, seconds, bar in (*rows, *simulator.rows()):
        yield Row(
            name,
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
    else:
        rows = [*start_up(), *typing()]
        for module in (bench_config, bench_routing, bench_advice, bench_service):
            rows += [
                Row(name, f"{seconds * 1000:.3g} ms, bar {bar * 1000:.3g} ms", seconds <= bar)
                for name, seconds, bar in module.rows()
            ]
    for row in rows:
        print(f"{'ok    ' if row.is_met else 'MISSED'} {row.name}: {row.text}")
    return int(not all(row.is_met for row in rows))


sys.exit(main())
