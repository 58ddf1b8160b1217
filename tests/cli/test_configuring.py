"""The verbs `config show`, `check`, `init`, `path` and `trust`, and what a broken file does."""

import os
from pathlib import Path

import pytest

from tests.cli.conftest import Cli

USER = """\
options: {temperature: 0.5, topP: 0.9}
providers:
  work: {host: "http://u:s3cret@h", headers: {X-Key: s3cret}, timeoutS: 5}
"""
PROJECT = """\
options: {temperature: 0.7}
providers: {ollama: {host: elsewhere}}
"""
BROKEN = """\
modle: {default: a}
model:
  default: yes
  routing: {defaultProfile: gneral}
options:
  temperature: 3
  maxTokens: 0
  topP: "0.5"
"""


@pytest.fixture
def user() -> Path:
    """The user's file, private; its folder is there."""
    return _file(Path.home() / ".ollm")


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The workspace's file, with the workspace as the current folder."""
    workspace = Path.home() / "work"
    path = _file(workspace / ".ollm")
    monkeypatch.chdir(workspace)
    return path


def _file(folder: Path) -> Path:
    folder.mkdir(parents=True)
    path = folder / "config.yaml"
    path.touch(mode=0o600)
    return path


def test_show_lists_what_is_set_and_nothing_secret(cli: Cli, user: Path) -> None:
    user.write_text(USER)
    result = cli("config", "show")
    assert result.status == 0
    rows = dict(line.split(None, 1) for line in result.out.splitlines())
    assert rows == {
        "KEY": "VALUE",
        "options.temperature": "0.5",
        "options.topP": "0.9",
        "providers.work.host": '"http://•••@h"',
        "providers.work.headers.X-Key": '"•••"',
        "providers.work.timeoutS": "5.0",
    }
    for arguments in (["--origin"], ["--json"], ["--origin", "--json"]):
        result = cli("config", "show", *arguments)
        assert "s3cret" not in result.out + result.err


def test_show_origin_says_who_set_it_and_what_that_hides(
    cli: Cli, user: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user.write_text(USER)
    project.write_text(PROJECT)
    monkeypatch.setenv("OLLM_TEMPERATURE", "0.9")
    result = cli("config", "show", "--origin")
    assert result.status == 0
    head, *rows = (line.split() for line in result.out.splitlines())
    assert head == ["KEY", "VALUE", "ORIGIN", "LOCATION", "HIDES"]
    assert (
        "options.temperature 0.9 env env OLLM_TEMPERATURE "
        "0.7 of ~/work/.ollm/config.yaml:1:24, 0.5 of ~/.ollm/config.yaml:1:24"
    ).split() in rows
    assert ["options.topP", "0.9", "user", "~/.ollm/config.yaml:1:35"] in rows
    assert ["model.default", "unset", "default"] in rows


def test_show_origin_as_json_is_one_entry_a_leaf(
    cli: Cli, user: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user.write_text(USER)
    project.write_text(PROJECT)
    monkeypatch.setenv("OLLM_TEMPERATURE", "0.9")
    entries = {entry["key"]: entry for entry in cli("config", "show", "--origin", "--json").json}
    assert entries["options.temperature"] == {
        "key": "options.temperature",
        "value": 0.9,
        "origin": "env",
        "location": "env OLLM_TEMPERATURE",
        "shadows": [
            {"value": 0.7, "origin": "workspace", "location": "~/work/.ollm/config.yaml:1:24"},
            {"value": 0.5, "origin": "user", "location": "~/.ollm/config.yaml:1:24"},
        ],
    }
    assert entries["providers.work.headers.X-Key"]["value"] == "•••"
    assert {entry["origin"] for entry in entries.values()} == {"env", "user", "default"}
    assert set(cli("config", "show", "--json").json[0]) == {"key", "value"}


def test_check_finds_every_mistake_in_one_pass_each_with_place_and_remedy(
    cli: Cli, user: Path
) -> None:
    user.write_text(BROKEN)
    result = cli("config", "check")
    assert (result.status, result.out) == (2, "")
    said = [line for line in result.err.splitlines() if line.startswith(("error", "warning"))]
    place = "~/.ollm/config.yaml"
    assert [line.split(". ")[0] for line in said] == [
        "warning: Unknown key 'modle'",
        "error: Invalid model name format",
        "error: Unknown routing profile",
        "error: Temperature must be between 0.0 and 2.0",
        "error: Max tokens must be positive",
        "error: Top P must be between 0.0 and 1.0",
    ]
    for line, where in zip(said, ("1:1", "3:12", "4:29", "6:16", "7:14", "8:9"), strict=True):
        assert f"{place}:{where}" in line
    assert "Did you mean model?" in said[0]
    assert "Did you mean general? Known are " in said[2]
    assert "6 |   temperature: 3\n  |                ^\n" in result.err


def test_strict_makes_a_warning_count(cli: Cli, user: Path) -> None:
    user.write_text("modle: x\n")
    assert cli("config", "check").status == 0
    assert cli("config", "check", "--strict").status == 2
    user.write_text("options: {top_p: 0.5}\n")  # a notice
    assert cli("config", "check", "--strict").status == 0


def test_a_good_configuration_says_which_files_it_is(cli: Cli, user: Path) -> None:
    user.unlink()
    assert cli("config", "check").out.startswith("ok: no configuration file")
    user.write_text(USER)
    assert cli("config", "check").out == f"ok: {user}\n"


def test_init_writes_the_example_once(cli: Cli, user: Path) -> None:
    user.unlink()
    assert cli("config", "init").out == f"{user}\n"
    example = user.read_text()
    assert cli("config", "check", "--strict").status == 0
    again = cli("config", "init")
    assert again.status == 2
    assert "is there already" in again.err
    assert user.read_text() == example


def test_path_names_every_file_looked_for(cli: Cli, user: Path, project: Path) -> None:
    user.unlink()
    assert [line.split(None, 2) for line in cli("config", "path").out.splitlines()] == [
        ["workspace", str(project), "in use"],
        ["user", str(user), "not there"],
    ]
    assert "no configuration file" in cli("--no-config", "config", "path").out


def test_trust_holds_until_the_file_changes(cli: Cli, user: Path, project: Path) -> None:
    project.write_text(PROJECT)

    def host() -> str:
        entries = cli("config", "show", "--json").json
        return str(next(e["value"] for e in entries if e["key"] == "providers.ollama.host"))

    assert host() == "http://127.0.0.1:11434"
    assert "this workspace is not trusted" in cli("config", "check").err
    assert cli("config", "trust").status == 0
    assert host() == "http://elsewhere:11434"
    assert cli("config", "trust").status == 1
    project.write_text(PROJECT + "# changed\n")
    assert host() == "http://127.0.0.1:11434"
    assert os.stat(user.with_name("trusted.json")).st_mode & 0o777 == 0o600


@pytest.mark.parametrize("verb", [("list",), ("route",), ("config", "show"), ("config", "check")])
def test_every_verb_refuses_a_broken_file_and_names_the_place(
    cli: Cli, user: Path, verb: tuple[str, ...]
) -> None:
    user.write_text("options: {temperature: 0.5\n")
    result = cli(*verb)
    assert result.status == 2
    assert "~/.ollm/config.yaml:1:27" in result.err
    assert "Traceback" not in result.err


def test_an_order_of_profiles_is_the_same_every_time(cli: Cli, user: Path) -> None:
    user.write_text("model: {routing: {defaultProfile: nope}}\n")
    assert "Known are fast, general, code, creative." in cli("config", "check").err
