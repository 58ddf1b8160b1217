"""Lines of JSON out of bytes that come in any portions."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollm_tui.core.error import ProviderGarbled
from ollm_tui.providers.ndjson import LINE_LIMIT_BYTES, NdjsonReader

# Constructed: what a stream may look like at its worst while still being readable.
STREAM = (
    b'\xef\xbb\xbf{"n":1}\n'
    b'{"n":2,"text":"\xc3\xbcn\xc3\xaf \xe6\x97\xa5"}\r\n'
    b"\n   \n\r\n"
    b"junk\n"
    b'{"n":3}\n'
    b"[1]\n"
    b'{"n":4,"text":"a\\nb\\u0000"}\n'
    b'{"n":5}'
)
OBJECTS = [
    {"n": 1},
    {"n": 2, "text": "ünï 日"},
    {"n": 3},
    {"n": 4, "text": "a\nb\x00"},
    {"n": 5},
]


def _read(*chunks: bytes) -> list[dict[str, object]]:
    reader = NdjsonReader()
    objects = [message for chunk in chunks for message in reader.feed(chunk)]
    return objects + list(reader.finish())


def test_a_whole_stream_is_read_line_by_line() -> None:
    assert _read(STREAM) == OBJECTS


def test_a_cut_between_any_two_bytes_changes_nothing() -> None:
    for cut in range(len(STREAM) + 1):
        assert _read(STREAM[:cut], STREAM[cut:]) == OBJECTS, cut


def test_single_bytes_give_the_same_lines_as_the_whole() -> None:
    assert _read(*(STREAM[i : i + 1] for i in range(len(STREAM)))) == OBJECTS


def test_a_stream_that_ends_anywhere_gives_the_lines_that_were_complete() -> None:
    for end in range(len(STREAM)):
        objects = _read(STREAM[:end])
        assert objects == OBJECTS[: len(objects)], end
        assert len(objects) >= len(_read(STREAM[: STREAM.rfind(b"\n", 0, end) + 1])), end


@given(
    st.lists(st.sampled_from([{}, {"n": 1}, {"text": "ünï\n日"}, {"deep": {"a": [None, "\x00"]}}])),
    st.lists(st.integers(min_value=0, max_value=200), max_size=8),
)
def test_the_same_lines_come_out_however_they_are_cut(
    messages: list[dict[str, object]], cuts: list[int]
) -> None:
    stream = b"".join(json.dumps(message).encode() + b"\n" for message in messages)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    chunks = [stream[start:end] for start, end in pairwise(edges)]
    assert _read(*chunks) == messages


def test_the_third_line_of_junk_ends_it_after_what_came_before() -> None:
    messages = NdjsonReader().feed(b'x\n{"n":1}\nnull\n{"n":2}\n"y"\n{"n":3}\n')
    assert [next(messages), next(messages)] == [{"n": 1}, {"n": 2}]
    with pytest.raises(ProviderGarbled, match="3 lines of it are not JSON objects"):
        next(messages)


def test_a_cut_last_line_is_not_junk() -> None:
    assert _read(b'x\ny\n{"n":1}\n{"n":') == [{"n": 1}]


@pytest.mark.parametrize("size", [1, 999, 5000])
def test_a_line_without_end_is_refused_at_the_limit(size: int) -> None:
    reader = NdjsonReader(line_limit_bytes=2000)
    for _ in range(2000 // size):
        assert list(reader.feed(b"x" * size)) == []
    with pytest.raises(ProviderGarbled, match="longer than 2,000 bytes"):
        list(reader.feed(b"x" * size))


def test_a_line_just_within_the_limit_is_read() -> None:
    line = b'{"n":"' + b"x" * (LINE_LIMIT_BYTES - 8) + b'"}'
    assert len(line) == LINE_LIMIT_BYTES
    assert len(_read(line + b"\n")) == 1


@pytest.mark.parametrize(
    "line", [b"[" * 100_000, b'{"a":' + b"9" * 5000 + b"}", b"\xff\xfe{", b"\x00"]
)
def test_json_made_to_break_parsers_is_junk(line: bytes) -> None:
    assert _read(line + b'\n{"n":1}\n') == [{"n": 1}]
