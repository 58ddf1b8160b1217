"""`route test --update`: writes what is decided now into a scenario file, in place.

Every other line stays as it is, comments too. The result is read back and has to mean what was
asked for, else the file is left alone.
"""

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ollm_tui.cli.input_file import LIMIT_BYTES, LIMIT_NODES
from ollm_tui.config.atomic import write_atomically
from ollm_tui.config.document import Document, parse_document
from ollm_tui.config.edit import inline_yaml
from ollm_tui.config.node import Node
from ollm_tui.config.snippet import LINE_BREAK
from ollm_tui.core.error import ConfigError
from ollm_tui.routing.scenario import CaseResult, updated_expectation

_KEY = "expect"
_QUOTED = r'"(?:[^"\\]|\\.)*"|\'(?:[^\']|\'\')*\''
_COMMENT = r"(?:^|(?<=\s))#[^\n]*"
_TOKEN = re.compile(rf"{_QUOTED}|{_COMMENT}|[\[{{}}\]]", re.MULTILINE)


def update(document: Document, results: Sequence[CaseResult]) -> int:
    """Make every case of a file pass by expecting what is decided; returns how many changed.

    Raises:
        ConfigError: the file cannot be changed safely, or not be written; it is as it was.
    """
    wanted = {
        index: updated_expectation(result)
        for index, result in enumerate(results)
        if result.failures
    }
    if not wanted:
        return 0
    text = _edited(document, wanted)
    after = parse_document(text, document.path, limit_bytes=LIMIT_BYTES, limit_nodes=LIMIT_NODES)
    if after.problems or after.data != _expected(document.data, wanted):
        raise _refusal(document.path, "the file is laid out in an unusual way")
    path = Path(document.path)
    try:
        write_atomically(path, text.encode(), mode=path.stat().st_mode & 0o777)
    except OSError as error:
        raise _refusal(document.path, error.strerror or str(error)) from error
    return len(wanted)


def _expected(data: Any, wanted: Mapping[int, Mapping[str, Any]]) -> object:
    for index, expect in wanted.items():
        data["cases"][index][_KEY] = dict(expect)
    return data


class _Edit(NamedTuple):
    """Text to put in the place of another."""

    start: int
    end: int
    text: str


def _edited(document: Document, wanted: Mapping[int, Mapping[str, Any]]) -> str:
    layout = _Layout(document.text)
    root = document.root
    assert root is not None  # there were cases in it
    cases = root.value["cases"].value  # type: ignore[index]
    pieces = []
    done = 0
    for index, expect in sorted(wanted.items()):
        edit = _edit(layout, cases[index], inline_yaml(dict(expect)), document.path)
        pieces += [document.text[done : edit.start], edit.text]
        done = edit.end
    return "".join([*pieces, document.text[done:]])


def _edit(layout: "_Layout", case: Node, value: str, path: str) -> _Edit:
    """What makes a case expect `value`: in place of what it expected, else after its last key."""
    assert isinstance(case.value, dict)  # it was read as a case
    text = layout.text
    old = case.value.get(_KEY)
    if old is not None:
        start = text.index(":", layout.offset(old.key_line, old.key_column)) + 1
        end = layout.end(old)
        if any(token[0] == "#" for token in _TOKEN.findall(text[start:end])):
            where = f"{path}:{old.key_line}:{old.key_column}"
            raise _refusal(path, f"there are comments inside what is expected at {where}")
        return _Edit(start, end, f" {value}")
    at = layout.offset(case.line, case.column)
    if text[at] == "{":
        inside = text[at + 1 : layout.closing(at) - 1].rstrip()
        end = at + 1 + len(inside)
        comma = "" if not inside.strip() or inside.endswith(",") else ","
        return _Edit(end, end, f"{comma}{' ' if inside.strip() else ''}{_KEY}: {value}")
    last = list(case.value.values())[-1]
    end = layout.line_end(layout.line_of(layout.end(last)))
    newline = "\r\n" if "\r\n" in text else "\n"
    return _Edit(end, end, f"{newline}{' ' * (last.key_column - 1)}{_KEY}: {value}")


class _Layout:
    """Where lines and values begin and end in a YAML text."""

    def __init__(self, text: str) -> None:
        self.text = text
        breaks = [match.span() for match in LINE_BREAK.finditer(text)]
        self._starts = [0, *(end for _, end in breaks)]
        self._ends = [*(start for start, _ in breaks), len(text)]

    def offset(self, line: int, column: int) -> int:
        """The index of a place; lines and columns count from 1."""
        return self._starts[line - 1] + column - 1

    def line_end(self, line: int) -> int:
        """The index after a line's last character."""
        return self._ends[line - 1]

    def line_of(self, index: int) -> int:
        """The line that an index is in, from 1."""
        return bisect_right(self._starts, index)

    def end(self, node: Node) -> int:
        """Where the value of a key ends: at its bracket, or before what is indented less."""
        at = self.offset(node.line, node.column)
        if self.text[at : at + 1] in ("{", "["):
            return self.closing(at)
        end = self.line_end(node.key_line)
        for line in range(node.key_line + 1, len(self._starts) + 1):
            content = self.text[self._starts[line - 1] : self.line_end(line)]
            stripped = content.strip()
            if stripped and len(content) - len(content.lstrip(" ")) < node.key_column:
                break
            if stripped and not stripped.startswith("#"):
                end = self.line_end(line)
        return end

    def closing(self, opening: int) -> int:
        """The index after the bracket that closes the one at `opening`."""
        depth = 0
        for match in _TOKEN.finditer(self.text, opening):
            if match[0] in "[{":
                depth += 1
            elif match[0] in "]}":
                depth -= 1
                if not depth:
                    return match.end()
        return len(self.text)


def _refusal(path: str, why: str) -> ConfigError:
    return ConfigError(
        f"{path} cannot be updated",
        cause=why,
        actions=("Run without --update, and write down by hand what it should expect.",),
    )
