"""What a model can do, from its configuration, its weights' header and its template. Pure.

A template is not run and not wholly parsed: field names inside its braces tell the common cases.

Source: reference/ollama.md 5.4.
"""

import re

from ollm_tui.core.model import ModelCapabilities
from ollm_tui.providers.local import weights
from ollm_tui.providers.local.gguf import GgufHeader
from ollm_tui.providers.local.manifest import Config

# Ollama's built-in parsers by what they can do.
_TOOL_PARSERS = frozenset(
    (
        *("qwen3-thinking", "qwen3.5", "ornith", "qwen3-vl-thinking", "harmony", "poolside-v1"),
        *("cogito", "deepseek3", "nemotron-3-nano", "nemotron-3.5-nano", "glm-4.7", "gemma4"),
        *("lfm2-thinking", "laguna", "cohere", "glimmer", "qwen3", "qwen3-coder", "lfm2"),
        *("qwen3-vl-instruct", "ministral", "olmo3", "functiongemma", "gemma4-no-thinking"),
        "glm-ocr",
    )
)
_THINKING_PARSERS = frozenset(
    (
        *("qwen3-thinking", "qwen3.5", "ornith", "qwen3-vl-thinking", "harmony", "poolside-v1"),
        *("cogito", "deepseek3", "nemotron-3-nano", "nemotron-3.5-nano", "glm-4.7", "gemma4"),
        *("lfm2-thinking", "laguna", "cohere", "glimmer", "olmo3-think"),
    )
)
_THINKING_FAMILIES = ("gptoss", "gpt-oss")
_ACTION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_FIELD = re.compile(r"\.(tools|suffix|thinking)\b", re.IGNORECASE)
_SPLITS_THOUGHT = re.compile(r"split\(\s*['\"]</think>")


def derive_capabilities(
    config: Config,
    header: GgufHeader | None,
    *,
    template: str = "",
    has_projector: bool = False,
) -> ModelCapabilities | None:
    """What the model can do; None when nothing says anything.

    Args:
        header: None when there are no GGUF weights or they cannot be read.
        template: the Go template's text, or empty.
        has_projector: whether a layer turns pictures into tokens.
    """
    named = set(config.capabilities)
    if header is not None:
        named |= _from_weights(header)
    if has_projector:
        named.add("vision")
    named |= _from_template(template, config, header)
    if config.parser in _TOOL_PARSERS:
        named.add("tools")
    if config.parser in _THINKING_PARSERS or config.family in _THINKING_FAMILIES:
        named.add("thinking")
    if not named:
        return None
    return ModelCapabilities(
        tool_calling="tools" in named,
        vision="vision" in named,
        streaming="completion" in named,
        thinking="thinking" in named,
        insert="insert" in named,
        embedding="embedding" in named,
        audio="audio" in named,
        image="image" in named,
    )


def _from_weights(header: GgufHeader) -> set[str]:
    named = {"embedding" if weights.has_key(header, "pooling_type") else "completion"}
    if weights.has_key(header, "vision.block_count"):
        named.add("vision")
    if weights.has_key(header, "audio.block_count"):
        named.add("audio")
    return named


def _from_template(template: str, config: Config, header: GgufHeader | None) -> set[str]:
    """From the template that counts: the Go one, else the one in the weights."""
    if template or config.parser or config.renderer or header is None:
        actions = "".join(_ACTION.findall(template))
        fields = {field.lower() for field in _FIELD.findall(actions)}
        return {"insert" if field == "suffix" else field for field in fields}
    chat = weights.chat_template(header)
    named = set()
    if "tools" in chat or "tool_call" in chat:
        named.add("tools")
    shows_thought = "<think>" in chat and "</think>" in chat
    if shows_thought or (_SPLITS_THOUGHT.search(chat) and "reasoning_content" not in chat):
        named.add("thinking")
    return named
