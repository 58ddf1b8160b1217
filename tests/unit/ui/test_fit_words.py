"""The fit verdict in words, and the sum behind it."""

import pytest

from ollm_tui.core.model import ModelInfo
from ollm_tui.ui.fit_words import fit_lines, limit_words, verdict

LAYERS = {
    "block_count": 32,
    "embedding_length": 4_096,
    "attention.head_count": 32,
    "attention.head_count_kv": 8,
}
PER_TOKEN = 32 * 8 * (128 + 128) * 2
MODEL = ModelInfo("m", size_bytes=5 * 10**9, context_window=131_072, metadata=LAYERS)


@pytest.mark.parametrize(
    ("memory_bytes", "word"),
    [(24 * 10**9, "fits"), (6 * 10**9, "tight"), (5 * 10**9, "too large"), (None, "unknown")],
)
def test_a_model_fits_while_a_quarter_of_memory_is_left(
    memory_bytes: int | None, word: str
) -> None:
    found = verdict(MODEL, memory_bytes)
    assert found.word == word
    assert found.needed_bytes == 5 * 10**9 + 4_096 * PER_TOKEN
    assert not found.is_approximate


def test_the_sum_is_told_with_the_whole_context_beside_it() -> None:
    lines = [text for text, _ in fit_lines(MODEL, 24 * 10**9)]
    assert lines == [
        "fits: 5.5 of 24.0 GB at 4k",
        "cache 0.5 + weights 5.0 GB",
        "all 131,072: 22.2 GB, tight",
    ]


def test_the_served_context_counts_where_it_is_known() -> None:
    model = ModelInfo("m", 10**9, context_window=8_192, served_context_tokens=32_768)
    assert verdict(model, None).context_tokens == 8_192


def test_unknown_layers_make_it_about() -> None:
    lines = [text for text, _ in fit_lines(ModelInfo("m", 10**9), None)]
    assert lines == [
        "about 1.1 GB at 4k; memory unknown",
        "file + 10 %: layers unknown",
    ]


def test_what_runs_elsewhere_takes_no_memory_here() -> None:
    ((text, _),) = fit_lines(ModelInfo("m", remote=True), 10**9)
    assert text == "takes no memory here: it runs on another machine"


@pytest.mark.parametrize(
    ("memory_bytes", "budget_bytes", "told"),
    [
        (24 * 10**9, None, "up to 18.0 GB; 1/4 kept free"),
        (24 * 10**9, 16 * 10**9, "up to 16.0 GB: memoryBudget"),
        (None, 16 * 10**9, "up to 16.0 GB: memoryBudget"),
        (None, None, ""),
        (32 * 10**9, None, ""),  # it needs 22.2 GB with its whole context
        (24 * 10**9, 23 * 10**9, ""),
    ],
)
def test_the_routers_limit_is_told_where_it_matters_with_where_it_is_from(
    memory_bytes: int | None, budget_bytes: int | None, told: str
) -> None:
    assert limit_words(MODEL, memory_bytes, budget_bytes) == told


def test_what_runs_elsewhere_knows_no_limit() -> None:
    assert limit_words(ModelInfo("m", 10**12, remote=True), 10**9, None) == ""
