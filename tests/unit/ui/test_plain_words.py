"""The words on the screen are those of its readers, not of its makers."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3] / "ollm_tui"
JARGON = re.compile(r"\bslots?\b|\bof equals\b|\belsewhere\b", re.IGNORECASE)
NAMES = {"slot", "elsewhere"}
"""Never shown as they are: a key of JSON, and a verdict that is put into words."""
UNTOLD = ("sandbox",)
"""It has no words of its own."""


def test_no_text_has_a_word_that_newcomers_stumble_over() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in sorted(ROOT.rglob("*.py"))
        if not str(path.relative_to(ROOT)).startswith(UNTOLD)
        for line, text in _texts(path)
        if text not in NAMES and JARGON.search(text)
    ]
    assert found == []


def _texts(path: Path) -> Iterator[tuple[int, str]]:
    """Every string that is no docstring."""
    tree = ast.parse(path.read_text("utf-8"))
    documents = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) not in documents:
                yield node.lineno, node.value
