"""Entries that cannot be read as models: rows of their own, in no count, with the reason."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from ollm_tui.providers.local.provider import LocalProvider
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.sandbox.timing import INSTANT
from ollm_tui.ui.panes.installed import InstalledPane
from tests.store_builder import install, made_model
from tests.ui.conftest import OpenApp
from tests.ui.screen import Screen

LIBRARY = "registry.ollama.ai/library"


@pytest.fixture
def open_store(open_app: OpenApp, tmp_path: Path) -> AbstractAsyncContextManager[Screen]:
    """A store with alpha and omega, and middle, whose manifest is cut off."""
    install(tmp_path, f"{LIBRARY}/alpha/latest", made_model())
    install(tmp_path, f"{LIBRARY}/omega/latest", made_model(template=b"other"))
    install(tmp_path, f"{LIBRARY}/middle/latest", made_model()).write_bytes(b'{"schema')

    @asynccontextmanager
    async def opened() -> AsyncIterator[Screen]:
        async with open_app(provider=LocalProvider(tmp_path)) as screen:
            await screen.sees("2 of 2", "1 unreadable")
            yield screen

    return opened()


def rows(screen: Screen) -> list[str]:
    """What is shown, in order."""
    return [row.display_name.split(":")[0] for row in pane(screen).items]


def pane(screen: Screen) -> InstalledPane:
    """The list."""
    return screen.app.screen_stack[0].query_one(InstalledPane)


async def test_what_cannot_be_read_is_a_row_with_its_reason_and_no_model(
    open_store: AbstractAsyncContextManager[Screen],
) -> None:
    async with open_store as screen:
        row = next(line for line in screen.lines("✗") if "middle" in line)
        assert row.index("its manifest cannot be used") > row.index("middle")
        assert "  2 models  " in screen.text
        assert not any("middle" in line for line in screen.lines("slot"))


async def test_by_name_it_stands_in_its_place_and_else_after_what_has_a_value(
    open_store: AbstractAsyncContextManager[Screen],
) -> None:
    async with open_store as screen:
        assert rows(screen)[-1] == "middle"
        await screen.press("S")
        assert rows(screen)[0] == "middle"
        while "NAME▼" not in screen.text:
            await screen.press("s")
        assert rows(screen) == ["alpha", "middle", "omega"]
        await screen.press("S")
        assert rows(screen) == ["omega", "middle", "alpha"]


async def test_a_filter_finds_it_by_name_and_by_being_broken(
    open_store: AbstractAsyncContextManager[Screen],
) -> None:
    async with open_store as screen:
        for text, shown in (
            ("mid", ["middle"]),
            ("is", ["middle"]),  # which may be half a condition, and is in no other name
            ("broken", ["middle"]),
            ("size>0", ["alpha", "omega"]),
            ("-broken", ["alpha", "omega"]),
        ):
            await screen.press("/")
            await screen.type(text)
            await screen.until(lambda shown=shown: sorted(rows(screen)) == shown)  # type: ignore[misc]  # a default, no argument
            await screen.press("escape")
            await screen.until(lambda: len(rows(screen)) == 3)


async def test_what_makes_no_sense_on_it_says_why_and_the_rest_works(
    open_store: AbstractAsyncContextManager[Screen],
) -> None:
    async with open_store as screen:
        await screen.press("G")
        await screen.sees("cannot be read as a model", "its manifest cannot be used", "in no count")
        for key in ("space", "d", "o"):
            await screen.press(key)
            await screen.sees("middle:latest cannot be read as a model", "enter says why")
            screen.app.clear_notifications()
            await screen.misses("enter says why")
        assert not pane(screen).has_marks
        await screen.press("a")
        await screen.sees("2 marked")
        await screen.press("d")  # what is marked can be deleted from wherever the cursor is
        await screen.sees("Delete 2 models?")
        await screen.press("escape", "enter")
        assert screen.app.place == "Inspector"
        await screen.press("1", "k")
        await screen.misses("in no count")


async def test_mended_it_is_a_model_again_and_the_cursor_stays_where_it_was(
    open_store: AbstractAsyncContextManager[Screen], tmp_path: Path
) -> None:
    async with open_store as screen:
        await screen.press("G")
        install(tmp_path, f"{LIBRARY}/middle/latest", made_model())
        await screen.press("r")
        await screen.sees("3 of 3")
        await screen.misses("unreadable", "✗")


async def test_with_nothing_but_such_entries_the_list_shows_them(open_app: OpenApp) -> None:
    with SandboxServer(models=0, hostile=True, timing=INSTANT) as hostile:
        async with open_app(host=hostile.host, size=(80, 24)) as screen:
            await screen.sees("unreadable", "✗ ")
            assert "No models yet" not in screen.text
