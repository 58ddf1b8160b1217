"""What must not be shown, and how it is hidden.

Only strings are secrets: `maxTokens: 4096` is a number and stays readable.
"""

import re
from collections.abc import Mapping, Sequence

from ollm_tui.config.node import Path

MASK = "•••"
_WORD = r"(?<!max)(?<!max_)token|key(?!s)|secret|passw|credential|authori[sz]ation|cookie"
_NAME = re.compile(_WORD, re.IGNORECASE)
_NOT_SECRET = frozenset({"apiKeyEnv", "api_key_env"})
_USERINFO = re.compile(r"(?<=//)[^/\s]+(?=@)")
_BARE_USERINFO = re.compile(r"^[^/\s]+(?=@)")
_PAIR = re.compile(
    r"""^(?P<head>\s*(?:-\s+)?["']?(?P<key>[^"'#:{}]+?)["']?\s*:\s*)(?P<tail>\S.*)$"""
)
_NUMBER = re.compile(r"[-+.\d]+,?\s*(#.*)?")
_INLINE = re.compile(
    rf"""(?P<head>(?P<key>[\w-]*(?:{_WORD})[\w-]*)["']?\s*:\s*)"""
    r"""(?![-+.\d]+\s*(?:[,}\]#]|$))[^,}\]]*""",
    re.IGNORECASE,
)


def is_secret(path: Path) -> bool:
    """Whether a string at `path` is a secret by its name."""
    if not path or path[-1] in _NOT_SECRET:
        return False
    if "headers" in path[:-1]:
        return True
    return path[0] in ("providers", "models") and bool(_NAME.search(path[-1]))


def masked(path: Path, value: object) -> object:
    """`value` as it may be shown: secrets and the credentials in addresses are replaced."""
    if isinstance(value, str):
        if is_secret(path):
            return MASK
        if path and path[-1] == "host":
            value = _BARE_USERINFO.sub(MASK, value) if "//" not in value else value
        return _USERINFO.sub(MASK, value)
    if isinstance(value, Mapping):
        return {key: masked((*path, str(key)), item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [masked(path, item) for item in value]
    return value


def redacted(lines: Sequence[str]) -> list[str]:
    """Source lines as they may be shown, judged line by line because the file may be broken."""
    shown = []
    headers_indent: int | None = None
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if headers_indent is not None and line.strip() and indent <= headers_indent:
            headers_indent = None
        pair = _PAIR.match(line)
        if line.strip().rstrip(":").strip("\"'") == "headers":
            headers_indent = indent
        elif pair and _hides(pair, inside_headers=headers_indent is not None):
            line = pair["head"] + MASK
        elif headers_indent is not None and line.strip():
            line = line[:indent] + MASK
        shown.append(_USERINFO.sub(MASK, _INLINE.sub(_masked_inline, line)))
    return shown


def _masked_inline(pair: re.Match[str]) -> str:
    return pair[0] if pair["key"] in _NOT_SECRET else pair["head"] + MASK


def _hides(pair: re.Match[str], *, inside_headers: bool) -> bool:
    key = pair["key"].strip()
    if key in _NOT_SECRET:
        return False
    if inside_headers or key == "headers":
        return True
    return bool(_NAME.search(key)) and not _NUMBER.fullmatch(pair["tail"])
