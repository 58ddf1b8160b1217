"""Strings that want to get at a terminal, at markup, at a layout; and the check that none did."""

import random
import unicodedata
from collections.abc import Callable, Iterator

from textual.app import App

from tests.painted import painted

MARK = "ZQ7"
"""Is in every string, so that a test can tell that it was shown at all."""

_JOINERS = "\u200c\u200d"  # which a person may paste, and terminals do not obey
_INVISIBLE = ("Cc", "Cf", "Cs", "Zl", "Zp")
_KINDS: tuple[Callable[[random.Random], str], ...] = (
    lambda some: f"\x1b[{some.randrange(30, 48)};1m{MARK}\x1b[2J\x1b[H",
    lambda some: f"\x1b]0;{MARK}\x07\x1b]8;;http://evil.example\x1b\\{MARK}\x1b]8;;\x1b\\",
    lambda some: f"\x1b]52;c;{MARK}AAAA\x1b\\{MARK}",
    lambda some: f"\x1b[6n\x1b[c\x1b[>0q\x1bP+q544e\x1b\\\x1bc{MARK}",
    lambda some: f"\x9b{some.randrange(30, 38)}m\x9d0;{MARK}\x9c\x90q\x9c{MARK}",
    lambda some: "".join(chr(some.randrange(32)) for _ in range(12)) + MARK + "\x7f\x08\x08",
    lambda some: f"{MARK}\r\nover\rwrite\n\n\tand\x0b\x0ctabs",
    lambda some: f"nul\x00{MARK}\x00\x00",
    lambda some: f"\u202e\u2066{MARK}\u202dgnp.exe\u2069\u061c\u200f",
    lambda some: f"zero\u200bwidth\u200c\u200d{MARK}\ufeff\u2060\u00ad\u034f",
    lambda some: f"{MARK}Z\u0351\u0327\u0316" + "\u0336" * some.randrange(3, 60),
    lambda some: f"[/x][/]{MARK}[bold red on blue][link=http://evil.example]",
    lambda some: f"[@click=app.hostile]{MARK}[/][@click=hostile()]x[/][@click='screen.hostile']y",
    lambda some: f"{MARK}[" + "[" * some.randrange(5) + "\\[/\\]]$text {0} {name} %s %n",
    lambda some: MARK + "x" * some.choice((600, 5_000, 40_000)),
    lambda some: f"{MARK} שלום עולם مرحبا بالعالم",
    lambda some: f"{MARK}漢字テスト한국어👩\u200d👩\u200d👧\U0001f3f3\ufe0f\u200d🌈",
    lambda some: f"line\u2028{MARK}para\u2029\x85next",
    lambda some: f"\ud800{MARK}\udfff\U000e0041\U000e007f\ufff9\u3164\uffa0",
    lambda some: f"'\"`;$(touch {MARK}) ../../{MARK} -rf --yes\\",
    lambda some: "".join(chr(some.randrange(1, 0x3000)) for _ in range(20)) + MARK,
)


def strings(count: int, seed: int = 1) -> list[str]:
    """So many, the first of each kind; always the same for a seed."""
    some = random.Random(seed)
    return [_KINDS[index % len(_KINDS)](some) for index in range(count)]


def unsafe(text: str, *, allowed: str = "") -> list[str]:
    """The characters of a text that a terminal obeys or nobody sees, with their neighbourhood."""
    found = []
    for at, letter in enumerate(text):
        if letter not in allowed and unicodedata.category(letter) in _INVISIBLE:
            found.append(f"{letter!r} in {text[max(0, at - 20) : at + 20]!r}")
    return found


def on_screen(app: App[None]) -> Iterator[str]:
    """What is wrong with what is drawn now: unsafe characters, foreign links and actions."""
    width = app.size.width
    for strip in painted(app):
        for segment in strip:
            if segment.control:
                yield f"control segment {segment!r}"
            yield from unsafe(segment.text, allowed=_JOINERS)
            style = segment.style
            if style is not None and style.link:
                yield f"link {style.link!r} on {segment.text!r}"
            if style is not None and "hostile" in str(style.meta):
                yield f"action {style.meta!r} on {segment.text!r}"
        if strip.cell_length > width:
            yield f"a line of {strip.cell_length} cells: {strip.text!r}"
