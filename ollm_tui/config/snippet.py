"""The lines around a mistake, with a caret under it and without secrets, ready to print."""

import re
from collections.abc import Iterator

from ollm_tui.config.secret import redacted
from ollm_tui.core.text import clean_line

LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What ends a line for YAML 1.1, so that the numbers agree with the parser's."""
_COLUMNS = 100
_CONTEXT_LINES = 50
"""How far up to look for what makes a line a secret, such as `headers:`."""


def snippet(text: str, line: int, column: int) -> tuple[str, ...]:
    """One line of `text` with its neighbours, numbered, and a caret below it.

    Args:
        line: from 1.
        column: from 1, in characters.
    """
    first = max(line - 1, 1)
    context_from = max(first - _CONTEXT_LINES, 1)
    source = redacted(list(_lines(text, context_from, line + 1)))
    wanted = source[first - context_from :]
    left = max(column - _COLUMNS * 2 // 3, 0)
    width = len(str(line + 1))
    shown = []
    for number, content in enumerate(wanted, first):
        visible = clean_line(content[left : left + _COLUMNS])
        shown.append(f"{number:{width}} | {visible}".rstrip())
        if number == line:
            shown.append(f"{'':{width}} | {'':{column - 1 - left}}^")
    return tuple(shown)


def _lines(text: str, first: int, last: int) -> Iterator[str]:
    number, start = 1, 0
    for match in LINE_BREAK.finditer(text):
        if number >= first:
            yield text[start : match.start()]
        number, start = number + 1, match.end()
        if number > last:
            return
    if number >= first:
        yield text[start:]
