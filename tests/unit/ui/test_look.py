"""The kept look, what a terminal can show, and the screen in ASCII."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.theme import BUILTIN_THEMES

from ollm_tui.ui import look as looks
from ollm_tui.ui.ascii_only import AsciiOnly, in_ascii
from ollm_tui.ui.look import Look, LookFile, is_ascii_only, usual_theme


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    file = LookFile(tmp_path / "new" / "look.json")
    assert file.read() == Look()
    file.write(Look("nord", "SIZE", True))
    assert file.read() == Look("nord", "SIZE", True)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"theme": 3, "sort": null, "reversed": "yes"}',
        b"[" * 60_000,
        b'{"theme": "' + b"x" * 65 + b'"}',
        b" " * 70_000,
    ],
)
def test_a_file_that_makes_no_sense_is_no_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "look.json"
    path.write_bytes(content)
    assert LookFile(path).read() == Look()


def test_nowhere_to_keep_it_is_fine() -> None:
    LookFile(None).write(Look("nord"))
    assert LookFile(None).read() == Look()


def test_the_usual_themes_exist() -> None:
    assert {looks.DARK, looks.LIGHT, looks.TERMINAL} <= set(BUILTIN_THEMES)


@pytest.mark.parametrize(
    ("environment", "theme"),
    [
        ({"TERM": "xterm-256color"}, looks.DARK),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, looks.DARK),
        ({"TERM": "xterm-kitty"}, looks.DARK),
        ({"TERM": "xterm"}, looks.TERMINAL),
        ({"TERM": "screen"}, looks.TERMINAL),
        ({"TERM": "xterm-16color"}, looks.TERMINAL),
        ({}, looks.DARK),
    ],
)
def test_few_colours_are_the_terminals_own(environment: dict[str, str], theme: str) -> None:
    assert usual_theme(environment) == theme


@pytest.mark.parametrize(
    ("environment", "is_plain"),
    [
        ({}, False),
        ({"LANG": "en_GB.UTF-8"}, False),
        ({"LANG": "de_DE.utf8"}, False),
        ({"LC_CTYPE": "UTF-8"}, False),
        ({"LANG": "de_DE.ISO-8859-1"}, True),
        ({"LANG": "C"}, True),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, True),
        ({"LANG": "C", "LC_CTYPE": "en_GB.UTF-8"}, False),
        ({"LC_ALL": "POSIX", "LANG": "en_GB.UTF-8"}, True),
        ({"TERM": "linux", "LANG": "en_GB.UTF-8"}, True),
        ({"TERM": "dumb"}, True),
        ({"TERM": "xterm-256color"}, False),
    ],
)
def test_who_shows_ascii_only(environment: dict[str, str], is_plain: bool) -> None:
    assert is_ascii_only(environment) is is_plain


@given(st.text())
def test_in_ascii_everything_is_as_wide_as_it_was(text: str) -> None:
    plain = in_ascii(text)
    assert plain.isascii()
    printable = "".join(character for character in text if character.isprintable())
    assert cell_len(in_ascii(printable)) == sum(map(cell_len, printable))


def test_the_signs_of_rows_stay_different() -> None:
    signs = "●▸↓↑☁✗*✓"
    assert len(set(in_ascii(signs))) == len(signs)
    segment = Segment("╭─ ● llama ─╮")
    assert AsciiOnly().apply([segment], Color.parse("black"))[0].text == "+- o llama -+"
