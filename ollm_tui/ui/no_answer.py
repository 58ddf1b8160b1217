"""What a pane says when there is nothing to show because the server gave no list. Pure text."""

from collections.abc import Iterator

from ollm_tui.core.error import OllmError
from ollm_tui.ui.columns import Piece

WAYS_ON = "r asks again, H switches the server"
"""The keys that help when a server does not answer, or not as it should."""


def no_answer(error: OllmError) -> Iterator[Piece]:
    """What is the matter, why, and what to do: a line each, with its style."""
    yield error.message, "bad"
    if error.cause:
        yield error.cause, ""
    yield "", ""
    for action in error.actions:
        yield action, "dim"
    yield WAYS_ON, "dim"
