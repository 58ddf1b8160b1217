"""The one sanitiser for every string from outside: wire, registry, configuration, exceptions.

Terminals obey control bytes and no widget filters them, so they are taken out here, once.
Knows nothing of markup: who draws decides how to draw literally.
"""

import re

REPLACEMENT = "\ufffd"
LINE_LIMIT = 512
BLOCK_LIMIT = 1_000_000

# C0, DEL, C1; soft hyphen, Arabic letter mark; zero-width and bidirectional controls; line and
# paragraph separators; byte-order mark; lone surrogates; interlinear annotations; tags.
_UNSAFE = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ud800-\udfff\ufff9-\ufffb\U000e0000-\U000e0fff"
)
_UNSAFE_CHARACTER = re.compile(f"[{_UNSAFE}]")
_LINE_BREAK = re.compile(r"\r\n|[\n\r\t\v\f\x85]")
# More than two combining marks in a row spell nothing; they are drawn over neighbouring rows.
_MARK = "[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]"
_STACKED_MARKS = re.compile(f"({_MARK}{{2}}){_MARK}+")


def clean_line(text: str, limit: int = LINE_LIMIT) -> str:
    """Return `text` as one line that is safe to print.

    Line breaks and tabs become a space, any other control or invisible character U+FFFD.

    Args:
        text: any string, hostile ones included.
        limit: longest result in characters; a cut ends in an ellipsis.
    """
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    if text.isascii() and text.isprintable():
        return text
    text = _UNSAFE_CHARACTER.sub(REPLACEMENT, _LINE_BREAK.sub(" ", text))
    return _STACKED_MARKS.sub(r"\1", text)


def clean_block(text: str, limit: int = BLOCK_LIMIT) -> str:
    """Return `text` safe to print over several lines: newlines stay, a tab becomes four spaces.

    Args:
        text: any string, such as a licence or a template.
        limit: longest result in characters; a cut ends in an ellipsis on a line of its own.
    """
    if len(text) > limit:
        text = text[:limit] + "\n…"
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ")
    return _STACKED_MARKS.sub(r"\1", _UNSAFE_CHARACTER.sub(REPLACEMENT, text))
