"""How long configuration takes: load, merge and validate, imports excluded.

CPU time, as for the start: nothing here waits but for one small file that is in memory, and by the
wall clock a busy machine's other programs would count, too.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ollm_tui.config.inputs import Inputs
from ollm_tui.config.lint import Knowledge
from ollm_tui.config.manager import ConfigManager
from ollm_tui.config.reference import example_yaml
from tests.bench.row import Row as BenchRow
from tests.bench.row import in_milliseconds

PROFILES = ("fast", "general", "code", "creative", *(f"task-{i}" for i in range(400)))
ROUNDS = 21
TRIES = 3
"""Runs of which the fastest is one measurement: a shared machine interrupts the others."""


def rows() -> list[tuple[str, float, float]]:
    """Measure.

    Returns:
        What was measured, its median in seconds, and the most that is allowed.
    """
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / ".ollm").mkdir()
        path = home / ".ollm" / "config.yaml"
        manager = ConfigManager(Inputs(cwd=home, user_home=home), Knowledge(profiles=PROFILES))
        path.write_text(example_yaml(live=True))
        assert not manager.load_config().errors
        example = _median(manager.load_config)
        path.write_text(_thousand_keys())
        effective = manager.load_config()
        assert not effective.errors
        assert sum(item.origin == "user" for item in effective.settings.values()) >= 800
        thousand = _median(manager.load_config)
        cached = _median(manager.get_effective_config)
    return [
        ("configuration: the example file, every key set", example, 0.003),
        ("configuration: 1,000 keys", thousand, 0.010),
        ("configuration: nothing has changed", cached, 0.001),
    ]


def _thousand_keys() -> str:
    """1,000 keys: 395 overrides, 75 database entries and 75 models with three values each."""
    lines = ["model:", "  routing:", "    overrides:"]
    lines += [f"      task-{i}: example/model-{i}:{i}b" for i in range(395)]
    lines += ["database:"]
    for i in range(75):
        lines += [f'  "family-{i}:*":', f"    contextWindow: {4096 + i}", "    family: llama"]
        lines += ["    profiles: [general, code]"]
    lines += ["models:"]
    for i in range(75):
        lines += [f'  "family-{i}:*":', "    temperature: 0.7", f"    numCtx: {4096 + i}"]
        lines += ["    topP: 0.9"]
    return "\n".join(lines) + "\n"


def _median(action: Callable[[], object]) -> float:
    return statistics.median(min(_seconds(action) for _ in range(TRIES)) for _ in range(ROUNDS))


def _seconds(action: Callable[[], object]) -> float:
    start = time.process_time()
    action()
    return time.process_time() - start


def bench_rows() -> list[BenchRow]:
    """For the table of `make bench`."""
    return in_milliseconds(rows())


if __name__ == "__main__":
    for name, median_s, bar_s in rows():
        print(f"{name}: {median_s * 1e3:.2f} ms, bar {bar_s * 1e3:.0f} ms")
