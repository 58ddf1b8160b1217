"""Options and tools of the fault suite: how many faults to try, with which dice, and what was seen.

A test draws its faults from `fault.dice(...)`. Every roll has a seed: those that failed once
(`seeds.json`) come first and always; a seed that fails is printed, and the full suite writes it
there. What a test measures it tells by `fault.saw(...)`; `tests.faults` puts it into RESULTS.md.
"""

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.results import RUNS, WORST

SEEDS = Path(__file__).with_name("seeds.json")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--faults", choices=("short", "full"), default="short", help="how many faults to try"
    )
    parser.addoption("--seed", default="1", help="where the dice of the fault suite begin")


def pytest_report_header(config: pytest.Config) -> str:
    return f"faults: {config.getoption('--faults')}, --seed {config.getoption('--seed')}"


@pytest.fixture(scope="session")
def is_full(request: pytest.FixtureRequest) -> bool:
    """Whether to try as many faults as the bars ask for, which takes minutes."""
    return bool(request.config.getoption("--faults", default="short") == "full")


class Fault:
    """What one test of a fault draws and sees."""

    def __init__(self, test: str, base_seed: str, is_full: bool) -> None:
        self._test = test
        self._base_seed = base_seed
        self.is_full = is_full
        self.seed: str | None = None
        """Of the roll under way."""
        self.runs = 0
        self.worst: dict[str, tuple[float, str]] = {}

    def dice(self, *, full: int, short: int) -> Iterator[random.Random]:
        """Dice for so many runs, after those that failed once."""
        known = _seeds().get(self._test, [])
        count = full if self.is_full else short
        for self.seed in [*known, *(f"{self._base_seed}.{number}" for number in range(count))]:
            yield random.Random(self.seed)
            self.ran()
        self.seed = None

    def ran(self, count: int = 1) -> None:
        """Count runs that passed."""
        self.runs += count

    def saw(self, what: str, value: float, unit: str = "") -> None:
        """Note a figure of which the largest counts."""
        if value >= self.worst.get(what, (value, unit))[0]:
            self.worst[what] = value, unit


_FAULT = pytest.StashKey[Fault]()


@pytest.fixture
def fault(request: pytest.FixtureRequest, is_full: bool) -> Fault:
    """The dice and the notes of a test."""
    node = request.node
    found = Fault(node.nodeid, str(request.config.getoption("--seed", default="1")), is_full)
    node.stash[_FAULT] = found
    return found


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report: pytest.TestReport = yield  # type: ignore[assignment]
    found = item.stash.get(_FAULT, None)
    if found is not None and report.when == "call":
        if found.runs:
            report.user_properties.append((RUNS, found.runs))
        report.user_properties.append((WORST, dict(found.worst)))
        if report.failed and found.seed is not None:
            report.sections.append(("seed", f"fails with the dice {found.seed!r}"))
            if found.is_full:
                _keep(item.nodeid, found.seed)
    return report  # type: ignore[return-value]


def _seeds() -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads(SEEDS.read_text("utf-8"))
    return found


def _keep(test: str, seed: str) -> None:
    seeds = _seeds()
    if seed not in seeds.setdefault(test, []):
        seeds[test].append(seed)
        SEEDS.write_text(json.dumps(seeds, indent=2, sort_keys=True) + "\n", "utf-8")
