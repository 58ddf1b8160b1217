"""What `make faults` loads into pytest: picks the tests of the rows, and keeps their results."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.results import RUNS, WORST, Result


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted = tuple(os.environ["FAULT_TESTS"].splitlines())
    kept = [item for item in items if item.nodeid.startswith(wanted)]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report: Any = yield
    if report.when == "call" and (examples := _examples(item)):
        report.user_properties.append((RUNS, examples))
    return report  # type: ignore[no-any-return]


def _examples(item: pytest.Item) -> int:
    """How many examples of a property are tried."""
    test = getattr(item, "obj", None)
    settings = getattr(test, "_hypothesis_internal_use_settings", None)
    if not getattr(test, "is_hypothesis_test", False) or settings is None:
        return 0
    return int(settings.max_examples)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if os.environ.get("PYTEST_XDIST_WORKER") or (report.when != "call" and report.passed):
        return
    told = dict(report.user_properties)
    reason = ""
    if report.skipped and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2].removeprefix("Skipped: ")
    result = Result(
        report.nodeid, report.passed, int(str(told.get(RUNS, 1))), _figures(told), reason
    )
    with Path(os.environ["FAULT_RESULTS"]).open("a", encoding="utf-8") as file:
        file.write(json.dumps(result) + "\n")


def _figures(told: dict[str, object]) -> dict[str, tuple[float, str]]:
    figures = told.get(WORST, {})
    assert isinstance(figures, dict)
    return {what: (float(value), str(unit)) for what, (value, unit) in figures.items()}
