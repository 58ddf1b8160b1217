"""Keys that come in bundles, as slow lines and fast fingers deliver them, go where they belong."""

import pytest

from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.ui.panes.router import RouterPane
from tests.ui.conftest import OpenApp


async def test_a_filter_can_be_typed_in_one_go(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.type("/coder")
        await screen.sees("/coder ", "3 of 31")
        assert len(screen.app.screen_stack) == 1


async def test_a_pull_can_be_typed_in_one_go(open_app: OpenApp, server: SandboxServer) -> None:
    server.faults.script_pull("qwen3:14b", [{"status": "pulling manifest"}])
    async with open_app() as screen:
        await screen.type("pqwen3:14b")
        await screen.sees("Pull models", "qwen3:14b  ")
        await screen.press("enter")
        await screen.sees("1 active")


async def test_a_prompt_can_be_typed_in_one_go(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.sees("4 Router ─ general →")
        await screen.type("4tdqx")
        await screen.sees("Prompt", "dqx")


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_panes_and_rows_can_be_gone_to_in_one_go(
    open_app: OpenApp, size: tuple[int, int]
) -> None:
    async with open_app(size=size) as screen:
        await screen.sees("1 loaded")
        router = screen.app.screen_stack[0].query_one(RouterPane)
        await screen.until(lambda: router.scene is not None)
        await screen.type("jj3]]41jz")
        await screen.sees("1 Installed", "▸  llama3.1:8b")
        await screen.type("z4e")
        await screen.sees("explained", "SETTLED BY")


async def test_a_key_that_a_dialog_does_not_know_acts_nowhere_once_it_has_closed(
    open_app: OpenApp,
) -> None:
    async with open_app() as screen:
        await screen.press("question_mark")
        await screen.sees("esc closes")
        await screen.type("/q")
        await screen.misses("esc closes")
        await screen.settle()
        assert "Filter; enter keeps" not in screen.text
