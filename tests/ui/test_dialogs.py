"""Dialogs stand on the panes, which stay in sight and are drawn, and are closed once."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest
from textual import events
from textual.widget import Widget
from textual.widgets import Input

from tests.ui.configured import OpenView
from tests.ui.conftest import OpenApp
from tests.ui.screen import Screen


@pytest.mark.parametrize("key", ["p", "d", "question_mark", "ctrl+l"])
async def test_the_panes_stay_in_sight_below_a_dialog(open_app: OpenApp, key: str) -> None:
    async with open_app() as screen:
        await screen.sees("4 Router ─ general →")
        await screen.tap(key)
        await screen.until(lambda: len(screen.app.screen_stack) == 2)
        seen: Counter[tuple[str, str]] = Counter()
        for _ in range(20):
            await screen.settle()
            lines = screen.text.splitlines()
            seen[lines[0][:9], lines[-1][:14]] += 1
        assert list(seen) == [(" ollm-tui", " enter inspect")]


async def test_what_happens_below_a_dialog_is_drawn(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.sees("1 loaded")
        await screen.tap("ctrl+l")
        await screen.sees("Log ─")
        await screen.service.load("qwen3:8b")
        await screen.sees("Log ─", "2 loaded")


@pytest.mark.parametrize(
    ("opens", "shown", "keys"),
    [
        ("p", "Pull models", ["enter", "escape"]),
        ("p", "Pull models", ["enter", "enter"]),
        ("p", "Pull models", ["escape", "escape"]),
        ("question_mark", "esc closes", ["escape", "q", "escape"]),
        ("d", "Delete 1 model?", ["escape", "escape"]),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) else value,
)
async def test_two_keys_at_once_close_one_dialog(
    open_app: OpenApp, opens: str, shown: str, keys: Sequence[str]
) -> None:
    async with open_app() as screen:
        await screen.press(opens)
        await screen.sees(shown)
        if opens == "p":
            await screen.type("qwen3:14b")
            await screen.sees("qwen3:14b")
        dialog = screen.app.screen
        # As on a busy machine: they have reached the dialog when it comes to look at them.
        for key in keys:
            dialog._forward_event(events.Key(key, None))
        await screen.until(lambda: not dialog.is_attached)
        await asyncio.sleep(0)
        await screen.settle()
        assert screen.app.crash is None
        assert len(screen.app.screen_stack) == 1
        await screen.press("1")
        await screen.misses(shown)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)])
async def test_however_long_a_question_is_its_answers_are_in_sight(
    open_app: OpenApp, size: tuple[int, int]
) -> None:
    async with open_app(size=size) as screen:
        await screen.press("a", "d")
        await screen.sees("Delete 31 models?", "Keep (esc)", "Delete the other 30 (y)")
        await screen.press("pagedown", "pagedown")
        await screen.sees("For 0 s u takes it back.", "Keep (esc)", "Delete the other 30 (y)")
        if size[1] < 30:
            await screen.sees("↑ ↓ scroll")
            await screen.press("up", "pageup", "pageup")
            await screen.sees("Delete 31 models?", "llama3.2:3b  2.0 GB")
        await screen.press("escape")
        await screen.misses("Delete 31 models?")


@pytest.mark.parametrize("size", [(60, 20), (80, 24)])
async def test_every_answer_is_readable_where_there_are_many(
    open_app: OpenApp, size: tuple[int, int]
) -> None:
    async with open_app(size=size) as screen:
        await screen.press("v", "t")
        text = await screen.sees("(esc)", "5 min (5)", "1 hour (1)", "Forever (f)", "Default (d)")
        in_row = [line for line in text.splitlines() if "5 min (5)" in line and "(d)" in line]
        assert bool(in_row) is (size[0] == 80)
        await screen.press("down", "down", "enter")  # where nothing scrolls, on to the next answer
        await screen.misses("Default (d)")


@pytest.mark.parametrize("key", ["c", "p", "ctrl+l"])
async def test_a_toast_covers_no_hint_of_a_dialog(open_view: OpenView, key: str) -> None:
    async with open_view(size=(80, 24)) as view:
        screen = view.screen
        await screen.sees("31 of 31")
        await screen.press(key)
        await screen.until(lambda: bool(screen.app.screen.query(".hint")))
        hint = screen.app.screen.query_one(".hint")
        await screen.until(lambda: hint.region.height > 0)
        hinted = screen.text.splitlines()[hint.region.y]
        screen.app.notify("Something happened\nmeanwhile", title="News")
        await screen.sees("Something happened")
        assert screen.text.splitlines()[hint.region.y] == hinted


async def test_a_toast_leaves_the_field_of_a_small_dialog_in_sight(open_app: OpenApp) -> None:
    async with open_app(size=(80, 24)) as screen:
        screen.app._suggest = lambda word: [(f"model-{n:02}:1b", "one of many") for n in range(60)]
        await screen.press("p")
        await screen.sees("model-00:1b", "esc leaves")
        await toasts_leave(screen, screen.app.screen.query_one(Input))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_toast_covers_nothing_of_the_filter(
    open_app: OpenApp, size: tuple[int, int]
) -> None:
    async with open_app(size=size) as screen:
        await screen.press("slash")
        await screen.sees("words, family:llama")
        await toasts_leave(screen, screen.app.screen.query_one("#filter"))


async def toasts_leave(screen: Screen, widget: Widget) -> None:
    """A toast comes up, and every line of the widget stays as it is."""
    await screen.until(lambda: widget.region.height > 0)
    lines = slice(widget.region.y, widget.region.bottom)
    before = screen.text.splitlines()[lines]
    screen.app.notify("Something happened\nmeanwhile", title="News")
    await screen.sees("Something happened", "meanwhile")
    assert screen.text.splitlines()[lines] == before
