"""The made-up models are plausible, agree with themselves, and are the same every time."""

import pytest

from ollm_tui.sandbox.models import BITS_PER_WEIGHT, FILE_TYPES, SandboxModel, human_count
from ollm_tui.sandbox.names import SuffixConflictError, parse, without_source_suffix
from ollm_tui.sandbox.roster import (
    DEMO_LOADED,
    catalogue_models,
    installed_models,
    model_like,
    synthetic_models,
)

MODELS = installed_models() + catalogue_models()


def test_there_are_enough_of_many_families() -> None:
    assert len(installed_models()) >= 30
    assert len(catalogue_models()) >= 15
    assert len({model.family for model in MODELS}) >= 12
    assert len({model.name for model in MODELS}) == len(MODELS)
    assert set(DEMO_LOADED) <= {model.name for model in installed_models()}


def test_the_catalogue_spans_small_and_large() -> None:
    sizes = sorted(model.size_bytes for model in catalogue_models())
    assert sizes[0] < 350e6
    assert sizes[-1] > 40e9


@pytest.mark.parametrize("model", MODELS + synthetic_models(40), ids=lambda model: model.name)
def test_a_model_agrees_with_itself(model: SandboxModel) -> None:
    parsed = parse(model.name)
    assert parsed is not None
    assert parsed.display == model.name
    assert model.parameter_size == human_count(model.parameter_count)
    assert model.quantization in BITS_PER_WEIGHT.keys() & FILE_TYPES.keys()
    assert model.embedding_length % model.head_count == 0 or model.family in ("gptoss", "gemma3")
    assert model.head_count % model.head_count_kv == 0
    assert ("tools" in model.capabilities) is (".Tools" in model.template or model.remote)
    assert ("insert" in model.capabilities) is (".Suffix" in model.template)
    if not model.remote:
        bits = model.layers[0].size_bytes * 8 / model.parameter_count
        assert bits == pytest.approx(BITS_PER_WEIGHT[model.quantization], rel=0.01)
        assert model.memory_bytes(4096) > model.size_bytes


def test_equal_names_share_no_digest_unless_they_are_aliases() -> None:
    names: dict[str, list[str]] = {}
    for model in MODELS:
        names.setdefault(model.digest, []).append(model.name)
    assert [shared for shared in names.values() if len(shared) > 1] == [
        ["llama3.1:8b", "llama3.1:latest"],
        ["codellama:7b", "codellama:latest"],
    ]


def test_a_model_can_be_made_up_from_few_facts() -> None:
    model = model_like("yi:9b", "llama", 8_829_407_232, 4096, ("completion",))
    assert model.parameter_size == "8.8B"
    assert 5e9 < model.size_bytes < 6e9
    assert model.digest not in {other.digest for other in MODELS}


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (8030261248, "8.0B"),
        (8000000000, "8B"),
        (1235814432, "1.2B"),
        (270117120, "270.12M"),
        (30000000, "30M"),
        (1500, "2K"),
        (999, "999"),
    ],
)
def test_counts_are_worded_as_the_server_words_them(count: int, text: str) -> None:
    assert human_count(count) == text


@pytest.mark.parametrize(
    ("text", "display"),
    [
        ("llama3", "llama3:latest"),
        ("LLama3:8B", "LLama3:8B"),
        ("ns/llama3", "ns/llama3:latest"),
        ("library/llama3:latest", "llama3:latest"),
        ("hf.co/library/x:Q4_K_M", "hf.co/library/x:Q4_K_M"),
        ("localhost:5000/ns/m:t", "localhost:5000/ns/m:t"),
        ("http://localhost:5000/ns/m", "localhost:5000/ns/m:latest"),
        ("m..x:_t", "m..x:_t"),
        (f"m:{'t' * 80}", f"m:{'t' * 80}"),
    ],
)
def test_valid_names_have_one_shortest_spelling(text: str, display: str) -> None:
    parsed = parse(text)
    assert parsed is not None
    assert parsed.display == display


@pytest.mark.parametrize(
    "text",
    [
        *("", "m:", ":t", "/m", "a//m", "a/b/c/d", "host:5000/m", "n.s/m", "h.x/n.s/m"),
        *("m@sha256:0", "-m", ".m", "m:-t", "m:..", "m t", "m+x", "ünï", "m:a/b", "../m"),
        *("m:t:u", " m", f"m:{'t' * 81}"),
    ],
)
def test_invalid_names_are_none(text: str) -> None:
    assert parse(text) is None


def test_the_source_suffix_says_where_to_pull_from() -> None:
    assert without_source_suffix("gpt-oss:20b:cloud") == "gpt-oss:20b-cloud"
    assert without_source_suffix("m:cloud") == "m:cloud"
    assert without_source_suffix("q:8b:LOCAL") == "q:8b"
    for both in ("foo:cloud:local", "foo:local:cloud", "foo:1b-cloud:local"):
        with pytest.raises(SuffixConflictError):
            without_source_suffix(both)
