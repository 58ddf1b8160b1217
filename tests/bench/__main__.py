"""`make bench`: the performance bars, and tests/bench/RESULTS.md with RESULTS.json beside it.

    make bench                   all but the long ones, and writes the tables
    make bench ARGS=keys         one module, and prints it; also startup, simulator, load, config,
                                 routing, advice, service, and the long ones:
                  transfer       2 GiB beside curl and openssl, aria2c where it is installed,
                                 huggingface_hub after `make bench-peers`
                  gguf           beside the library gguf, after `make bench-peers`
                  parllama       beside that program, after `make bench-peers ARGS=parllama`
    make bench ARGS=all          everything, the long ones included, and writes the tables

A module has `rows()`, which gives each `Row` it measures, and is named in MODULES. Exit status 1:
a bar is missed, or a ratio is a fifth above the committed one.
"""

import importlib
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.bench.row import Row, from_json, regressions, table, to_json

RESULTS = Path(__file__).with_name("RESULTS.md")
MODULES = {
    "startup": "startup",
    "keys": "keys",
    "simulator": "simulator",
    "load": "load",
    "config": "bench_config",
    "routing": "bench_routing",
    "advice": "bench_advice",
    "service": "bench_service",
    "transfer": "bench_transfer",
    "gguf": "bench_gguf",
    "parllama": "bench_parllama",
}
_LONG = ("transfer", "gguf", "parllama")
"""Takes minutes, or has nothing to say without `make bench-peers`."""


def measure(name: str) -> list[Row]:
    """What one module measures."""
    module = importlib.import_module(f"tests.bench.{MODULES[name]}")
    rows: list[Row] = list(module.bench_rows())
    for row in rows:
        print(f"{'ok    ' if row.is_met else 'MISSED'} {row.name}: {row.shown}", flush=True)
    return rows


def main(arguments: Sequence[str]) -> int:
    """Measure, print, write where all was measured, and tell what got worse."""
    unknown = [name for name in arguments if name not in (*MODULES, "all")]
    if unknown:
        print(f"Unknown: {', '.join(unknown)}; known are all, {', '.join(MODULES)}")
        return 2
    names = [name for name in MODULES if "all" in arguments or name not in _LONG]
    if arguments and "all" not in arguments:
        names = list(arguments)
    rows = [row for name in names for row in measure(name)]
    committed = from_json(RESULTS.with_suffix(".json"))
    worse = regressions(rows, committed)
    for line in worse:
        print(f"WORSE  {line}")
    if not arguments or "all" in arguments:
        measured = {row.name for row in rows}
        # What only `all` measures keeps its last figures.
        rows += [row for row in committed.values() if row.name not in measured]
        RESULTS.write_text(table(rows, machine()), "utf-8")
        RESULTS.with_suffix(".json").write_text(to_json(rows, machine()), "utf-8")
    return int(bool(worse) or not all(row.is_met for row in rows))


def machine() -> str:
    """What it ran on, without names of machines or places."""
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores {platform.machine()}, {memory_gib:.0f} GiB, "
        f"{platform.system()} {platform.release().partition('-')[0]}, "
        f"Python {platform.python_version()}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
