"""What the provider said and what the database knows, in the right order, with sources."""

from dataclasses import replace
from typing import Any

import pytest

from ollm_tui.core.model import ModelCapabilities, ModelInfo
from ollm_tui.routing.database import ModelDatabase
from ollm_tui.routing.facts import enrich, is_base_name, parameters_in_name, parse_parameters

DATABASE = ModelDatabase()


def known(name: str, database: ModelDatabase = DATABASE, **facts: Any) -> ModelInfo:
    return enrich(ModelInfo(name=name, **facts), database)


@pytest.mark.parametrize(
    ("name", "architecture", "family", "source"),
    [
        ("mistral:latest", "llama", "mistral", "database"),
        ("deepseek-r1:latest", "qwen2", "deepseek", "database"),
        ("deepseek-coder:6.7b", "llama", "deepseek-coder", "database"),
        ("user/my-mistral:7b", "llama", "mistral", "name"),
        ("zzz:1b", "qwen2", "qwen", "architecture"),
        ("zzz:1b", "rwkv6", "rwkv6", "architecture"),
        ("zzz:1b", "", "unknown", "default"),
    ],
)
def test_d01_the_brand_in_the_name_beats_the_architecture(
    name: str, architecture: str, family: str, source: str
) -> None:
    model = known(name, architecture=architecture)
    assert (model.family, model.sources["family"]) == (family, source)


def test_d01_the_users_entry_comes_first_for_the_family() -> None:
    database = ModelDatabase({"mistral:*": {"family": "zephyr"}})
    model = known("mistral:7b", database, architecture="llama")
    assert (model.family, model.sources["family"]) == ("zephyr", "user")


def test_r13_a_family_that_is_given_stays_unless_forced() -> None:
    given = known("zzz", family="llama")
    assert (given.family, given.sources["family"]) == ("llama", "given")
    forced = ModelDatabase({"zzz*": {"family": "phi", "force": True}})
    assert known("zzz", forced, family="llama").family == "phi"


def test_d18_facts_of_the_list_are_used_when_present() -> None:
    sources = {"context_window": "/api/tags", "capabilities": "/api/tags"}
    can = ModelCapabilities(streaming=True, vision=True)
    model = known("llama3.1:8b", context_window=40_960, capabilities=can, sources=sources)
    assert model.context_window == 40_960
    assert model.capabilities == can
    assert model.sources["context_window"] == "/api/tags"
    assert model.sources["max_output_tokens"] == "database"


def test_d19_a_reported_context_above_the_cap_is_capped() -> None:
    model = known("mistral-nemo:12b", context_window=1_024_000)
    assert (model.context_window, model.sources["context_window"]) == (131_072, "capped")
    at_the_cap = known("mistral-nemo:12b", context_window=131_072)
    assert at_the_cap.sources["context_window"] == "given"


@pytest.mark.parametrize(("name", "reported"), [("qwen3:14b", 262_144), ("phi3:mini", 131_072)])
def test_d20_the_provider_comes_before_the_table(name: str, reported: int) -> None:
    assert known(name, context_window=reported).context_window == reported


def test_source_order_of_one_fact() -> None:
    entry = {"contextWindow": 9_000}
    user = ModelDatabase({"llama3.1:*": entry})
    forced = ModelDatabase({"llama3.1:*": {**entry, "force": True}})
    assert known("llama3.1:8b").sources["context_window"] == "database"
    assert known("llama3.1:8b", user).sources["context_window"] == "user"
    assert known("llama3.1:8b", user, context_window=5).context_window == 5
    assert known("llama3.1:8b", forced, context_window=5).context_window == 9_000
    assert known("llama3.1:8b", forced, context_window=5).sources["context_window"] == "user"
    assert known("who-knows:1b").sources["context_window"] == "default"


@pytest.mark.parametrize("tokens", [0, -5, None])
def test_r24_a_context_that_is_none_is_looked_up(tokens: int | None) -> None:
    assert known("llama3.1:8b", context_window=tokens).context_window == 128_000
    assert known("who-knows:1b", context_window=tokens).context_window == 4_096


