"""Capabilities derived from configuration, weights and template."""

import pytest

from ollm_tui.core.model import ModelCapabilities
from ollm_tui.providers.local.capability import derive_capabilities
from ollm_tui.providers.local.gguf import GgufHeader
from ollm_tui.providers.local.manifest import Config


def header(chat_template: str = "", own: tuple[str, ...] = ()) -> GgufHeader:
    values: dict[str, object] = {"general.architecture": "llama"}
    values |= {f"llama.{key}": 1 for key in own}
    if chat_template:
        values["tokenizer.chat_template"] = chat_template
    return GgufHeader(version=3, tensor_count=0, values=values)


def derived(
    config: Config | None = None,
    weights: GgufHeader | None = None,
    template: str = "",
    has_projector: bool = False,
) -> set[str]:
    found = derive_capabilities(
        config or Config(), weights, template=template, has_projector=has_projector
    )
    if found is None:
        return set()
    return {name for name in ModelCapabilities.__slots__ if getattr(found, name)}


def test_a_model_with_readable_weights_completes() -> None:
    assert derived(weights=header()) == {"streaming"}
    assert derived() == set()


def test_an_embedding_model_does_not_complete() -> None:
    assert derived(weights=header(own=("pooling_type",))) == {"embedding"}


def test_pictures_and_sound_come_from_the_weights_or_a_projector() -> None:
    own = ("vision.block_count", "audio.block_count")
    assert derived(weights=header(own=own)) == {"streaming", "vision", "audio"}
    assert derived(weights=header(), has_projector=True) == {"streaming", "vision"}


@pytest.mark.parametrize(
    ("template", "named"),
    [
        ("{{ if .Tools }}{{ range $.Tools }}{{ . }}{{ end }}{{ end }}", {"tool_calling"}),
        ("{{- if .suffix }}<FIM>{{ .Suffix }}{{ end }}", {"insert"}),
        ("{{ range .Messages }}<think>{{ .Thinking }}</think>{{ end }}", {"thinking"}),
        ("Use .Tools and .Suffix as you like. {{ .Prompt }}", set()),
        ("{{ .ToolsUsed }}{{ .Thinkingly }}", set()),
        ("{{ .Tools", set()),
    ],
)
def test_a_go_template_tells_by_the_fields_inside_its_braces(
    template: str, named: set[str]
) -> None:
    assert derived(weights=header("tools <think></think>"), template=template) == {
        "streaming",
        *named,
    }


@pytest.mark.parametrize(
    ("chat", "named"),
    [
        ("{% if tools %}", {"tool_calling"}),
        ("<tool_call>", {"tool_calling"}),
        ("<think>x</think>", {"thinking"}),
        ("content.split('</think>')[-1]", {"thinking"}),
        ("content.split('</think>')[-1] reasoning_content", set()),
        ("{{ messages }}", set()),
    ],
)
def test_without_one_the_template_in_the_weights_tells(chat: str, named: set[str]) -> None:
    assert derived(weights=header(chat)) == {"streaming", *named}


def test_a_parser_of_ollama_tells_and_its_chat_template_does_not() -> None:
    assert derived(Config(parser="harmony"), header()) == {"streaming", "tool_calling", "thinking"}
    assert derived(Config(parser="olmo3-think"), header("tools")) == {"streaming", "thinking"}
    assert derived(Config(parser="passthrough"), header("tools")) == {"streaming"}
    assert derived(Config(family="gptoss"), header()) == {"streaming", "thinking"}


def test_what_the_configuration_lists_counts() -> None:
    assert derived(Config(capabilities=frozenset({"image", "tools", "else"}))) == {
        "image",
        "tool_calling",
    }
