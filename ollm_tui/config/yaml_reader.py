"""The parser's events to nodes, one at a time, within limits.

Mapping keys are always text, as written: `on:` and `1:` are the keys "on" and "1".
"""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

import yaml

from ollm_tui.config.document import MAX_ALIASED_NODES, MAX_ALIASES, MAX_DEPTH, place_at
from ollm_tui.config.node import Node
from ollm_tui.config.problem import MAX_PROBLEMS, ConfigProblem, Place
from ollm_tui.config.scalar import meaning

LOADER: type[yaml.CSafeLoader] | type[yaml.SafeLoader] = getattr(
    yaml, "CSafeLoader", yaml.SafeLoader
)
_TEXT_TAGS = frozenset({"!", "tag:yaml.org,2002:str"})
_NOT_ALLOWED = "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
"""Not compiled before it is needed: that takes 20 ms."""
_NO_SPACE = re.compile(r"^\s*(?:-\s+)?([\w.-]+):(?=[^\s:/])")


class _Refused(Exception):
    """The document cannot be read any further."""

    def __init__(self, problem: ConfigProblem) -> None:
        self.problem = problem


class _Frame:
    """A mapping or list that is still open."""

    __slots__ = ("anchor", "children", "height", "items", "key", "key_column", "key_line", "node",
                 "size", "wants_key")  # fmt: skip

    def __init__(self, node: Node, anchor: str | None = None) -> None:
        self.node = node
        self.anchor = anchor
        value = node.value
        self.children: dict[str, Node] | None = value if isinstance(value, dict) else None
        self.items: list[Node] | None = value if isinstance(value, list) else None
        self.wants_key = self.children is not None
        self.key = ""
        self.key_line = self.key_column = 0
        self.size = 1
        self.height = 1


class _Anchored(NamedTuple):
    """What an alias stands for."""

    node: Node
    size: int
    height: int


def read_nodes(text: str, path: str, limit_nodes: int) -> tuple[Node | None, list[ConfigProblem]]:
    """Build the nodes of one document.

    Returns:
        The root, None for an empty document, and the problems in order; with any problem the
        root is worth nothing.
    """
    reader = _Reader(text, path, limit_nodes)
    try:
        reader.run()
    except _Refused as refused:
        reader.problems.append(refused.problem)
    except yaml.MarkedYAMLError as error:
        reader.problems.append(_syntax_problem(error, text, path, reader.innermost()))
    except yaml.reader.ReaderError:
        reader.problems.append(_character_problem(text, path))
    except (yaml.YAMLError, ValueError) as error:
        # The pure Python parser lets chr() complain about an impossible escape.
        reader.problems.append(
            ConfigProblem("The YAML cannot be read", Place(path, 1, 1), detail=str(error))
        )
    return reader.root, reader.problems


