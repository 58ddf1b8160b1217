"""The smallest input of a failure, and the words that the fuzzer is given."""

from tests.fuzz.__main__ import dictionary
from tests.fuzz.reducing import reduced


def fragile(data: bytes) -> None:
    """Fails in two ways."""
    if b"(" in data and b")" in data:
        raise ValueError
    if b"x" in data:
        raise KeyError


def test_only_what_fails_in_the_same_way_is_left() -> None:
    assert reduced(b"aax(bbbbxbbb)cc", fragile) == b"()"
    assert reduced(b"a)xxb(", fragile) == b")("
    assert reduced(b"a)xxb", fragile) == b"x"


def test_what_does_not_fail_stays_and_time_is_kept_to() -> None:
    assert reduced(b"abc", fragile) == b"abc"
    assert reduced(b"(abc)", fragile, within_s=0) == b"(abc)"


def test_words_are_spelt_so_that_no_byte_means_anything_to_the_fuzzer() -> None:
    assert list(dictionary('a" ü')) == ['"\\x61\\x22"', '"\\xc3\\xbc"']
