"""The shipped catalogue: real, complete, in step with the database, searchable."""

import pytest

from ollm_tui.catalogue.catalogue import SOURCE, catalogue, search
from ollm_tui.core.name import parse_name
from ollm_tui.routing.database import ModelDatabase


def names(*words: str) -> list[str]:
    return [model.name for model in search(" ".join(words))]


def test_z32_there_are_at_least_sixty_models_each_complete() -> None:
    models = catalogue()
    assert len(models) >= 60
    assert [model.name for model in models] == sorted({model.name for model in models})
    for model in models:
        assert parse_name(model.name).short == model.name
        assert model.size_bytes > 10_000_000
        assert model.parameters_billions
        assert model.context_window
        assert model.metadata["description"]
        assert model.sources["size_bytes"] == SOURCE


def test_z32_the_catalogue_and_the_database_agree() -> None:
    database = ModelDatabase()
    for model in catalogue():
        known = database.lookup(model.name)
        assert model.family == known.family
        if known.sources["context_window"] == "database" and model.family != "embedding":
            assert model.context_window == known.context_window
            assert model.capabilities == known.capabilities


def test_z32_sizes_are_plausible_for_their_parameters() -> None:
    for model in catalogue():
        assert model.parameters_billions is not None
        bytes_per_parameter = model.size_bytes / (model.parameters_billions * 1e9)
        assert 0.4 < bytes_per_parameter < 2.3, model.name


def test_embedding_models_are_marked() -> None:
    assert {m.name for m in catalogue() if m.embedding_only} == set(names("embedding"))


def test_search_wants_every_word_in_any_case() -> None:
    assert "qwen2.5-coder:7b" in names("QWEN", "code")
    assert "llama3.1:8b" not in names("QWEN", "code")
    assert names("no-such-model") == []
    assert len(names()) == len(catalogue())


def test_search_puts_names_before_descriptions() -> None:
    found = names("code")
    described = next(i for i, name in enumerate(found) if "code" not in name)
    assert all("code" not in name for name in found[described:])
    assert found[:described] == sorted(found[:described])


def test_search_knows_the_words_for_capabilities() -> None:
    assert "llama3.1:8b" in names("tools")
    assert "llava:7b" in names("images")


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("coding", "qwen2.5-coder:7b"),
        ("programming", "starcoder2:3b"),
        ("pictures", "llava:7b"),
        ("multilingual", "bge-m3:567m"),
        ("maths", "phi4-mini-reasoning:3.8b"),
    ],
)
def test_search_knows_other_words_for_what_is_said(word: str, name: str) -> None:
    assert name in names(word)
    assert "llama3.1:8b" not in names(word)


def test_search_filters_by_capability_and_size() -> None:
    found = search("", capability="vision", max_size_bytes=3_300_000_000)
    assert "gemma3:4b" in [model.name for model in found]
    assert all(m.capabilities and m.capabilities.vision for m in found)
    assert max(model.size_bytes for model in found) == 3_300_000_000
