"""The JSON of Ollama's API, turned into models. Pure, and nothing that a server sends breaks it.

Every field is optional, whatever its version promises: what is absent or of a wrong type is
unknown, never false or zero. An entry without a usable name becomes a problem; the rest is shown.
The names that a person chooses by (family) are not decided here.
"""

import math
import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import TypeGuard

from ollm_tui.core.error import InvalidName
from ollm_tui.core.model import (
    LARGEST_COUNT,
    ModelCapabilities,
    ModelDetails,
    ModelInfo,
    ModelList,
    Problem,
    RunningModel,
)
from ollm_tui.core.name import parse_name
from ollm_tui.core.text import clean_line
from ollm_tui.providers.ollama_json import (
    JsonObject,
    as_block,
    as_count,
    as_digest,
    as_line,
    as_object,
    as_text,
    as_time,
)

TAGS = "/api/tags"
SHOW = "/api/show"

_NO_METADATA: Mapping[str, object] = MappingProxyType({})
_METADATA_LIMIT = 1000
_LIST_LIMIT = 1024
_FOREVER_YEAR = 2200  # keep_alive -1 gives a date centuries ahead
_PARAMETER_SIZE = re.compile(
    r"\s*(?:(\d{1,4})\s*x\s*)?(\d{1,12}(?:\.\d{1,12})?)\s*([KMBT])\s*", re.ASCII | re.IGNORECASE
)
_BILLIONS = {"K": 1e-6, "M": 1e-3, "B": 1.0, "T": 1e3}
_PARAMETER_LINE = re.compile(r"\s*(\S+)\s+(.*?)\s*")
_CAPABILITY_FIELDS = {
    "completion": "streaming",
    "tools": "tool_calling",
    "vision": "vision",
    "thinking": "thinking",
    "insert": "insert",
    "embedding": "embedding",
    "audio": "audio",
    "image": "image",
}


def parse_tags(body: JsonObject) -> ModelList | None:
    """Read the answer to GET /api/tags; None if it is not one."""
    entries = body.get("models")
    if not isinstance(entries, list):
        return None
    models: dict[str, ModelInfo] = {}
    problems = []
    for position, entry in enumerate(entries, 1):
        name, problem = _entry_name(entry, position)
        if problem is None and name in models:
            problem = Problem(clean_line(name), "the server lists this name twice")
        if problem is not None:
            problems.append(problem)
        else:
            models[name] = _listed_model(name, as_object(entry))
    return ModelList(tuple(models.values()), tuple(problems))


def parse_show(name: str, body: JsonObject) -> ModelDetails:
    """Read the answer to POST /api/show for the model that was asked for by `name`."""
    parameters = parse_parameters(as_text(body.get("parameters")))
    model_info = as_object(body.get("model_info"))
    exact = {
        "architecture": as_line(model_info.get("general.architecture")),
        "parameters_billions": _parameter_count(model_info),
        "context_window": _trained_context(model_info),
        "served_context_tokens": _configured_context(parameters),
    }
    facts = _shared_facts(body) | {field: fact for field, fact in exact.items() if fact}
    return ModelDetails(
        info=_model(name, facts, SHOW, metadata=_metadata(model_info)),
        parameters=parameters,
        template=as_block(body.get("template")),
        system=as_block(body.get("system")),
        license=as_block(body.get("license")),
        modelfile=as_block(body.get("modelfile")),
        requires=as_line(body.get("requires")),
    )


def parse_ps(body: JsonObject) -> tuple[RunningModel, ...] | None:
    """Read the answer to GET /api/ps; None if it is not one. Entries without a name are skipped."""
    entries = body.get("models")
    if not isinstance(entries, list):
        return None
    running = []
    for entry in map(as_object, entries):
        name = as_text(entry.get("name")) or as_text(entry.get("model"))
        if not name:
            continue
        expires_at = as_time(entry.get("expires_at"))
        running.append(
            RunningModel(
                name=name,
                display_name=clean_line(name),
                digest=as_digest(entry.get("digest")),
                size_bytes=as_count(entry.get("size")) or 0,
                size_vram_bytes=as_count(entry.get("size_vram")) or 0,
                expires_at=None if _is_forever(expires_at) else expires_at,
                context_tokens=as_count(entry.get("context_length")) or None,
            )
        )
    return tuple(running)


def parse_parameters(text: str) -> tuple[tuple[str, str], ...]:
    """Read the `parameters` text of /api/show: a name and a value per line, the value quoted."""
    pairs = []
    for line in text.splitlines():
        match = _PARAMETER_LINE.fullmatch(line)
        if match:
            pairs.append((clean_line(match[1]), clean_line(_unquote(match[2]))))
    return tuple(pairs)


@lru_cache(maxsize=256)
def parse_parameter_size(text: str) -> float | None:
    """Read a size such as "8.0B", "270.12M" or "8x7B" as billions of parameters."""
    match = _PARAMETER_SIZE.fullmatch(text)
    if not match:
        return None
    experts, number, unit = match.groups()
    return (int(experts or 1) * float(number) * _BILLIONS[unit.upper()]) or None


