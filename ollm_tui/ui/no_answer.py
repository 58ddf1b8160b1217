"""What a pane says when there is nothing to show because the server gave no list. Pure text."""

from collections.abc import Iterator

from ollm_tui.core.error import OllmError
from ollm_tui.ui.columns import Piece
from ollm_tui.ui.keymap import named


def ways_on() -> str:
    """The keys that help when a server does not answer, or not as it should."""
    return f"{named('app.refresh')} asks again, {named('app.server')} switches the server"


def no_answer(error: OllmError) -> Iterator[Piece]:
    """What is the matter, why, and what to do: a line each, with its style."""
    yield error.message, "bad"
    if error.cause:
        yield error.cause, ""
    yield "", ""
    for action in error.actions:
        yield action, "dim"
    yield ways_on(), "dim"
