"""What must not be shown, and how it is hidden.

Only strings are secrets: `maxTokens: 4096` is a number and stays readable.
"""

import re
from collections.abc import Mapping, Sequence

from ollm_tui.config.node import Path

MASK = "•••"
_WORD = (
    r"(?<!max)(?<!max_)(?<!output)(?<!output_)token|key(?!s)|secret|passw|credential"
    r"|authori[sz]ation|cookie"
)
_NAME = re.compile(_WORD, re.IGNORECASE)
_NAMES_A_VARIABLE = frozenset({"apiKeyEnv", "api_key_env", "passwordEnv", "password_env"})
_VARIABLE = re.compile(r"""["']?[A-Z_][A-Z0-9_]*["']?\s*,?\s*(?:#.*)?""")
"""Anything else in that place is likely to be the key itself."""
_USERINFO = re.compile(r"(?<=//)[^/\s]+(?=@)")
_BARE_USERINFO = re.compile(r"^[^/\s]+(?=@)")
_PAIR = re.compile(
    r"""^(?P<head>\s*(?:-\s+)?["']?(?P<key>[^"'#:{}]+?)["']?\s*:\s*)(?P<tail>\S.*)$"""
)
_HEADERS = re.compile(r"""^\s*["']?headers["']?\s*:\s*(?:#.*|&\S+\s*)?$""")
_BRACED_HEADERS = re.compile(r"""(\bheaders["']?\s*:\s*\{)[^}]+""")
_OPEN_HEADERS = re.compile(r"""\bheaders["']?\s*:\s*\{[^}]*$""")
_TELLING = re.compile(rf"{_WORD}|headers|@", re.IGNORECASE)
"""Without any of these there is nothing to hide in a line."""
_LONG_LINE = 500
_SUSPICIOUS = re.compile(rf"{_WORD}|headers|\S@\S", re.IGNORECASE)
"""A line too long to take apart is shown only when nothing in it suggests a secret."""
_NUMBER = re.compile(r"[-+.\d]+,?\s*(#.*)?")
_INLINE = re.compile(
    rf"""(?P<head>(?P<key>[\w-]*(?:{_WORD})[\w-]*)["']?\s*:\s*)"""
    r"""(?![-+.\d]+\s*(?:[,}\]#]|$))[^,}\]]*""",
    re.IGNORECASE,
)


def is_secret(path: Path) -> bool:
    """Whether a string at `path` is a secret by its name."""
    if not path:
        return False
    if "headers" in path[:-1]:
        return True
    return path[0] in ("providers", "registries", "models") and bool(_NAME.search(path[-1]))


def masked(path: Path, value: object) -> object:
    """`value` as it may be shown: secrets and the credentials in addresses are replaced."""
    if isinstance(value, str):
        if is_secret(path):
            is_name = path[-1] in _NAMES_A_VARIABLE and _VARIABLE.fullmatch(value)
            return value if is_name else MASK
        if path and path[-1] == "host":
            value = _BARE_USERINFO.sub(MASK, value) if "//" not in value else value
        return _USERINFO.sub(MASK, value)
    if isinstance(value, Mapping):
        return {key: masked((*path, str(key)), item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [masked(path, item) for item in value]
    return value


def without_userinfo(text: str) -> str:
    """A text that quotes what somebody wrote, without the credentials of addresses in it."""
    return _USERINFO.sub(MASK, text)


def redacted(lines: Sequence[str]) -> list[str]:
    """Source lines as they may be shown, judged line by line because the file may be broken."""
    shown = []
    headers_indent: int | None = None
    in_braces = False
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if headers_indent is not None and line.strip() and indent <= headers_indent:
            headers_indent = None
        if in_braces:
            _, brace, rest = line.partition("}")
            line, in_braces = line[:indent] + MASK + brace + rest, not brace
        elif headers_indent is not None and line.strip():
            line = line[:indent] + MASK
        elif len(line) > _LONG_LINE:
            line = MASK if _SUSPICIOUS.search(line) else line
        else:
            if _HEADERS.match(line):
                headers_indent = indent
            in_braces = bool(_OPEN_HEADERS.search(line))
            line = _masked_line(line)
        shown.append(line)
    return shown


def _masked_line(line: str) -> str:
    if not _TELLING.search(line):
        return line
    line = _BRACED_HEADERS.sub(rf"\1{MASK}", line)
    pair = _PAIR.match(line)
    if pair and _hides(pair):
        line = pair["head"] + MASK
    return _USERINFO.sub(MASK, _INLINE.sub(_masked_inline, line))


def _masked_inline(pair: re.Match[str]) -> str:
    tail = pair[0][len(pair["head"]) :]
    is_name = pair["key"] in _NAMES_A_VARIABLE and _VARIABLE.fullmatch(tail)
    return pair[0] if is_name else pair["head"] + MASK


def _hides(pair: re.Match[str]) -> bool:
    key = pair["key"].strip()
    if not _NAME.search(key):
        return False
    if key in _NAMES_A_VARIABLE:
        return not _VARIABLE.fullmatch(pair["tail"])
    return not _NUMBER.fullmatch(pair["tail"])
