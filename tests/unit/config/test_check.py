"""Bad values and unknown keys: what is said, where, and what stays in force."""

import pytest

from ollm_tui.config.lint import Knowledge
from ollm_tui.config.problem import MAX_PROBLEMS, ConfigProblem, Origin, Severity
from ollm_tui.core.error import PatternSyntaxError
from ollm_tui.ui.rebinding import rebind
from tests.unit.config.conftest import World

TABLE = [
    ("temperature", "Temperature must be between 0.0 and 2.0."),
    ("maxTokens", "Max tokens must be positive."),
    ("topP", "Top P must be between 0.0 and 1.0."),
]


def _only(world: World, text: str) -> ConfigProblem:
    world.user(text)
    (problem,) = world.load().problems
    return problem


@pytest.mark.parametrize(("key", "sentence"), TABLE)
@pytest.mark.parametrize(
    "value", ["-0.1", "true", "yes", "'0.5'", "hot", "[1]", ".nan", ".inf", "-.inf", "1e400"]
)
def test_numbers_are_strict_and_say_the_sentence_of_the_design(
    world: World, key: str, sentence: str, value: str
) -> None:
    problem = _only(world, f"options:\n  {key}: {value}\n")
    assert problem.message.startswith(f"{sentence} Got ")
    assert f"(~/.ollm/config.yaml:2:{len(key) + 5})" in problem.message
    assert problem.severity is Severity.ERROR
    assert problem.field == f"options.{key}"
    assert world.load().config.options == type(world.load().config.options)()


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        ("temperature", ["0", "2", "2.0", "0.0"], ["2.0000001", "-1e-9"]),
        ("topP", ["0", "1", "1.0"], ["1.0000001", "-1e-9"]),
        ("maxTokens", ["1", "4096.0", "2147483647"], ["0", "-1", "4096.5", "2147483648"]),
        ("topK", ["0", "40"], ["-1", "1.5"]),
        ("repeatPenalty", ["0", "1.1"], ["-0.1"]),
        ("numCtx", ["1", "8192"], ["0"]),
    ],
)
def test_bounds_are_exact(world: World, key: str, good: list[str], bad: list[str]) -> None:
    for text in good:
        world.user(f"options: {{{key}: {text}}}")
        assert world.load().problems == (), text
        assert world.load().settings[("options", key)].value == float(text)
    for text in bad:
        assert _only(world, f"options: {{{key}: {text}}}").severity is Severity.ERROR, text


@pytest.mark.parametrize("text", ["0x1", "1_0", "nan", "inf", "1e1", "one", "٣", "1,5", "--1"])
def test_flags_and_variables_take_decimal_text_only(world: World, text: str) -> None:
    world.env["OLLM_TEMPERATURE"] = text
    (problem,) = world.load().problems
    assert problem.message.startswith("Temperature must be between 0.0 and 2.0. Got the text ")
    assert "(env OLLM_TEMPERATURE)" in problem.message
    assert problem.origin is Origin.ENV


def test_a_bad_flag_names_the_flag_and_the_next_source_decides(world: World) -> None:
    world.flags["temperature"] = "5"
    world.user("options: {temperature: 0.3}\n")
    effective = world.load()
    assert effective.errors[0].message == (
        "Temperature must be between 0.0 and 2.0. Got 5 (--temperature). "
        "Write a number from 0.0 to 2.0, for example 0.7."
    )
    assert effective.config.options.temperature == 0.3


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("'phi 3'", "may hold letters"), ("http://h/ns/m", "belongs to `pull` only"),
        ("m@sha256:ab", "a digest"), ("'../x'", "may hold"), ("'m:'", "the tag is missing"),
        ("yes", "Got yes/on/true"), ("3", "Got 3"), ('"a\\u001bb"', "may hold"),
    ],
)  # fmt: skip
def test_a_model_name_follows_the_grammar(world: World, name: str, cause: str) -> None:
    problem = _only(world, f"model:\n  default: {name}\n")
    assert problem.message.startswith("Invalid model name format. Got ")
    assert cause in problem.message
    assert "\x1b" not in problem.message


@pytest.mark.parametrize("name", ["llama3.1", "a/b:c", "hf.co/a-b/c.d:Q4_K_M", "h:5000/n/m:t"])
def test_good_model_names_pass(world: World, name: str) -> None:
    world.user(f"model: {{routing: {{overrides: {{code: '{name}'}}}}}}")
    assert world.load().problems == ()


def test_r31_an_unknown_default_profile_is_an_error_and_the_default_holds(world: World) -> None:
    problem = _only(world, "model: {routing: {defaultProfile: genral}}\n")
    assert problem.message == (
        "Unknown routing profile. Got the text 'genral' (~/.ollm/config.yaml:1:35). "
        "Did you mean general? Known are fast, general, code, creative."
    )
    assert world.load().config.model.routing.default_profile == "general"


