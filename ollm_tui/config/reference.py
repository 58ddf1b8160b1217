"""The schema as documentation: the README's table and the example file of `config init`.

Reads the docstrings under the fields of `schema.py`, so that they are written once.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from functools import cache

from ollm_tui.config import schema
from ollm_tui.config.edit import inline_key, inline_yaml
from ollm_tui.config.node import Path
from ollm_tui.config.shape import Kind, Shape, settings_shape

_ENTRIES: Mapping[str, tuple[str, str]] = {
    "overrides": ("<profile>", "code"),
    "profiles": ("<profile>", "review"),
    "models": ("<pattern>", "llama3.1:*"),
    "providers": ("<name>", "work"),
    "registries": ("<host>", "ghcr.io"),
    "headers": ("<header>", "X-Team"),
    "database": ("<pattern>", "my-model:*"),
    "keys": ("<binding>", "model.pull"),
}
"""For each table what its keys are, and one of them."""
_FREE_ENTRY = "numGpu: 1"
_WIDTH = 98
_HEAD = (
    "# Configuration of ollm-tui.",
    "# Every key is optional. Values behind a # are defaults or examples: delete the # to set one.",
    "# `ollm-tui config show --origin` tells what is in force, and why.",
    "",
)


def table_markdown() -> str:
    """Every key with its default and meaning, as a Markdown table."""
    rows = ["| Key | Default | Meaning |", "|---|---|---|"]
    rows += [
        f"| `{key}` | {default} | {doc} |" for key, default, doc in _rows(settings_shape(), "")
    ]
    return "\n".join(rows) + "\n"


def example_yaml(*, live: bool = False) -> str:
    """A file with every key and its documentation.

    Args:
        live: every value is set; otherwise the file changes nothing until a # is deleted.
    """
    lines = list(_HEAD)
    for depth, off, text in _example(settings_shape(), 0, None):
        if not text:
            lines.append("")
        elif live or off is None:
            lines.append(" " * depth + text)
        else:
            lines.append(f"{' ' * off}#{' ' * (depth - off)}{text}")
    return "\n".join(lines) + "\n"


def _rows(shape: Shape, prefix: str) -> Iterator[tuple[str, str, str]]:
    for key, below in shape.keys.items():
        name = f"{prefix}{key}"
        if below.kind is Kind.SECTION:
            yield from _rows(below, f"{name}.")
        elif below.item is not None and below.item.kind is Kind.SECTION:
            yield from _rows(below.item, f"{name}.{_ENTRIES[key][0]}.")
        else:
            if below.kind is Kind.TABLE:
                name += f".{_ENTRIES[key][0]}"
            elif below.kind is Kind.OPEN:
                name += ".*"
            value = _default(shape, key)
            default = "unset" if value is None or value == {} else f"`{inline_yaml(value)}`"
            yield name, default, _doc(shape, key)


def doc_at(path: Path) -> str:
    """What the setting at `path` means; empty when nothing is known about it."""
    shape: Shape | None = settings_shape()
    doc = ""
    for key in path:
        if shape is None:
            break
        if shape.kind is Kind.SECTION:
            doc = _doc(shape, key) if key in shape.keys else ""
        shape = shape.below(key)
    return doc


Line = tuple[int, int | None, str]
"""Column, the column of the # that switches it off (None = it stays on), and the text."""


def _example(shape: Shape, depth: int, off: int | None) -> Iterator[Line]:
    for key, below in shape.keys.items():
        if depth == 0:
            yield 0, None, ""
        for line in textwrap.wrap(_doc(shape, key), _WIDTH - depth):
            yield depth, off, f"# {line}"
        if below.kind is Kind.LEAF:
            yield depth, depth if off is None else off, f"{key}: {_example_value(shape, key)}"
            continue
        yield depth, off, f"{key}:"
        if below.kind is Kind.SECTION:
            yield from _example(below, depth + 2, off)
        else:
            yield from _example_entry(key, below, depth + 2, off)


def _example_entry(key: str, table: Shape, depth: int, off: int | None) -> Iterator[Line]:
    off = depth if off is None else off
    if table.item is None:
        yield depth, off, _FREE_ENTRY
    elif table.item.kind is Kind.SECTION:
        yield depth, off, f"{inline_key(_ENTRIES[key][1])}:"
        yield from _example(table.item, depth + 2, off)
    else:
        rule = table.item.rule
        yield depth, off, f"{inline_key(_ENTRIES[key][1])}: {rule.example if rule else ''}"


def _example_value(shape: Shape, key: str) -> str:
    value = _default(shape, key)
    if value is not None:
        return inline_yaml(value)
    rule = shape.keys[key].rule
    assert rule is not None  # test_reference.py sees to it that every leaf has one
    return rule.example


def _default(shape: Shape, key: str) -> object:
    assert shape.model is not None
    info = shape.model.model_fields[shape.attributes[key]]
    return info.get_default(call_default_factory=True, validated_data={})


def _doc(shape: Shape, key: str) -> str:
    assert shape.model is not None
    attribute = shape.attributes[key]
    for model in shape.model.__mro__:
        doc = _docs().get((model.__name__, attribute))
        if doc is not None:
            return doc
    raise LookupError(f"{shape.model.__name__}.{attribute} has no docstring")


@cache
def _docs() -> Mapping[tuple[str, str], str]:
    """Class and field to the string under the field."""
    docs = {}
    for node in ast.parse(inspect.getsource(schema)).body:
        if not isinstance(node, ast.ClassDef):
            continue
        for statement, below in zip(node.body, node.body[1:], strict=False):
            match statement, below:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(text))),
                ):
                    docs[node.name, name] = " ".join(text.split())
    return docs
