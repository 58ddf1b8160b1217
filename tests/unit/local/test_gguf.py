"""The reader of GGUF headers, on files written here and on files altered to do harm."""

import contextlib
import io
import struct
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollm_tui.core.error import StoreError
from ollm_tui.providers.local import weights
from ollm_tui.providers.local.gguf import GgufHeader, read_header
from tests.gguf_writer import gguf, llama

MODEL = llama()


class WatchedFile(io.BytesIO):
    """Remembers how far it was read."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.bytes_read = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.bytes_read += len(data)
        return data


def read(data: bytes, *, whole: bool = True) -> GgufHeader:
    return read_header(io.BytesIO(data), len(data), whole=whole)


def test_a_header_gives_its_facts() -> None:
    header = read(MODEL)
    assert weights.architecture(header) == "llama"
    assert weights.context_tokens(header) == 8192
    assert weights.embedding_length(header) == 64
    assert weights.quantization(header) == "Q4_K_M"
    assert header.parameter_count == 64 * 500 + 64 * 128 + 64
    assert weights.chat_template(header).startswith("{% if tools")
    assert header.values["llama.attention.head_count_kv"] == (8, 8, 4)
    assert header.values["llama.rope.freq_base"] == 10000.0
    assert header.values["tokenizer.ggml.tokens"] is None


def test_reading_up_to_the_vocabulary_takes_one_small_read() -> None:
    file = WatchedFile(MODEL)
    header = read_header(file, len(MODEL), whole=False)
    assert weights.context_tokens(header) == 8192
    assert header.parameter_count is None
    assert not header.is_complete
    assert file.bytes_read <= 4096


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("version", [2, 3])
def test_both_byte_orders_and_versions_are_read(order: str, version: int) -> None:
    data = gguf(
        {"general.architecture": "qwen2", "qwen2.context_length": ("u64", 32768)},
        [("a", (3, 5))],
        version=version,
        order=order,
    )
    header = read(data)
    assert (header.version, header.parameter_count) == (version, 15)
    assert weights.context_tokens(header) == 32768


def test_every_scalar_type_is_read() -> None:
    wanted = {"u8": 250, "i8": -5, "u16": 60000, "i16": -9, "i32": -70000, "i64": -(2**40)}
    data = gguf({name: (name, value) for name, value in wanted.items()} | {"yes": True})
    assert read(data).values == wanted | {"yes": True}


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"", "ends in the middle"),
        (b"PK\x03\x04" + bytes(64), "does not begin"),
        (b"GGUF\x01\0\0\0" + bytes(64), "version 1"),
        (b"GGUF\x09\0\0\0" + bytes(64), "version 9"),
        (MODEL[:200], "ends in the middle"),
        (struct.pack("<4sIQQ", b"GGUF", 3, 0, 2**60), "no model has"),
        (struct.pack("<4sIQQ", b"GGUF", 3, 2**60, 0), "no model has"),
        (struct.pack("<4sIQQQ", b"GGUF", 3, 0, 1, 2**62), "a name in it"),
        (struct.pack("<4sIQQQ1sI", b"GGUF", 3, 0, 1, 1, b"k", 13), "unknown type 13"),
        (struct.pack("<4sIQQQ1sIQ", b"GGUF", 3, 0, 1, 1, b"k", 8, 2**61), "a text in it"),
        (struct.pack("<4sIQQQ1sIIQ", b"GGUF", 3, 0, 1, 1, b"k", 9, 8, 2**61), "a list in it"),
        (struct.pack("<4sIQQQ1sIIQ", b"GGUF", 3, 0, 1, 1, b"k", 9, 9, 1), "unknown type 9"),
        (struct.pack("<4sIQQQ1sIIQ", b"GGUF", 3, 0, 1, 1, b"k", 9, 8, 2**26), "vocabulary"),
        (struct.pack("<4sIQQQ1sIIQQ", b"GGUF", 3, 0, 1, 1, b"k", 9, 8, 1, 2**50), "longer than"),
        (struct.pack("<4sIQQQ1sIIQ", b"GGUF", 3, 0, 1, 1, b"k", 9, 6, 2**26), "ends in the"),
        (struct.pack("<4sIQQQ1sI", b"GGUF", 3, 1, 0, 1, b"t", 5), "5 dimensions"),
        (
            struct.pack("<4sIQQQ1sIQQIQ", b"GGUF", 3, 1, 0, 1, b"t", 2, 2**40, 2**40, 0, 0),
            "larger than any disk",
        ),
        (
            struct.pack("<4sIQQQ1sIQIQ", b"GGUF", 3, 1, 0, 1, b"t", 1, 4, 0, 2**40),
            "beyond its end",
        ),
    ],
)
def test_a_file_that_lies_is_refused_with_its_reason(data: bytes, cause: str) -> None:
    with pytest.raises(StoreError) as caught:
        read(data)
    assert cause in caught.value.cause


def test_a_long_text_is_skipped_and_costs_no_memory() -> None:
    data = gguf({"a": "x" * 5_000_000, "b": "y" * 5_000_000, "general.architecture": "llama"})
    tracemalloc.start()
    header = read(data)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert header.values == {"a": None, "b": None, "general.architecture": "llama"}
    assert peak_bytes < 8 * 1024 * 1024


def test_many_lists_cost_no_memory() -> None:
    data = gguf({f"list{number}": [("u8", 7)] * 1024 for number in range(140)})
    tracemalloc.start()
    header = read(data)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert header.values["list0"] == (7,) * 1024
    assert header.values["list139"] is None
    assert peak_bytes < 8 * 1024 * 1024


def test_a_cut_file_is_refused_wherever_it_is_cut() -> None:
    for cut in range(0, len(MODEL) - 4096, 97):
        with pytest.raises(StoreError):
            read(MODEL[:cut])


@given(
    st.lists(
        st.tuples(
            st.integers(0, 12_000),
            st.binary(min_size=1, max_size=12)
            | st.integers(0, 2**64 - 1).map(lambda number: struct.pack("<Q", number)),
        ),
        min_size=1,
        max_size=6,
    ),
    st.booleans(),
)
def test_an_altered_header_is_read_or_refused_within_its_limits(
    changes: list[tuple[int, bytes]], whole: bool
) -> None:
    """10,000 of them with HYPOTHESIS_PROFILE=nightly."""
    data = bytearray(MODEL)
    for place, patch in changes:
        data[place : place + len(patch)] = patch
    file = WatchedFile(bytes(data))
    started_s = time.process_time()
    with contextlib.suppress(StoreError):
        header = read_header(file, len(data), whole=whole)
        weights.shown_values(header)
        weights.context_tokens(header)
    assert time.process_time() - started_s < 1
    assert file.bytes_read < 4 * len(data)  # so nothing of 64 MiB was ever held


@given(st.binary(max_size=300))
def test_bytes_after_the_magic_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(StoreError):
        assert read(b"GGUF\x03\0\0\0" + data).version == 3


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (8030261248, "8.0B"),
        (8000000000, "8B"),
        (1235814432, "1.2B"),
        (270117120, "270.12M"),
        (30000000, "30M"),
        (1500, "2K"),
        (999, "999"),
    ],
)
def test_parameters_are_counted_in_the_words_of_ollama(count: int, text: str) -> None:
    assert weights.parameter_text(count) == text


def test_quantizations_have_names_and_removed_ones_have_none() -> None:
    assert [weights.file_type_name(number) for number in (0, 7, 15, 38)] == [
        "F32",
        "Q8_0",
        "Q4_K_M",
        "MXFP4_MOE",
    ]
    assert [weights.file_type_name(number) for number in (4, 33, 99, -1, "x", None)] == [""] * 6


def test_shown_values_are_safe_and_short() -> None:
    header = read(
        gguf(
            {
                "general.name": "n",
                "evil\x1b[2J": "a\x1b]0;x\x07",
                "list": ["a"],
                "nan": ("f32", float("nan")),
            }
        )
    )
    shown = weights.shown_values(header)
    assert set(shown) == {"evil\ufffd[2J", "general.parameter_count"}
    assert "\x1b" not in str(shown)
