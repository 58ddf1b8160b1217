"""The verb `search`."""

import pytest

from ollm_tui.catalogue.catalogue import catalogue
from tests.cli.conftest import Cli
from tests.cli.test_reading import MODEL_TYPES


def test_search_prints_what_has_all_the_words(cli: Cli) -> None:
    result = cli("search", "coder", "small")
    assert (result.status, result.err) == (0, "")
    head, *lines = result.out.splitlines()
    assert head.split() == ["NAME", "PARAMS", "SIZE", "CTX", "CAN", "ABOUT"]
    assert lines
    assert all("coder" in line and "small" in line for line in lines)


def test_search_json_has_the_shape_of_a_model_and_a_description(cli: Cli) -> None:
    result = cli("search", "vision", "--json")
    assert result.status == 0
    assert result.json["models"]
    for model in result.json["models"]:
        assert set(model) == {*MODEL_TYPES, "description"}
        assert model["capabilities"]["vision"] is True
        assert model["sources"]["size_bytes"] == "catalogue"
        assert model["description"]


def test_without_words_the_whole_catalogue_is_printed(cli: Cli) -> None:
    assert len(cli("search", "--json").json["models"]) == len(catalogue())


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_nothing_found_is_a_negative_answer(cli: Cli, flags: tuple[str, ...]) -> None:
    result = cli("search", "xyzzy", *flags)
    assert result.status == 1
    assert result.json == {"models": []} if flags else result.out == ""
    assert flags or "any other name can be pulled" in result.err


def test_a_word_that_nothing_has_is_answered_with_names_like_it(ask: Cli) -> None:
    result = ask("search", "mistral-nemoo")
    assert result.status == 1
    assert "did you mean mistral-nemo" in result.err
