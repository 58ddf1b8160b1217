"""The inspector's facts: whether a model fits, how much of a prompt is served, its files."""

from pathlib import Path

import pytest

from ollm_tui.cli.setup import Setup
from ollm_tui.core.model import Problem
from ollm_tui.providers.local.provider import LocalProvider
from ollm_tui.service.service import ModelService
from ollm_tui.ui.app import OllmApp
from ollm_tui.ui.panes.inspector import InspectorPane
from ollm_tui.ui.panes.installed import InstalledPane
from tests.store_builder import install, made_model
from tests.ui.configured import OpenView
from tests.ui.conftest import OpenApp
from tests.ui.screen import Screen


async def test_the_verdict_and_the_truncation_warning_are_told_with_exact_numbers(
    open_app: OpenApp,
) -> None:
    async with open_app() as screen:
        screen.app._main.query_one(InspectorPane).know_memory(24 * 10**9)
        await screen.sees("131,072 trained", "4,096 served ⚠")
        await screen.sees("fits: 2.4 of 24.0 GB at 4k", "+ weights 2.0 GB", "all 131,072:")
        screen.app._main.query_one(InspectorPane).know_memory(10**9)
        await screen.sees("too large: 2.4 of 1.0 GB")


async def test_how_much_of_the_memory_the_router_counts_on_is_told(
    open_view: OpenView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Setup, "memory_bytes", lambda _: 20 * 10**9)
    async with open_view() as view:
        await view.screen.sees("all 131,072: 17.0 GB, tight")
        await view.screen.sees("router    up to 15.0 GB; 1/4 kept free")
        await view.open()
        await view.change("model.routing.memoryBudget", "16G")
        await view.screen.sees("Save 1 change", "enter saves")
        await view.screen.press("enter")
        await view.screen.sees("Saved to")
        await view.screen.press("escape")
        await view.screen.sees("router    up to 16.0 GB: memoryBudget")


async def test_a_server_does_not_show_its_files_and_says_what_does(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.press("3", "z", "left_square_bracket")
        await screen.sees("Files 6/6", "does not show its files", "--provider local")


async def test_the_files_of_a_store_are_listed_with_who_shares_them(tmp_path: Path) -> None:
    install(tmp_path, "registry.ollama.ai/library/one/latest", made_model())
    install(tmp_path, "registry.ollama.ai/library/two/latest", made_model())
    app = OllmApp(ModelService(LocalProvider(tmp_path)))
    async with app.run_test(size=(120, 40)) as pilot:
        screen = Screen(app, pilot)
        await screen.sees("2 of 2")
        await screen.press("3", "z", "left_square_bracket")
        text = await screen.sees("Files 6/6", "sha256:", "shared with ")
        assert "0 B of it are this model's alone" in text


async def test_no_line_is_cut_by_the_scrollbar_that_comes_with_it(
    open_app: OpenApp,
) -> None:
    async with open_app(size=(100, 30)) as screen:
        pane = screen.app._main.query_one(InspectorPane)
        pane.show(None)
        await screen.sees("No model is under the cursor.")
        pane.show(Problem("broken:latest", "so many words " * 20))
        await screen.sees("cannot be read as a model")
        await screen.settle()
        assert pane.show_vertical_scrollbar
        widths = [sum(len(text) for text, _ in line) for line in pane.items]
        assert max(widths) <= pane.room - 1


async def test_the_list_says_what_fits_where_there_is_room(open_app: OpenApp) -> None:
    async with open_app(size=(160, 40)) as screen:
        assert " FIT " not in screen.text
        installed = screen.app._main.query_one(InstalledPane)
        installed.know_memory(24 * 10**9)
        text = await screen.sees(" FIT ", "large")
        assert [line for line in text.splitlines() if "qwen3:8b" in line and " fits " in line]
        await screen.pilot.resize_terminal(120, 40)
        await screen.misses(" FIT ")
        installed.know_memory(None)
        await screen.pilot.resize_terminal(160, 40)
        await screen.sees("CAPS MODIFIED")
        assert " FIT " not in screen.text
