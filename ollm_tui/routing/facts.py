"""What the provider said and what the database knows, made into one ModelInfo with sources.

One pure function for the service, for `--models` and for scenarios, so that all three route
alike. For each fact: the user's entry marked `force`, the model as given (/api/show, /api/tags),
the user's entry, the shipped table, the default. The family is another matter: the brand in the
name comes before the architecture of the weights.

Source: decisions D1, D18 to D20, R19 to R21.
"""

import re
from dataclasses import replace
from typing import Any, Final

from ollm_tui.core.model import UNKNOWN_FAMILY, ModelInfo
from ollm_tui.routing.database import KnownModel, ModelDatabase, shared_sources
from ollm_tui.routing.family import family_in, model_part

GIVEN: Final = "given"
"""The source of a fact that came without one."""

_SCALE: Final = {"k": 1e-6, "m": 1e-3, "b": 1.0, "t": 1e3}
_PARAMETERS: Final = re.compile(r"(?:(\d+)x)?(\d+(?:\.\d+)?)([kmbt])", re.IGNORECASE)
_WORDS: Final = re.compile(r"[^a-z0-9.]+")

_NOT_FROM_THE_PROVIDER: Final = ("database", "default")


def enrich(model: ModelInfo, database: ModelDatabase) -> ModelInfo:
    """Return the model with every fact that can be known, each with its source.

    Afterwards `context_window`, `max_output_tokens` and `capabilities` are never None. Doing it
    twice changes nothing.
    """
    known = database.lookup(model.name)
    facts: dict[str, Any] = {}
    sources = dict(model.sources)
    _add_family(model, known, facts, sources)
    for field in ("context_window", "max_output_tokens", "capabilities"):
        value = _valid(field, getattr(model, field))
        if value is None or field in known.forced:
            facts[field] = getattr(known, field)
            sources[field] = known.sources[field]
        else:
            facts[field] = value
            sources.setdefault(field, GIVEN)
    cap = known.context_cap
    if cap is not None and facts["context_window"] > cap:
        facts["context_window"] = cap
        sources["context_window"] = "capped"
    if sources["context_window"] == "default":
        database.warn_of_defaults(model.name)
    if model.parameters_billions is None:
        parameters = parameters_in_name(model.name)
        if parameters is not None:
            facts["parameters_billions"] = parameters
            sources["parameters_billions"] = "name"
    can = facts["capabilities"]
    facts["embedding_only"] = model.embedding_only or (
        not can.streaming and (can.embedding or can.image)
    )
    facts["base_model"] = model.base_model or is_base_name(model.name)
    return replace(model, sources=shared_sources(tuple(sources.items())), **facts)


def is_guessed(model: ModelInfo) -> bool:
    """Whether the provider has not said what the router looks at. Source: ruling Z11."""
    return any(
        model.sources.get(field) in _NOT_FROM_THE_PROVIDER
        for field in ("context_window", "capabilities")
    )


def _add_family(
    model: ModelInfo, known: KnownModel, facts: dict[str, Any], sources: dict[str, str]
) -> None:
    if model.family != UNKNOWN_FAMILY and "family" not in known.forced:
        sources.setdefault("family", GIVEN)
    elif known.family != UNKNOWN_FAMILY:
        facts["family"] = known.family
        sources["family"] = known.sources["family"]
    elif model.architecture:
        family = family_in(model.architecture)
        facts["family"] = model.architecture if family == UNKNOWN_FAMILY else family
        sources["family"] = "architecture"
    else:
        sources["family"] = "default"


def _valid(field: str, value: Any) -> Any:
    """Nothing for a token count that is none: zero, negative, not a number. Decision R24."""
    if field == "capabilities":
        return value
    return value if isinstance(value, int) and value > 0 else None


def parse_parameters(text: str) -> float | None:
    """Return a parameter count in billions ("8B", "137M", "8x7B"), or None. Decision R17."""
    match = _PARAMETERS.fullmatch(text.strip())
    if not match:
        return None
    experts, number, unit = match.groups()
    return int(experts or 1) * float(number) * _SCALE[unit.lower()] or None


def parameters_in_name(name: str) -> float | None:
    """Return the parameter count that a name tells, its tag before its model part, or None."""
    model = model_part(name)
    tag = name[name.rfind("/") + 1 + len(model) :]
    for part in (tag, model):
        for word in re.split(r"[:_-]", part):
            parameters = parse_parameters(word)
            if parameters is not None:
                return parameters
    return None


def is_base_name(name: str) -> bool:
    """Whether a name says that the model continues text and does not chat. Decision R21."""
    model = model_part(name).lower()
    tag = name[name.rfind("/") + 1 + len(model) :].lower()
    model_words = _WORDS.split(model)
    tag_words = _WORDS.split(tag)
    if {"instruct", "chat", "it"} & {*model_words, *tag_words}:
        return False
    return (
        model.startswith("starcoder")
        or "base" in model_words
        or bool({"base", "text", "code"} & set(tag_words))
    )
