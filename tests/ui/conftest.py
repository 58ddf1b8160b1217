"""The app on a sandbox server: what every test of the screen starts from."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from ollm_tui.providers.base import Provider
from ollm_tui.providers.ollama import OllamaProvider
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.sandbox.timing import INSTANT
from ollm_tui.service import deletion
from ollm_tui.service.service import ModelService
from ollm_tui.ui.app import OllmApp
from ollm_tui.ui.look import LookFile
from ollm_tui.ui.simulator.scenarios import ScenarioBook
from tests.ui.configured import OpenView, opener
from tests.ui.screen import Screen

OpenApp = Callable[..., AbstractAsyncContextManager[Screen]]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-snapshots", action="store_true", help="draw tests/ui/snapshots anew")


@pytest.fixture(autouse=True)
def _still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(deletion, "UNDO_S", 0.05)  # how long it is, is tested without a screen


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    """A made-up server that answers at once."""
    with SandboxServer(timing=INSTANT, loaded=("llama3.2:3b",)) as sandbox:
        yield sandbox


@pytest.fixture
def open_app(server: SandboxServer) -> OpenApp:
    """Opens the app on the server, another address or another provider, at a size."""

    @asynccontextmanager
    async def opened(
        *,
        host: str | None = None,
        size: tuple[int, int] = (120, 40),
        wait: bool = True,
        read_timeout_s: float = 15.0,
        provider: Provider | None = None,
        scenarios: "Callable[[], ScenarioBook] | None" = None,
        look: LookFile | None = None,
    ) -> AsyncIterator[Screen]:
        asked = provider or OllamaProvider(host or server.host, read_timeout_s=read_timeout_s)
        service = ModelService(asked)
        app = OllmApp(
            service,
            suggest=lambda word: [("qwen3:14b", "~9.3 GB")],
            scenarios=scenarios,
            look=look,
        )
        async with app.run_test(size=size, notifications=True) as pilot:
            screen = Screen(app, pilot)
            if wait:
                await screen.until(lambda: service.models.as_of is not None)
                await screen.misses("asking …")
            yield screen

    return opened


@pytest.fixture
def open_view(server: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenView:
    """Opens the app in a workspace below a home; the files are there when given."""
    return opener(server, tmp_path, monkeypatch)
