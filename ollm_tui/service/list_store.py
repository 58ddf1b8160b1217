"""The last known list of models in the state file: as the provider gave it, as JSON.

What is read back is checked like anything else from outside; a model that makes no sense is left
out. What the model database adds is looked up anew each time.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from math import isfinite
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from ollm_tui.core.model import LARGEST_COUNT, ModelCapabilities, ModelInfo, ModelList, Problem
from ollm_tui.core.text import clean_line
from ollm_tui.core.turns import in_turn
from ollm_tui.service.stored import stored_count, stored_moment

if TYPE_CHECKING:
    import sqlite3

_SOURCES = "from"
"""The key of a model's place in the table of sources."""


class KnownList(NamedTuple):
    """A list, and when the provider last confirmed it."""

    models: ModelList
    as_of: datetime


def save_list(connection: "sqlite3.Connection", provider: str, host: str, known: KnownList) -> None:
    """Keep the list of one provider, instead of its last one."""
    connection.execute(
        "INSERT OR REPLACE INTO lists VALUES (?, ?, ?, ?)",
        (provider, host, known.as_of.isoformat(), in_turn(lambda: _to_json(known.models))),
    )


def load_list(connection: "sqlite3.Connection", provider: str, host: str) -> KnownList | None:
    """The last list of one provider, or None."""
    row = connection.execute(
        "SELECT as_of, list FROM lists WHERE provider = ? AND host = ?", (provider, host)
    ).fetchone()
    if row is None:
        return None
    try:
        as_of = stored_moment(row[0])
        return KnownList(_from_json(row[1]), as_of)
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None


def _to_json(models: ModelList) -> str:
    """The list as JSON, model by model: encoding ten thousand in one call holds keys up.

    Where the facts come from is the same for most models, so it is written once for all of them.
    """
    encode = json.JSONEncoder(default=lambda _: None).encode
    sources: dict[tuple[tuple[str, str], ...], int] = {}
    plain = []
    for model in models.models:
        fields = _plain(model)
        if model.sources:
            fields[_SOURCES] = sources.setdefault(tuple(model.sources.items()), len(sources))
        plain.append(encode(fields))
    problems = encode([[problem.subject, problem.reason] for problem in models.problems])
    return (
        f'{{"sources": {encode([dict(lines) for lines in sources])}, '
        f'"models": [{", ".join(plain)}], "problems": {problems}}}'
    )


def _plain(model: ModelInfo) -> dict[str, object]:
    """Every field that says something."""
    plain: dict[str, object] = {}
    for field in _READERS:
        value = getattr(model, field)
        if isinstance(value, datetime):
            value = value.isoformat()
        elif isinstance(value, ModelCapabilities):
            value = [name for name in ModelCapabilities.__slots__ if getattr(value, name)]
        elif isinstance(value, Mapping):
            value = dict(value)
        if value not in (None, "", False, {}):
            plain[field] = value
    return plain


def _from_json(text: object) -> ModelList:
    if not isinstance(text, str):
        raise TypeError("not a text")
    content = json.loads(text)
    if not isinstance(content, dict) or not isinstance(content.get("models"), list):
        raise TypeError("not a list of models")
    sources = [_lines(lines) for lines in content.get("sources", ())]
    models = (_model(plain, sources) for plain in content["models"])
    problems = content.get("problems")
    return ModelList(
        tuple(model for model in models if model is not None),
        tuple(
            Problem(clean_line(problem[0]), clean_line(problem[1]))
            for problem in (problems if isinstance(problems, list) else ())
            if isinstance(problem, list) and len(problem) == 2 and all(map(_is_text, problem))
        ),
    )


def _model(plain: object, sources: Sequence[Mapping[str, str]]) -> ModelInfo | None:
    if not isinstance(plain, dict):
        return None
    try:
        fields = {name: _READERS[name](value) for name, value in plain.items() if name in _READERS}
        if _SOURCES in plain:
            fields["sources"] = sources[stored_count(plain[_SOURCES])]
        return ModelInfo(**fields, display_name=clean_line(fields["name"]))
    except (ValueError, TypeError, LookupError, OverflowError):
        return None


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _raw(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("not a text")
    return value


def _line(value: object) -> str:
    return clean_line(_raw(value))


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("neither true nor false")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise TypeError("not a number")
    return float(value)


def _capabilities(value: object) -> ModelCapabilities:
    if not isinstance(value, list):
        raise TypeError("not a list")
    return _shared_capabilities(tuple(value))


def _lines(value: object) -> Mapping[str, str]:
    if not isinstance(value, dict):
        raise TypeError("not a mapping")
    return MappingProxyType({_line(key): _line(text) for key, text in value.items()})


# Most models of a list can do the same as some other.


@lru_cache(maxsize=256)
def _shared_capabilities(names: tuple[str, ...]) -> ModelCapabilities:
    return ModelCapabilities(**dict.fromkeys(names, True))


def _scalars(value: object) -> dict[str, object]:
    """Text is sanitised; anything nested, and what is no number that can be shown, is left out."""
    if not isinstance(value, dict):
        raise TypeError("not a mapping")
    return {
        _line(key): clean_line(fact) if isinstance(fact, str) else fact
        for key, fact in value.items()
        if isinstance(fact, str)
        or _is_number(fact)
        or (isinstance(fact, list) and all(map(_is_number, fact)))
    }


def _is_number(value: object) -> bool:
    if isinstance(value, int):
        return abs(value) <= LARGEST_COUNT
    return isinstance(value, float) and isfinite(value)


_READERS: dict[str, Callable[[Any], Any]] = {
    "name": _raw,
    "size_bytes": stored_count,
    "digest": _line,
    "modified_at": stored_moment,
    "family": _line,
    "architecture": _line,
    "parameters_billions": _number,
    "quantization": _line,
    "context_window": stored_count,
    "max_output_tokens": stored_count,
    "capabilities": _capabilities,
    "remote": _flag,
    "embedding_only": _flag,
    "base_model": _flag,
    "served_context_tokens": stored_count,
    "metadata": _scalars,
}
