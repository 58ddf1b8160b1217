"""Changes to a configuration file that leave every comment and every other line as it is.

Works on the text between the parser's marks and believes nothing: the result is read back and
must mean exactly what was asked for, else the change is refused with the line to paste by hand.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy

import yaml

from ollm_tui.config.change import Change
from ollm_tui.config.document import parse_document
from ollm_tui.config.node import Path
from ollm_tui.config.scalar import meaning
from ollm_tui.config.yaml_reader import LOADER
from ollm_tui.core.error import ConfigError

_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+-]*(?::[A-Za-z0-9_./+-]+)*", re.ASCII)
_INDENT = 2


def edited(text: str, changes: Sequence[Change], path: str = "the file") -> str:
    """Return `text` with the changes made and nothing else touched.

    Args:
        text: YAML that parses; may be empty.
        changes: in the order in which to make them.
        path: how to name the file to people.

    Raises:
        ConfigError: the text cannot be changed safely; says what to paste where.
    """
    for change in changes:
        text = _checked(text, change, path)
    return text


def _checked(text: str, change: Change, path: str) -> str:
    before = parse_document(text, path)
    if before.problems:
        raise ConfigError(
            f"{path} cannot be changed while it has errors",
            cause=before.problems[0].message,
            actions=("Correct the file first.",),
        )
    wanted = _with_change(before.data, change)
    try:
        result = _changed(text, change)
    except _NotSupported as reason:
        raise _refusal(change, path, str(reason)) from reason
    except yaml.YAMLError as error:  # what our reader allows, such as an anchor used twice
        raise _refusal(change, path, "the parser does not follow it") from error
    after = parse_document(result, path)
    if after.problems or _normal(after.data) != _normal(wanted):
        raise _refusal(change, path, "the lines around it are laid out in an unusual way")
    return result


class _NotSupported(Exception):
    """This layout is not changed by a program."""


def _refusal(change: Change, path: str, why: str) -> ConfigError:
    keys = ".".join(change.path)
    line = _flow_entry(change.path, change.value) if change.value is not None else ""
    by_hand = f"Add this by hand: {line}" if line else f"Delete {keys} by hand."
    return ConfigError(f"{keys} cannot be changed in {path}", cause=why, actions=(by_hand,))


def _with_change(data: object, change: Change) -> object:
    root = deepcopy(data) if isinstance(data, dict) else {}
    if data is not None and not isinstance(data, dict):
        return data
    here = root
    for key in change.path[:-1]:
        below = here.get(key)
        if not isinstance(below, dict):
            if change.value is None:
                return root
            below = here[key] = {}
        here = below
    if change.value is None:
        here.pop(change.path[-1], None)
    else:
        here[change.path[-1]] = change.value
    return root


def _normal(data: object) -> object:
    """Equal for data that mean the same: an empty mapping and no value do."""
    if isinstance(data, dict):
        children = {key: _normal(value) for key, value in data.items()}
        return {key: value for key, value in children.items() if value is not None} or None
    if isinstance(data, list | tuple):
        return [_normal(item) for item in data]
    return (type(data), data) if isinstance(data, bool) else data


def _changed(text: str, change: Change) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    body = text.removeprefix("\ufeff")
    root = yaml.compose(body, Loader=LOADER)
    if change.value is None:
        result = _removed(body, root, change.path)
    else:
        result = _written(body, root, change.path, change.value, newline)
    return text[: len(text) - len(body)] + result


def _written(text: str, root: yaml.Node | None, path: Path, value: object, newline: str) -> str:
    if root is None:
        return _appended(text, _block_lines(path, value, 0), newline)
    parent: yaml.Node = root
    for depth, key in enumerate(path):
        if not isinstance(parent, yaml.MappingNode):
            raise _NotSupported("there is a value where keys are expected")
        entry = _entry(parent, key)
        rest = path[depth:]
        if entry is None:
            return _inserted(text, parent, rest, value, newline)
        key_node, child = entry
        if len(rest) == 1:
            return _replaced(text, key_node, child, value)
        if _is_empty(child):
            column = key_node.start_mark.column + _INDENT
            lines = _block_lines(rest[1:], value, column)
            return _after_line(text, child.start_mark.index, lines, newline)
        parent = child
    raise _NotSupported("it has no key")


def _replaced(text: str, key_node: yaml.Node, child: yaml.Node, value: object) -> str:
    start, end = child.start_mark.index, _end(text, child)
    if isinstance(child, yaml.CollectionNode) and not child.flow_style:
        start = text.index(":", key_node.end_mark.index) + 1
        if "#" in text[start:end]:
            raise _NotSupported("there are comments inside the old value")
        return f"{text[:start]} {inline_yaml(value)}{text[end:]}"
    if _is_empty(child):
        start = end = text.index(":", key_node.end_mark.index) + 1
        return f"{text[:start]} {inline_yaml(value)}{text[end:]}"
    if text[start : start + 1] in ("&", "*", "!"):
        raise _NotSupported("the old value has an anchor, an alias or a tag")
    return text[:start] + inline_yaml(value) + text[end:]


def _inserted(text: str, parent: yaml.MappingNode, rest: Path, value: object, newline: str) -> str:
    if parent.flow_style:
        closing = parent.end_mark.index - 1
        inside = text[parent.start_mark.index + 1 : closing]
        if "#" in inside or newline[-1] in inside:
            raise _NotSupported("the mapping in braces spans several lines")
        head = inside.rstrip().rstrip(",")
        entry = f"{inline_key(rest[0])}: {_flow_below(rest[1:], value)}"
        filled = f"{head}, {entry}" if head else entry
        tail = inside[len(inside.rstrip()) :]
        return text[: parent.start_mark.index + 1] + filled + tail + text[closing:]
    last_key, last_value = parent.value[-1]
    column = parent.value[0][0].start_mark.column
    end = last_key.end_mark.index if _is_empty(last_value) else _end(text, last_value)
    return _after_line(text, end, _block_lines(rest, value, column), newline)


def _removed(text: str, root: yaml.Node | None, path: Path) -> str:
    parent = root
    for key in path[:-1]:
        entry = _entry(parent, key) if isinstance(parent, yaml.MappingNode) else None
        if entry is None:
            return text
        parent = entry[1]
    if not isinstance(parent, yaml.MappingNode):
        return text
    keys = [key_node.value for key_node, _ in parent.value]
    if path[-1] not in keys:
        return text
    index = keys.index(path[-1])
    key_node, child = parent.value[index]
    end = _end(text, child) if not _is_empty(child) else key_node.end_mark.index + 1
    start = key_node.start_mark.index
    if not parent.flow_style:
        line_start = text.rfind("\n", 0, start) + 1
        if text[line_start:start].strip():
            raise _NotSupported("the key shares its line with another")
        line_end = text.find("\n", end)
        return text[:line_start] + (text[line_end + 1 :] if line_end >= 0 else "")
    if index + 1 < len(keys):
        return text[:start] + text[parent.value[index + 1][0].start_mark.index :]
    if index:
        return text[: _end(text, parent.value[index - 1][1])] + text[end:]
    return text[:start] + text[end:]


def _entry(parent: yaml.MappingNode, key: str) -> tuple[yaml.Node, yaml.Node] | None:
    for key_node, child in parent.value:
        if key_node.value == key:
            return key_node, child
    return None


def _is_empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.start_mark.index == node.end_mark.index


def _end(text: str, node: yaml.Node) -> int:
    """Where the node's own text ends; a block's mark is past the comments that follow it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        return max(_end(text, child) for child in _children(node))
    end: int = node.end_mark.index
    while end > node.start_mark.index and text[end - 1] in "\r\n":
        end -= 1  # a literal block's mark is on the line below
    return end


