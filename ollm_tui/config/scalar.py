"""What a plain YAML scalar means here: YAML 1.1 without its traps.

`3:8`, `12:30`, `017`, `0x1F`, `1_000` and dates stay text; `1e3` is a number; yes, no, on and off
are booleans, which a place for text then refuses with the advice to quote them.
"""

import re

_WORDS: dict[str, object] = {"": None, "~": None}
for _value, _spellings in ((None, "null"), (True, "true yes on"), (False, "false no off")):
    for _word in _spellings.split():
        _WORDS |= dict.fromkeys((_word, _word.capitalize(), _word.upper()), _value)
for _word in (".inf", ".Inf", ".INF"):
    _WORDS |= {_word: float("inf"), f"+{_word}": float("inf"), f"-{_word}": float("-inf")}
_WORDS |= dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan"))

_START = frozenset("+-.0123456789")
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,99})")
_FLOAT = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")


def meaning(text: str) -> object:
    """What the unquoted `text` stands for: None, a bool, a number, or the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in _START:
        if _INTEGER.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            return float(text)
    return text
