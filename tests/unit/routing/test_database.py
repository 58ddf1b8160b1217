"""The model database: which entry speaks for a name, and what it says."""

import logging
from typing import Any

import pytest

from ollm_tui.core.error import PatternSyntaxError
from ollm_tui.core.model import ModelCapabilities, ModelLimits
from ollm_tui.routing.database import DEFAULT_LIMITS, LOOKUPS_KEPT, ModelDatabase, specificity
from ollm_tui.routing.entry import ModelEntry
from ollm_tui.routing.known_models import CONTEXT_CAPS, KNOWN_MODELS
from ollm_tui.routing.pattern import check_pattern

DATABASE = ModelDatabase()


def context(database: ModelDatabase, name: str) -> int:
    return database.get_model_limits(name).context_window


@pytest.mark.parametrize(
    ("name", "family", "limits", "tools", "profiles"),
    [
        ("llama3.1:8b", "llama", (128_000, 4_096), True, ("general", "code", "creative")),
        ("llama3.2:3b", "llama", (128_000, 4_096), True, ("general", "code", "creative")),
        ("codellama:7b", "codellama", (16_384, 4_096), False, ("code",)),
        ("mistral:7b", "mistral", (32_768, 4_096), True, ("general", "fast")),
        ("phi3:mini", "phi", (4_096, 2_048), False, ("fast",)),
        ("gemma:2b", "gemma", (8_192, 2_048), False, ("fast", "general")),
        ("deepseek-coder:6.7b", "deepseek-coder", (16_384, 4_096), False, ("code",)),
        ("qwen:7b", "qwen", (32_768, 4_096), True, ("general", "code")),
    ],
)
def test_the_eight_entries_of_the_design(
    name: str, family: str, limits: tuple[int, int], tools: bool, profiles: tuple[str, ...]
) -> None:
    assert DATABASE.get_model_family(name) == family
    assert DATABASE.get_model_limits(name) == ModelLimits(*limits)
    assert DATABASE.get_model_capabilities(name) == ModelCapabilities(
        tool_calling=tools, streaming=True
    )
    assert DATABASE.lookup(name).profiles == profiles


@pytest.mark.parametrize(
    ("name", "context_window"),
    [
        ("llama3.3:70b", 131_072),
        ("llama3:8b", 8_192),
        ("llama2:7b", 4_096),
        ("mistral-nemo:12b", 131_072),
        ("mistral-small3.2:24b", 131_072),
        ("mixtral:8x7b-instruct", 32_768),
        ("mixtral:8x22b-instruct", 65_536),
        ("mixtral:latest", 32_768),
        ("phi3:mini-128k", 131_072),
        ("phi4:14b", 16_384),
        ("phi4-mini:3.8b", 131_072),
        ("gemma3:1b", 32_768),
        ("gemma3:4b", 131_072),
        ("gemma4:31b", 262_144),
        ("qwen3:8b", 40_960),
        ("qwen3:4b", 262_144),
        ("qwen3:30b-a3b", 262_144),
        ("qwen3-coder:30b", 262_144),
        ("deepseek-coder-v2:16b", 163_840),
        ("deepseek-r1:8b", 131_072),
        ("deepseek-r1:671b", 163_840),
        ("starcoder:3b", 8_192),
        ("starcoder2:3b", 16_384),
        ("command-r-plus:104b", 131_072),
        ("granite3.3:8b", 131_072),
        ("granite3-moe:1b", 4_096),
        ("llava:7b", 32_768),
        ("llava:7b-v1.5-q4_0", 4_096),
        ("moondream:1.8b", 2_048),
    ],
)
def test_table_a2_1_contexts(name: str, context_window: int) -> None:
    assert context(DATABASE, name) == context_window


def test_every_shipped_pattern_is_valid_unique_and_complete() -> None:
    patterns = [row[0] for row in KNOWN_MODELS]
    assert len(set(patterns)) == len(patterns)
    assert set(CONTEXT_CAPS) <= set(patterns)
    for pattern in patterns:
        assert check_pattern(pattern) == ()
    for entry in DATABASE.entries:
        assert None not in (entry.family, entry.context_window, entry.max_output_tokens)
        assert None not in (entry.capabilities, entry.profiles)


