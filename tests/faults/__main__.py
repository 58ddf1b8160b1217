"""`make faults`: every row of the catalogue in full, and RESULTS.md.

    make faults                 all rows; writes tests/faults/RESULTS.md
    make faults ARGS="13 14"    these rows only, and prints them
    make faults ARGS="--seed 7" with other dice than those of last time

Exit status 1: a test failed.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.faults.catalogue import ROWS, Row
from tests.faults.results import Result, read_results

RESULTS = Path(__file__).with_name("RESULTS.md")
_SLOW_S = 3600


def main(arguments: Sequence[str]) -> int:
    """Run the rows asked for, and tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("rows", nargs="*", type=int, help="numbers of rows; all by default")
    parser.add_argument("--seed", default=str(random.SystemRandom().randrange(10**6)))
    options = parser.parse_args(arguments)
    rows = [row for row in ROWS if not options.rows or row.number in options.rows]
    tests = sorted({test.partition("::")[0] for row in rows for test in row.tests})
    with tempfile.TemporaryDirectory() as folder:
        notes = Path(folder) / "results"
        os.environ["FAULT_RESULTS"] = str(notes)
        os.environ.setdefault("HYPOTHESIS_PROFILE", "nightly")  # 10,000 examples of a property
        command = ["--faults=full", f"--seed={options.seed}", f"--timeout={_SLOW_S}", "-q"]
        plugin = ["-p", "tests.faults.plugin", "-n", "2", "--dist", "worksteal"]
        wanted = [test for row in rows for test in row.tests]
        os.environ["FAULT_TESTS"] = "\n".join(wanted)
        here = str(Path(__file__).parent.relative_to(Path.cwd()))
        # The folder's conftest knows the options; it is loaded early only when it is named first.
        status = pytest.main([*command, *plugin, f"--confcutdir={Path.cwd()}", here, *tests])
        results = read_results(notes)
    text = report(rows, results, options.seed)
    if options.rows:
        sys.stdout.write(text)
    else:
        RESULTS.write_text(text, "utf-8")
        sys.stdout.write(f"{RESULTS}\n")
    return int(status)


def report(rows: Sequence[Row], results: Sequence[Result], seed: str) -> str:
    """The table, one line a row."""
    profile = os.environ.get("HYPOTHESIS_PROFILE", "default")
    lines = [
        "# Faults",
        "",
        f"Written by `make faults`; dice {seed}; {_machine()}.",
        "A run is one fault tried: a cut, a kill, a damaged file, an example of a property.",
        f"Examples of a property: as the profile {profile} of tests/conftest.py has it.",
        "",
        "| # | fault | what must hold | runs | passes | worst figure | command |",
        "|---|---|---|---|---|---|---|",
    ]
    skipped: dict[str, None] = {}
    for row in rows:
        mine = [result for result in results if _is_of(result.test, row)]
        skipped |= {f"{result.test}: {result.skipped}": None for result in mine if result.skipped}
        ran = [result for result in mine if not result.skipped]
        runs = sum(result.runs for result in ran)
        passes = sum(result.runs for result in ran if result.passed)
        worst: dict[str, tuple[float, str]] = {}
        for result in ran:
            for what, (value, unit) in result.worst.items():
                if what not in worst or value > worst[what][0]:
                    worst[what] = value, unit
        figure = "; ".join(
            f"{what} {value:.3g} {unit}".strip() for what, (value, unit) in sorted(worst.items())
        )
        command = row.elsewhere or f"make faults ARGS={row.number}"
        counts = ("–", "–") if row.elsewhere else (f"{runs:,}", f"{passes:,}")
        lines.append(
            f"| {row.number} | {row.fault} | {row.bar} | {counts[0]} | {counts[1]} "
            f"| {figure or '–'} | `{command}` |"
        )
    lines += ["", "Not run here:" if skipped else "Nothing was skipped."]
    lines += [f"- {reason}" for reason in sorted(skipped)]
    return "\n".join(lines) + "\n"


def _is_of(test: str, row: Row) -> bool:
    return any(test.startswith(wanted) for wanted in row.tests)


def _machine() -> str:
    kernel = subprocess.run(("uname", "-sm"), capture_output=True, text=True).stdout.strip()
    return f"{os.cpu_count()} cores, {kernel}, Python {sys.version.split()[0]}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