class _Reader:
    def __init__(self, text: str, path: str, limit_nodes: int) -> None:
        self.problems: list[ConfigProblem] = []
        self._loader = LOADER(text)
        self._path = path
        self._limit_nodes = limit_nodes
        self._top = _Frame(Node([]))
        self._stack = [self._top]
        self._anchors: dict[str, _Anchored | None] = {}
        self._nodes = self._aliases = self._aliased_nodes = self._documents = 0

    @property
    def root(self) -> Node | None:
        """What the document is, once it has been read."""
        documents = self._stack[0].items
        return documents[0] if documents else None

    def innermost(self) -> Node | None:
        """The list or mapping that is still open, if any."""
        return self._top.node if len(self._stack) > 1 else None

    def run(self) -> None:
        next_event = self._loader.get_event
        scalar_event = yaml.ScalarEvent
        while (event := next_event()) is not None:
            if event.__class__ is not scalar_event:
                if handler := _HANDLERS.get(event.__class__):
                    handler(self, event)
                continue
            # Two events of three are scalars: no calls here that can be spared.
            mark = event.start_mark
            assert mark is not None
            line, column = mark.line + 1, mark.column + 1
            text, tag, frame = event.value, event.tag, self._top
            if tag is not None and tag not in _TEXT_TAGS:
                raise self._tag_refused(tag, line, column)
            if frame.wants_key:
                frame.key, frame.key_line, frame.key_column = text, line, column
                frame.wants_key = False
                if event.anchor is not None:
                    self._anchors[event.anchor] = _Anchored(Node(text, line, column), 1, 1)
                continue
            is_plain = tag is None and event.implicit[0]
            node = Node(meaning(text) if is_plain else text, line, column)
            if event.anchor is not None:
                self._anchors[event.anchor] = _Anchored(node, 1, 1)
            frame.size += 1
            self._put(node)

    def _start_mapping(self, event: yaml.MappingStartEvent) -> None:
        self._open(event, {})

    def _start_list(self, event: yaml.SequenceStartEvent) -> None:
        self._open(event, [])

    def _open(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent, value: object) -> None:
        line, column = _start(event)
        if event.tag is not None:
            raise self._tag_refused(event.tag, line, column)
        if self._top.wants_key:
            raise self._refused("A key must be a word, not a list or a mapping", line, column)
        if len(self._stack) > MAX_DEPTH:
            raise self._too_deep(line, column)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._top = _Frame(Node(value, line, column), event.anchor)
        self._stack.append(self._top)

    def _end(self, _event: object) -> None:
        frame = self._stack.pop()
        self._top = self._stack[-1]
        if frame.anchor is not None:
            self._anchors[frame.anchor] = _Anchored(frame.node, frame.size, frame.height)
        self._grow(frame.size, frame.height)
        self._put(frame.node)

    def _alias(self, event: yaml.AliasEvent) -> None:
        line, column = _start(event)
        name = event.anchor
        if self._top.wants_key:
            raise self._refused("A key cannot be an alias", line, column)
        if name not in self._anchors:
            raise self._refused(f"Nothing is named &{name} before this", line, column)
        known = self._anchors[name]
        if known is None:
            raise self._refused(f"*{name} stands inside the value that it names", line, column)
        self._aliases += 1
        self._aliased_nodes += known.size
        if self._aliases > MAX_ALIASES or self._aliased_nodes > MAX_ALIASED_NODES:
            limits = f"{MAX_ALIASES} aliases, or {MAX_ALIASED_NODES:,} values through aliases"
            raise self._refused(f"More than {limits}", line, column)
        if len(self._stack) - 1 + known.height > MAX_DEPTH + 1:
            raise self._too_deep(line, column)
        self._grow(known.size, known.height)
        self._put(known.node)

    def _start_document(self, event: yaml.DocumentStartEvent) -> None:
        self._documents += 1
        if self._documents > 1:
            raise self._refused(
                "A second document starts here; only one is read",
                *_start(event),
                "Delete the `---` or move what follows into a file of its own.",
            )

    def _grow(self, size: int, height: int) -> None:
        self._top.size += size
        self._top.height = max(self._top.height, height + 1)

    def _put(self, node: Node) -> None:
        """Put a finished value where it belongs."""
        self._nodes += 1
        if self._nodes > self._limit_nodes:
            raise self._refused(f"More than {self._limit_nodes:,} values", node.line, node.column)
        frame = self._top
        children = frame.children
        if children is None:
            if frame.items is not None:
                frame.items.append(node)
            return
        key, line, column = frame.key, frame.key_line, frame.key_column
        frame.wants_key = True
        if key in children:
            self._duplicate(key, line, column, children[key])
            return
        if key == "<<":
            raise self._refused("Merge keys (<<) are not read", line, column, "Write the keys out.")
        if node.key:  # reached through an alias before
            node = node.under(key, line, column)
        node.key, node.key_line, node.key_column = key, line, column
        children[key] = node

    def _duplicate(self, key: str, line: int, column: int, first: Node) -> None:
        if len(self.problems) >= MAX_PROBLEMS:
            return
        self.problems.append(
            ConfigProblem(
                f"The key {key!r} is there twice",
                Place(self._path, line, column),
                detail=f"It is first on line {first.key_line}, again on line {line}",
                remedy="Delete one of them.",
            )
        )

    def _too_deep(self, line: int, column: int) -> _Refused:
        return self._refused(f"More than {MAX_DEPTH} levels of nesting", line, column)

    def _tag_refused(self, tag: str, line: int, column: int) -> _Refused:
        return self._refused(
            f"The tag {tag} is not read", line, column, "Write the plain value without it."
        )

    def _refused(self, sentence: str, line: int, column: int, remedy: str = "") -> _Refused:
        place = Place(self._path, line, column)
        return _Refused(ConfigProblem(sentence, place, remedy=remedy or "Simplify the file."))


