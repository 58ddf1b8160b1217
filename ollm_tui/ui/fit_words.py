"""Whether a model fits into memory, in words, with the sum that says so. Pure.

Source: ruling Z8.
"""

from collections.abc import Iterator
from typing import NamedTuple

from ollm_tui.core.fit import estimate_memory, usual_budget
from ollm_tui.core.model import ModelInfo
from ollm_tui.ui import format as words

USUAL_CONTEXT_TOKENS = 4_096
"""What Ollama serves when nobody asks for more and there is less than 24 GiB of video memory.
Source: ruling Z24."""


class Verdict(NamedTuple):
    """Whether a model fits at a context."""

    word: str
    """fits, tight, too large, unknown or elsewhere."""
    style: str
    needed_bytes: int
    is_approximate: bool
    context_tokens: int


def verdict(
    model: ModelInfo, memory_bytes: int | None, context_tokens: int | None = None
) -> Verdict:
    """Whether a model fits.

    Args:
        memory_bytes: of the machine that would run it; None = nobody knows.
        context_tokens: the served context, or the usual one when absent.
    """
    served = context_tokens or model.served_context_tokens or USUAL_CONTEXT_TOKENS
    served = min(served, model.context_window or served)
    needed = estimate_memory(model, served)
    if model.remote:
        word, style = "elsewhere", "dim"
    elif memory_bytes is None:
        word, style = "unknown", "dim"
    elif needed.total_bytes <= usual_budget(memory_bytes):
        word, style = "fits", "good"
    elif needed.total_bytes <= memory_bytes:
        word, style = "tight", "warn"
    else:
        word, style = "too large", "bad"
    return Verdict(word, style, needed.total_bytes, needed.approximate, served)


def fit_cell(model: ModelInfo, memory_bytes: int) -> tuple[str, str]:
    """The verdict in five cells, with its style."""
    found = verdict(model, memory_bytes)
    # Only what needs a second thought has a colour.
    style = "dim" if found.word == "fits" else found.style
    return {"too large": "large", "elsewhere": "–"}.get(found.word, found.word), style


def limit_words(model: ModelInfo, memory_bytes: int | None, budget_bytes: int | None) -> str:
    """How much of the memory the router counts on, and why not on all of it.

    Args:
        budget_bytes: the limit that is set; None = the usual share of the memory.

    Returns:
        Empty where there is no limit, or the model is below it with its whole context.
    """
    limit = budget_bytes
    if limit is None and memory_bytes is not None:
        limit = usual_budget(memory_bytes)
    if limit is None or verdict(model, memory_bytes, model.context_window).needed_bytes <= limit:
        return ""
    why = "; 1/4 kept free" if budget_bytes is None else ": memoryBudget"
    return f"up to {words.size(limit)}{why}"


def fit_lines(model: ModelInfo, memory_bytes: int | None) -> Iterator[tuple[str, str]]:
    """The verdict and how it comes about: texts with their styles."""
    if model.remote:
        yield "takes no memory here: it runs on another machine", "dim"
        return
    found = verdict(model, memory_bytes)
    about = "about " if found.is_approximate else ""
    at = f"at {words.context(found.context_tokens)}"
    if memory_bytes is None:
        yield f"{about}{words.size(found.needed_bytes)} {at}; memory unknown", ""
    else:
        needed = words.share(found.needed_bytes, memory_bytes).replace("/", " of ")
        yield f"{found.word}: {about}{needed} {at}", found.style
    if found.is_approximate:
        yield "file + 10 %: layers unknown", "dim"
        return
    cache = words.share(found.needed_bytes - model.size_bytes, model.size_bytes)
    cache, _, weights = cache.partition("/")
    yield f"cache {cache} + weights {weights}", "dim"
    trained = model.context_window
    if trained and trained > found.context_tokens:
        whole = verdict(model, memory_bytes, trained)
        style = whole.style if whole.word in ("tight", "too large") else "dim"
        word = f", {whole.word}" if memory_bytes is not None else ""
        yield f"all {trained:,}: {words.size(whole.needed_bytes)}{word}", style
