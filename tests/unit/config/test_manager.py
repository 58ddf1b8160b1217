"""The manager: cache, last good state, validation of data, broken and odd files."""

import os
from pathlib import Path

import pytest

from ollm_tui.config import manager as manager_module
from ollm_tui.config.change import Change
from ollm_tui.config.problem import Origin, Severity
from ollm_tui.config.save import create_example
from ollm_tui.config.schema import Settings
from ollm_tui.core.error import ConfigError
from tests.unit.config.conftest import World


def test_the_sources_are_read_again_only_when_one_has_changed(world: World) -> None:
    path = world.user("options: {topK: 1}\n")
    manager = world.manager()
    first = manager.get_effective_config()
    assert manager.get_effective_config() is first
    path.write_text("options: {topK: 22}\n")
    second = manager.get_effective_config()
    assert second.config.options.top_k == 22
    world.env["OLLM_TEMPERATURE"] = "0.1"
    assert manager.get_effective_config().config.options.temperature == 0.1
    world.project("options: {topK: 3}\n")
    assert manager.get_effective_config().config.options.top_k == 3


def test_a_replaced_file_of_the_same_size_and_time_is_noticed(world: World) -> None:
    path = world.user("options: {topK: 1}\n")
    manager = world.manager()
    assert manager.get_effective_config().config.options.top_k == 1
    status = path.stat()
    other = path.with_name("new")
    other.write_text("options: {topK: 2}\n")
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(path)
    assert manager.get_effective_config().config.options.top_k == 2


def test_a_file_broken_from_the_start_costs_only_itself(world: World) -> None:
    world.user("options: {topK: 1\n")
    world.project("options: {topP: 0.5}\n")
    effective = world.manager().load_config()
    assert effective.config.options.top_p == 0.5
    assert not effective.is_last_good
    (problem,) = effective.errors
    assert problem.origin is Origin.USER
    assert str(problem.place) == "~/.ollm/config.yaml:1:18"


def test_a_file_that_breaks_later_leaves_the_last_good_state_in_force(world: World) -> None:
    path = world.user("options: {topK: 1}\n")
    manager = world.manager()
    good = manager.load_config()
    path.write_text("options: {topK: -1}\n")
    effective = manager.get_effective_config()
    assert effective.is_last_good
    assert effective.config is good.config
    assert [problem.sentence for problem in effective.errors] == [
        "Top K must be 0 or a positive number"
    ]
    path.write_text("options: {topK: 5}\n")
    effective = manager.get_effective_config()
    assert (effective.config.options.top_k, effective.is_last_good) == (5, False)


def test_a_warning_is_no_reason_to_stay_behind(world: World) -> None:
    path = world.user("options: {topK: 1}\n")
    manager = world.manager()
    manager.load_config()
    path.write_text("options: {topK: 2}\nunknown: 1\n")
    assert manager.get_effective_config().config.options.top_k == 2


def test_data_are_validated_with_every_mistake_field_message_and_value(world: World) -> None:
    result = world.manager().validate_config(
        {
            "model": {"default": "a b", "routing": {"defaultProfile": "nope"}},
            "options": {"temperature": 2.5, "maxTokens": 0, "topP": -1, "top_k": True},
            "unknown": 1,
        }
    )
    assert not result.valid
    assert [(error.field, error.value) for error in result.errors] == [
        ("model.default", "a b"),
        ("options.temperature", 2.5),
        ("options.maxTokens", 0),
        ("options.topP", -1),
        ("options.top_k", True),
        ("model.routing.defaultProfile", "nope"),
    ]
    assert [error.message.split(".")[0] for error in result.errors[:1]] == [
        "Invalid model name format"
    ]


def test_good_data_and_the_settings_in_force_are_valid(world: World) -> None:
    manager = world.manager()
    world.user("providers: {work: {headers: {A: b}, options: {x: [1, {y: 2}]}}}\n")
    assert manager.validate_config({}).valid
    assert manager.validate_config(Settings()).valid
    assert manager.validate_config(manager.load_config().config).valid


def test_a_missing_given_file_is_an_error_and_a_missing_users_file_is_nothing(world: World) -> None:
    assert world.load().problems == ()
    world.config_file = world.home / "nowhere.yaml"
    (problem,) = world.load().errors
    assert "There is no such file" in problem.message
    assert problem.origin is Origin.FILE


@pytest.mark.parametrize("name", ["config.yml", "config.json"])
def test_another_name_is_hinted_at(world: World, name: str) -> None:
    world.user("").rename(world.home / ".ollm" / name)
    world.project("").rename(world.workspace / ".ollm" / name)
    problems = world.load().problems
    assert [problem.origin for problem in problems] == [Origin.WORKSPACE, Origin.USER]
    for problem in problems:
        assert problem.severity is Severity.NOTICE
        assert name in problem.message