def test_r19_an_unknown_model_generates_text_and_no_more() -> None:
    model = known("who-knows:1b")
    assert model.capabilities == ModelCapabilities(streaming=True)
    assert model.sources["capabilities"] == "default"


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (ModelInfo("zzz", capabilities=ModelCapabilities(embedding=True)), True),
        (ModelInfo("zzz", capabilities=ModelCapabilities(image=True)), True),
        (ModelInfo("zzz", capabilities=ModelCapabilities(streaming=True, embedding=True)), False),
        (ModelInfo("my-embed:1b", capabilities=ModelCapabilities(streaming=True)), False),
        (ModelInfo("zzz", capabilities=ModelCapabilities()), False),
        (ModelInfo("zzz", embedding_only=True), True),
        (ModelInfo("nomic-embed-text"), True),
        (ModelInfo("snowflake-arctic-embed:22m"), True),
        (ModelInfo("all-minilm"), True),
        (ModelInfo("bge-large"), True),
        (ModelInfo("mxbai-embed-large"), True),
        (ModelInfo("x-rerank"), True),
        (ModelInfo("llama3.1:8b"), False),
    ],
)
def test_r20_embedding_and_image_models_are_marked(model: ModelInfo, expected: bool) -> None:
    assert enrich(model, DATABASE).embedding_only is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("starcoder2:3b", True),
        ("starcoder2:15b-instruct", False),
        ("my-model-base:7b", True),
        ("my-model:7b-base", True),
        ("llama2:text", True),
        ("llama3:8b-text-q4_0", True),
        ("codellama:7b-code", True),
        ("nomic-embed-text:v1.5", False),
        ("gemma:7b-it-base", False),
        ("database-helper:7b", False),
        ("my-base-chat:7b", False),
        ("visit:7b-base", True),
        ("user/my-model:7b-base", True),
        ("base/llama3.1:8b", False),
        ("long-base-name/m:8b", False),
        ("llama3.1:8b", False),
    ],
)
def test_r21_base_models_are_told_by_their_name(name: str, expected: bool) -> None:
    assert is_base_name(name) is expected
    assert known(name).base_model is expected
    assert known(name, base_model=True).base_model


@pytest.mark.parametrize(
    ("text", "billions"),
    [
        ("8B", 8.0),
        ("8.03b", 8.03),
        ("8x7B", 56.0),
        ("8x22b", 176.0),
        ("137M", 0.137),
        ("2K", 2e-6),
        ("1T", 1000.0),
        (" 7B ", 7.0),
        ("0B", None),
        ("7", None),
        ("q4_0", None),
        ("e4b", None),
        ("", None),
        ("7BB", None),
    ],
)
def test_r17_parameter_counts_are_parsed(text: str, billions: float | None) -> None:
    assert parse_parameters(text) == (None if billions is None else pytest.approx(billions))


@pytest.mark.parametrize(
    ("name", "billions"),
    [
        ("llama3.1:8b-instruct-q4_0", 8.0),
        ("mixtral:8x7b", 56.0),
        ("gemma3:270m", 0.27),
        ("hf.co/b/Llama-3.2-3B-Instruct-GGUF:Q4_K_M", 3.0),
        ("model-3b:7b", 7.0),
        ("llama3.1:latest", None),
        ("70b/llama:x", None),
        ("my-70b-llama/m:x", None),
    ],
)
def test_r17_a_name_may_tell_the_parameters(name: str, billions: float | None) -> None:
    assert parameters_in_name(name) == billions
    assert known(name).parameters_billions == billions
    assert known(name).sources.get("parameters_billions") == (None if billions is None else "name")
    assert known(name, parameters_billions=1.5).parameters_billions == 1.5


@pytest.mark.parametrize("name", ["llama3.1:8b", "who-knows", "mistral-nemo", "bge-m3", "a b"])
def test_doing_it_twice_changes_nothing(name: str) -> None:
    once = known(name, context_window=1_024_000, architecture="qwen2")
    twice = enrich(once, DATABASE)
    assert twice == once
    assert twice.sources == once.sources


def test_nothing_else_of_a_model_is_touched() -> None:
    before = ModelInfo(name="llama3.1:8b", size_bytes=5, digest="d", loaded=True, remote=True)
    after = known("llama3.1:8b", size_bytes=5, digest="d", loaded=True, remote=True)
    fields = ("family", "context_window", "max_output_tokens", "capabilities")
    kept = {field: getattr(before, field) for field in (*fields, "parameters_billions")}
    assert replace(after, **kept) == before


def test_an_assumed_context_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    database = ModelDatabase()
    for _ in range(2):
        known("who-knows:1b", database)
        known("reported:1b", database, context_window=8_192)
    (record,) = caplog.records
    assert record.getMessage().startswith("who-knows:1b is not in the model database")
