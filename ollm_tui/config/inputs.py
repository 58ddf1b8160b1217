"""What the outside world says before any file is read, and where the files would be.

On the way to the first request: imports next to nothing.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ollm_tui.config.draft import Draft

FILE_NAME = "config.yaml"
FOLDER_NAME = ".ollm"
OTHER_NAMES = ("config.yml", "config.json")
"""Not read, but pointed out."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the outside world says before any file is read."""

    flags: Mapping[str, object] = field(default_factory=dict)
    """By the names in `source.FLAGS`; None = not given. Numbers may be text."""
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: FilePath = FilePath()
    user_home: FilePath = FilePath()
    config_file: FilePath | None = None
    """--config: replaces both files."""
    no_config: bool = False
    """--no-config: no file is read."""
    is_passing: bool = False
    """--demo: the user's file is one of the program's own, and goes when it ends."""
    draft: "Draft | None" = None
    """Stands in for the file of its path."""

    @classmethod
    def of_process(
        cls,
        flags: Mapping[str, object],
        *,
        config_file: FilePath | None = None,
        no_config: bool = False,
    ) -> "Inputs":
        """What this process was started with."""
        home = FilePath(os.path.expanduser("~"))
        try:
            cwd = FilePath(os.getcwd())
        except FileNotFoundError:
            cwd = home  # the folder has been deleted under us
        return cls(flags, os.environ, cwd, home, config_file, no_config)

    @property
    def ollm_home(self) -> FilePath:
        """The folder of the user's configuration, state and logs: OLLM_HOME, else ~/.ollm."""
        named = self.env.get("OLLM_HOME", "").strip()
        return self.cwd / FilePath(named).expanduser() if named else self.user_home / FOLDER_NAME

    @property
    def user_path(self) -> FilePath:
        """The user's own configuration file, there or not."""
        return self.ollm_home / FILE_NAME

    def shown(self, path: FilePath) -> str:
        """A path as people write it: with ~ for their home."""
        text, prefix = str(path), str(self.user_home)
        return "~" + text[len(prefix) :] if text.startswith(prefix + os.sep) else text


def find_workspace_file(inputs: Inputs) -> FilePath | None:
    """The workspace's configuration file, if there is one, by whatever name.

    Looks in the current folder and upward, up to the repository's root (the folder with `.git`)
    or the home folder; the home folder itself, and OLLM_HOME, are not a workspace.
    """
    home, ollm_home = inputs.user_home, inputs.ollm_home
    for folder in (inputs.cwd, *inputs.cwd.parents):
        if folder == home:
            return None
        place = folder / FOLDER_NAME
        names = (FILE_NAME, *OTHER_NAMES)
        if place != ollm_home and any(os.path.lexists(place / name) for name in names):
            return place / FILE_NAME
        if inputs.draft is not None and inputs.draft.path == str(place / FILE_NAME):
            return place / FILE_NAME
        if os.path.lexists(folder / ".git"):
            return None
    return None
