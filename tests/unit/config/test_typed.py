"""What a person types for a setting."""

import pytest

from ollm_tui.config.node import Path
from ollm_tui.config.typed import typed_value
from ollm_tui.core.error import ConfigError

OPTION: Path = ("providers", "ollama", "options", "x")
DESCRIPTION: Path = ("model", "routing", "profiles", "mine", "description")


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        (("options", "temperature"), " 0.3 ", 0.3),
        (("options", "maxTokens"), "4096.0", 4096.0),
        (("model", "default"), "llama3.1:8b", "llama3.1:8b"),
        (("model", "routing", "enabled"), "off", False),
        (("model", "routing", "memoryBudget"), "12G", "12G"),
        (("model", "routing", "overrides"), "{code: a:1}", {"code": "a:1"}),
        (("model", "routing", "profiles", "mine", "preferredFamilies"), "[a, b]", ["a", "b"]),
        (OPTION, "[1, {a: on}]", [1, {"a": True}]),
        # Text needs no quotes, whatever it would be in YAML.
        (DESCRIPTION, "Reviewing: [code]", "Reviewing: [code]"),
        (DESCRIPTION, "@work", "@work"),
        (DESCRIPTION, "12", "12"),
        (DESCRIPTION, "'12'", "12"),
    ],
)
def test_text_is_read_as_in_the_file_or_as_text(path: Path, text: str, value: object) -> None:
    assert typed_value(path, text) == value
    assert type(typed_value(path, text)) is type(value)


@pytest.mark.parametrize(
    ("path", "text", "message", "cause"),
    [
        (("options", "temperature"), "2.5", "Temperature must be between 0.0 and 2.0", "Got 2.5"),
        (("options", "temperature"), '"0.5"', "Temperature must be", "Got the text '0.5'"),
        (("options", "maxTokens"), "0", "Max tokens must be positive", "Got 0"),
        (("model", "default"), "a b", "Invalid model name format", "'a b'"),
        (("model", "default"), "yes", "Invalid model name format", "yes/on/true"),
        (DESCRIPTION, "yes", "must be text", "yes/on/true"),
        (("model", "routing", "overrides"), "{code: [1]}", "Invalid model name format", "a list"),
        (("model", "routing", "overrides"), "x", "must be a mapping", "the text 'x'"),
        (OPTION, "[1", "The YAML cannot be read", "The parser says"),
        (OPTION, "!!python/name:os.system x", "The tag", ""),
        (("options", "topK"), "  ", "Nothing is typed", ""),
        (("options", "topK"), "null", "options.topK would have no value", ""),
        (("options", "topK"), "# 3", "options.topK would have no value", ""),
        (("options", "topq"), "3", "Unknown key 'topq'", ""),
    ],
)
def test_what_is_not_allowed_is_told_in_the_words_of_the_schema(
    path: Path, text: str, message: str, cause: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        typed_value(path, text)
    assert message in refused.value.message
    assert cause in refused.value.cause
    assert all(refused.value.actions)


def test_a_secret_is_not_repeated() -> None:
    with pytest.raises(ConfigError) as refused:
        typed_value(("providers", "ollama", "apiKeyEnv"), "sk-s3cret")
    assert "s3cret" not in str(refused.value)
