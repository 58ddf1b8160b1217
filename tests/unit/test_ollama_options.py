"""Options under the names of the wire."""

import datetime
import json
import math
from types import MappingProxyType

import pytest

from ollm_tui.core.error import ConfigError
from ollm_tui.providers.ollama_options import WIRE_NAMES, wire_options


def test_options_get_the_names_that_ollama_knows() -> None:
    options = {"numCtx": 8192, "maxTokens": 100, "topP": 0.9, "temperature": 0.2, "stop": ["x"]}
    assert wire_options(options) == {
        "num_ctx": 8192,
        "num_predict": 100,
        "top_p": 0.9,
        "temperature": 0.2,
        "stop": ["x"],
    }


def test_names_of_the_wire_and_names_to_come_pass_untouched() -> None:
    options = {"num_ctx": 1, "seed": 7, "some_new_option": {"a": None}}
    assert wire_options(options) == options


@pytest.mark.parametrize(
    ("first", "second"),
    [(name, wire) for name, wire in WIRE_NAMES.items()] + [("maxTokens", "max_tokens")],
)
def test_two_spellings_of_one_option_are_an_error(first: str, second: str) -> None:
    with pytest.raises(ConfigError) as caught:
        wire_options({first: 1, second: 1})
    assert caught.value.message == f"The options {first} and {second} are the same"


def test_read_only_mappings_and_tuples_are_sent_as_json_has_them() -> None:
    value = MappingProxyType({"a": (1, MappingProxyType({"b": None}))})
    assert json.dumps(wire_options({"deep": value})) == '{"deep": {"a": [1, {"b": null}]}}'


@pytest.mark.parametrize(
    "value",
    [datetime.date(2024, 1, 1), {1: 2}, [{3, 4}], b"x", math.nan, [math.inf], {"a": {2: 3}}],
)
def test_a_value_that_json_has_not_is_an_error(value: object) -> None:
    with pytest.raises(ConfigError, match="The option temperature cannot be sent"):
        wire_options({"temperature": value})
