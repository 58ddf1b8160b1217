"""What is closed is gone: a program that stays open for days keeps nothing of its dialogs."""

import gc
import weakref
from collections.abc import Sequence

import pytest
from textual.widget import Widget

from ollm_tui.ui import garbage
from tests.ui.conftest import OpenApp
from tests.ui.screen import Screen


def widgets_of(screen: Screen) -> weakref.WeakSet[object]:
    """All that is mounted, and what Textual has drawn of it."""
    found = [
        widget
        for shown in screen.app.screen_stack
        for widget in shown.walk_children(Widget, with_self=True)
    ]
    return weakref.WeakSet([*found, *(widget._styles_cache for widget in found)])


async def open_and_close(
    screen: Screen, opens: Sequence[str], shown: str
) -> weakref.WeakSet[object]:
    """What was on the screen only while something was open."""
    before = widgets_of(screen)
    await screen.press(*opens)
    await screen.sees(shown)
    opened = widgets_of(screen) - before
    assert opened
    gc.collect(1)  # as when it has been open for long: it is old
    await screen.press("escape")
    await screen.misses(shown)
    await screen.press(*opens)  # the list of children before the last is kept until another
    await screen.sees(shown)
    await screen.press("escape")
    await screen.misses(shown)
    return opened


@pytest.mark.parametrize(
    ("opens", "shown"),
    [
        (["slash", "q"], "Filter; enter keeps"),
        (["p", "q"], "Pull models"),
        (["d"], "Delete 1 model?"),
        (["question_mark"], "esc closes"),
        (["ctrl+l"], "Log"),
        (["ctrl+p"], "Search"),
    ],
    ids=["filter", "pull", "delete", "help", "log", "palette"],
)
async def test_nothing_is_kept_of_what_was_closed(
    open_app: OpenApp, opens: Sequence[str], shown: str
) -> None:
    async with open_app() as screen:
        await screen.press("question_mark", "escape", "1")  # whatever is made once
        opened = await open_and_close(screen, opens, shown)

        def is_forgotten() -> bool:
            gc.collect()
            return not opened

        await screen.until(is_forgotten)


async def test_what_was_closed_is_let_go_of_before_much_gathers(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(garbage, "SETTLED_S", 0.01)
    async with open_app() as screen:
        await screen.until(lambda: gc.get_threshold() == garbage.SETTLED)
        gc.collect()  # of the tests before this one there may be more than Python cares to look at
        opened = await open_and_close(screen, ["p", "q"], "Pull models")
        for _ in range(3):
            made = [[number] for number in range(200_000)]  # as are by some twenty dialogs
            await screen.settle()
            del made
        assert not opened
