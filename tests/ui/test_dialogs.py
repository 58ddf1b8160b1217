"""Dialogs stand on the panes, which stay in sight and are drawn, and are closed once."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest
from textual import events

from tests.ui.conftest import OpenApp


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
