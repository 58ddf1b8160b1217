"""Precedence, merging and provenance."""

from collections.abc import Callable

import pytest

from ollm_tui.config.problem import Origin, Severity
from ollm_tui.config.resolve import Effective
from tests.unit.config.conftest import World

TEMPERATURE = ("options", "temperature")


def _flag(world: World) -> None:
    world.flags["temperature"] = "0.1"


def _env(world: World) -> None:
    world.env["OLLM_TEMPERATURE"] = "0.2"


def _file(world: World) -> None:
    world.given("options:\n  temperature: 0.3\n")


def _workspace(world: World) -> None:
    world.project("options: {temperature: 0.4}\n")


def _user(world: World) -> None:
    world.user("options:\n\n  temperature: 0.5\n")


@pytest.mark.parametrize(
    ("stronger", "weaker", "value", "origin", "place", "shadowed"),
    [
        (_flag, _env, 0.1, Origin.FLAG, "--temperature", (0.2, "env OLLM_TEMPERATURE")),
        (_env, _file, 0.2, Origin.ENV, "env OLLM_TEMPERATURE", (0.3, "~/given.yaml:2:16")),
        (_env, _workspace, 0.2, Origin.ENV, "env OLLM_TEMPERATURE",
         (0.4, "~/project/.ollm/config.yaml:1:24")),
        (_workspace, _user, 0.4, Origin.WORKSPACE, "~/project/.ollm/config.yaml:1:24",
         (0.5, "~/.ollm/config.yaml:3:16")),
    ],
)  # fmt: skip
def test_each_source_beats_its_neighbour_and_shows_what_it_hides(
    world: World,
    stronger: Callable[[World], None],
    weaker: Callable[[World], None],
    value: float,
    origin: Origin,
    place: str,
    shadowed: tuple[float, str],
) -> None:
    stronger(world)
    weaker(world)
    effective = world.load()
    setting = effective.settings[TEMPERATURE]
    assert effective.config.options.temperature == value
    assert (setting.value, setting.origin, str(setting.place)) == (value, origin, place)
    assert [(item.value, str(item.place)) for item in setting.shadows] == [shadowed]


def test_the_users_file_beats_the_defaults(world: World) -> None:
    world.user("downloads: {concurrency: 7}\n")
    setting = world.load().settings[("downloads", "concurrency")]
    assert (setting.value, setting.origin) == (7, Origin.USER)
    assert [(item.value, item.origin) for item in setting.shadows] == [(2, Origin.DEFAULT)]


def test_a_given_file_replaces_both_others(world: World) -> None:
    _file(world)
    _workspace(world)
    world.user("downloads: {concurrency: 7}\n")
    effective = world.load()
    assert effective.origin(*TEMPERATURE) is Origin.FILE
    assert effective.settings[TEMPERATURE].shadows == ()
    assert effective.config.downloads.concurrency == 2


def test_no_config_reads_no_file(world: World) -> None:
    _user(world)
    _workspace(world)
    world.no_config = True
    assert world.load().config.options.temperature is None
    assert world.load().files == ()


def test_z17_mappings_merge_lists_replace_and_an_empty_value_is_no_value(world: World) -> None:
    world.user(
        "model:\n  routing:\n    overrides: {code: a, fast: b}\n"
        "    profiles: {mine: {preferredFamilies: [llama, qwen], minContextWindow: 1}}\n"
        "options: {temperature: 0.5}\n"
    )
    world.project(
        "model:\n  routing:\n    overrides: {code: c}\n"
        "    profiles: {mine: {preferredFamilies: [phi]}}\n"
        "options:\n  temperature:\n"
    )
    effective = world.load()
    routing = effective.config.model.routing
    assert dict(routing.overrides) == {"code": "c", "fast": "b"}
    assert routing.profiles["mine"].preferred_families == ("phi",)
    assert routing.profiles["mine"].min_context_window == 1
    assert effective.config.options.temperature == 0.5
    assert effective.origin(*TEMPERATURE) is Origin.USER
    overrides = ("model", "routing", "overrides")
    assert effective.origin(*overrides, "code") is Origin.WORKSPACE
    assert effective.origin(*overrides, "fast") is Origin.USER


def test_a_mistake_is_told_also_where_a_stronger_source_hides_it(world: World) -> None:
    world.user("model: {routing: {overrides: {code: 'a b'}}}\n")
    world.project("model: {routing: {overrides: {code: c}}}\n")
    effective = world.load()
    assert effective.config.model.routing.overrides["code"] == "c"
    assert [problem.origin for problem in effective.errors] == [Origin.USER]


def test_an_empty_mapping_adds_nothing_and_so_sets_nothing(world: World) -> None:
    world.user("models: {}\n")
    world.project("models: {}\n")
    setting = world.load().settings["models",]
    assert (setting.value, setting.origin, setting.shadows) == ({}, Origin.DEFAULT, ())


def test_without_any_source_every_value_is_the_default(world: World) -> None:
    effective = world.load()
    assert {setting.origin for setting in effective.settings.values()} == {Origin.DEFAULT}
    assert effective.problems == ()
    assert effective.settings[("provider",)].value == "auto"
    assert effective.connection.host == "http://127.0.0.1:11434"
    assert not effective.connection.is_named


def test_generation_options_are_unset_by_default(world: World) -> None:
    assert all(value is None for _, value in world.load().config.options)


def test_an_empty_variable_is_unset_and_blanks_around_a_value_are_trimmed(world: World) -> None:
    world.env |= {"OLLM_MODEL": "", "OLLM_PROVIDER": "  ", "OLLM_TEMPERATURE": " 0.7 "}
    effective = world.load()
    assert effective.config.model.default is None
    assert effective.config.options.temperature == 0.7
    assert effective.problems == ()


