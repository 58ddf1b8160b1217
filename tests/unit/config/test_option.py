"""The options for one model: patterns, precedence, and who set what."""

import pytest

from ollm_tui.config.option import matches_glob
from ollm_tui.config.problem import Origin
from tests.unit.config.conftest import World


@pytest.mark.parametrize(
    ("name", "pattern", "expected"),
    [
        ("llama3.1:8b", "llama3.1:*", True),
        ("llama3.1", "llama3.1:*", True),
        ("llama3.1", "llama3.1", True),
        ("llama3.1:latest", "llama3.1", True),
        ("llama3.1:8b", "llama3.1", False),
        ("LLAMA3.1:8B", "llama3.1:*", True),
        ("me/llama3.1:8b", "llama3.1:*", True),
        ("me/llama3.1:8b", "you/*", False),
        ("me/llama3.1:8b", "me/*", True),
        ("phi3:mini", "[^l]*", True),
        ("llama:x", "[^l]*", False),
        ("no name!", "no*", True),
    ],
)
def test_patterns_match_by_ollamas_rules(name: str, pattern: str, expected: bool) -> None:
    assert matches_glob(name, pattern) is expected


def test_the_longest_pattern_wins_field_by_field(world: World) -> None:
    world.user(
        "options: {temperature: 0.1, topK: 1, topP: 0.1}\n"
        "models:\n"
        "  '*': {temperature: 0.2, topK: 2}\n"
        "  'llama*': {temperature: 0.3}\n"
        "  'llama3.1:8b': {repeatPenalty: 1.1}\n"
    )
    options = world.manager().get_model_options("llama3.1:8b")
    assert options.generation == {
        "temperature": 0.3,
        "topK": 2,
        "topP": 0.1,
        "repeatPenalty": 1.1,
    }
    assert options.settings["temperature"].key == 'models."llama*".temperature'
    assert options.settings["topP"].key == "options.topP"


def test_flags_and_environment_beat_a_models_own_options(world: World) -> None:
    world.user("models: {'m:*': {temperature: 0.2, maxTokens: 3, numCtx: 4}}\n")
    world.flags["temperature"] = "0.9"
    world.env["OLLM_CONTEXT_SIZE"] = "8"
    options = world.manager().get_model_options("m:1")
    assert options.generation == {"temperature": 0.9, "maxTokens": 3, "numCtx": 8}
    assert options.settings["numCtx"].origin is Origin.ENV


def test_nothing_configured_is_nothing_sent(world: World) -> None:
    options = world.manager().get_model_options("m")
    assert (options.generation, options.provider) == ({}, {})


def test_a_models_own_provider_options_beat_the_providers_and_the_general_ones(
    world: World,
) -> None:
    world.user(
        "options: {numCtx: 1, topK: 5}\n"
        "providers: {ollama: {options: {num_ctx: 2, mirostat: 1, deep: {a: 1, b: 1}}}}\n"
        "models: {m: {provider: {numCtx: 3, deep: {b: 2}}}}\n"
    )
    manager = world.manager()
    own = manager.get_model_options("m")
    assert own.provider == {"numCtx": 3, "mirostat": 1, "deep": {"a": 1, "b": 2}}
    assert own.generation == {"topK": 5}
    other = manager.get_model_options("n")
    assert other.provider == {"num_ctx": 2, "mirostat": 1, "deep": {"a": 1, "b": 1}}
    assert other.generation == {"numCtx": 1, "topK": 5}


def test_what_is_sent_names_who_set_each_part_of_it(world: World) -> None:
    world.user(
        "options: {topK: 5}\n"
        "providers: {ollama: {options: {top_k: 2, mirostat: 1, deep: {a: 1, b: 1}}}}\n"
        "models: {'m*': {provider: {deep: {b: 2}, empty: {}}}}\n"
    )
    world.flags["max_tokens"] = "7"
    options = world.manager().get_model_options("m:1")
    said = {".".join(path): (item.key, item.value) for path, item in options.in_force}
    assert said == {
        "maxTokens": ("options.maxTokens", 7),
        "topK": ("options.topK", 5),
        "mirostat": ("providers.ollama.options.mirostat", 1),
        "deep.a": ("providers.ollama.options.deep.a", 1),
        "deep.b": ('models."m*".provider.deep.b', 2),
        "empty": ('models."m*".provider.empty', {}),
    }


def test_the_two_words_for_the_longest_answer_are_one_option(world: World) -> None:
    world.user(
        "options: {maxTokens: 1}\n"
        "providers: {ollama: {options: {maxTokens: 2}}}\n"
        "models: {m: {provider: {num_predict: 3}}}\n"
    )
    manager = world.manager()
    own = manager.get_model_options("m")
    assert (own.generation, own.provider) == ({}, {"num_predict": 3})
    assert manager.get_model_options("n").generation == {"maxTokens": 1}
