"""The app with configuration files of a user and a workspace."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from textual.widgets import Input

from ollm_tui.cli.arguments import parse_arguments
from ollm_tui.cli.setup import Setup
from ollm_tui.providers.ollama import OllamaProvider
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.service.service import ModelService
from ollm_tui.ui.app import OllmApp
from ollm_tui.ui.screens.settings_list import SettingsList
from tests.ui.screen import Screen

USER = """\
# mine
options: {topP: 0.9}  # inline
model:
  default: llama3.1:8b  # the usual
"""


@dataclass
class View:
    """The app with a user's and a workspace's file."""

    screen: Screen
    user: Path
    project: Path

    async def open(self) -> None:
        """Open the view once the configuration has been read."""
        await self.screen.until(lambda: self.screen.app.settings.effective is not None)
        await self.screen.press("c")
        await self.screen.sees("Configuration", "KEY")

    def at(self, key: str) -> None:
        """Put the cursor on a setting."""
        rows = self.screen.app.screen.query_one(SettingsList)
        keys = [row.setting.key if row.setting else "" for row in rows.items]
        rows.move_to(keys.index(key))

    async def change(self, key: str, text: str) -> None:
        """Type another value for a setting and submit it."""
        self.at(key)
        await self.screen.press("enter")
        self.screen.app.screen.query_one(Input).value = text
        await self.screen.press("enter")


OpenView = Callable[..., AbstractAsyncContextManager[View]]


def opener(server: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenView:
    """Opens the app in a workspace below a home; the files are there when given."""
    home, workspace = tmp_path / "home", tmp_path / "home" / "work"
    for name in ("OLLM_HOME", "OLLM_MODEL", "OLLM_HOST", "OLLM_TEMPERATURE", "OLLAMA_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    user, project = home / ".ollm/config.yaml", workspace / ".ollm/config.yaml"

    @asynccontextmanager
    async def opened(
        *arguments: str,
        user_text: str | None = USER,
        project_text: str | None = None,
        size: tuple[int, int] = (120, 40),
    ) -> AsyncIterator[View]:
        workspace.mkdir(parents=True)
        monkeypatch.chdir(workspace)
        for path, text in ((user, user_text), (project, project_text)):
            if text is not None:
                path.parent.mkdir()
                path.write_text(text)
                path.chmod(0o600)
        setup = Setup(parse_arguments(list(arguments)))
        service = ModelService(
            OllamaProvider(server.host),
            make_database=setup.make_database,
            make_router=setup.make_router,
        )
        app = OllmApp(service, settings=setup)
        async with app.run_test(size=size, notifications=True) as pilot:
            yield View(Screen(app, pilot), user, project)

    return opened
