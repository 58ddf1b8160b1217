"""Dialogs stand on the panes, which stay in sight and go on being drawn."""

from collections import Counter

import pytest

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
