"""For each rule of routing, ways to get it wrong, and where the tests are that must notice.

A row is a decision (r = router, d = names and database) or a ruling (z). The tests that count
are those named after it: test_r01_... notices what is done to row r01.
"""

from pathlib import Path
from typing import NamedTuple

from tests.mutation.named_database import DATABASE
from tests.mutation.named_router import ROUTER
from tests.mutation.named_ruling import RULINGS

Change = tuple[str, str, str, str]
"""Row, file below ollm_tui, what stands there once, what stands there instead."""

_TESTS = {
    "routing": "tests/unit/routing",
    "service": "tests/cli/test_routing.py",
    "core": "tests/unit",
    "providers": "tests/unit/test_ollama_wire.py",
    "config": "tests/unit/config",
    "catalogue": "tests/unit/test_catalogue.py",
    "cli": "tests/cli",
}
"""Where the tests of a layer are."""


class Named(NamedTuple):
    """One mutation of one rule."""

    row: str
    path: str
    old: str
    new: str

    @property
    def tests(self) -> str:
        """Argument of pytest: where the row's tests are."""
        return _TESTS[self.path.split("/")[1]]

    @property
    def test_prefix(self) -> str:
        """How the names of the row's tests begin."""
        return f"test_{self.row}_"

    def mutated_source(self) -> str:
        """The module as it would be.

        Raises:
            ValueError: what should be changed is not there, or more than once.
        """
        source = Path(self.path).read_text("utf-8")
        count = source.count(self.old)
        if count != 1:
            raise ValueError(f"{self.row}: {self.path} holds {self.old!r} {count} times, not once")
        return source.replace(self.old, self.new)


NAMED: tuple[Named, ...] = tuple(
    Named(row, f"ollm_tui/{path}", old, new)
    for row, path, old, new in (*ROUTER, *DATABASE, *RULINGS)
)