_HANDLERS: Mapping[type, Callable[..., None]] = {
    yaml.MappingStartEvent: _Reader._start_mapping,
    yaml.SequenceStartEvent: _Reader._start_list,
    yaml.MappingEndEvent: _Reader._end,
    yaml.SequenceEndEvent: _Reader._end,
    yaml.AliasEvent: _Reader._alias,
    yaml.DocumentStartEvent: _Reader._start_document,
}
"""Of the class, not bound: a reader that refers to itself would outlive its use."""


def _start(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    assert mark is not None  # every event of a parser has one
    return mark.line + 1, mark.column + 1


def _character_problem(text: str, path: str) -> ConfigProblem:
    bad = re.search(_NOT_ALLOWED, text)
    offset = bad.start() if bad else 0
    return ConfigProblem(
        "The file has a character that YAML does not allow",
        place_at(text, offset, path),
        detail=f"U+{ord(bad[0]):04X} at offset {offset}" if bad else "",
        remedy="Delete it; in double quotes it can be written as an escape.",
    )


def _syntax_problem(
    error: yaml.MarkedYAMLError, text: str, path: str, innermost: Node | None
) -> ConfigProblem:
    mark, opening = error.problem_mark, error.context_mark
    lines = text.splitlines()
    said = error.problem or "not valid YAML"
    if opening is not None and "quoted scalar" in (error.context or ""):
        mark = opening  # the parser complains at the end of the file, which helps nobody
    line, column = (mark.line, mark.column) if mark else (0, 0)
    while line > 0 and line >= len(lines):
        line -= 1
        column = len(lines[line]) if line < len(lines) else 0
    content = lines[line] if line < len(lines) else ""
    previous = lines[line - 1] if 0 < line <= len(lines) else ""
    return ConfigProblem(
        "The YAML cannot be read",
        Place(path, line + 1, column + 1),
        detail=f"The parser says: {said}",
        remedy=_likely_fix(error, content, previous, column, innermost),
    )


def _likely_fix(
    error: yaml.MarkedYAMLError, content: str, previous: str, column: int, innermost: Node | None
) -> str:
    context = error.context or ""
    if "\t" in content[: len(content) - len(content.lstrip())]:
        return "Indent with spaces: YAML does not allow tabs."
    if "flow" in context and innermost is not None:
        bracket = "]" if isinstance(innermost.value, list) else "}"
        at = f"line {innermost.line}, column {innermost.column}"
        return f"Close the bracket opened at {at} with `{bracket}`."
    if "quoted scalar" in context:
        if "escape" in (error.problem or ""):
            return "Use single quotes, where a backslash is just a backslash."
        return "Close the quote opened here."
    for line in (content, previous):
        missing = _NO_SPACE.match(line)
        if missing:
            return f"Put a space after the colon of `{missing[1]}:`."
    if "mapping values" in (error.problem or ""):
        if previous.strip() and ":" not in previous and not previous.lstrip().startswith("#"):
            return f"Write `{previous.strip()[:40]}` as `key: value`."
        return "Quote the value if it has a colon in it, and check the indentation."
    if content[column : column + 1] in ("@", "`", "%", "*", "&", "!", "|", ">"):
        return f"Quote the value: it starts with `{content[column]}`."
    return "Check the indentation of this line and of the one above."