@pytest.mark.parametrize(
    ("name", "profiles"),
    [
        ("codestral:22b", ("code",)),
        ("qwen2.5-coder:7b", ("code",)),
        ("granite-code:8b", ("code",)),
        ("gpt-oss:20b", ("general", "code", "creative")),
        ("qwen3-vl:8b", ("general", "code")),
        ("phi3.5:3.8b", ("fast",)),
        ("llama3.2-vision:11b", ()),
        ("nomic-embed-text:latest", ()),
        ("who-knows:1b", ()),
    ],
)
def test_z06_profiles_of_the_entries(name: str, profiles: tuple[str, ...]) -> None:
    assert DATABASE.lookup(name).profiles == profiles


def test_d05_a_name_without_a_tag_is_its_latest() -> None:
    assert context(DATABASE, "llama3.1") == 128_000


@pytest.mark.parametrize(
    "name",
    [
        "user/llama3.1:8b",
        "registry.host:5000/ns/llama3.1:8b",
        "registry.ollama.ai/library/llama3.1",
        "http://127.0.0.1:5000/library/llama3.1:8b",
    ],
)
def test_d06_a_namespace_or_host_does_not_hide_the_model(name: str) -> None:
    assert context(DATABASE, name) == 128_000


def test_d06_a_registry_port_is_not_a_tag() -> None:
    assert context(DATABASE, "registry.host:5000/ns/unknown-model") == 4_096


def test_d06_a_pattern_with_a_slash_sees_only_the_full_name() -> None:
    database = ModelDatabase({"me/llama3.1:*": {"contextWindow": 1_000}})
    assert context(database, "me/llama3.1:8b") == 1_000
    assert context(database, "you/llama3.1:8b") == 128_000
    assert context(database, "llama3.1:8b") == 128_000


def test_d06_a_slash_in_a_set_counts_too() -> None:
    database = ModelDatabase({"[/m]y:*": {"contextWindow": 1_000}})
    assert context(database, "you/my:1b") == 4_096
    assert context(database, "my:1b") == 1_000


def test_d06_a_hugging_face_name_keeps_its_family() -> None:
    name = "hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF:Q4_K_M"
    assert DATABASE.get_model_family(name) == "llama"


def test_d07_lookups_pay_no_heed_to_case() -> None:
    assert context(DATABASE, "LLaMA3.1:8B") == 128_000
    assert context(ModelDatabase({"MyModel:[A-C]*": {"contextWindow": 9}}), "mymodel:b1") == 9


def test_d10_a_bad_custom_entry_is_skipped_and_said() -> None:
    database = ModelDatabase({"[bad": {"contextWindow": 5}, "good:*": {"contextWindow": 7}})
    assert context(database, "good:1b") == 7
    (problem,) = database.problems
    assert problem.subject == "[bad"
    assert "column 1" in problem.reason


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"contextWindow": "8k"}, "contextWindow should be a whole number, not '8k'"),
        ({"contextWindow": True}, "contextWindow should be a whole number, not True"),
        ({"contextWindow": 0}, "contextWindow should be a whole number above 0, not 0"),
        ({"contextWindow": 2**31}, "contextWindow should be a whole number above 0"),
        ({"contextWindw": 1}, "contextWindw is unknown; did you mean contextWindow?"),
        ({"zzz": 1}, "zzz is unknown; known: family, contextWindow"),
        ({"capabilities": ["tools"]}, "capabilities should be a mapping"),
        ({"capabilities": {"visoin": True}}, "capabilities knows no 'visoin' (there is vision)"),
        ({"capabilities": {"vision": 1}}, "capabilities should be true or false"),
        ({"profiles": "code"}, "profiles should be a list of texts"),
        ({"family": " "}, "family should be text"),
        ({"force": "yes"}, "force should be true or false"),
        ({"contextWindow": 1, "context_window": 2}, "context_window is given twice"),
        ("llama", "should be a mapping such as {contextWindow: 8192}"),
    ],
)
def test_d10_a_bad_field_is_left_out_and_said(fields: Any, reason: str) -> None:
    database = ModelDatabase({"llama3.1:*": fields})
    assert database.problems[0].reason.startswith(reason)
    assert context(database, "llama3.1:8b") in (128_000, 1)


