"""One layer against the schema: every mistake reported with its place, every bad value left out.

What remains is valid by itself, so that a mistake costs only the value that it is in. Knows
nothing of the other layers.
"""

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ollm_tui.config.layer import Layer
from ollm_tui.config.node import Node, Path, dotted, entries, find, plain, remove
from ollm_tui.config.problem import Severity
from ollm_tui.config.schema import Rule, Settings
from ollm_tui.config.secret import is_secret, masked
from ollm_tui.config.shape import Kind, Shape, settings_shape, shape_at
from ollm_tui.core.error import closest
from ollm_tui.core.text import clean_line

_MAX_SUGGESTED_KEY = 64
_LEAF = Kind.LEAF
"""Looked up once: that is slow, and most values are leaves."""


def check_keys(layer: Layer) -> None:
    """Bring a layer's keys into the schema's spelling; report and drop what cannot be."""
    layer.root = _Speller(layer).section(layer.root, settings_shape(), ())


def check_values(layer: Layer) -> None:
    """Report every value that breaks its rule, and drop it."""
    try:
        Settings.model_validate(plain(layer.root))
    except ValidationError as error:
        _report_invalid(layer, error.errors(include_url=False))


class _Speller:
    """Walks a tree along the schema."""

    def __init__(self, layer: Layer) -> None:
        self._layer = layer

    def section(self, node: Node, shape: Shape, path: Path) -> Node:
        """The mapping with its keys as the schema spells them, without those it does not know."""
        children: dict[str, Node] = {}
        for written, child in entries(node).items():
            key = written if written in shape.keys else shape.snake.get(written, "")
            if not key:
                self._unknown(child, (*path, written), shape)
            elif key in children:
                self._both(child, children[key], (*path, key))
            else:
                if key != written:
                    self._respelt(child, key, (*path, key))
                self._put(children, key, child, shape.keys[key], path)
        return _twin(node, children)

    def _put(
        self, children: dict[str, Node], key: str, child: Node, shape: Shape, path: Path
    ) -> None:
        if child.value is None:
            return  # an empty value is no value
        if shape.kind is _LEAF:
            children[key] = child
            return
        here = (*path, key)
        if not isinstance(child.value, dict):
            _report_not_a_mapping(self._layer, child, here)
        elif shape.kind is Kind.SECTION:
            children[key] = self.section(child, shape, here)
        elif shape.kind is Kind.TABLE and shape.item is not None:
            table: dict[str, Node] = {}
            for name, entry in entries(child).items():
                self._put(table, name, entry, shape.item, here)
            children[key] = _twin(child, table)
        else:
            children[key] = self._untouched(child, here)

    def _untouched(self, node: Node, path: Path) -> Node:
        """A free mapping: only a key spelt in two ways is refused, since one would be lost."""
        children: dict[str, Node] = {}
        first: dict[str, str] = {}
        for key, child in entries(node).items():
            folded = key.replace("_", "").casefold()
            if folded in first:
                self._both(child, children[first[folded]], (*path, key))
                continue
            child = _without_empty(child)
            if child.value is not None:
                first[folded] = key
                children[key] = child
        return _twin(node, children)

    def _unknown(self, node: Node, path: Path, shape: Shape) -> None:
        layer = self._layer
        key, known = path[-1], list(shape.keys)
        is_short = len(key) <= _MAX_SUGGESTED_KEY and not layer.has_enough(Severity.WARNING)
        near = closest(key, known, count=1) if is_short else []
        advice = f"Did you mean {near[0]}? " if near else ""
        where = f"under {dotted(path[:-1])}" if path[:-1] else "at the top"
        layer.report(
            f"Unknown key {clean_line(key, 60)!r}",
            node,
            path,
            severity=Severity.WARNING,
            detail="It is ignored",
            remedy=f"{advice}The keys {where} are {', '.join(known)}.",
            of_key=True,
            show_value=False,
        )

    def _both(self, node: Node, first: Node, path: Path) -> None:
        self._layer.report(
            f"{clean_line(first.key, 60)!r} and {clean_line(node.key, 60)!r} are the same key",
            node,
            path,
            detail="The first one is used",
            remedy="Delete one of them.",
            of_key=True,
        )

    def _respelt(self, node: Node, key: str, path: Path) -> None:
        self._layer.report(
            f"{node.key!r} is read as {key!r}",
            node,
            path,
            severity=Severity.NOTICE,
            remedy=f"Write {key}.",
            of_key=True,
            show_value=False,
        )


