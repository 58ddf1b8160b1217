"""Glob patterns for model names: checked with a column, matched without surprises.

`*` is anything (also ":" and "/"), `?` one character, `[abc]` one of a set, `[!abc]` or `[^abc]`
one outside it. Nothing is escaped. Knows nothing of models.
"""

import fnmatch
import re
from functools import lru_cache

from ollm_tui.core.error import PatternSyntaxError
from ollm_tui.core.text import clean_line

LENGTH_LIMIT = 200
_WILDCARDS = "*?["


def matches_pattern(name: str, pattern: str) -> bool:
    """Whether the whole of `name` matches, case included.

    Raises:
        PatternSyntaxError: the pattern means nothing.

    Source: design, Property 11.
    """
    return compile_pattern(pattern).match(name) is not None


@lru_cache(maxsize=2048)
def compile_pattern(pattern: str, *, ignore_case: bool = False) -> re.Pattern[str]:
    """Turn a glob into an anchored regular expression that cannot blow up.

    Raises:
        PatternSyntaxError: the pattern means nothing.
    """
    check_pattern(pattern)
    # Python's globs read [^a] as "^ or a"; shells, and everyone's fingers, as "not a".
    spelled = "".join(
        f"[!{token[2:]}" if token.startswith("[^") else token for token in _tokens(pattern)
    )
    return re.compile(fnmatch.translate(spelled), re.IGNORECASE if ignore_case else 0)


def check_pattern(pattern: str) -> tuple[str, ...]:
    """Check a glob and return remarks on what is allowed but hardly meant.

    Raises:
        PatternSyntaxError: blank, too long, a control character, or a set that is unclosed,
            empty or runs backwards; `column` counts from 1.
    """
    if not pattern.strip():
        raise PatternSyntaxError("The pattern is blank", pattern=pattern, column=1)
    if len(pattern) > LENGTH_LIMIT:
        raise PatternSyntaxError(
            f"The pattern is longer than {LENGTH_LIMIT} characters",
            pattern=pattern,
            column=LENGTH_LIMIT + 1,
        )
    column = 1
    for token in _tokens(pattern):
        if not token.isprintable():
            raise PatternSyntaxError(
                "The pattern has a control character", pattern=pattern, column=column
            )
        if len(token) > 1:
            _check_set(pattern, token, column)
        elif token == "[":
            raise _bad_set(pattern, column)
        column += len(token)
    return tuple(
        f"column {pattern.index(character) + 1}: {character!r} stands for itself in a pattern"
        for character in "{\\"
        if character in pattern
    )


def point_at(pattern: str, column: int) -> str:
    """The pattern on one line and a caret under `column` (from 1) on the next."""
    return f"{clean_line(pattern)}\n{' ' * (column - 1)}^"


def literal_prefix(pattern: str) -> str:
    """The part before the first wildcard: every match begins with it."""
    for index, character in enumerate(pattern):
        if character in _WILDCARDS:
            return pattern[:index]
    return pattern


def longest_literal(pattern: str) -> str:
    """The longest run of characters that stand for themselves: every match holds it."""
    runs = [""]
    for token in _tokens(pattern):
        if len(token) > 1 or token in _WILDCARDS:
            runs.append("")
        else:
            runs[-1] += token
    return max(runs, key=len)


def literal_count(pattern: str) -> int:
    """How many characters of the pattern stand for themselves."""
    return sum(1 for token in _tokens(pattern) if len(token) == 1 and token not in _WILDCARDS)


def _tokens(pattern: str) -> list[str]:
    """Split into single characters and whole sets; an unclosed "[" is a token of its own."""
    tokens = []
    index = 0
    while index < len(pattern):
        end = _set_end(pattern, index) if pattern[index] == "[" else index + 1
        tokens.append(pattern[index:end])
        index = end
    return tokens


def _set_end(pattern: str, start: int) -> int:
    """Where the set that opens at `start` ends (exclusive), or start + 1 when it does not."""
    body = start + 1
    if pattern[body : body + 1] in ("!", "^"):
        body += 1
    # A "]" in the first place belongs to the set.
    close = pattern.find("]", body + 1)
    return start + 1 if close < 0 else close + 1


def _bad_set(pattern: str, column: int) -> PatternSyntaxError:
    rest = pattern[column - 1 :]
    empty = rest.startswith(("[]", "[!]", "[^]"))
    message = "The set is empty" if empty else "The set that opens here is not closed by ]"
    return PatternSyntaxError(message, pattern=pattern, column=column)


def _check_set(pattern: str, token: str, column: int) -> None:
    skip = 2 if token[1] in "!^" else 1
    body = token[skip:-1]
    index = 0
    while index + 2 < len(body):
        if body[index + 1] == "-":
            if body[index] > body[index + 2]:
                raise PatternSyntaxError(
                    f"The range {body[index : index + 3]} runs backwards",
                    pattern=pattern,
                    column=column + skip + index,
                )
            index += 3
        else:
            index += 1
