"""How much memory a model takes at a context: its weights plus the cache of keys and values.

Layer facts come from headers that anyone can write, so nothing here divides by them unchecked.

Source: ruling Z8.
"""

from collections.abc import Mapping
from typing import NamedTuple

from ollm_tui.core.model import ModelInfo

APPROXIMATE_FACTOR = 1.1
_CACHE_BYTES_PER_VALUE = 2
"""Keys and values are kept as f16 unless the server is told otherwise."""
_LAYERS_LIMIT = 10_000
_WIDTH_LIMIT = 10_000_000


class MemoryEstimate(NamedTuple):
    """Memory for one model, weights and cache together."""

    total_bytes: int
    approximate: bool
    """The layers are not known: it is the file size and a tenth."""


def usual_budget(memory_bytes: int) -> int:
    """What models may take of a machine's memory when nothing else is set: three quarters, for
    other programs need some as well."""
    return memory_bytes * 3 // 4


def estimate_memory(model: ModelInfo, context_tokens: int) -> MemoryEstimate:
    """Return what a model takes while it serves a context.

    Args:
        model: its `metadata` may hold block_count, embedding_length, attention.head_count,
            attention.head_count_kv, attention.key_length and attention.value_length.
        context_tokens: at most the trained context counts, as servers clamp to it.
    """
    if model.remote:
        return MemoryEstimate(0, approximate=False)
    if model.context_window:
        context_tokens = min(context_tokens, model.context_window)
    per_token = _cache_values_per_token(model.metadata)
    if per_token is None:
        return MemoryEstimate(round(model.size_bytes * APPROXIMATE_FACTOR), approximate=True)
    cache_bytes = max(context_tokens, 0) * per_token * _CACHE_BYTES_PER_VALUE
    return MemoryEstimate(model.size_bytes + cache_bytes, approximate=False)


def _cache_values_per_token(metadata: Mapping[str, object]) -> int | None:
    layers = _count(metadata.get("block_count"), _LAYERS_LIMIT)
    heads = metadata.get("attention.head_count")
    kv_heads = metadata.get("attention.head_count_kv") or heads
    if layers is None:
        return None
    key_length = _count(metadata.get("attention.key_length"), _WIDTH_LIMIT)
    if key_length is None:
        width = _count(metadata.get("embedding_length"), _WIDTH_LIMIT)
        count = _count(heads, _WIDTH_LIMIT)
        if width is None or count is None or width < count:
            return None
        key_length = width // count
    value_length = _count(metadata.get("attention.value_length"), _WIDTH_LIMIT) or key_length
    total_heads = _heads_over_layers(kv_heads, layers)
    return None if total_heads is None else total_heads * (key_length + value_length)


def _heads_over_layers(heads: object, layers: int) -> int | None:
    """Sum of key/value heads over all layers; a header gives one number or one a layer."""
    if isinstance(heads, list | tuple):
        counts = [_count(item, _WIDTH_LIMIT, least=0) for item in heads]
        if len(counts) != layers:
            return None
        return None if None in counts else sum(count or 0 for count in counts)
    count = _count(heads, _WIDTH_LIMIT)
    return None if count is None else count * layers


def _count(value: object, limit: int, least: int = 1) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if least <= value <= limit else None
