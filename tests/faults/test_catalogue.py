"""The catalogue is whole, and names tests that are there."""

import re
from pathlib import Path

import pytest

from tests.faults.__main__ import report
from tests.faults.catalogue import ROWS, Row
from tests.faults.results import Result
from tests.terminal import ROOT


def test_every_row_is_there_once() -> None:
    assert [row.number for row in ROWS] == list(range(1, 33))
    assert all(bool(row.tests) != bool(row.elsewhere) for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.number))
def test_every_test_named_is_there(row: Row) -> None:
    for test in row.tests:
        file, _, name = test.partition("::")
        source = (ROOT / file).read_text("utf-8")
        assert re.search(rf"^(async )?def {name or 'test_'}|^class \w*Machine", source, re.M), test


def test_every_file_of_faults_is_in_the_catalogue() -> None:
    named = {test.partition("::")[0] for row in ROWS for test in row.tests}
    files = {f"tests/faults/{path.name}" for path in Path(__file__).parent.glob("test_*.py")}
    assert files - named == {"tests/faults/test_catalogue.py"}


def test_the_table_sums_runs_and_shows_the_worst() -> None:
    row = Row(1, "cut", "holds", ("tests/x.py",))
    results = [
        Result("tests/x.py::test_a", True, 20, {"gap": (1.5, "s")}),
        Result("tests/x.py::test_b", False, 1, {"gap": (2.25, "s")}),
        Result("tests/x.py::test_c", False, 1, {}, "no mount"),
        Result("tests/y.py::test_d", True, 5, {}),
    ]
    text = report([row], results, "7")
    assert "| 1 | cut | holds | 21 | 20 | gap 2.25 s | `make faults ARGS=1` |" in text
    assert "- tests/x.py::test_c: no mount" in text
