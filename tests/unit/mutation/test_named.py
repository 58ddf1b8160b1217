"""The table of named mutations is whole and fits the code as it stands."""

import re
from pathlib import Path

import pytest

from tests.mutation.named import NAMED, Named

ROWS = {
    *(f"r{number:02}" for number in range(1, 35)),
    *(f"d{number:02}" for number in range(1, 22)),
}
RULINGS = {f"z{number:02}" for number in (4, 5, 6, 7, 8, 9, 10, 11, 15, 17, 20, 23, 32)}
ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_every_rule_of_routing_has_a_mutation() -> None:
    assert {named.row for named in NAMED} == ROWS | RULINGS


@pytest.mark.parametrize("named", NAMED, ids=lambda named: named.row)
def test_a_mutation_fits_the_code_and_has_tests_named_after_its_rule(named: Named) -> None:
    source = named.mutated_source()
    compile(source, named.path, "exec")
    tests = Path(named.tests)
    files = [tests] if tests.is_file() else tests.rglob("test_*.py")
    pattern = re.compile(rf"^(?:async )?def {named.test_prefix}", re.MULTILINE)
    assert any(pattern.search(file.read_text("utf-8")) for file in files)


def test_a_mutation_that_no_longer_fits_is_refused() -> None:
    with pytest.raises(ValueError, match=r"r01: .* holds 'not there' 0 times"):
        Named("r01", "ollm_tui/routing/router.py", "not there", "").mutated_source()
    with pytest.raises(ValueError, match="times, not once"):
        Named("r01", "ollm_tui/routing/router.py", "self", "").mutated_source()