def _without_empty(node: Node) -> Node:
    """The node without keys that have no value, however deep they are."""
    if not isinstance(node.value, dict) or not node.value:
        return node
    below = {key: _without_empty(child) for key, child in node.value.items()}
    present = {key: child for key, child in below.items() if child.value is not None}
    return _twin(node, present or None)


def _twin(node: Node, value: object) -> Node:
    twin = node.under(node.key, node.key_line, node.key_column)
    twin.value = value
    return twin


def _report_not_a_mapping(layer: Layer, node: Node, path: Path) -> None:
    hint = "Write the keys under it, indented."
    if isinstance(node.value, str) and ":" in node.value:
        hint = "Put a space after the colon, and the keys on lines of their own."
    layer.report(
        f"{dotted(path)} must be a mapping",
        node,
        path,
        detail=f"Got {described(path, node)}",
        remedy=hint,
    )


def _report_invalid(layer: Layer, errors: list[ErrorDetails]) -> None:
    reported: set[Path] = set()
    for error in errors:
        path, of_key = _path_of(layer.root, error["loc"])
        node = find(layer.root, path)
        if node is None or path in reported:
            continue
        reported.add(path)
        report_value(layer, node, path, detail=_reason(error), of_key=of_key)
    for path in reported:
        remove(layer.root, path)


def report_value(
    layer: Layer, node: Node, path: Path, *, detail: str = "", of_key: bool = False
) -> None:
    """Report that the value at `path` breaks its rule, in the words of the schema."""
    shape = shape_at(path)
    rule = shape.rule if shape is not None else None
    if of_key or rule is None:
        layer.report(
            f"{dotted(path)} cannot be used",
            node,
            path,
            detail=detail,
            remedy="Correct or delete it.",
            of_key=of_key,
        )
        return
    got = f"Got {described(path, node)}"
    layer.report(
        rule.sentence or f"{dotted(path)} must be {rule.expected}",
        node,
        path,
        detail=f"{got}: {detail}" if detail else got,
        remedy=f"{_hint(node, rule)}Write {rule.expected}, for example {rule.example}.",
    )


def described(path: Path, node: Node) -> str:
    """What was found, for a message: the value and, where it matters, its type."""
    value = node.value
    if isinstance(value, bool):
        return "yes/on/true" if value else "no/off/false"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        shown = masked(path, value)
        return "a secret" if is_secret(path) else f"the text {clean_line(str(shown), 80)!r}"
    return f"{value}"


def _hint(node: Node, rule: Rule) -> str:
    value = node.value
    if isinstance(value, bool) and rule.example[0].isalpha():
        return "Put a word that is meant as text in quotes. "
    if isinstance(value, str) and not node.label and value.strip().replace(".", "", 1).isdigit():
        return "Leave a number without quotes. "
    return ""


def _reason(error: ErrorDetails) -> str:
    """pydantic's words only where they are ours."""
    cause = error.get("ctx", {}).get("error")
    return str(cause) if isinstance(cause, ValueError) else ""


def _path_of(root: Node, location: tuple[str | int, ...]) -> tuple[Path, bool]:
    """The keys of an error's location that exist, and whether the last key itself is wrong."""
    path: list[str] = []
    for key in location:
        if key == "[key]":
            return tuple(path), True
        if not isinstance(key, str) or find(root, (*path, key)) is None:
            break
        path.append(key)
    return tuple(path), False
