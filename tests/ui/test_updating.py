"""Looking for updates on screen."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from ollm_tui.core.error import DownloadFailed, ModelNotFound, OllmError
from ollm_tui.core.plan import PullPlan
from ollm_tui.providers.ollama import OllamaProvider
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.service.service import ModelService
from ollm_tui.ui.app import OllmApp
from tests.ui.conftest import OpenApp
from tests.ui.screen import Screen


class Registered(OllamaProvider):
    """A server whose registry has everything as it is, but for what a test says."""

    def __init__(self, host: str, anew: Mapping[str, OllmError | None]) -> None:
        super().__init__(host)
        self._anew = anew

    async def plan(self, name: str) -> PullPlan:
        error = self._anew.get(name)
        if error is not None:
            raise error
        return PullPlan(name, "f" * 64, name not in self._anew, 5 * 10**9, 4 * 10**9)


@asynccontextmanager
async def opened(
    server: SandboxServer, anew: Mapping[str, OllmError | None]
) -> AsyncIterator[Screen]:
    app = OllmApp(ModelService(Registered(server.host, anew)))
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        screen = Screen(app, pilot)
        await screen.sees("31 of 31")
        yield screen


async def test_what_differs_is_marked_and_can_be_pulled(server: SandboxServer) -> None:
    anew = {
        "qwen3:8b": None,
        "qwen2.5-coder:7b": None,
        "llama3.2:3b": ModelNotFound("no such model"),
    }
    async with opened(server, anew) as screen:
        await screen.press("U")
        await screen.sees("Update 2 models?", "qwen3:8b  4.0 GB to fetch", "without a registry")
        await screen.press("escape")
        await screen.sees("↑ qwen3:8b", "↑ qwen2.5-coder:7b", "2 updates")
        await screen.press("j", "space", "U")
        await screen.sees("Update the 1 marked (m)")
        await screen.press("m")
        await screen.until(lambda: [i.name for i in screen.service.queue.items] == ["qwen3:8b"])


async def test_nothing_to_update_is_said_with_what_was_not_answered(
    server: SandboxServer,
) -> None:
    anew = {"qwen3:8b": DownloadFailed("The registry refuses", retryable=False)}
    async with opened(server, anew) as screen:
        await screen.press("U")
        await screen.sees("up to date", "1 not answered", "The registry refuses")


async def test_where_registries_are_left_alone_it_says_so(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.press("U")
        await screen.sees("Registries are not asked from here")
