"""YAML text to nodes: plain values with the line and column of every one.

Used for configuration and for scenario files. Reads the parser's events itself, so that a
hostile file is refused at the first event too many: deep nesting, alias bombs and loops,
duplicate keys, a second document, sizes. Knows nothing of which keys exist.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ollm_tui.config.node import Node, find, plain
from ollm_tui.config.problem import ConfigProblem, Place
from ollm_tui.config.secret import redacted

CONFIG_LIMIT_BYTES = 1 << 20
"""Source: ruling Z23; scenarios and model snapshots may have 64 MiB."""
CONFIG_LIMIT_NODES = 50_000
MAX_DEPTH = 50
MAX_ALIASES = 100
MAX_ALIASED_NODES = 10_000
_SNIPPET_COLUMNS = 100
_REDACTION_CONTEXT_LINES = 50

_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_UNPRINTABLE = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


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

    def snippet(self, line: int, column: int) -> tuple[str, ...]:
        """The lines around a place with a caret under it, without secrets, ready to print."""
        return _snippet(self.text, line, column)


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
        return Document(path, text, None, (_with_snippet(refusal, text),))
    from ollm_tui.config.yaml_reader import read_nodes

    root, problems = read_nodes(text, path, limit_nodes)
    if problems:
        shown = tuple(_with_snippet(problem, text) for problem in problems)
        return Document(path, text, None, shown)
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
                _place_at(before, len(before), path),
                detail=f"Byte 0x{raw[error.start]:02x} at offset {error.start}",
                remedy="Save it as UTF-8.",
            )
    else:
        text = raw.removeprefix("\ufeff")
    bad = _UNPRINTABLE.search(text)
    if bad is None:
        return text, None
    return text, ConfigProblem(
        "The file has a character that YAML does not allow",
        _place_at(text, bad.start(), path),
        detail=f"U+{ord(bad[0]):04X} at offset {bad.start()}",
        remedy="Delete it; in double quotes it can be written as an escape.",
    )


def _place_at(text: str, offset: int, path: str) -> Place:
    line, start = 1, 0
    for match in _LINE_BREAK.finditer(text, 0, offset):
        line, start = line + 1, match.end()
    return Place(path, line, offset - start + 1)


def _with_snippet(problem: ConfigProblem, text: str) -> ConfigProblem:
    if not text:
        return problem
    return replace(problem, snippet=_snippet(text, problem.place.line, problem.place.column))


def _snippet(text: str, line: int, column: int) -> tuple[str, ...]:
    first = max(line - 1, 1)
    context_from = max(first - _REDACTION_CONTEXT_LINES, 1)
    source = redacted(list(_lines(text, context_from, line + 1)))
    wanted = source[first - context_from :]
    left = max(column - _SNIPPET_COLUMNS * 2 // 3, 0)
    width = len(str(line + 1))
    shown = []
    for number, content in enumerate(wanted, first):
        visible = _UNPRINTABLE.sub("\ufffd", content[left : left + _SNIPPET_COLUMNS])
        shown.append(f"{number:{width}} | {visible}".replace("\t", " ").rstrip())
        if number == line:
            shown.append(f"{'':{width}} | {'':{column - 1 - left}}^")
    return tuple(shown)


def _lines(text: str, first: int, last: int) -> Iterator[str]:
    number, start = 1, 0
    for match in _LINE_BREAK.finditer(text):
        if number >= first:
            yield text[start : match.start()]
        number, start = number + 1, match.end()
        if number > last:
            return
    if number >= first:
        yield text[start:]
