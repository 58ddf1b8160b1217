"""The decisions K1 to K30, one by one, each by its name; their corners are in the other files."""

import os
from pathlib import Path

import pytest

from ollm_tui.config.change import Change
from ollm_tui.config.document import parse_document
from ollm_tui.config.problem import Origin, Severity
from ollm_tui.config.reference import example_yaml
from ollm_tui.config.resolve import Effective
from ollm_tui.config.save import create_example
from ollm_tui.core.error import ConfigError
from tests.unit.config.conftest import World

PLACE = "~/.ollm/config.yaml"


def _sentences(effective: Effective) -> list[str]:
    return [problem.sentence for problem in effective.problems]


def test_k01_flags_over_environment_over_workspace_over_user_over_defaults(world: World) -> None:
    world.user("options: {temperature: 0.5}\n")
    world.project("options: {temperature: 0.4}\n")
    world.env["OLLM_TEMPERATURE"] = "0.2"
    world.flags["temperature"] = "0.1"
    setting = world.load().settings["options", "temperature"]
    values = [setting.value, *(shadow.value for shadow in setting.shadows)]
    assert values == [0.1, 0.2, 0.4, 0.5]


def test_k02_mappings_merge_lists_replace_null_unsets_and_each_key_has_its_origin(
    world: World,
) -> None:
    world.user("""model: {routing: {overrides: {code: a, fast: b}, profiles: {
        mine: {preferredFamilies: [x, y], minContextWindow: 5}}}}""")
    world.project("""model: {routing: {overrides: {code: c, fast: null}, profiles: {
        mine: {preferredFamilies: [z]}}}}""")
    effective = world.load()
    routing = effective.config.model.routing
    assert dict(routing.overrides) == {"code": "c", "fast": "b"}
    mine = routing.profiles["mine"]
    assert (mine.preferred_families, mine.min_context_window) == (("z",), 5)
    overrides = ("model", "routing", "overrides")
    assert effective.origin(*overrides, "code") is Origin.WORKSPACE
    assert effective.origin(*overrides, "fast") is Origin.USER


def test_k03_a_workspace_names_servers_only_once_it_is_trusted_with_that_content(
    world: World,
) -> None:
    world.project("providers: {ollama: {host: evil}}\n")
    manager = world.manager()
    effective = manager.load_config()
    assert effective.connection.host == "http://127.0.0.1:11434"
    assert "is ignored: this workspace is not trusted" in effective.problems[0].sentence
    (file,) = [file for file in effective.files if not file.trusted]
    assert manager.trust(file).connection.host == "http://evil:11434"
    world.project("providers: {ollama: {host: worse}}\n")
    assert manager.load_config().connection.host == "http://127.0.0.1:11434"


def test_k04_the_workspace_is_the_nearest_upward_within_the_repository_and_never_home(
    world: World,
) -> None:
    path = world.project("")
    world.workspace = world.workspace / "deep" / "er"
    world.workspace.mkdir(parents=True)
    assert str(path) in [file.path for file in world.load().files]
    (world.workspace / ".git").mkdir()
    assert [file.origin for file in world.load().files] == [Origin.USER]
    world.workspace = world.home
    world.user("")
    assert [file.origin for file in world.load().files] == [Origin.USER]


def test_k05_the_file_has_the_sections_of_the_design(world: World) -> None:
    world.user("""\
model:
  default: llama3.1:8b
  routing:
    enabled: true
    defaultProfile: general
    overrides: {code: "deepseek-coder:6.7b", fast: "phi3:mini"}
options: {temperature: 0.7, maxTokens: 4096, topP: 0.9}
providers: {ollama: {host: "http://localhost:11434", options: {numCtx: 8192, numGpu: 1}}}
""")
    effective = world.load()
    assert effective.problems == ()
    assert effective.config.model.routing.overrides["code"] == "deepseek-coder:6.7b"
    assert dict(effective.connection.options) == {"numCtx": 8192, "numGpu": 1}


def test_k06_the_provider_is_a_key_and_an_unknown_one_lists_the_known(world: World) -> None:
    world.user("providers: {work: {host: h}}\n")
    world.env["OLLM_PROVIDER"] = "work"
    assert world.load().connection.name == "work"
    world.env["OLLM_PROVIDER"] = "wrok"
    (problem,) = world.load().errors
    assert "Did you mean work? Known are auto, local, ollama, work." in problem.message


