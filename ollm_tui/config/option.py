"""The generation options for one model: what is sent with its requests, and who set each.

Flags and environment beat the model's own entries under `models`, these beat `options`. Among
several matching patterns the longest wins, field by field. Source: design, Properties 14-16.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from ollm_tui.config.node import Path
from ollm_tui.config.problem import Origin
from ollm_tui.config.resolve import Effective, Setting
from ollm_tui.config.schema import Options
from ollm_tui.config.shape import value_at
from ollm_tui.core.error import InvalidName
from ollm_tui.core.name import parse_name, same_model

MatchPattern = Callable[[str, str], bool]
"""Whether a model name matches a glob pattern."""
_WILDCARDS = re.compile(r"[*?\[]")
_PROVIDER = "provider"


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """What to send for one model. Only what is set somewhere is there."""

    generation: Mapping[str, float] = field(default_factory=dict)
    """By YAML key (`maxTokens`); the adapter has the wire names. Wins over `provider`."""
    provider: Mapping[str, object] = field(default_factory=dict)
    """Untouched."""
    settings: Mapping[str, Setting] = field(default_factory=dict)
    """Who set each of `generation`."""
    provider_settings: Mapping[Path, Setting] = field(default_factory=dict)
    """Who set each leaf of `provider`, by its path there."""

    @property
    def in_force(self) -> Iterator[tuple[Path, Setting]]:
        """What is sent, by its path among the options, and who set it.

        Provider options that a generation option hides are left out.
        """
        for key, setting in self.settings.items():
            yield (key,), setting
        hidden = {_folded(key) for key in self.generation}
        for path, setting in self.provider_settings.items():
            if _folded(path[0]) not in hidden:
                yield path, setting


def matches_glob(name: str, pattern: str) -> bool:
    """Whether `pattern` covers the model, without case, by its full name or by model:tag alone."""
    if not _WILDCARDS.search(pattern):
        return same_model(name, pattern)
    folded = pattern.casefold().replace("[^", "[!")
    try:
        parsed = parse_name(name)
    except InvalidName:
        return fnmatchcase(name.casefold(), folded)
    forms = {parsed.short, f"{parsed.model}:{parsed.tag}" if "/" not in pattern else parsed.short}
    return any(fnmatchcase(form.casefold(), folded) for form in forms)


def options_for(
    effective: Effective, model_name: str, matches: MatchPattern = matches_glob
) -> ModelOptions:
    """The options in force for one model."""
    patterns = sorted(
        (pattern for pattern in effective.config.models if matches(model_name, pattern)),
        key=lambda pattern: (len(pattern), -len(_WILDCARDS.findall(pattern)), pattern),
        reverse=True,
    )
    own = [effective.config.models[pattern].provider for pattern in patterns]
    own_keys = {_folded(key) for options in own for key in options}
    settings = {}
    for key in _generation_keys():
        setting = _deciding(effective, key, patterns, hidden=_folded(key) in own_keys)
        if setting is not None:
            settings[key] = setting
    places: list[Path] = [("models", pattern, _PROVIDER) for pattern in patterns]
    places.append(("providers", effective.connection.name, "options"))
    said = zip(places, [*own, effective.connection.options], strict=True)
    paths: dict[Path, Path] = {}
    provider = _merged(list(said), paths)
    return ModelOptions(
        generation={
            key: value
            for key, setting in settings.items()
            if isinstance(value := value_at(effective.config, setting.path), int | float)
        },
        provider=provider,
        settings=settings,
        provider_settings={
            merged: effective.settings[path]
            for merged, path in paths.items()
            if path in effective.settings
        },
    )


def _deciding(
    effective: Effective, key: str, patterns: list[str], *, hidden: bool
) -> Setting | None:
    """The setting that decides `key`.

    Args:
        hidden: whether the model's own provider options say it too, which beats `options`.
    """
    general = effective.settings[("options", key)]
    if general.origin in (Origin.FLAG, Origin.ENV):
        return general
    for pattern in patterns:
        path: Path = ("models", pattern, key)
        if path in effective.settings:
            return effective.settings[path]
    return None if hidden or general.origin is Origin.DEFAULT else general


def _generation_keys() -> list[str]:
    return [info.alias or name for name, info in Options.model_fields.items()]


def _merged(
    strongest_first: Sequence[tuple[Path, Mapping[str, object]]],
    paths: dict[Path, Path],
    above: Path = (),
) -> dict[str, object]:
    """Deep merge; a key spelt in another way (`num_ctx`, `numCtx`) is the same key.

    Args:
        strongest_first: mappings, each with its path in the settings.
        paths: takes the path in the settings of every leaf, by its path in the result.
        above: the result's own path.
    """
    found: dict[str, list[tuple[Path, object]]] = {}
    spelt: dict[str, str] = {}
    for place, options in strongest_first:
        for key, value in options.items():
            known = spelt.setdefault(_folded(key), key)
            found.setdefault(known, []).append(((*place, key), value))
    result: dict[str, object] = {}
    for key, values in found.items():
        path, value = values[0]
        inner = [(place, item) for place, item in values if isinstance(item, Mapping)]
        if isinstance(value, Mapping) and any(item for _, item in inner):
            result[key] = _merged(inner, paths, (*above, key))
        else:
            result[key] = value
            paths[*above, key] = path
    return result


def _folded(key: str) -> str:
    """What an option means, whatever its spelling: one meaning has two words."""
    folded = key.replace("_", "").casefold()
    return "maxtokens" if folded == "numpredict" else folded