def test_a_profile_of_ones_own_is_known_in_every_layer(world: World) -> None:
    world.project("model: {routing: {profiles: {review: {minContextWindow: 1}}}}\n")
    world.user("model: {routing: {defaultProfile: Review}}\n")
    assert world.load().errors == ()


def test_r06_an_override_or_fallback_of_an_unknown_profile_warns_and_stays(world: World) -> None:
    world.user(
        "model:\n  routing:\n    overrides: {cod: a}\n"
        "    profiles: {fast: {fallbackProfile: generall}}\n"
    )
    effective = world.load()
    assert [(p.severity, p.field) for p in effective.problems] == [
        (Severity.WARNING, "model.routing.overrides.cod"),
        (Severity.WARNING, "model.routing.profiles.fast.fallbackProfile"),
    ]
    assert "Did you mean code?" in effective.problems[0].message
    assert effective.config.model.routing.overrides["cod"] == "a"


def test_an_unknown_key_warns_with_the_nearest_one_and_its_siblings(world: World) -> None:
    problem = _only(world, "options:\n  temprature: 3\n  topP: 0.5\n")
    assert problem.severity is Severity.WARNING
    assert problem.message == (
        "Unknown key 'temprature'. It is ignored (~/.ollm/config.yaml:2:3). "
        "Did you mean temperature? The keys under options are "
        "temperature, maxTokens, topP, topK, repeatPenalty, numCtx."
    )
    assert world.load().config.options.top_p == 0.5


def test_snake_case_is_read_with_a_notice_and_both_spellings_are_an_error(world: World) -> None:
    notice = _only(world, "options: {max_tokens: 5}\n")
    assert (notice.severity, notice.sentence) == (
        Severity.NOTICE,
        "'max_tokens' is read as 'maxTokens'",
    )
    assert world.load().config.options.max_tokens == 5
    world.user("options:\n  maxTokens: 5\n  max_tokens: 6\n")
    (problem,) = world.load().errors
    assert problem.sentence == "'maxTokens' and 'max_tokens' are the same key"
    assert str(problem.place).endswith(":3:3")


def test_the_field_of_a_problem_is_spelt_as_its_author_did(world: World) -> None:
    world.user("options: {top_p: 7}\n")
    assert [problem.field for problem in world.load().errors] == ["options.top_p"]


def test_a_provider_option_spelt_twice_is_an_error_and_others_are_left_alone(world: World) -> None:
    world.user("providers: {ollama: {options: {numCtx: 1, num_ctx: 2, any_thing: [{a: b}]}}}")
    effective = world.load()
    assert [problem.field for problem in effective.errors] == ["providers.ollama.options.num_ctx"]
    assert dict(effective.connection.options) == {"numCtx": 1, "any_thing": [{"a": "b"}]}


def test_all_mistakes_of_all_sources_are_found_in_one_pass_by_precedence(world: World) -> None:
    world.flags["max_tokens"] = "0"
    world.env["OLLM_TEMPERATURE"] = "9"
    world.project("options: {topP: 7}\nnonsense: 1\n")
    world.user("options:\n  topP: 8\n  temperature: 7\nmodel: []\n")
    assert [(p.origin, p.field) for p in world.load().problems] == [
        (Origin.FLAG, "options.maxTokens"),
        (Origin.ENV, "options.temperature"),
        (Origin.WORKSPACE, "options.topP"),
        (Origin.WORKSPACE, "nonsense"),
        (Origin.USER, "options.topP"),
        (Origin.USER, "options.temperature"),
        (Origin.USER, "model"),
    ]


def test_a_mistake_costs_only_its_own_value(world: World) -> None:
    world.user("options: {temperature: 9, topK: 3}\ndownloads: {concurrency: x, retries: 1}\n")
    config = world.load().config
    assert (config.options.temperature, config.options.top_k) == (None, 3)
    assert (config.downloads.concurrency, config.downloads.retries) == (2, 1)