def test_folders_pipes_devices_and_locked_files_are_refused_at_once(world: World) -> None:
    path = world.home / ".ollm" / "config.yaml"
    path.mkdir(parents=True)
    assert "not a regular file" in world.load().errors[0].message
    path.rmdir()
    os.mkfifo(path)
    assert "not a regular file" in world.load().errors[0].message
    path.unlink()
    path.symlink_to(path)
    assert world.load().errors
    world.config_file = Path("/dev/zero")
    assert "not a regular file" in world.load().errors[0].message


@pytest.mark.parametrize("text", ["just words", "- a\n- b\n", "3", "temperature:0.7"])
def test_a_file_that_is_no_mapping_is_refused_with_its_place(world: World, text: str) -> None:
    world.user(text)
    (problem,) = world.load().errors
    assert problem.sentence == "The file must be a mapping of keys to values"
    assert str(problem.place) == "~/.ollm/config.yaml:1:1"


def test_json_is_read_since_it_is_yaml(world: World) -> None:
    world.user('{"options": {"topK": 4}, "provider": "auto"}')
    assert world.load().config.options.top_k == 4


def test_secrets_in_a_file_that_others_can_read_are_warned_of(world: World) -> None:
    path = world.user("providers: {w: {headers: {Authorization: abc}}}\n")
    assert world.load().problems == ()
    path.chmod(0o644)
    (problem,) = world.load().problems
    assert (problem.severity, problem.origin) == (Severity.WARNING, Origin.USER)
    assert "chmod 600" in problem.message


def test_the_key_comes_from_the_variable_that_is_named(world: World) -> None:
    world.user("provider: w\nproviders: {w: {apiKeyEnv: W_KEY, caFile: certs/a.pem}}\n")
    world.env["W_KEY"] = "s3cret"
    effective = world.load()
    assert effective.connection.api_key == "s3cret"
    assert effective.connection.ca_file == str(world.home / ".ollm" / "certs" / "a.pem")
    assert "s3cret" not in repr(effective)


def test_a_broken_symlink_of_a_workspace_does_not_stop_the_start(world: World) -> None:
    folder = world.workspace / ".ollm"
    folder.mkdir()
    (folder / "config.yaml").symlink_to("nowhere")
    assert world.load().config.provider == "auto"


def test_every_variable_is_watched() -> None:
    watched = manager_module._WATCHED_VARIABLES
    assert {"OLLM_MODEL", "OLLM_HOST", "OLLAMA_HOST", "OLLM_HOME"} <= set(watched)


OVERRIDE = Change(("model", "routing", "overrides", "code"), "x:1")


def test_a_change_is_planned_shown_and_made_in_the_layer_that_was_picked(world: World) -> None:
    user = world.user("# mine\noptions: {topK: 1}\n")
    manager = world.manager()
    plan = manager.plan(Origin.USER, [OVERRIDE])
    assert "+      code: x:1" in plan.patch
    effective = manager.apply(plan)
    assert effective.origin(*OVERRIDE.path) is Origin.USER
    assert user.read_text().startswith("# mine\noptions: {topK: 1}\nmodel:\n")
    manager.apply(manager.plan(Origin.WORKSPACE, [Change(OVERRIDE.path, "y:1")]))
    setting = manager.get_effective_config().settings[OVERRIDE.path]
    assert (setting.value, setting.origin) == ("y:1", Origin.WORKSPACE)
    assert [shadow.value for shadow in setting.shadows] == ["x:1"]


def test_a_trusted_workspace_stays_trusted_when_we_change_it(world: World) -> None:
    world.project("providers: {ollama: {host: h}}\n")
    manager = world.manager()
    (file,) = [f for f in manager.load_config().files if f.origin is Origin.WORKSPACE]
    plan = manager.plan(Origin.WORKSPACE, [OVERRIDE])
    assert manager.apply(plan).connection.host == "http://127.0.0.1:11434"
    (file,) = [f for f in manager.load_config().files if f.origin is Origin.WORKSPACE]
    assert manager.trust(file).connection.host == "http://h:11434"
    plan = manager.plan(Origin.WORKSPACE, [Change(OVERRIDE.path, "z")])
    assert manager.apply(plan).connection.host == "http://h:11434"


def test_there_is_nothing_to_save_to_without_files(world: World) -> None:
    world.workspace = world.home
    with pytest.raises(ConfigError, match="no such file to save to"):
        world.manager().plan(Origin.WORKSPACE, [OVERRIDE])
    world.no_config = True
    with pytest.raises(ConfigError, match="no such file to save to"):
        world.manager().plan(Origin.USER, [OVERRIDE])


def test_a_workspace_file_that_we_make_is_trusted(world: World) -> None:
    manager = world.manager()
    change = Change(("providers", "ollama", "host"), "h")
    assert (
        manager.apply(manager.plan(Origin.WORKSPACE, [change])).connection.host == "http://h:11434"
    )


def test_the_example_is_never_written_over_a_file(world: World) -> None:
    path = world.inputs.user_path
    create_example(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert world.load().problems == ()
    before = path.read_text()
    with pytest.raises(ConfigError, match="is there already"):
        create_example(path)
    assert path.read_text() == before
    with pytest.raises(ConfigError, match="was not written"):
        create_example(path / "x" / "config.yaml")
