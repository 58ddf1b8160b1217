"""The first run of somebody who has read nothing but the footer and what each dialog says."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from textual.widgets import OptionList

from ollm_tui.catalogue.catalogue import catalogue
from ollm_tui.cli import demo
from ollm_tui.cli.arguments import parse_arguments
from ollm_tui.cli.compose import opened_setup
from ollm_tui.cli.screen import make_app
from ollm_tui.sandbox.faults import PullScript
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.service import deletion
from tests.ui.screen import Screen

WANTED = "qwen2.5-coder:14b"
DIGEST = "sha256:" + "c" * 64


@contextmanager
def as_demo(server: SandboxServer) -> Iterator[SandboxServer]:
    yield server


@pytest.fixture
def demo_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxServer]:
    """The demo's own server, which the test can hold up."""
    with demo.demo_server() as server:
        monkeypatch.setattr(demo, "demo_server", lambda: as_demo(server))
        yield server


def script(server: SandboxServer) -> PullScript:
    def at(completed: int) -> dict[str, object]:
        return {"status": "pulling ccc", "digest": DIGEST, "total": 1000, "completed": completed}

    return server.faults.script_pull(WANTED, [at(400), at(700), {"status": "success"}])


async def press_as_told(screen: Screen, told: str, *keys: str) -> None:
    """Press what the screen says, once it says so."""
    await screen.sees(told)
    await screen.press(*keys)


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_the_first_run(
    demo_server: SandboxServer, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    options = parse_arguments(["--demo"])
    with opened_setup(options) as setup:
        app = make_app(setup, options)
        async with app.run_test(size=size, notifications=True) as pilot:
            screen = Screen(app, pilot)
            await screen.sees("DEMO", "31 of 31")
            await screen.until(lambda: app.settings.effective is not None)
            await find_and_pull(screen, demo_server)
            await inspect(screen)
            await prefer(screen, is_wide=size[0] >= 100)
            assert f"code: {WANTED}" in (setup.inputs.ollm_home / "config.yaml").read_text()
            await delete_another(screen, demo_server, monkeypatch)
            await press_as_told(screen, "q quit", "q")
            await screen.until(lambda: not app.is_running)
        assert not app.return_code
        folder = setup.inputs.ollm_home
    assert not folder.exists()
    assert not (Path.home() / ".ollm").exists()


async def find_and_pull(screen: Screen, server: SandboxServer) -> None:
    """A model with tools, below 10 GB; paused once on its way."""
    await press_as_told(screen, "p pull", "p")
    await screen.sees("cap:tools size<10G filters")
    await screen.type("cap:tools size<10G coder")
    await screen.until(lambda: set(offered(screen)) == fitting("coder"))
    first = script(server)
    for _ in range(offered(screen).index(WANTED)):
        await screen.press("down")
    await screen.sees(f"{WANTED}: about 9.0 GB")
    await press_as_told(screen, "enter pulls", "enter")
    first.advance()
    await screen.sees("1 active", "40%")
    await press_as_told(screen, "space pause", "space")
    await screen.sees("1 paused", "paused at 40%")
    await first.until_ended()
    second = script(server)
    await press_as_told(screen, "space goes on", "space")
    second.advance(2)
    await screen.sees("1 active", "70%")
    second.advance()
    await screen.sees("done, ")


def fitting(word: str) -> set[str]:
    """What the catalogue has with tools, below 10 GB, and with that word in its name."""
    return {
        model.name
        for model in catalogue()
        if word in model.name
        and model.size_bytes < 10 * 10**9
        and model.capabilities is not None
        and model.capabilities.tool_calling
        and model.name != "qwen2.5-coder:7b"  # which is installed
    }


def offered(screen: Screen) -> list[str]:
    """The names that the pull dialog offers, best first."""
    options = screen.app.screen.query_one(OptionList).options
    return [str(option.prompt).split()[0] for option in options]


async def inspect(screen: Screen) -> None:
    await press_as_told(screen, "/ filter", "slash")
    await screen.type(WANTED)
    await screen.sees("1 of 32")
    await press_as_told(screen, "enter keeps", "enter")
    await press_as_told(screen, "enter inspect", "enter")
    await screen.sees(f"3 Inspector ─ {WANTED}", "tools ✓")
    await screen.until(lambda: screen.app.focused is not None)
    assert screen.app.focused is not None
    assert screen.app.focused.id == "inspector"


async def prefer(screen: Screen, *, is_wide: bool) -> None:
    """Make it the override of `code`."""
    await press_as_told(screen, "4 Router", "4")
    await press_as_told(screen, "→ profile", "right")
    await screen.sees("4 Router ─ code → codellama:7b")
    await press_as_told(screen, "1 Installed", "1")
    if not is_wide:
        await press_as_told(screen, "? help", "question_mark")
        await press_as_told(screen, "esc closes", "escape")
    else:
        await screen.sees("o override")
    await screen.press("o")
    await screen.sees(f"overrides.code = {WANTED}", "instead of codellama:7b", "the demo's own")
    await press_as_told(screen, "enter saves", "enter")
    await screen.sees("Saved to ")
    await press_as_told(screen, "4 Router", "4")
    await screen.sees(f"4 Router ─ code → {WANTED}", "override")


async def delete_another(
    screen: Screen, server: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Take it back once, and then mean it."""
    await press_as_told(screen, "1 Installed", "1", "escape")
    await screen.sees("32 of 32")
    monkeypatch.setattr(deletion, "UNDO_S", 60.0)
    screen.app.clear_notifications()
    await screen.press("G")
    await press_as_told(screen, "d delete", "d")
    await screen.sees("Delete 1 model?", "Frees up to ")
    await press_as_told(screen, "Delete (y)", "y")
    await press_as_told(screen, "u undoes", "u")
    await screen.sees("Taken back", "32 models")
    assert server.count("/api/delete") == 0
    monkeypatch.setattr(deletion, "UNDO_S", 0.05)
    await screen.press("d")
    await press_as_told(screen, "Delete (y)", "y")
    await screen.sees("31 models")
    assert server.count("/api/delete") == 1
