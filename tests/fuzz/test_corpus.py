"""Every committed input through its target again: what the fuzzer once found stays found.

Needs no fuzzer; `make fuzz` looks for more.
"""

import pytest

from tests.fuzz.targets import CORPUS, TARGETS, check, corpus_of

SIZE_LIMIT_BYTES = 60_000


@pytest.mark.parametrize("name", TARGETS)
def test_every_input_of_the_corpus_holds(name: str) -> None:
    inputs = corpus_of(name)
    assert inputs
    for path in inputs:
        check(name, path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_at_all_holds(name: str) -> None:
    check(name, b"")


def test_the_corpus_is_small_and_of_known_targets() -> None:
    assert {path.name for path in CORPUS.iterdir()} == set(TARGETS)
    assert (
        sum(path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()) < SIZE_LIMIT_BYTES
    )
