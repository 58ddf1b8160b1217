"""Themes that stay picked, terminals with few colours or letters, and stillness."""

from pathlib import Path

import pytest
from textual.theme import BUILTIN_THEMES

from ollm_tui.ui.look import Look, LookFile
from ollm_tui.ui.palette import palette_of
from tests.terminal import OLLM_TUI, Terminal
from tests.ui.conftest import OpenApp


async def test_a_picked_theme_is_there_from_the_start_next_time(
    open_app: OpenApp, tmp_path: Path
) -> None:
    file = LookFile(tmp_path / "look.json")
    async with open_app(look=file) as screen:
        dark = screen.app.screen.styles.background
        screen.app.theme = "textual-light"
        await screen.until(lambda: file.read().theme == "textual-light")
    async with open_app(look=file) as screen:
        assert screen.app.theme == "textual-light"
        assert screen.app.has_class("-light-mode")
        assert screen.app.screen.styles.background.brightness > dark.brightness + 0.5


async def test_the_order_of_the_list_is_kept(open_app: OpenApp, tmp_path: Path) -> None:
    file = LookFile(tmp_path / "look.json")
    async with open_app(look=file) as screen:
        await screen.press("s", "S")
        await screen.until(lambda: file.read() == Look("", "NAME", True))
        names = screen.names()
    async with open_app(look=file) as screen:
        assert screen.names() == names


async def test_a_theme_that_does_not_exist_any_more_is_none(
    open_app: OpenApp, tmp_path: Path
) -> None:
    file = LookFile(tmp_path / "look.json")
    file.write(Look("gone"))
    async with open_app(look=file) as screen:
        assert screen.app.theme in BUILTIN_THEMES


@pytest.mark.parametrize("theme", sorted(BUILTIN_THEMES))
async def test_every_theme_has_a_cursor_and_colours_that_differ(
    open_app: OpenApp, tmp_path: Path, theme: str
) -> None:
    file = LookFile(tmp_path / "look.json")
    file.write(Look(theme))
    async with open_app(look=file) as screen:
        assert screen.app.theme == theme
        palette = palette_of(screen.app.screen.app)
        assert len({palette.good, palette.warn, palette.bad, palette.dim}) == 4
        assert palette.cursor.bgcolor or palette.cursor.reverse


async def test_the_theme_of_the_configuration_holds(open_app: OpenApp) -> None:
    async with open_app() as screen:
        screen.app.look_as_configured("nord", is_still=True)
        assert screen.app.theme == "nord"
        assert screen.app.animation_level == "none"
        screen.app.look_as_configured("nrd", is_still=False)
        await screen.sees("there is no theme “nrd”. Did you mean nord?")
        assert screen.app.theme == "nord"


async def test_the_palette_changes_the_theme(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.press("ctrl+p")
        await screen.type("change the theme")
        await screen.sees("Change the theme")
        await screen.press("enter")
        await screen.sees("gruvbox")


@pytest.mark.parametrize("term", ["linux", "dumb"])
def test_a_plain_terminal_gets_ascii_only(term: str) -> None:
    environment = {"TERM": term, "COLORTERM": ""}
    with Terminal((*OLLM_TUI, "--demo"), environment=environment) as terminal:
        text = terminal.wait_for("31 of 31", "+- 1 Installed", "o llama3.2:3b")
        assert text.isascii(), text
        terminal.send("?")
        assert terminal.wait_for("Show all keys").isascii()
        terminal.send("\x1b")
        terminal.wait_gone("Show all keys")
        terminal.send("q")
        assert terminal.wait_end() == 0
        assert terminal.raw.decode().isascii()


def test_a_locale_without_utf8_gets_ascii_only() -> None:
    with Terminal((*OLLM_TUI, "--demo"), environment={"LC_ALL": "C"}) as terminal:
        assert terminal.wait_for("31 of 31").isascii()
        terminal.send("q")
        assert terminal.wait_end() == 0


def test_without_colours_there_are_none_and_the_words_stay() -> None:
    with Terminal((*OLLM_TUI, "--demo"), environment={"NO_COLOR": "1"}) as terminal:
        terminal.wait_for("31 of 31", "▸● llama3.2:3b", "2 loaded")
        terminal.send("q")
        assert terminal.wait_end() == 0
        colours = {
            part for part in bytes(terminal.raw).split(b"\x1b[") if part.startswith(b"38;2;")
        }
        for part in colours:  # greys: all three are one
            red, green, blue = part.removeprefix(b"38;2;").split(b"m")[0].split(b";")[:3]
            assert red == green == blue


def test_sixteen_colours_are_the_terminals_own() -> None:
    environment = {"TERM": "xterm", "COLORTERM": ""}
    with Terminal((*OLLM_TUI, "--demo"), environment=environment) as terminal:
        terminal.wait_for("31 of 31", "▸● llama3.2:3b")
        terminal.send("q")
        assert terminal.wait_end() == 0
        assert b"38;2;" not in terminal.raw
        assert b"38;5;" not in terminal.raw
