"""What a pull would take of disk and memory, in words. Pure."""

from collections.abc import Iterator, Sequence

from ollm_tui.core.model import ModelInfo
from ollm_tui.ui import format as words
from ollm_tui.ui.fit_words import verdict


def cost(
    names: Sequence[str],
    known: Sequence[ModelInfo],
    free_bytes: int | None,
    memory_bytes: int | None,
) -> Iterator[str]:
    """What some models would take, what there is, and which of them fit.

    Args:
        names: at least one.
        known: what is known of some of them.
        free_bytes: of the disk; None = unknown.
        memory_bytes: of the machine that would run them; None = unknown.
    """
    unknown = len(names) - len(known)
    size = f"about {words.size(sum(model.size_bytes for model in known))}"
    if unknown:
        size = f"{size} and" if known else ""
        size = f"{size} {words.count(unknown, 'model')} of unknown size".strip()
    yield f"{names[0] if len(names) == 1 else words.count(len(names), 'model')}: {size}"
    yield "free space unknown" if free_bytes is None else f"{words.size(free_bytes)} free"
    for model in known:
        found = verdict(model, memory_bytes)
        if found.word in ("tight", "too large") or (found.word == "fits" and len(names) == 1):
            of = words.size(memory_bytes or 0)
            subject = "" if len(names) == 1 else f"{model.display_name} "
            word = "too large for" if found.word == "too large" else f"{found.word} in"
            yield f"{subject}{word} {of} of memory at {words.context(found.context_tokens)}"


def too_large(known: Sequence[ModelInfo], memory_bytes: int | None) -> Iterator[str]:
    """Which of these would never run here."""
    for model in known:
        found = verdict(model, memory_bytes)
        if found.word == "too large":
            yield (
                f"{model.display_name} needs about {words.size(found.needed_bytes)} of memory, "
                f"and there are {words.size(memory_bytes or 0)}."
            )


def too_little_room(known: Sequence[ModelInfo], free_bytes: int | None) -> str:
    """What the disk lacks for these; empty = nothing, or nobody knows."""
    needed_bytes = sum(model.size_bytes for model in known)
    if free_bytes is None or needed_bytes <= free_bytes:
        return ""
    return (
        f"About {words.size(needed_bytes)} are needed on disk, and {words.size(free_bytes)} "
        "are free."
    )
