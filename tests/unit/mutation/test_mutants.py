"""Which mistakes are made of a module, and that each is what its name says."""

import json
from pathlib import Path

import pytest

from tests.mutation.mutants import mutants
from tests.mutation.survivors import Survivors


def names(source: str) -> list[str]:
    return [mutant.name for mutant in mutants(source, "m.py")]


@pytest.mark.parametrize(
    ("statement", "changes"),
    [
        ("a < b", ["a <= b"]),
        ("a == b", ["a != b"]),
        ("a in b", ["a not in b"]),
        ("a and b", ["a or b"]),
        ("not a", ["a"]),
        ("-a", ["a"]),
        ("a + b", ["a - b"]),
        ("a // 2", ["a * 2", "3"]),
        ("True", ["False"]),
        ("'x'", ["'XxX'"]),
        ("None", []),
        ("a if b else c", ["not b"]),
        ("a if b == c else d", ["b != c"]),
        ("[a for a in b if c]", ["not c"]),
        ("a < b < 1", ["a <= b < 1", "a < b <= 1", "2"]),
    ],
)
def test_expressions(statement: str, changes: list[str]) -> None:
    found = names(f"def f():\n    x: int = {statement}\n")
    assert [name.partition(" → ")[2] for name in found] == [f"`{change}`" for change in changes]


def test_statements() -> None:
    source = "def f(a=1):\n    g()\n    a += 1\n    raise E\n    return a\n"
    assert names(source) == [
        "f: `1` → `2`",
        "f: `g()` → `pass`",
        "f: `a += 1` → `a -= 1`",
        "f: `1` → `2` (2)",
        "f: `raise E` → `pass`",
        "f: `return a` → `return None`",
    ]


@pytest.mark.parametrize(
    "source",
    [
        '"""Text."""\n',
        "x: 'a' = y\n",
        "@f(1)\ndef g(): ...\n",
        "assert 1 < 2\n",
        "if TYPE_CHECKING:\n    import a\n",
        "def f() -> 'a': ...\n",
    ],
)
def test_what_no_test_can_tell_is_left_alone(source: str) -> None:
    assert [name for name in names(source) if "Ellipsis" not in name] == []


def test_the_code_of_a_mutant_has_the_mistake_and_its_line() -> None:
    (mutant,) = mutants("\nx = a < b\n".replace("x = ", "x: bool = "), "m.py")
    scope = {"a": 1, "b": 1}
    exec(mutant.code, scope)
    assert scope["x"] is True
    assert mutant.line == 2


def test_reasons_stay_with_those_that_still_live(tmp_path: Path) -> None:
    file = tmp_path / "survivors.json"
    reasons = {"a": "equal", "gone": "was"}
    file.write_text(json.dumps({"x.py": {"survivors": reasons}, "y.py": {}}))
    assert Survivors(file).update("x.py", 10, ["b", "a"]) == ["b"]
    data = json.loads(file.read_text())
    assert data["x.py"] == {"mutants": 10, "killed": 8, "survivors": {"a": "equal", "b": ""}}
    assert "y.py" in data