def _children(node: yaml.CollectionNode) -> Iterator[yaml.Node]:
    for item in node.value:
        if isinstance(item, tuple):
            yield from item
        else:
            yield item


def _after_line(text: str, index: int, lines: Sequence[str], newline: str) -> str:
    """Put lines below the line that `index` is in, its comment included."""
    at = text.find("\n", index)
    if at < 0:
        return _appended(text, lines, newline)
    return text[: at + 1] + "".join(line + newline for line in lines) + text[at + 1 :]


def _appended(text: str, lines: Sequence[str], newline: str) -> str:
    gap = newline if text and not text.endswith("\n") else ""
    return text + gap + "".join(line + newline for line in lines)


def _block_lines(path: Path, value: object, column: int) -> list[str]:
    lines = []
    for depth, key in enumerate(path):
        lines.append(f"{' ' * (column + depth * _INDENT)}{inline_key(key)}:")
    if isinstance(value, dict) and value:
        below = column + len(path) * _INDENT
        for key, item in value.items():
            lines += _block_lines((str(key),), item, below)
    else:
        lines[-1] += f" {inline_yaml(value)}"
    return lines


def _flow_entry(path: Path, value: object) -> str:
    return f"{inline_key(path[0])}: {_flow_below(path[1:], value)}"


def _flow_below(path: Path, value: object) -> str:
    return "{" + _flow_entry(path, value) + "}" if path else inline_yaml(value)


def inline_key(key: str) -> str:
    """A key as it would stand in a file."""
    return key if _PLAIN.fullmatch(key) else _quoted(key)


def inline_yaml(value: object) -> str:
    """A value on one line, as it would stand behind its key."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(_flow_entry((str(k),), v) for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(inline_yaml(item) for item in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, str):
        is_plain = _PLAIN.fullmatch(value) and meaning(value) == value
        return value if is_plain else _quoted(value)
    return repr(value)


def _quoted(text: str) -> str:
    # JSON's quoting is YAML's, as long as no character has to be split in two.
    return json.dumps(text, ensure_ascii=not text.isprintable())