@pytest.mark.parametrize(
    ("text", "sentence", "hint"),
    [
        ("options: 5", "options must be a mapping", "indented"),
        ("options:\n  temperature:0.5", "options must be a mapping", "space after the colon"),
        ("model: {routing: {enabled: maybe}}", "model.routing.enabled must be true or false", ""),
        ("downloads: {concurrency: 99}", "downloads.concurrency must be a whole number", ""),
        ("downloads: {bandwidthLimit: fast}", "downloads.bandwidthLimit must be bytes", "20M"),
        ("providers: {ollama: {kind: vllm}}", "providers.ollama.kind must be ollama or local", ""),
        ("providers: {ollama: {host: 'ftp://x'}}", "Invalid server address", "http or https"),
        ("providers: {ollama: {host: 'x:99999'}}", "Invalid server address", "1 to 65535"),
        ("providers: {ollama: {timeoutS: 0}}", "providers.ollama.timeoutS must be seconds", ""),
        ("providers: {'a b': {}}", 'providers."a b" cannot be used', "letters"),
        ("models: {m: {topK: '3'}}", "Top K must be 0 or a positive number", "without quotes"),
        ("ui: {keys: {a.b: yes}}", 'ui.keys."a.b" must be a key', "in quotes"),
        ("model: {routing: {familyMatch: fuzzy}}", "model.routing.familyMatch must be", "exact"),
        ("model: {routing: {profiles: {p: {requiredCapabilities: [audioo]}}}}",
         "model.routing.profiles.p.requiredCapabilities must be a list of capabilities", "vision"),
        ("model: {routing: {profiles: {p: {minContextWindow: -1}}}}",
         "model.routing.profiles.p.minContextWindow must be", ""),
    ],
)  # fmt: skip
def test_a_wrong_type_says_what_belongs_there(
    world: World, text: str, sentence: str, hint: str
) -> None:
    problem = _only(world, text)
    assert problem.message.startswith(sentence)
    assert hint in problem.message
    assert problem.place.line
    assert problem.snippet


def test_tools_is_read_as_tool_calling_with_a_notice(world: World) -> None:
    problem = _only(world, "model: {routing: {profiles: {p: {requiredCapabilities: [tools]}}}}")
    assert problem.severity is Severity.NOTICE
    profile = world.load().config.model.routing.profiles["p"]
    assert profile.required_capabilities == ("toolCalling",)


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [("12G", 12 * 10**9), ("500M", 5 * 10**8), ("8GiB", 8 * 2**30), ("1.5k", 1500), ("7", 7)],
)
def test_sizes_are_decimal_unless_they_say_otherwise(
    world: World, text: str, size_bytes: int
) -> None:
    world.user(f"model: {{routing: {{memoryBudget: {text}}}}}")
    effective = world.load()
    assert effective.config.model.routing.memory_budget == size_bytes
    assert effective.settings[("model", "routing", "memoryBudget")].value == size_bytes


def test_a_bad_pattern_is_left_out_and_the_rest_stays(world: World) -> None:
    def check(pattern: str) -> None:
        if "[" in pattern:
            raise PatternSyntaxError("Unclosed bracket", pattern=pattern, column=2)

    world.knowledge = Knowledge(check_pattern=check)
    world.user("models: {'a[': {topK: 1}, b: {topK: 2}}\ndatabase: {'c[': {family: x}}\n")
    effective = world.load()
    assert [problem.field for problem in effective.errors] == ['models."a["', 'database."c["']
    assert list(effective.config.models) == ["b"]


def test_an_unknown_binding_warns(world: World) -> None:
    world.knowledge = Knowledge(bindings=("model.pull", "app.quit"))
    problem = _only(world, "ui: {keys: {model.pul: x, app.quit: Q}}")
    assert problem.severity is Severity.WARNING
    assert "Did you mean model.pull?" in problem.message


def test_a_generation_option_that_hides_a_provider_option_warns(world: World) -> None:
    problem = _only(world, "options: {numCtx: 1}\nproviders: {ollama: {options: {num_ctx: 2}}}\n")
    assert (problem.severity, problem.sentence) == (
        Severity.WARNING,
        "options.numCtx wins over this",
    )


def test_who_has_too_many_mistakes_hears_of_the_first_hundred(world: World) -> None:
    lines = [f"k{i}: 1" for i in range(5000)]
    world.user(
        "\n".join([*lines, "options: {topK: -1}", "models:", *(f" m{line}" for line in lines)])
    )
    effective = world.load()
    warnings = [p for p in effective.problems if p.severity is Severity.WARNING]
    for problems in (warnings, effective.errors):
        assert len(problems) == MAX_PROBLEMS + 1
        assert sum("the rest are not shown" in problem.sentence for problem in problems) == 1
    assert len(effective.config.models) == 0


def test_an_error_after_many_warnings_is_still_an_error(world: World) -> None:
    world.user("\n".join([f"k{i}: 1" for i in range(200)] + ["options: {topK: -1}"]))
    assert [problem.field for problem in world.load().errors] == ["options.topK"]


def test_keys_that_clash_warn_at_their_place(world: World) -> None:
    world.user("ui:\n  keys:\n    app.pull: f5\n    app.quit: f5\n")
    world.project("ui:\n  keys:\n    app.quit: nope\n")
    world.knowledge = Knowledge(
        bindings=("app.pull", "app.quit"), check_keys=lambda keys: rebind(keys).problems
    )
    (problem,) = world.load().problems
    assert problem.severity is Severity.WARNING
    assert problem.message.startswith("“nope” is no key. Write a character")
    assert str(problem.place).endswith("project/.ollm/config.yaml:3:15")
    (world.workspace / ".ollm" / "config.yaml").unlink()
    (problem,) = world.load().problems
    assert problem.sentence == "f5 is asked for twice"
    assert str(problem.place).endswith("config.yaml:4:15")
