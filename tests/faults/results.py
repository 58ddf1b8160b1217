"""How the tests of faults ended, as the reports tell and the table takes it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

RUNS, WORST = "runs", "worst"
"""Under which names a test's report carries them."""


class Result(NamedTuple):
    """How one test ended."""

    test: str
    passed: bool
    runs: int
    worst: dict[str, tuple[float, str]]
    skipped: str = ""


def read_results(path: Path) -> Sequence[Result]:
    """What was written by all the reports."""
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return [Result(*json.loads(line)) for line in lines]
