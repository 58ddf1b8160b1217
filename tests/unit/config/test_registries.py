"""Who the user is for private registries: from the file and the environment to the connection."""

import os

import pytest

from ollm_tui.config.login import RegistryLogin
from ollm_tui.config.problem import Severity
from ollm_tui.config.secret import MASK, masked
from tests.unit.config.conftest import World

SECRET = "hunter2"
FILE = "registries: {ghcr.io: {user: me, passwordEnv: GHCR_TOKEN}}\n"


def test_the_password_comes_from_the_variable_that_the_file_names(world: World) -> None:
    world.user(FILE + "provider: local\n")
    world.env["GHCR_TOKEN"] = SECRET
    connection = world.load().connection
    assert connection.registries == {"ghcr.io": RegistryLogin("me", SECRET, "GHCR_TOKEN")}


@pytest.mark.parametrize("env", [{}, {"GHCR_TOKEN": ""}])
def test_a_variable_that_is_not_set_gives_no_password(world: World, env: dict[str, str]) -> None:
    world.user(FILE)
    world.env |= env
    assert world.load().connection.registries["ghcr.io"].password is None


@pytest.mark.parametrize(
    ("said", "login"),
    [
        ("user: me", RegistryLogin("me", None, "")),
        ("passwordEnv: GHCR_TOKEN", RegistryLogin("", SECRET, "GHCR_TOKEN")),
    ],
)
def test_of_user_and_variable_one_may_be_left_out(
    world: World, said: str, login: RegistryLogin
) -> None:
    world.user(f"registries: {{ghcr.io: {{{said}}}}}\n")
    world.env["GHCR_TOKEN"] = SECRET
    assert world.load().connection.registries == {"ghcr.io": login}


def test_it_is_nowhere_to_be_seen(world: World) -> None:
    world.user(FILE + f"x: {SECRET}\n")
    world.env["GHCR_TOKEN"] = SECRET
    effective = world.load()
    shown = repr(effective) + repr(effective.connection.registries)
    assert SECRET not in shown + repr(list(effective.settings.values()))


def test_a_password_written_in_place_of_a_name_is_masked_and_others_reading_it_is_told(
    world: World,
) -> None:
    path = world.user(f"registries:\n  ghcr.io: {{user: me, passwordEnv: {SECRET}}}\n")
    os.chmod(path, 0o644)
    effective = world.load()
    assert masked(("registries", "ghcr.io", "passwordEnv"), "GHCR_TOKEN") == "GHCR_TOKEN"
    assert effective.settings[("registries", "ghcr.io", "passwordEnv")].value == MASK
    assert effective.connection.registries["ghcr.io"].variable == MASK
    (problem,) = effective.problems
    assert "others can read the file" in problem.sentence
    assert "passwordEnv" in problem.message
    assert SECRET not in problem.message + "".join(problem.snippet)


def test_a_password_under_a_key_of_its_own_is_ignored_and_not_shown(world: World) -> None:
    world.user(f"registries:\n  ghcr.io:\n    password: {SECRET}\n")
    (problem,) = world.load().problems
    assert "user, passwordEnv" in problem.message
    assert SECRET not in problem.message + "".join(problem.snippet)


@pytest.mark.parametrize("host", ["https://ghcr.io", "GHCR.io", "ghcr.io/me", "me@ghcr.io"])
def test_a_registry_is_named_as_in_a_models_name(world: World, host: str) -> None:
    world.user(f'registries: {{"{host}": {{user: me}}, "r:5000": {{user: me}}}}\n')
    effective = world.load()
    assert list(effective.connection.registries) == ["r:5000"]
    (problem,) = effective.errors
    assert "a host as in a model's name" in problem.message


def test_a_password_in_the_place_of_a_host_is_not_shown(world: World) -> None:
    world.user(f'registries: {{"https://me:{SECRET}@ghcr.io": {{user: me, usr: me}}}}\n')
    effective = world.load()
    assert len(effective.errors) == 1
    assert len(effective.problems) == 2
    for problem in effective.problems:
        assert SECRET not in repr(problem) + problem.message + "".join(problem.snippet)
        assert "ghcr.io" in problem.field


def test_a_name_with_a_colon_cannot_be_sent(world: World) -> None:
    world.user('registries: {ghcr.io: {user: "me:you"}}\n')
    (problem,) = world.load().errors
    assert "without ':'" in problem.message


def test_a_workspace_names_no_registry_until_it_is_trusted(world: World) -> None:
    world.env |= {"GHCR_TOKEN": SECRET, "AWS_SECRET": "other"}
    world.user(FILE)
    world.project(
        "registries:\n"
        "  evil.example: {user: x, password_env: AWS_SECRET}\n"
        "  ghcr.io: {passwordEnv: AWS_SECRET}\n"
    )
    manager = world.manager()
    effective = manager.load_config()
    assert effective.connection.registries == {"ghcr.io": RegistryLogin("me", SECRET, "GHCR_TOKEN")}
    ignored = [problem for problem in effective.problems if "not trusted" in problem.sentence]
    assert [problem.field for problem in ignored] == [
        'registries."evil.example"',
        'registries."ghcr.io"',
    ]
    assert {problem.severity for problem in ignored} == {Severity.WARNING}
    (file,) = [file for file in effective.files if not file.trusted]
    trusted = manager.trust(file).connection.registries
    assert trusted["ghcr.io"] == RegistryLogin("me", "other", "AWS_SECRET")
    assert "evil.example" in trusted
