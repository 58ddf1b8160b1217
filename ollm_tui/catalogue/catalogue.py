"""Models that could be pulled: a shipped file of real names, its reader and its search.

Sizes and parameters are approximate until a manifest is read; every fact's source says
"catalogue". Knows nothing of what is installed. The file is read on first use.

Source: ruling Z32; facts from the reference documents and public model cards.
"""

from dataclasses import fields
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from ollm_tui.core.error import closest
from ollm_tui.core.model import ModelCapabilities, ModelInfo

SOURCE: Final = "catalogue"

_FILE: Final = Path(__file__).with_name("models.json")
_WORDS: Final = {
    "tool_calling": "tools function calling",
    "vision": "images",
    "thinking": "reasoning",
}
"""What people type when they look for a capability, beside its name."""
_SAID: Final = {
    "code": "coding programming",
    "images": "pictures photos",
    "languages": "multilingual",
    "mathematics": "maths",
}
"""What people type when they look for what a description says in other words."""


@cache
def catalogue() -> tuple[ModelInfo, ...]:
    """Return every model of the catalogue by name; `metadata` holds a "description"."""
    import json

    return tuple(_model(row) for row in json.loads(_FILE.read_text("utf-8")))


def search(
    words: str = "", *, capability: str | None = None, max_size_bytes: int | None = None
) -> list[ModelInfo]:
    """Return the models that match all of the words, name matches first, then by name.

    Args:
        words: each has to occur in the name, family, description or capabilities, in any case.
        capability: a field of `ModelCapabilities` that the model must have.
        max_size_bytes: the largest download.
    """
    wanted = words.lower().split()
    found = [
        model
        for model in catalogue()
        if all(word in _text(model) for word in wanted)
        and (capability is None or getattr(model.capabilities, capability))
        and (max_size_bytes is None or model.size_bytes <= max_size_bytes)
    ]
    return sorted(found, key=lambda model: not all(word in model.name for word in wanted))


def near(name: str) -> list[str]:
    """Return the names most like one that there is not, best first; for "did you mean"."""
    names = [model.name for model in catalogue()]
    if ":" in name:
        return closest(name, names, cutoff=0.75)
    return closest(name, (known.partition(":")[0] for known in names))


@cache
def _text(model: ModelInfo) -> str:
    able = [
        f"{field.name} {_WORDS.get(field.name, '')}"
        for field in fields(ModelCapabilities)
        if getattr(model.capabilities, field.name)
    ]
    about = str(model.metadata["description"])
    said = [others for word, others in _SAID.items() if word in about]
    return " ".join([model.name, model.family, about, *said, *able]).lower()


def _model(row: dict[str, Any]) -> ModelInfo:
    capabilities = ModelCapabilities(**dict.fromkeys(row["capabilities"], True))
    known = ("family", "parameters_billions", "size_bytes", "context_window")
    return ModelInfo(
        name=row["name"],
        **{field: row[field] for field in known},
        capabilities=capabilities,
        embedding_only=not capabilities.streaming,
        sources=MappingProxyType(dict.fromkeys((*known, "capabilities"), SOURCE)),
        metadata=MappingProxyType({"description": row["description"]}),
    )
