"""YAML text to nodes: plain values with the line and column of every one.

Used for configuration and for scenario files. Reads the parser's events itself, so that a
hostile file is refused at the first event too many: deep nesting, alias bombs and loops,
duplicate keys, a second document, sizes. Knows nothing of which keys exist.
"""

import codecs
from dataclasses import dataclass, field, replace

from ollm_tui.config.node import Node, find, plain
from ollm_tui.config.problem import ConfigProblem, Place
from ollm_tui.config.snippet import LINE_BREAK

CONFIG_LIMIT_BYTES = 1 << 20
"""Source: ruling Z23; scenarios and model snapshots may have 64 MiB."""
CONFIG_LIMIT_NODES = 50_000
MAX_DEPTH = 50
MAX_ALIASES = 100
MAX_ALIASED_NODES = 10_000


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was read, or refused.

    Attributes:
        path: as shown to people.
        text: the source without a byte-order mark.
        root: the whole as a node; None when the file is empty or was refused.
        problems: why it was refused; empty when it is good.
    """

    path: str
    text: str = field(repr=False)
    root: Node | None = None
    problems: tuple[ConfigProblem, ...] = ()

    @property
    def data(self) -> object:
        """The values alone: dicts, lists and scalars; None when there are none."""
        return plain(self.root) if self.root is not None else None

    def place(self, path: tuple[str | int, ...]) -> Place:
        """Where the value at `path` stands; where its nearest parent does when it is missing."""
        node = self.root
        for key in path:
            child: Node | None = None
            if node is not None and isinstance(node.value, list) and isinstance(key, int):
                child = node.value[key] if key < len(node.value) else None
            elif node is not None and isinstance(key, str):
                child = find(node, (key,))
            if child is None:
                break
            node = child
        return Place(self.path, node.line, node.column) if node else Place(self.path, 1, 1)


def parse_document(
    raw: bytes | str,
    path: str,
    *,
    limit_bytes: int = CONFIG_LIMIT_BYTES,
    limit_nodes: int = CONFIG_LIMIT_NODES,
) -> Document:
    """Read YAML; never raises: what cannot be read is in the result's problems.

    Args:
        raw: the file's bytes, or its text.
        path: how to name the file to people.
        limit_bytes: refuse more than this.
        limit_nodes: refuse a file with more values than this.
    """
    text, refusal = _decode(raw, path, limit_bytes)
    if refusal is not None:
        return Document(path, text, None, (replace(refusal, source=text),))
    from ollm_tui.config.yaml_reader import read_nodes

    root, problems = read_nodes(text, path, limit_nodes)
    if problems:
        located = tuple(replace(problem, source=text) for problem in problems)
        return Document(path, text, None, located)
    return Document(path, text, root)


def _decode(raw: bytes | str, path: str, limit_bytes: int) -> tuple[str, ConfigProblem | None]:
    size_bytes = len(raw)
    if size_bytes > limit_bytes:
        return "", ConfigProblem(
            "The file is too large",
            Place(path, 1, 1),
            detail=f"It has {size_bytes:,} bytes or more; {limit_bytes:,} are allowed",
            remedy="Check that it is the file you meant.",
        )
    if isinstance(raw, bytes):
        raw = raw.removeprefix(codecs.BOM_UTF8)
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            before = raw[: error.start].decode("utf-8")
            return before, ConfigProblem(
                "The file is not UTF-8 text",
                place_at(before, len(before), path),
                detail=f"Byte 0x{raw[error.start]:02x} at offset {error.start}",
                remedy="Save it as UTF-8.",
            )
    else:
        text = raw.removeprefix("\ufeff")
    return text, None


def place_at(text: str, offset: int, path: str) -> Place:
    """The line and column of a character."""
    line, start = 1, 0
    for match in LINE_BREAK.finditer(text, 0, offset):
        line, start = line + 1, match.end()
    return Place(path, line, offset - start + 1)
