"""The one sanitiser for every string from outside: wire, registry, configuration, exceptions.

Terminals obey control bytes and no widget filters them, so they are taken out here, once.
Knows nothing of markup: who draws decides how to draw literally.
"""

import re
from functools import cache

REPLACEMENT = "\ufffd"
LINE_LIMIT = 512
BLOCK_LIMIT = 1_000_000

# C0, DEL, C1; soft hyphen, grapheme joiner, Arabic letter mark, Hangul fillers, unwritten Khmer
# vowels, Mongolian and zero-width separators; bidirectional controls; line and paragraph
# separators; byte-order mark; lone surrogates; interlinear annotations and their neighbours;
# controls of shorthand and of music; tags and variation selectors.
_UNSAFE = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_LINE_BREAK = re.compile(r"\r\n|[\n\r\t\v\f\x85]")
# More than two combining marks in a row spell nothing; they are drawn over neighbouring rows.
# (General ones, and those of Cyrillic, Hebrew, Arabic, Devanagari, Thai, Lao and Japanese.)
_MARK = (
    "[\u0300-\u034e\u0350-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
    "\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u0900-\u0902\u093c\u0941-\u0948\u094d"
    "\u0951-\u0957\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\u3099\u309a\ufe00-\ufe0f\ufe20-\ufe2f]"
)
_JOINERS = "\u200c\u200d\ufe0e\ufe0f"


# Compiled on first need: these take a millisecond, and most text is plain.


@cache
def _unsafe_character() -> re.Pattern[str]:
    return re.compile(f"[{_UNSAFE}]")


@cache
def _stacked_marks() -> re.Pattern[str]:
    return re.compile(f"({_MARK}{{2}}){_MARK}+")


def is_visible(letter: str) -> bool:
    """Whether a character is seen, or is the space: no terminal obeys it, no reader misses it."""
    return letter.isprintable() and not _unsafe_character().match(letter)


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
    text = _unsafe_character().sub(REPLACEMENT, _LINE_BREAK.sub(" ", text))
    return _stacked_marks().sub(r"\1", text)


def clean_block(text: str, limit: int = BLOCK_LIMIT) -> str:
    """Return `text` safe to print over several lines: newlines stay, a tab becomes four spaces.

    Args:
        text: any string, such as a licence or a template.
        limit: longest result in characters; a cut ends in an ellipsis on a line of its own.
    """
    is_cut = len(text) > limit
    text = text[:limit].replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ")
    text = _stacked_marks().sub(r"\1", _unsafe_character().sub(REPLACEMENT, text))
    if is_cut or len(text) > limit:
        text = text[: limit - 2] + "\n…"
    return text


def clean_pasted(text: str) -> str:
    """As `clean_block`, but what joins letters in scripts and emoji stays, for prompts need it."""
    return "".join(
        part if part in _JOINERS else clean_block(part)
        for part in re.split(f"([{_JOINERS}])", text)
        if part
    )
