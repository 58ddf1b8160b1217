"""Everything by mouse, and any size at any time."""

import pytest
from textual import events

from ollm_tui.sandbox.server import SandboxServer
from tests.terminal import OLLM_TUI, Terminal
from tests.ui.conftest import OpenApp
from tests.ui.screen import Screen


async def click_on(screen: Screen, text: str, *, times: int = 1) -> None:
    """Click where a text is seen."""
    lines = (await screen.sees(text)).splitlines()
    y = next(number for number, line in enumerate(lines) if text in line)
    assert await screen.pilot.click(offset=(lines[y].index(text) + 1, y), times=times)


async def test_a_click_on_a_header_sorts_by_it_and_back(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await click_on(screen, "SIZE")
        await screen.sees("SIZE▼")
        largest = screen.names()[0]
        await click_on(screen, "SIZE▼")
        await screen.sees("SIZE▲")
        assert screen.names()[-1] == largest


async def test_a_click_moves_the_cursor_and_a_double_click_inspects(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await click_on(screen, "mistral:7b")
        await screen.sees("3 Inspector ─ mistral:7b")
        await click_on(screen, "qwen3:8b", times=2)
        await screen.sees("3 Inspector ─ qwen3:8b")
        await screen.until(
            lambda: screen.app.focused is not None and screen.app.focused.id == "inspector"
        )


@pytest.mark.parametrize(
    ("key", "opens"), [("p pull  ", "Pull models"), ("? help", "esc closes"), ("/ filter", "of 31")]
)
async def test_the_footer_can_be_clicked(open_app: OpenApp, key: str, opens: str) -> None:
    async with open_app() as screen:
        await click_on(screen, key)
        await screen.sees(opens)


async def test_a_pane_key_of_the_footer_acts_in_its_pane(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await click_on(screen, "space mark")
        await screen.sees("1 marked")
        await screen.press("2")
        await click_on(screen, "x cancel")
        await screen.sees("Nothing is being downloaded.")


async def test_tabs_can_be_clicked(open_app: OpenApp) -> None:
    async with open_app(size=(80, 24)) as screen:
        await click_on(screen, "4 Router")
        await screen.sees("╭─ 4 Router")
        await click_on(screen, "2 Downloads")
        await screen.sees("╭─ 2 Downloads")


async def test_the_wheel_scrolls_the_list_under_it(open_app: OpenApp) -> None:
    async with open_app(size=(80, 24)) as screen:
        await screen.sees("llama3.2:3b")
        for _ in range(5):
            screen.app.screen._forward_event(
                events.MouseScrollDown(None, 10, 10, 0, 1, 0, False, False, False, 10, 10)
            )
        await screen.misses("llama3.2:3b")


@pytest.mark.timeout(180)  # a busy machine lays fifty sizes out slowly
async def test_a_storm_of_sizes_leaves_everything_in_place(
    open_app: OpenApp, server: SandboxServer
) -> None:
    sizes = [(60, 20), (200, 60), (99, 30), (100, 30), (20, 5), (1, 1), (300, 80), (80, 24)]
    async with open_app() as screen:
        await screen.press("j", "j")
        for size in sizes * 3:
            await screen.pilot.resize_terminal(*size)
        await screen.press("slash")
        for size in sizes:
            await screen.pilot.resize_terminal(*size)
        await screen.press("escape", "p")
        for size in sizes:
            await screen.pilot.resize_terminal(*size)
        await screen.press("escape")
        await screen.pilot.resize_terminal(120, 40)
        text = await screen.sees("╭─ 1 Installed", "╭─ 3 Inspector", "╭─ 4 Router")
        assert "▸  qwen2.5-coder:7b" in text


@pytest.mark.timeout(180)  # a busy machine draws sixty sizes slowly
def test_a_storm_of_sizes_in_a_real_terminal() -> None:
    with Terminal((*OLLM_TUI, "--demo")) as terminal:
        terminal.wait_for("31 of 31")
        for turn in range(60):
            terminal.resize(40 + turn * 37 % 160, 10 + turn * 13 % 50)
            terminal.send("j" if turn % 2 else "k")
            terminal.read(0)  # as terminals do, which never stop drawing
        terminal.resize(120, 40)
        terminal.wait_whole("1 Installed", "3 Inspector", "palette")
        terminal.send("q")
        assert terminal.wait_end(60) == 0


@pytest.mark.parametrize(
    ("size", "shown", "gone"),
    [
        ((60, 20), "NAME", "MODIFIED"),
        ((80, 24), "MODIFIE", "3 Inspector ─"),
        ((200, 60), "MODIFIE", " 2 Downloads   3"),
    ],
)
async def test_each_size_shows_what_it_has_room_for(
    open_app: OpenApp, size: tuple[int, int], shown: str, gone: str
) -> None:
    async with open_app(size=size) as screen:
        text = await screen.sees("1 Installed", shown, "CTX", "SIZE", "ctrl+p")
        assert gone not in text
        assert all(len(line) <= size[0] for line in text.splitlines())
