"""One value and where it was written: what every source is read into.

Knows nothing of files, of YAML or of which keys exist.
"""

from collections.abc import Iterator, Mapping

Path = tuple[str, ...]
"""The keys that lead to a setting, outermost first."""


class Node:
    """A value with its place. Mappings hold nodes by key, lists hold nodes; all else is a scalar.

    Attributes:
        value: dict[str, Node], list[Node], str, int, float, bool or None.
        line: where the value starts, from 1; 0 when it is not from a file.
        column: likewise, in characters.
        key: the key that leads here, as its author spelt it.
        key_line: where that key starts.
        key_column: likewise.
        label: the place in words when it is not a file: `--host`, `env OLLM_HOST`.
    """

    __slots__ = ("column", "key", "key_column", "key_line", "label", "line", "value")

    def __init__(self, value: object, line: int = 0, column: int = 0, label: str = "") -> None:
        self.value = value
        self.line = line
        self.column = column
        self.label = label
        self.key = ""
        self.key_line = self.key_column = 0

    def under(self, key: str, line: int, column: int) -> "Node":
        """The same value reached through another key."""
        twin = Node(self.value, self.line, self.column, self.label)
        twin.key, twin.key_line, twin.key_column = key, line, column
        return twin


def plain(node: Node) -> object:
    """The value with every node taken out: dicts, lists and scalars."""
    value = node.value
    if isinstance(value, dict):
        return {key: plain(child) for key, child in value.items()}
    if isinstance(value, list):
        return [plain(child) for child in value]
    return value


def planted(data: object, label: str = "") -> Node:
    """Plain data as nodes, all with the same place in words."""
    if isinstance(data, Mapping):
        children = {}
        for key, value in data.items():
            child = planted(value, label)
            child.key = str(key)
            children[str(key)] = child
        return Node(children, label=label)
    if isinstance(data, list | tuple):
        return Node([planted(item, label) for item in data], label=label)
    return Node(data, label=label)


def branch(node: Node, key: str) -> Node | None:
    """The node under `key`, or None."""
    value = node.value
    return value.get(key) if isinstance(value, dict) else None


def entries(node: Node | None) -> Mapping[str, Node]:
    """The children of a mapping; none when there is no mapping."""
    return node.value if node is not None and isinstance(node.value, dict) else {}


def find(root: Node, path: Path) -> Node | None:
    """The node at `path`, or None."""
    node: Node | None = root
    for key in path:
        if node is None:
            return None
        node = branch(node, key)
    return node


def remove(root: Node, path: Path) -> None:
    """Take out the node at `path`; nothing happens when it is not there."""
    parent = find(root, path[:-1])
    if parent is not None and isinstance(parent.value, dict):
        parent.value.pop(path[-1], None)


def leaves(node: Node, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """Every scalar, list and empty mapping below `node`, in order."""
    value = node.value
    if isinstance(value, dict) and value:
        for key, child in value.items():
            yield from leaves(child, (*path, key))
    else:
        yield path, node


def dotted(path: Path) -> str:
    """The path as one word: `options.topP`, `models."llama3.1:*".topP`."""
    return ".".join(key if _is_plain(key) else f'"{key}"' for key in path)


def _is_plain(key: str) -> bool:
    return bool(key) and key.replace("-", "").replace("_", "").isalnum()
