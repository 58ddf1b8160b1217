"""Globs: what matches, and what is refused at which column."""

import pytest

from ollm_tui.core.error import PatternSyntaxError
from ollm_tui.routing.pattern import (
    LENGTH_LIMIT,
    check_pattern,
    compile_pattern,
    literal_count,
    literal_prefix,
    longest_literal,
    matches_pattern,
    point_at,
)


@pytest.mark.parametrize(
    ("name", "pattern", "expected"),
    [
        ("llama3.1:8b", "llama3.1:*", True),
        ("llama3.1:8b", "llama3.1:?b", True),
        ("llama3.1:70b", "llama3.1:?b", False),
        ("llama3.1:8b", "llama3.[123]:*", True),
        ("llama3.4:8b", "llama3.[123]:*", False),
        ("llama3.4:8b", "llama3.[0-9]:*", True),
        ("llama3.1", "llama3.1:*", False),
        ("xllama3.1:8b", "llama3.1:*", False),
        ("llama3x1:8b", "llama3.1:*", False),
        ("a]b", "a[]]b", True),
        ("a-b", "a[x-]b", True),
        ("", "*", True),
        ("a\nb", "a*b", True),
    ],
)
def test_standard_glob_syntax(name: str, pattern: str, expected: bool) -> None:
    assert matches_pattern(name, pattern) is expected


def test_d07_matching_a_pattern_heeds_case() -> None:
    assert not matches_pattern("Llama3.1:8b", "llama3.1:*")
    assert compile_pattern("llama3.1:*", ignore_case=True).match("Llama3.1:8b")


@pytest.mark.parametrize("pattern", ["[!a]", "[^a]"])
def test_d08_both_spellings_negate_a_set(pattern: str) -> None:
    assert matches_pattern("b", pattern)
    assert matches_pattern("^", pattern)
    assert not matches_pattern("a", pattern)


def test_d08_a_caret_that_is_not_first_stands_for_itself() -> None:
    assert matches_pattern("^", "[a^]")
    assert not matches_pattern("b", "[a^]")


def test_d09_a_star_crosses_colons_and_slashes() -> None:
    assert matches_pattern("registry.host:5000/ns/m:t", "*")
    assert matches_pattern("ns/m:t", "n*t")
    assert matches_pattern("ns/m:t", "n**t")


@pytest.mark.parametrize(
    ("pattern", "column"),
    [
        ("[abc", 1),
        ("x[abc", 2),
        ("a[b]c[d", 6),
        ("[]", 1),
        ("x[]", 2),
        ("[!]", 1),
        ("[^]", 1),
        ("[z-a]", 2),
        ("x[!9-0]", 4),
        ("[a-cz-x]", 5),
        ("[Xb-a]", 3),
        ("[X-A]", 2),
        ("[^b-a]", 3),
        ("", 1),
        ("   ", 1),
        ("a\x1bb", 2),
        ("ab[\x00]", 3),
        ("a\n", 2),
        ("x" * (LENGTH_LIMIT + 1), LENGTH_LIMIT + 1),
    ],
)
def test_d10_a_pattern_that_means_nothing_is_refused_at_its_column(
    pattern: str, column: int
) -> None:
    with pytest.raises(PatternSyntaxError) as caught:
        check_pattern(pattern)
    assert caught.value.column == column
    assert caught.value.actions
    with pytest.raises(PatternSyntaxError):
        matches_pattern("x", pattern)


@pytest.mark.parametrize(
    "pattern", ["x" * LENGTH_LIMIT, "[]a]", "[!]]", "[a-a]", "[^-A]", "[a-]", "[[]", "X"]
)
def test_d10_odd_but_meaningful_patterns_pass(pattern: str) -> None:
    assert check_pattern(pattern) == ()


@pytest.mark.parametrize(("pattern", "column"), [("{a,b}", 1), ("x\\*", 2)])
def test_d10_braces_and_backslashes_are_remarked_on(pattern: str, column: int) -> None:
    (remark,) = check_pattern(pattern)
    character = pattern[column - 1]
    assert remark == f"column {column}: {character!r} stands for itself in a pattern"


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("[]", "The set is empty"),
        ("[!]", "The set is empty"),
        ("[^]", "The set is empty"),
        ("[a", "The set that opens here is not closed by ]"),
        ("[b-dz-xq]", "The range z-x runs backwards"),
        (" ", "The pattern is blank"),
        ("x" * 201, "The pattern is longer than 200 characters"),
        ("a\x07", "The pattern has a control character"),
    ],
)
def test_d10_what_is_wrong_is_said(pattern: str, message: str) -> None:
    with pytest.raises(PatternSyntaxError) as caught:
        check_pattern(pattern)
    assert caught.value.message == message


def test_the_caret_stands_under_the_column() -> None:
    assert point_at("ab[c", 3) == "ab[c\n  ^"


def test_d16_a_hostile_pattern_does_not_blow_up() -> None:
    # A naive translation takes years; the suite's time limit would end it.
    assert not matches_pattern("a" * 200 + "b", "*a" * 40)


def test_the_literal_prefix_ends_at_the_first_wildcard() -> None:
    assert literal_prefix("llama3.1:*") == "llama3.1:"
    assert literal_prefix("a?b*") == "a"
    assert literal_prefix("a[bc]") == "a"
    assert literal_prefix("*") == ""
    assert literal_prefix("aXc") == "aXc"


def test_the_longest_literal_is_in_every_match() -> None:
    assert longest_literal("a*bcd?e") == "bcd"
    assert longest_literal("[abc]*") == ""
    assert longest_literal("ab[xyz]cde") == "cde"


def test_a_set_counts_for_no_literal_character() -> None:
    assert literal_count("a[bc]d*?") == 2