@pytest.mark.parametrize("text", ["h:11434", "h", "http://h:11434/", " h "])
def test_k07_ollm_host_is_the_host_of_the_provider_in_use(world: World, text: str) -> None:
    world.env |= {"OLLM_HOST": text, "OLLAMA_HOST": "other"}
    assert world.load().connection.host == "http://h:11434"
    del world.env["OLLM_HOST"]
    assert world.load().connection.host == "http://other:11434"
    world.env["OLLAMA_HOST"] = "0.0.0.0"
    assert world.load().connection.host == "http://127.0.0.1:11434"


def test_k08_ollm_context_size_is_num_ctx_and_touches_no_profile(world: World) -> None:
    world.env["OLLM_CONTEXT_SIZE"] = "8192"
    effective = world.load()
    assert effective.config.options.num_ctx == 8192
    assert effective.config.model.routing.profiles == {}
    world.env["OLLM_CONTEXT_SIZE"] = "0"
    assert len(world.load().errors) == 1


def test_k09_profile_is_for_this_run_model_pins_and_both_is_told(world: World) -> None:
    world.flags["profile"] = "code"
    assert world.load().config.model.routing.default_profile == "code"
    world.flags["model"] = "x:1"
    effective = world.load()
    assert effective.pinned_model == "x:1"
    assert _sentences(effective) == ["--model wins over --profile"]
    world.flags.clear()
    world.env["OLLM_MODEL"] = "y:1"
    effective = world.load()
    assert (effective.config.model.default, effective.pinned_model) == ("y:1", None)


def test_k10_an_empty_variable_is_unset_and_blanks_are_trimmed(world: World) -> None:
    world.env |= {"OLLM_MODEL": "  ", "OLLM_TEMPERATURE": " 0.5 "}
    effective = world.load()
    assert effective.config.model.default is None
    assert effective.config.options.temperature == 0.5


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("maxTokens", "4096.0", 4096), ("maxTokens", "2147483647", 2147483647),
        ("maxTokens", "2147483648", None), ("maxTokens", "4096.5", None),
        ("maxTokens", "true", None), ("maxTokens", "'4096'", None), ("maxTokens", "4_096", None),
        ("temperature", "1", 1.0), ("temperature", "true", None), ("temperature", "' 0.7 '", None),
        ("temperature", ".nan", None), ("temperature", ".inf", None),
        ("temperature", "-.inf", None),
    ],
)  # fmt: skip
def test_k11_numbers_are_strict(world: World, key: str, text: str, value: object) -> None:
    world.user(f"options: {{{key}: {text}}}\n")
    effective = world.load()
    assert effective.settings["options", key].value == value
    assert len(effective.errors) == (value is None)


def test_k12_the_traps_of_yaml_are_none(world: World) -> None:
    data = parse_document("a: 3:8\nb: 12:30\nc: 017\nd: 1e3\ne: 1e-1\nf: 1_000\n", "f").data
    assert data == {"a": "3:8", "b": "12:30", "c": "017", "d": 1000.0, "e": 0.1, "f": "1_000"}
    world.user("model:\n  default: yes\n")
    (problem,) = world.load().errors
    assert "Put a word that is meant as text in quotes" in problem.remedy
    world.user("options:\n  topK: 1\n  topK: 2\n")
    (problem,) = world.load().errors
    assert "first on line 2, again on line 3" in problem.message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("#" * (2**20 + 1), "too large"),
        ("a: " + "[" * 1200, "More than 50 levels"),
        ("a: &a [*a]", "stands inside the value"),
        ("a: &a [1]\nb: [" + "*a, " * 101 + "]", "More than 100 aliases"),
        (
            "a: &a [x, x, x, x, x, x, x, x, x]\n"
            + "".join(f"b{i}: &b{i} [{', '.join(['*a' if i == 0 else f'*b{i - 1}'] * 9)}]\n"
                      for i in range(8)),
            "values through aliases",
        ),
    ],
    ids=["size", "depth", "loop", "aliases", "bomb"],
)  # fmt: skip
def test_k13_a_hostile_file_is_refused_with_a_place(world: World, text: str, words: str) -> None:
    world.user(text)
    (problem,) = world.load().errors
    assert words in problem.message
    assert f"{PLACE}:" in problem.message


def test_k14_the_fast_parser_is_the_one_in_use() -> None:
    from ollm_tui.config.yaml_reader import LOADER

    assert LOADER.__name__ == "CSafeLoader"  # how fast it is, `make bench` says


def test_k15_an_unknown_key_warns_with_place_nearest_and_siblings(world: World) -> None:
    world.user("options:\n  temprature: 1\n")
    (problem,) = world.load().problems
    assert problem.severity is Severity.WARNING
    assert f"{PLACE}:2:3" in problem.message
    assert "Did you mean temperature? The keys under options are" in problem.message


