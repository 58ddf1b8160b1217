"""The schema as a tree of shapes: which keys exist where, and what stands under them.

Derived from `schema.py` once; the walkers of configuration trees need no pydantic internals.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from typing import Annotated, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ollm_tui.config.node import Path
from ollm_tui.config.schema import Rule, Settings


class Kind(Enum):
    """What a place in the configuration holds."""

    SECTION = "a mapping with known keys"
    TABLE = "a mapping by name"
    OPEN = "a mapping that is passed on untouched"
    LEAF = "a value"


@dataclass(frozen=True, slots=True)
class Shape:
    """What stands at one place."""

    kind: Kind
    rule: Rule | None = None
    keys: Mapping[str, "Shape"] = field(default_factory=dict)
    """Of a section, by YAML key."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Of a section: YAML key to Python attribute, which is also its snake_case spelling."""
    snake: Mapping[str, str] = field(default_factory=dict)
    """Of a section: snake_case spelling to YAML key, where they differ."""
    item: "Shape | None" = None
    """Of a table."""
    model: type[BaseModel] | None = None
    """Of a section."""

    def below(self, key: str) -> "Shape | None":
        """The shape under `key`, or None when there is no such key."""
        return self.keys.get(key) if self.kind is Kind.SECTION else self.item


@cache
def settings_shape() -> Shape:
    """The shape of the whole configuration."""
    return _section(Settings)


def shape_at(path: Path) -> Shape | None:
    """The shape at `path`, or None when nothing of the kind exists."""
    shape: Shape | None = settings_shape()
    for key in path:
        if shape is None or shape.kind is Kind.OPEN:
            return shape
        shape = shape.below(key)
    return shape


def value_at(settings: object, path: Path) -> object:
    """The value at `path` of validated settings.

    Raises:
        KeyError: there is none.
    """
    shape: Shape | None = settings_shape()
    value = settings
    for key in path:
        if shape is not None and shape.kind is Kind.SECTION:
            value = getattr(value, shape.attributes[key])
        elif isinstance(value, Mapping):
            value = value[key]
        else:
            raise KeyError(key)
        shape = shape.below(key) if shape is not None else None
    return value


def as_plain(section: object, shape: Shape) -> dict[str, object]:
    """Validated settings as plain data, by YAML key."""
    tree: dict[str, object] = {}
    for key, name in shape.attributes.items():
        value = getattr(section, name)
        below = shape.keys[key]
        if below.kind is Kind.SECTION:
            tree[key] = as_plain(value, below)
        elif below.item is not None and below.item.kind is Kind.SECTION:
            tree[key] = {entry: as_plain(item, below.item) for entry, item in value.items()}
        else:
            tree[key] = value
    return tree


def _section(model: type[BaseModel]) -> Shape:
    keys, attributes = {}, {}
    for name, info in model.model_fields.items():
        key = info.alias or name
        attributes[key] = name
        keys[key] = _field(info)
    snake = {name: key for key, name in attributes.items() if name != key}
    return Shape(Kind.SECTION, keys=keys, attributes=attributes, snake=snake, model=model)


def _field(info: FieldInfo) -> Shape:
    rules = [item for item in info.metadata if isinstance(item, Rule)]
    shape = _annotation(info.annotation)
    # The rule written last is the most specific one.
    return Shape(Kind.LEAF, rules[-1]) if rules and shape.kind is Kind.LEAF else shape


def _annotation(annotation: object) -> Shape:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _section(annotation)
    if get_origin(annotation) is Mapping:
        value = get_args(annotation)[1]
        if value is object:
            return Shape(Kind.OPEN)
        return Shape(Kind.TABLE, item=_annotation(value))
    return Shape(Kind.LEAF, next(_rules(annotation), None))


def _rules(annotation: object) -> Iterator[Rule]:
    if get_origin(annotation) is Annotated:
        metadata = getattr(annotation, "__metadata__", ())
        yield from (item for item in reversed(metadata) if isinstance(item, Rule))
    for argument in get_args(annotation):
        yield from _rules(argument)
