"""The sanitiser of strings from outside."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollm_tui.core.text import (
    BLOCK_LIMIT,
    LINE_LIMIT,
    REPLACEMENT,
    clean_block,
    clean_line,
    clean_pasted,
)

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=200)
HOSTILE_TEXT = st.lists(
    st.sampled_from(
        [
            *("\x1b[31m", "\x1b]0;x\x07", "\x9b", "\r\n", "\t", "\u202e", "\u200d", "\ud800"),
            *("é\u0301", "\u0300", "\ufeff", "\U000e0041", "a", "…", "\x00", "[/red]", "\u0e48"),
        ]
    )
).map("".join)


@pytest.mark.parametrize(
    ("hostile", "safe"),
    [
        ("\x1b[31mred", "�[31mred"),
        ("\x1b]0;title\x07", "�]0;title�"),
        ("\x9b31m", "�31m"),
        ("del\x7f", "del�"),
        ("two\r\nlines\nand\ttab\x0b\x0c", "two lines and tab  "),
        ("\u202egnp.exe", "�gnp.exe"),
        ("zero\u200bwidth\u200djoin\ufeff", "zero�width�join�"),
        ("line\u2028paragraph\u2029", "line�paragraph�"),
        ("tag\U000e0041", "tag�"),
        ("lone\ud800", "lone�"),
        ("filler\u3164\u115f\uffa0", "filler���"),
        ("vowel\u17b4\u17b5 shorthand\U0001bca0\U0001bca3", "vowel�� shorthand��"),
        ("not assigned, not seen\ufff0\ufff8", "not assigned, not seen��"),
        ("e\u0301\u0301 stays", "e\u0301\u0301 stays"),
        ("z" + "\u0336" * 40, "z\u0336\u0336"),
        ("ด" + "\u0e49" * 40, "ด\u0e49\u0e49"),
        ("[@click=app.quit]x[/]", "[@click=app.quit]x[/]"),
        ("日本語 ünï", "日本語 ünï"),
        ("", ""),
    ],
)
def test_a_line_keeps_what_is_readable_and_nothing_that_a_terminal_obeys(
    hostile: str, safe: str
) -> None:
    assert clean_line(hostile) == safe


def test_a_line_too_long_ends_in_an_ellipsis() -> None:
    assert clean_line("a" * 10_000) == "a" * (LINE_LIMIT - 1) + "…"
    assert clean_line("abcdef", limit=4) == "abc…"
    assert clean_line("abcd", limit=4) == "abcd"


def test_a_block_keeps_its_lines() -> None:
    assert clean_block("a\r\nb\rc\n\td\x1b") == "a\nb\nc\n    d�"


def test_a_block_too_long_ends_in_an_ellipsis_on_its_own_line() -> None:
    assert clean_block("abcdef", limit=5) == "abc\n…"
    assert len(clean_block("\t" * (BLOCK_LIMIT + 1))) == BLOCK_LIMIT


@given(ANY_TEXT | HOSTILE_TEXT)
def test_no_character_that_acts_is_left(text: str) -> None:
    for character in clean_line(text):
        assert unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp")
        assert unicodedata.bidirectional(character) not in (
            "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI",
        )  # fmt: skip
    for character in clean_block(text):
        assert character == "\n" or unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp")


@given(ANY_TEXT | HOSTILE_TEXT, st.integers(min_value=3, max_value=40))
def test_what_is_clean_stays_as_it_is(text: str, limit: int) -> None:
    line = clean_line(text, limit)
    assert clean_line(line, limit) == line
    assert len(line) <= limit
    block = clean_block(text, limit)
    assert clean_block(block, limit) == block
    assert len(block) <= limit


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=LINE_LIMIT))
def test_plain_text_passes_untouched(text: str) -> None:
    assert clean_line(text) == text
    assert clean_block(text) == text
    assert REPLACEMENT not in clean_line(text)


def test_what_is_pasted_keeps_joiners_and_nothing_else_that_nobody_sees() -> None:
    assert clean_pasted("a\x1b[2Jb\nمی\u200cخواهم 👩\u200d👧 \u202ex\x00") == (
        "a�[2Jb\nمی\u200cخواهم 👩\u200d👧 �x�"
    )
