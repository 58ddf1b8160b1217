"""`make bench`: every performance bar, as ratios measured in one run."""

import sys

from tests.bench import startup
from tests.terminal import OLLM_TUI

RUNS = 7


def main() -> int:
    """Measure, print the table, and return 1 when a bar is missed."""
    rows: list[tuple[str, str, float, float]] = []
    with startup.sandbox("--models", "1000") as address:
        command = (*OLLM_TUI, "--host", address)
        first, listed = startup.ratios(command, "1,000 of 1,000", RUNS)
    for name, values, bar in (
        ("first frame, CPU over a bare Textual app", first, 1.35),
        ("1,000 models asked from a server, CPU over a bare app", listed, 2.0),
    ):
        rows.append((name, startup.spread(values), sorted(values)[len(values) // 2], bar))
    for name, text, value, bar in rows:
        print(f"{'ok ' if value <= bar else 'MISSED'} {name}: {text}, bar {bar}")
    return int(any(value > bar for _, _, value, bar in rows))


sys.exit(main())
