"""The names of capabilities as people and files write them, and the field each one means."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Final

from ollm_tui.core.model import ModelCapabilities

CAPABILITY_FIELDS: Final = tuple(field.name for field in fields(ModelCapabilities))

CAPABILITY_NAMES: Final = (
    "toolCalling", "vision", "streaming", "thinking", "insert", "embedding", "audio", "image",
)  # fmt: skip
"""As in the configuration file, in the order of `CAPABILITY_FIELDS`."""

CAPABILITY_ALIASES: Final[Mapping[str, str]] = {"tools": "toolCalling"}
"""Other words that are accepted, with a notice. Source: decision R18."""

_FIELD_OF: Final[Mapping[str, str]] = {
    **{name: name for name in CAPABILITY_FIELDS},
    **dict(zip(CAPABILITY_NAMES, CAPABILITY_FIELDS, strict=True)),
    "tools": "tool_calling",
}

TEXT_GENERATION: Final = ModelCapabilities(streaming=True)
"""What a model of which nothing is known can do. Source: design; decision R19."""

EMBEDDING_ONLY: Final = ModelCapabilities(embedding=True)


def capability_field(name: str) -> str | None:
    """The field of `ModelCapabilities` that a name means, or None for a name that means none."""
    return _FIELD_OF.get(name)
