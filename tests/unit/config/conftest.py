"""A user, a workspace and their two configuration files."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ollm_tui.config.inputs import Inputs
from ollm_tui.config.lint import Knowledge
from ollm_tui.config.manager import ConfigManager
from ollm_tui.config.resolve import Effective, load_config

PROFILES = ("fast", "general", "code", "creative")


@dataclass
class World:
    """What the sources say; `load` asks what is in force."""

    home: Path
    workspace: Path
    flags: dict[str, object] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    config_file: Path | None = None
    no_config: bool = False
    knowledge: Knowledge = field(default_factory=lambda: Knowledge(profiles=PROFILES))

    def user(self, text: str) -> Path:
        """Write the user's file."""
        return _written(self.home / ".ollm" / "config.yaml", text)

    def project(self, text: str) -> Path:
        """Write the workspace's file."""
        return _written(self.workspace / ".ollm" / "config.yaml", text)

    def given(self, text: str) -> Path:
        """Write the file of --config."""
        self.config_file = _written(self.home / "given.yaml", text)
        return self.config_file

    @property
    def inputs(self) -> Inputs:
        return Inputs(
            self.flags, self.env, self.workspace, self.home, self.config_file, self.no_config
        )

    def load(self) -> Effective:
        return load_config(self.inputs, self.knowledge)

    def manager(self) -> ConfigManager:
        return ConfigManager(self.inputs, self.knowledge)


def _written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


@pytest.fixture
def world(tmp_path: Path) -> World:
    home = tmp_path / "home"
    workspace = home / "project"
    workspace.mkdir()
    return World(home, workspace)