def test_k16_snake_case_is_read_with_a_notice_and_both_are_an_error(world: World) -> None:
    world.user("options: {max_tokens: 5}\nproviders: {ollama: {options: {num_ctx: 1}}}\n")
    effective = world.load()
    assert effective.config.options.max_tokens == 5
    assert _sentences(effective) == ["'max_tokens' is read as 'maxTokens'"]
    assert dict(effective.connection.options) == {"num_ctx": 1}
    world.user("options: {max_tokens: 5, maxTokens: 6}\n")
    assert "are the same key" in world.load().errors[0].sentence
    world.user("providers: {ollama: {options: {num_ctx: 1, numCtx: 2}}}\n")
    assert "are the same key" in world.load().errors[0].sentence


def test_k17_generation_options_win_over_provider_options_and_that_is_told(world: World) -> None:
    world.user("options: {temperature: 1}\nproviders: {ollama: {options: {temperature: 0}}}\n")
    effective = world.load()
    assert _sentences(effective) == ["options.temperature wins over this"]


def test_k18_the_longest_pattern_wins_field_by_field_below_environment(world: World) -> None:
    world.user("""\
options: {temperature: 1}
models:
  "llama3.1:*": {temperature: 0.2, topK: 1, provider: {numCtx: 32768}}
  "llama3*": {temperature: 0.3, topP: 0.5}
""")
    options = world.manager().get_model_options("llama3.1:8b")
    assert options.generation == {"temperature": 0.2, "topK": 1, "topP": 0.5}
    assert options.provider == {"numCtx": 32768}
    world.env["OLLM_TEMPERATURE"] = "0.9"
    assert world.manager().get_model_options("llama3.1:8b").generation["temperature"] == 0.9


def test_k19_profiles_and_database_entries_of_ones_own(world: World) -> None:
    world.user("""\
model: {routing: {defaultProfile: mine, profiles: {mine: {minContextWindow: 5}}}}
database: {"my-model:*": {family: llama, contextWindow: 4096}}
""")
    effective = world.load()
    assert effective.problems == ()
    assert effective.config.database["my-model:*"].context_window == 4096


@pytest.mark.parametrize(
    ("name", "is_good"),
    [
        ("llama3.1:8b", True), ("h:5000/n/m:t", True), ("n/m", True), ("m" * 80, True),
        ("m" * 81, False), ("m@sha256:0", False), ("a b", False), ("http://h/n/m", False),
        ("a/../b", False), ("-m", False), ("a\\x07", False),
    ],
)  # fmt: skip
def test_k20_a_model_name_follows_ollamas_grammar(world: World, name: str, is_good: bool) -> None:
    world.user(f'model: {{default: "{name}"}}\n')
    expected = [] if is_good else ["Invalid model name format"]
    assert _sentences(world.load()) == expected


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("options: {temperature: %s}", "2.1", "Temperature must be between 0.0 and 2.0."),
        ("options: {maxTokens: %s}", "0", "Max tokens must be positive."),
        ("options: {topP: %s}", "1.1", "Top P must be between 0.0 and 1.0."),
        ("model: {default: %s}", "'a b'", "Invalid model name format."),
        ("model: {routing: {defaultProfile: %s}}", "nope", "Unknown routing profile."),
    ],
)
def test_k21_the_five_messages_then_value_origin_and_remedy(
    world: World, path: str, value: str, sentence: str
) -> None:
    world.user(path % value + "\n")
    (problem,) = world.load().errors
    said, rest = problem.message[: len(sentence)], problem.message[len(sentence) :]
    assert said == sentence
    assert rest.startswith(" Got ")
    where = rest.index(f"({PLACE}:1:{path.index('%s') + 1}).")
    assert rest.index(value.strip("'")) < where < rest.index(problem.remedy)
    assert problem.remedy


def test_k21_the_origin_is_a_flag_or_a_variable_where_it_is_one(world: World) -> None:
    world.flags["temperature"] = "3"
    world.env["OLLM_TEMPERATURE"] = "4"
    flag, variable = (problem.message for problem in world.load().errors)
    assert "Got 3 (--temperature)." in flag
    assert "Got 4 (env OLLM_TEMPERATURE)." in variable


def test_k22_every_error_of_every_source_in_one_pass_by_origin(world: World) -> None:
    world.flags["temperature"] = "3"
    world.env["OLLM_MAX_TOKENS"] = "0"
    world.project("options: {topP: 2, topK: -1}\n")
    world.user("model: {default: 'a b'}\n")
    errors = world.load().errors
    assert [problem.origin for problem in errors] == [
        Origin.FLAG, Origin.ENV, Origin.WORKSPACE, Origin.WORKSPACE, Origin.USER,
    ]  # fmt: skip