def _entry_name(entry: object, position: int) -> tuple[str, Problem | None]:
    fields = as_object(entry)
    name = as_text(fields.get("name")) or as_text(fields.get("model"))
    if not name.strip():
        return name, Problem(f"entry {position}", "the server lists it without a name")
    try:
        parse_name(name)
    except InvalidName as error:
        return name, Problem(clean_line(name), error.cause)
    return name, None


def _listed_model(name: str, entry: JsonObject) -> ModelInfo:
    facts = _shared_facts(entry)
    facts["size_bytes"] = as_count(entry.get("size"))
    facts["digest"] = as_digest(entry.get("digest"))
    return _model(name, facts, TAGS)


def _shared_facts(entry: JsonObject) -> dict[str, object]:
    """What /api/tags and /api/show tell alike, by field of ModelInfo; unknown ones are falsy."""
    details = as_object(entry.get("details"))
    quantization = as_line(details.get("quantization_level"))
    listed = entry.get("capabilities")
    capabilities = _capabilities(listed) if isinstance(listed, list) else None
    return {
        "architecture": as_line(details.get("family")),
        "parameters_billions": parse_parameter_size(as_text(details.get("parameter_size"))[:40]),
        "quantization": "" if quantization == "unknown" else quantization,
        "context_window": as_count(details.get("context_length")),
        "modified_at": as_time(entry.get("modified_at")),
        "capabilities": capabilities,
        "embedding_only": capabilities and capabilities.embedding and not capabilities.streaming,
        "remote": bool(as_text(entry.get("remote_host")) or as_text(entry.get("remote_model"))),
    }


def _model(
    name: str,
    facts: Mapping[str, object],
    source: str,
    metadata: Mapping[str, object] = _NO_METADATA,
) -> ModelInfo:
    known = {field: fact for field, fact in facts.items() if fact}
    return ModelInfo(
        name=name,
        display_name=clean_line(name),
        sources=_sources(source, tuple(known)),
        metadata=metadata,
        **known,  # type: ignore[arg-type]
    )


@lru_cache(maxsize=256)
def _sources(source: str, fields: tuple[str, ...]) -> Mapping[str, str]:
    """Shared among models, for most of a list know the same of each."""
    return MappingProxyType(dict.fromkeys(fields, source))


def _capabilities(listed: list[object]) -> ModelCapabilities | None:
    """None for a server that does not say; one that does lists at least one."""
    return _named_capabilities(frozenset(filter(_is_known_capability, listed)))


@lru_cache(maxsize=256)
def _named_capabilities(names: frozenset[str]) -> ModelCapabilities | None:
    fields = {_CAPABILITY_FIELDS[name]: True for name in names}
    return ModelCapabilities(**fields) if fields else None


def _is_known_capability(item: object) -> TypeGuard[str]:
    return isinstance(item, str) and item in _CAPABILITY_FIELDS


def _parameter_count(model_info: JsonObject) -> float | None:
    count = as_count(model_info.get("general.parameter_count"))
    return count / 1e9 if count else None


def _trained_context(model_info: JsonObject) -> int | None:
    """The context of the architecture named; other keys that end alike say other things.

    Source: decision D17 (phi3 and gpt-oss also carry rope.scaling.original_context_length).
    """
    architecture = model_info.get("general.architecture")
    if isinstance(architecture, str) and architecture:
        return as_count(model_info.get(f"{architecture}.context_length")) or None
    contexts = [
        as_count(value) or 0
        for key, value in model_info.items()
        if key.endswith(".context_length") and key.count(".") == 1
    ]
    return max(contexts, default=0) or None


def _configured_context(parameters: tuple[tuple[str, str], ...]) -> int | None:
    for name, value in parameters:
        if name == "num_ctx" and re.fullmatch(r"[0-9]{1,12}", value):
            return int(value) or None
    return None


def _metadata(model_info: JsonObject) -> dict[str, object]:
    """The facts that are scalars, or lists of numbers such as heads per layer.

    Those of the architecture lose its name in front, so that `block_count` is always that.
    """
    prefix = f"{as_text(model_info.get('general.architecture'))}."
    result: dict[str, object] = {}
    for key, value in model_info.items():
        if len(result) >= _METADATA_LIMIT:
            break
        fact = _fact(value)
        if fact is not None:
            result[clean_line(key.removeprefix(prefix))] = fact
    return result


def _fact(value: object) -> object:
    match value:
        case bool():
            return value
        case str():
            return clean_line(value)
        case int():
            return value if abs(value) <= LARGEST_COUNT else None
        case float():
            return value if math.isfinite(value) else None
        case [_, *_] if len(value) <= _LIST_LIMIT:
            numbers = tuple(map(as_count, value))
            return None if None in numbers else numbers
    return None


def _is_forever(moment: datetime | None) -> bool:
    return moment is not None and moment.year >= _FOREVER_YEAR


_GO_ESCAPE = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))", re.DOTALL
)
_GO_LETTER = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def _unquote(text: str) -> str:
    """Undo Go's strconv.Quote; what is not quoted is returned as it is."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    return _GO_ESCAPE.sub(_unescaped, text[1:-1])


def _unescaped(match: re.Match[str]) -> str:
    for digits, base in ((match[1] or match[2] or match[3], 16), (match[4], 8)):
        if digits:
            code = int(digits, base)
            return chr(code) if code <= 0x10FFFF else "\ufffd"
    return _GO_LETTER.get(match[5], match[5])
