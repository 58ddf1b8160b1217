"""Models from plain data: the shape of `list --json`, for `--models` and for scenarios.

All fields but the name may be missing; what is missing is looked up by `facts.enrich`.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from ollm_tui.core.model import ModelCapabilities, ModelInfo
from ollm_tui.core.text import clean_line
from ollm_tui.routing import plain

Path = tuple[str | int, ...]
"""Keys and indices from the top of a document to one value."""
Complain = Callable[[Path, str], None]
"""Told the place of a value and what is wrong with it."""


def _capabilities(value: object) -> ModelCapabilities | None:
    flags = plain.capability_flags(value)
    if flags is None:
        return None
    # Every model answers in a stream unless it says otherwise or makes vectors.
    flags.setdefault("streaming", not flags.get("embedding", False))
    return ModelCapabilities(**flags)


def _sources(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise ValueError("should be a mapping of field to source")
    return {clean_line(str(field)): clean_line(str(source)) for field, source in value.items()}


_PARSERS: Final[Mapping[str, plain.Parser]] = {
    "name": plain.name,
    "family": plain.text,
    "architecture": plain.text,
    "size_bytes": plain.count,
    "parameters_billions": plain.number,
    "quantization": plain.text,
    "context_window": plain.tokens,
    "max_output_tokens": plain.tokens,
    "digest": plain.text,
    "capabilities": _capabilities,
    "loaded": plain.flag,
    "remote": plain.flag,
    "embedding_only": plain.flag,
    "base_model": plain.flag,
    "served_context_tokens": plain.tokens,
    "sources": _sources,
}


def read_models(
    data: object, complain: Complain, path: Path = (), *, strict: bool = False
) -> tuple[ModelInfo, ...]:
    """Read a list of models, or an object that has one under "models".

    Args:
        data: what a JSON or YAML parser gave.
        complain: told of every model or field that cannot be read; the rest is still returned.
        path: where `data` stands in its document.
        strict: complain of unknown fields, as fits what is written by hand; a snapshot of
            another version may have more.
    """
    if isinstance(data, Mapping) and "models" in data:
        data, path = data["models"], (*path, "models")
    if not isinstance(data, list):
        complain(path, "should be a list of models")
        return ()
    models = (
        _read_model(row, complain, (*path, index), strict=strict) for index, row in enumerate(data)
    )
    return tuple(model for model in models if model)


def _read_model(row: object, complain: Complain, path: Path, *, strict: bool) -> ModelInfo | None:
    if not isinstance(row, Mapping):
        complain(path, "should be a model, such as {name: llama3.1:8b}")
        return None
    if not strict:
        row = {key: value for key, value in row.items() if plain.snake(str(key)) in _PARSERS}

    def report(key: str, what: str) -> None:
        complain((*path, key), f"{clean_line(key)} {what}")

    values: dict[str, Any] = plain.read_fields(row, _PARSERS, report)
    if "name" not in values:
        if "name" not in row:
            complain(path, "name is missing")
        return None
    return ModelInfo(**values, display_name=clean_line(values["name"]))