def test_every_flag_and_variable_lands_where_it_belongs(world: World) -> None:
    world.flags |= {"model": "a:1", "profile": "code", "max_tokens": 5, "context_size": "16"}
    world.env |= {
        "OLLM_PROVIDER": "work",
        "OLLM_HOST": "10.0.0.1",
        "OLLM_MODEL": "b:1",
        "OLLM_MAX_TOKENS": "6",
        "OLLM_CONTEXT_SIZE": "17",
    }
    world.user("providers: {work: {timeoutS: 3}}\n")
    effective = world.load()
    config = effective.config
    assert (config.model.default, effective.pinned_model) == ("a:1", "a:1")
    assert config.model.routing.default_profile == "code"
    assert (config.options.max_tokens, config.options.num_ctx) == (5, 16)
    assert effective.connection.name == "work"
    assert effective.connection.host == "http://10.0.0.1:11434"
    assert effective.connection.timeout_s == 3
    (problem,) = effective.problems
    assert problem.message == ("--model wins over --profile. See --profile. Leave one of them out.")
    assert problem.field == "model.routing.defaultProfile"


@pytest.mark.parametrize("flag", ["model", "profile"])
def test_a_flag_that_overrules_no_other_is_not_remarked_on(world: World, flag: str) -> None:
    world.flags[flag] = "code"
    assert world.load().problems == ()


def test_a_model_variable_sets_the_default_and_pins_nothing(world: World) -> None:
    world.env["OLLM_MODEL"] = "b:1"
    effective = world.load()
    assert (effective.config.model.default, effective.pinned_model) == ("b:1", None)


def test_a_bad_model_flag_pins_nothing(world: World) -> None:
    world.user("model: {default: a}\n")
    world.flags["model"] = "not a name"
    effective = world.load()
    assert (effective.config.model.default, effective.pinned_model) == ("a", None)
    assert [problem.origin for problem in effective.errors] == [Origin.FLAG]


def test_a_host_flag_goes_to_the_provider_that_the_strongest_source_picks(world: World) -> None:
    world.user("provider: home\nproviders: {home: {}, work: {}}\n")
    world.flags |= {"host": "h:1", "provider": "work"}
    effective = world.load()
    assert effective.config.providers["work"].host == "http://h:1"
    assert effective.config.providers["home"].host == "http://127.0.0.1:11434"


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ({}, False),
        ({"OLLM_PROVIDER": "auto"}, False),
        ({"OLLM_PROVIDER": "ollama"}, True),
        ({"OLLM_PROVIDER": "local"}, True),
        ({"OLLM_HOST": "localhost"}, True),
        ({"OLLAMA_HOST": "localhost"}, True),
    ],
)
def test_a_provider_counts_as_named_when_any_source_names_one(
    world: World, source: dict[str, str], named: bool
) -> None:
    world.env |= source
    assert world.load().connection.is_named is named


def test_ollama_host_is_the_last_resort(world: World) -> None:
    world.env["OLLAMA_HOST"] = "0.0.0.0:9"
    effective = world.load()
    assert effective.connection.host == "http://127.0.0.1:9"
    assert effective.connection.host_origin == "env OLLAMA_HOST"
    world.user("providers: {ollama: {host: other}}\n")
    effective = world.load()
    assert effective.connection.host == "http://other:11434"
    shadows = effective.settings[("providers", "ollama", "host")].shadows
    assert [str(item.place) for item in shadows] == ["env OLLAMA_HOST", "default"]


def test_the_local_store_is_a_provider_without_being_defined(world: World) -> None:
    world.user("provider: local\n")
    effective = world.load()
    assert effective.connection.kind == "local"
    world.flags["host"] = "h"
    effective = world.load()
    assert effective.connection.kind == "local"
    (problem,) = effective.problems
    assert problem.severity is Severity.WARNING
    assert problem.message == (
        "The local store has no address. See --host. Add --provider ollama to ask that server."
    )
    assert problem.field == "providers.local.host"


def test_an_unknown_provider_is_an_error_with_the_list_and_the_next_source_decides(
    world: World,
) -> None:
    world.env["OLLM_PROVIDER"] = "olama"
    world.user("provider: work\nproviders: {work: {host: w}}\n")
    effective = world.load()
    (problem,) = effective.problems
    assert problem.message == (
        "Unknown provider. Got the text 'olama' (env OLLM_PROVIDER). "
        "Did you mean ollama? Known are auto, local, ollama, work."
    )
    assert effective.connection.host == "http://w:11434"


def _workspace_path(effective: Effective) -> list[str]:
    return [file.path for file in effective.files if file.origin is Origin.WORKSPACE]


def test_the_nearest_workspace_upward_counts_but_not_above_the_repository(world: World) -> None:
    path = world.project("options: {topK: 1}\n")
    world.workspace = world.workspace / "a" / "b"
    world.workspace.mkdir(parents=True)
    assert _workspace_path(world.load()) == [str(path)]
    (world.workspace.parent / ".git").mkdir()
    assert _workspace_path(world.load()) == []


def test_the_home_folder_is_not_a_workspace(world: World) -> None:
    world.user("options: {topK: 1}\n")
    assert _workspace_path(world.load()) == []
    world.workspace = world.home
    assert _workspace_path(world.load()) == []


def test_ollm_home_moves_the_users_file(world: World) -> None:
    elsewhere = world.home / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "config.yaml").write_text("options: {topK: 9}\n")
    world.user("options: {topK: 1}\n")
    world.env["OLLM_HOME"] = str(elsewhere)
    assert world.load().config.options.top_k == 9