@pytest.mark.parametrize(
    ("winner", "loser"),
    [
        ("llama3.1:8b*", "llama3.1:*"),
        ("*llama3.1:*", "llama3.1:*"),
        ("llama3.1:8?", "llama3.1:*"),
        ("llama3.1:8b", "llama3.1:8?"),
        ("llama3.1:8b", "llama3.1:8*"),
    ],
)
def test_d11_longer_then_more_literal_patterns_win(winner: str, loser: str) -> None:
    for patterns in ((winner, loser), (loser, winner)):
        database = ModelDatabase(
            {pattern: {"contextWindow": 1 if pattern == winner else 2} for pattern in patterns}
        )
        assert context(database, "llama3.1:8b") == 1


def test_d11_between_equals_the_users_entry_wins_then_load_order() -> None:
    assert context(ModelDatabase({"?lama3.1:8": {"contextWindow": 5}}), "llama3.1:8") == 5
    twins = {"mymodel:?x": {"contextWindow": 1}, "mymodel:x?": {"contextWindow": 2}}
    assert context(ModelDatabase(twins), "mymodel:xx") == 1
    assert specificity(ModelEntry("ab*", custom=True)) < specificity(ModelEntry("ab*"))


def test_d11_an_ambiguous_match_is_logged_when_the_facts_differ(
    caplog: pytest.LogCaptureFixture,
) -> None:
    differ = {"mymodel:?x": {"contextWindow": 1}, "mymodel:x?": {"contextWindow": 2}}
    agree = {"mymodel:?x": {"contextWindow": 1}, "mymodel:x?": {"contextWindow": 1}}
    ModelDatabase(agree).lookup("mymodel:xx")
    ModelDatabase(differ).lookup("mymodel:x1")
    assert not caplog.records
    ModelDatabase(differ).lookup("mymodel:xx")
    assert [record.getMessage() for record in caplog.records] == [
        "mymodel:xx matches mymodel:?x and mymodel:x? equally well; the first is used"
    ]


def test_d12_the_same_pattern_replaces_the_shipped_fields() -> None:
    database = ModelDatabase({"LLaMA3.1:*": {"contextWindow": 9_000}})
    known = database.lookup("llama3.1:8b")
    assert known.context_window == 9_000
    assert known.sources["context_window"] == "user"
    assert known.capabilities.tool_calling
    assert known.sources["capabilities"] == "database"


def test_d12_a_shorter_custom_pattern_is_shadowed() -> None:
    database = ModelDatabase({"llama*": {"contextWindow": 5}})
    assert context(database, "llama3.1:8b") == 128_000
    assert context(database, "llama9:8b") == 5


def test_d13_a_partial_entry_leaves_the_rest_to_the_next_pattern_or_the_defaults() -> None:
    database = ModelDatabase(
        {
            "llama3.1:8b": {"capabilities": {"vision": True}},
            "mymodel:*": {"contextWindow": 50_000},
        }
    )
    llama = database.lookup("llama3.1:8b")
    assert llama.context_window == 128_000
    assert llama.capabilities == ModelCapabilities(tool_calling=True, vision=True, streaming=True)
    assert llama.sources["capabilities"] == "user"
    mine = database.lookup("mymodel:1b")
    assert (mine.context_window, mine.max_output_tokens) == (50_000, 2_048)
    assert mine.capabilities == ModelCapabilities(streaming=True)
    assert mine.family == "unknown"
    assert mine.sources["family"] == "default"