def test_k23_a_broken_file_costs_only_itself_and_a_reload_keeps_the_last_good(
    world: World,
) -> None:
    world.user("options: {topK: 5\n")
    world.project("options: {topK: 6}\n")
    manager = world.manager()
    assert manager.load_config().config.options.top_k == 6
    world.user("options: {topK: 5, topP: 0.5}\n")
    assert manager.get_effective_config().config.options.top_p == 0.5
    world.user("options: {topK: 5, topP: 0.6\n")
    effective = manager.get_effective_config()
    assert (effective.config.options.top_p, effective.is_last_good) == (0.5, True)
    assert f"{PLACE}:1:29" in effective.errors[0].message


def test_k24_an_example_is_written_when_asked_for_and_never_over_a_file(world: World) -> None:
    world.load()
    path = world.inputs.user_path
    assert not path.exists()
    create_example(path)
    assert path.read_text() == example_yaml()
    with pytest.raises(ConfigError, match="is there already"):
        create_example(path)


def test_k25_json_content_works_and_other_names_are_hinted_at(world: World) -> None:
    path = world.user('{"options": {"topK": 3}}')
    assert world.load().config.options.top_k == 3
    path.rename(path.with_name("config.json"))
    (problem,) = world.load().problems
    assert (problem.severity, problem.sentence) == (
        Severity.NOTICE,
        "The configuration file is not used",
    )
    assert "Rename it to config.yaml" in problem.message


def test_k26_secrets_are_masked_everywhere_and_a_readable_file_warns(world: World) -> None:
    path = world.user("""\
providers:
  ollama: {host: "http://u:s3cret@h", headers: {Authorization: s3cret, bad header: s3cret}}
  work: {apiKeyEnv: s3cret-key, options: {api_token: s3cret}}
""")
    os.chmod(path, 0o644)
    effective = world.load()
    shown = repr(effective) + repr(list(effective.settings.values()))
    shown += "".join(problem.message + "".join(problem.snippet) for problem in effective.problems)
    assert "s3cret" not in shown
    assert any("others can read the file" in sentence for sentence in _sentences(effective))


@pytest.mark.parametrize(
    ("raw", "where"), [(b"a: \x00", ":1:4"), (b"a: b\nc: \x1b", ":2:4"), (b"a: \xff", ":1:4")]
)
def test_k27_utf8_is_read_with_or_without_a_mark_and_control_bytes_are_refused(
    world: World, raw: bytes, where: str
) -> None:
    path = world.user("")
    path.write_bytes(b"\xef\xbb\xbfoptions: {topK: 3}")
    assert world.load().config.options.top_k == 3
    path.write_bytes(raw)
    (problem,) = world.load().errors
    assert "offset" in problem.message
    assert str(problem.place).endswith(where)


def test_k28_a_second_document_is_refused_where_it_starts(world: World) -> None:
    world.user("options: {topK: 1}\n---\noptions: {topK: 2}\n")
    (problem,) = world.load().errors
    assert str(problem.place) == f"{PLACE}:2:1"


def test_k29_data_are_judged_with_fields_as_they_were_written(world: World) -> None:
    result = world.manager().validate_config({"options": {"topP": 2, "max_tokens": 0}})
    assert not result.valid
    assert {error.field for error in result.errors} == {"options.topP", "options.max_tokens"}


def test_k30_saving_keeps_comments_order_and_a_backup_and_refuses_a_changed_file(
    world: World,
) -> None:
    before = "# mine\noptions: {topP: 0.5}  # why\n\nmodel:\n  default: a  # b\n"
    path = world.user(before)
    manager = world.manager()
    change = Change(("options", "topP"), 0.7)
    manager.apply(manager.plan(Origin.USER, [change]))
    assert path.read_text() == before.replace("0.5", "0.7")
    assert path.with_name("config.yaml.bak").read_text() == before
    assert [entry.name for entry in sorted(path.parent.iterdir())] == [
        "config.yaml",
        "config.yaml.bak",
    ]
    plan = manager.plan(Origin.USER, [Change(("options", "topP"), 0.9)])
    path.write_text("# theirs\n")
    with pytest.raises(ConfigError, match="has changed since it was read"):
        manager.apply(plan)
    assert path.read_text() == "# theirs\n"


def test_all_thirty_are_here() -> None:
    names = Path(__file__).read_text()
    assert all(f"def test_k{number:02}_" in names for number in range(1, 31))
