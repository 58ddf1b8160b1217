"""What the first frame shows of the last run."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ollm_tui.providers.ollama import OllamaProvider
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.sandbox.timing import INSTANT
from ollm_tui.service.memory import Memory
from ollm_tui.service.service import ModelService
from ollm_tui.ui import app as ui
from ollm_tui.ui.app import OllmApp
from tests.ui.screen import Screen

Frames = list[list[str]]


@pytest.fixture
def frames(monkeypatch: pytest.MonkeyPatch) -> Frames:
    """The models that each first frame had."""
    seen: Frames = []
    go_on = OllmApp._first_frame_is_out

    def first_frame_is_out(app: OllmApp) -> None:
        seen.append(Screen.names_of(app))
        go_on(app)

    monkeypatch.setattr(OllmApp, "_first_frame_is_out", first_frame_is_out)
    return seen


@asynccontextmanager
async def running(host: str, home: Path) -> AsyncIterator[Screen]:
    service = ModelService(OllamaProvider(host), state_path=home / "state.sqlite")
    app = OllmApp(service)
    async with app.run_test(size=(120, 40)) as pilot:
        yield Screen(app, pilot)


@pytest.fixture
def gone(tmp_path: Path) -> str:
    """The host of a server that is no more, whose list the home of this test still has."""

    async def know(host: str) -> None:
        service = ModelService(OllamaProvider(host), state_path=tmp_path / "state.sqlite")
        await service.list_models()
        await service.close()

    with SandboxServer(timing=INSTANT) as server:
        asyncio.run(know(server.host))
        host = server.host
    return host


async def test_the_first_frame_has_the_list_of_the_last_run(
    gone: str, tmp_path: Path, frames: Frames, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ui, "LAST_KNOWN_WITHIN_S", 10)
    async with running(gone, tmp_path) as screen:
        await screen.until(lambda: bool(frames))
        await screen.sees("31 of 31", "offline")
        assert frames == [screen.names()]


async def test_the_first_frame_waits_for_no_slow_disk(
    gone: str, tmp_path: Path, frames: Frames, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_read = asyncio.Event()
    read = Memory.last_list

    async def last_list(memory: Memory) -> object:
        await is_read.wait()
        return await read(memory)

    monkeypatch.setattr(ui, "LAST_KNOWN_WITHIN_S", 0.01)
    monkeypatch.setattr(Memory, "last_list", last_list)
    async with running(gone, tmp_path) as screen:
        await screen.until(lambda: bool(frames))
        assert frames == [[]]
        is_read.set()
        await screen.sees("31 of 31", "offline")