def test_d13_a_custom_entry_need_not_say_that_a_model_streams() -> None:
    entry = {"capabilities": {"vision": True}, "maxOutputTokens": 77}
    known = ModelDatabase({"mymodel:*": entry}).lookup("mymodel:1b")
    assert known.capabilities == ModelCapabilities(vision=True, streaming=True)
    assert known.max_output_tokens == 77


@pytest.mark.parametrize(("window", "output"), [(1_000, 1_000), (2_048, 2_048), (9_000, 2_048)])
def test_d14_a_missing_output_limit_is_2048_or_the_context(window: int, output: int) -> None:
    database = ModelDatabase({"mymodel:*": {"contextWindow": window}})
    assert database.get_model_limits("mymodel:1b") == ModelLimits(window, output)


def test_d15_an_unknown_model_gets_the_defaults_and_one_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    database = ModelDatabase()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert database.get_model_limits("who-knows:1b") == DEFAULT_LIMITS
        database.lookup.cache_clear()
        database.get_model_limits("who-knows:1b")
        database.get_model_limits("llama3.1:8b")
    assert [record.getMessage() for record in caplog.records] == [
        "who-knows:1b is not in the model database; 4096 tokens of context assumed"
    ]


def test_the_default_limits_are_the_designs() -> None:
    assert ModelLimits(context_window=4_096, max_output_tokens=2_048) == DEFAULT_LIMITS


def test_d16_lookups_are_cached_and_bounded() -> None:
    database = ModelDatabase()
    assert database.lookup("llama3.1:8b") is database.lookup("llama3.1:8b")
    assert database.lookup.cache_info().maxsize == LOOKUPS_KEPT == 10_000


def test_d19_a_cap_bounds_the_context() -> None:
    assert DATABASE.lookup("mistral-nemo:12b").context_cap == 131_072
    database = ModelDatabase({"llama3.1:*": {"contextCap": 8_192}})
    assert context(database, "llama3.1:8b") == 8_192


def test_d21_llama3_2_does_not_see_but_its_vision_variant_does() -> None:
    assert not DATABASE.get_model_capabilities("llama3.2:3b").vision
    assert DATABASE.get_model_capabilities("llama3.2-vision:11b").vision


@pytest.mark.parametrize("name", ["mxbai-embed-large", "my-embedder:1b", "bge-m3", "x-rerank:1b"])
def test_r20_embedding_models_do_not_stream(name: str) -> None:
    capabilities = DATABASE.get_model_capabilities(name)
    assert capabilities.embedding
    assert not capabilities.streaming


@pytest.mark.parametrize("name", ["", " ", "a b", "x@sha256:1", "x" * 500, "[]", "a:b:c", "ü:1"])
def test_names_that_fail_the_grammar_are_looked_up_as_they_are(name: str) -> None:
    assert context(DATABASE, name) == 4_096


def test_the_database_answers_for_patterns_too() -> None:
    assert DATABASE.matches_pattern("llama3.1:8b", "llama3.1:*")
    with pytest.raises(PatternSyntaxError):
        DATABASE.matches_pattern("x", "[")


def test_a_forced_entry_says_which_fields_it_forces() -> None:
    database = ModelDatabase({"llama3.1:*": {"contextWindow": 4_000, "force": True}})
    assert database.lookup("llama3.1:8b").forced == {"context_window"}
    assert DATABASE.lookup("llama3.1:8b").forced == frozenset()


def test_snake_case_keys_are_read_too() -> None:
    assert context(ModelDatabase({"m:*": {"context_window": 4_000.0}}), "m:1") == 4_000


def test_capabilities_that_are_not_given_say_nothing() -> None:
    for nothing in ({}, {"vision": None}):
        database = ModelDatabase({"llama3.1:*": {"capabilities": nothing}})
        assert database.lookup("llama3.1:8b") == DATABASE.lookup("llama3.1:8b")


def test_null_means_not_given() -> None:
    database = ModelDatabase({"llama3.1:*": {"contextWindow": None}})
    assert context(database, "llama3.1:8b") == 128_000
    assert database.problems == ()
