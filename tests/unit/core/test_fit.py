"""The memory estimate: weights plus cache where the layers are known, about a tenth more else."""

from typing import Any

import pytest

from ollm_tui.core.fit import MemoryEstimate, estimate_memory
from ollm_tui.core.model import ModelInfo

LAYERS = {
    "block_count": 32,
    "embedding_length": 4_096,
    "attention.head_count": 32,
    "attention.head_count_kv": 8,
}
BYTES_PER_TOKEN = 32 * 8 * (128 + 128) * 2


def estimate(context: int = 1_000, **layers: Any) -> MemoryEstimate:
    metadata = {**LAYERS, **{key.replace("__", "."): value for key, value in layers.items()}}
    model = ModelInfo("m", size_bytes=10**9, context_window=8_192, metadata=metadata)
    return estimate_memory(model, context)


def test_z08_weights_plus_cache_at_the_context() -> None:
    assert estimate() == MemoryEstimate(10**9 + 1_000 * BYTES_PER_TOKEN, approximate=False)


def test_z08_without_layer_facts_it_is_about_a_tenth_more_than_the_file() -> None:
    plain = ModelInfo("m", size_bytes=10**9)
    assert estimate_memory(plain, 4_096) == MemoryEstimate(1_100_000_000, approximate=True)


def test_a_context_beyond_the_trained_one_counts_as_that() -> None:
    assert estimate(10**6) == estimate(8_192)
    assert estimate(-5).total_bytes == 10**9


def test_without_grouped_heads_every_head_is_kept() -> None:
    assert estimate(attention__head_count_kv=None).total_bytes == 10**9 + 4_000 * BYTES_PER_TOKEN


def test_key_and_value_lengths_of_the_header_count() -> None:
    tall = estimate(attention__key_length=256, attention__value_length=64)
    assert tall.total_bytes == 10**9 + 1_000 * 32 * 8 * (256 + 64) * 2
    keys_only = estimate(attention__key_length=256)
    assert keys_only.total_bytes == 10**9 + 1_000 * 32 * 8 * 512 * 2


def test_heads_may_differ_from_layer_to_layer() -> None:
    mixed = estimate(attention__head_count_kv=[8] * 16 + [0] * 16)
    assert mixed.total_bytes == 10**9 + 500 * BYTES_PER_TOKEN


@pytest.mark.parametrize(
    "layers",
    [
        {"block_count": 0},
        {"block_count": -1},
        {"block_count": True},
        {"block_count": "32"},
        {"block_count": 10**9},
        {"attention__head_count": 0, "attention__head_count_kv": 8},
        {"attention__head_count": 10**9, "attention__head_count_kv": 8},
        {"embedding_length": None},
        {"embedding_length": 16},
        {"attention__head_count_kv": [8]},
        {"attention__head_count_kv": [8] * 31 + [-1]},
        {"attention__head_count_kv": -8},
    ],
)
def test_headers_that_make_no_sense_fall_back_to_the_file_size(layers: dict[str, Any]) -> None:
    assert estimate(**layers) == MemoryEstimate(1_100_000_000, approximate=True)


def test_a_remote_model_takes_nothing_here() -> None:
    remote = ModelInfo("m", size_bytes=10**9, remote=True)
    assert estimate_memory(remote, 4_096).total_bytes == 0
