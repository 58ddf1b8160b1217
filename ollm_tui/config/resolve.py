"""Layers to one answer: merge by precedence, validate, and say where each value comes from.

Mappings merge deeply, lists and scalars replace, an empty value is no value.
"""

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import takewhile
from pathlib import Path as FilePath

from pydantic import ValidationError

from ollm_tui.config import lint
from ollm_tui.config.check import check_keys, check_values
from ollm_tui.config.connection import Connection
from ollm_tui.config.inputs import Inputs
from ollm_tui.config.layer import Layer, SourceFile
from ollm_tui.config.lint import Knowledge
from ollm_tui.config.login import RegistryLogin
from ollm_tui.config.node import Node, Path, branch, dotted, entries, find, plain, planted
from ollm_tui.config.problem import ConfigProblem, Origin, Place, Severity
from ollm_tui.config.schema import Provider, Registry, Settings
from ollm_tui.config.secret import masked, without_userinfo
from ollm_tui.config.shape import as_plain, settings_shape, value_at
from ollm_tui.config.source import SOURCES
from ollm_tui.config.trust import drop_untrusted, is_trusted

_DEFAULT_PLACE = Place("default")


@dataclass(frozen=True, slots=True)
class Shadow:
    """A value that a stronger source hides. Secrets are masked."""

    value: object
    origin: Origin
    place: Place


@dataclass(frozen=True, slots=True)
class Setting:
    """One value in force and who set it. Secrets are masked."""

    path: Path
    value: object
    origin: Origin
    place: Place
    shadows: tuple[Shadow, ...] = ()
    """Strongest first."""

    @property
    def key(self) -> str:
        """The path as one word."""
        return dotted(self.path)


@dataclass(frozen=True, slots=True)
class Effective:
    """The configuration in force."""

    config: Settings = field(repr=False)
    settings: Mapping[Path, Setting] = field(repr=False)
    """Every leaf, in the schema's order; each is worked out when it is asked for."""
    connection: Connection
    problems: tuple[ConfigProblem, ...] = ()
    """By source, strongest first, and by line."""
    files: tuple[SourceFile, ...] = ()
    """The files looked for, strongest first."""
    pinned_model: str | None = None
    """--model: routing is bypassed."""
    is_last_good: bool = False
    """Whether the sources have become worse since: `problems` are of their present state."""

    @property
    def errors(self) -> tuple[ConfigProblem, ...]:
        """The problems for which something written is not in force."""
        return tuple(item for item in self.problems if item.severity is Severity.ERROR)

    def origin(self, *path: str) -> Origin:
        """Who set the value at `path`."""
        return self.settings[path].origin


Found = list[tuple[Layer, Node]]
"""The nodes at one place, strongest layer first."""


class _Provenance(Mapping[Path, Setting]):
    """Who set what. Lazy, since most starts ask for none of it."""

    def __init__(self, config: Settings, leaves: Mapping[Path, Found]) -> None:
        self._config = config
        self._leaves = leaves

    def __getitem__(self, path: Path) -> Setting:
        return _setting(self._config, path, self._leaves[path])

    def __iter__(self) -> Iterator[Path]:
        return iter(self._leaves)

    def __len__(self) -> int:
        return len(self._leaves)


def load_config(inputs: Inputs, knowledge: Knowledge | None = None) -> Effective:
    """Read every source and merge them.

    Never raises for what a source says: what cannot be used is left out and reported.
    """
    with _collector_at_rest():
        return _load(inputs, knowledge or Knowledge())


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """No look for garbage meanwhile: there is none, and the looking takes a fifth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _load(inputs: Inputs, knowledge: Knowledge) -> Effective:
    layers = [layer for source in SOURCES if (layer := source(inputs)) is not None]
    provider = lint.bind_active_provider(layers)
    active = "ollama" if provider == "auto" else provider
    for layer in layers:
        _judge(layer, inputs, knowledge)
    lint.check_profiles(layers, knowledge)
    lint.check_key_clashes(layers, knowledge)
    lint.warn_of_double_options(layers, active)
    leaves, config = merge(layers)
    _note_overruled_flags(layers, config, active)
    return Effective(
        config=config,
        settings=_Provenance(config, leaves),
        connection=_connection(config, active, leaves, inputs),
        problems=_sorted_problems(layers),
        files=tuple(layer.file for layer in layers if layer.file is not None),
        pinned_model=config.model.default if _is_flag(leaves, ("model", "default")) else None,
    )


def merge(layers: list[Layer]) -> tuple[dict[Path, Found], Settings]:
    """Merge layers over the defaults and validate; bad values are reported and left out.

    Returns:
        For each leaf in force the nodes at its place, the one in force first; the settings.
    """
    leaves, data = _merged_layers(layers)
    if not _hides_anything(leaves):
        # One look at the whole is then a look at every value.
        with suppress(ValidationError):
            return leaves, Settings.model_validate(data)
    for layer in layers:
        check_values(layer)
    leaves, data = _merged_layers(layers)
    return leaves, Settings.model_validate(data)


def _merged_layers(layers: list[Layer]) -> tuple[dict[Path, Found], object]:
    names = {name for layer in layers for name in entries(branch(layer.root, "providers"))}
    everything = [*layers, _defaults(frozenset(names))]
    leaves: dict[Path, Found] = {}
    return leaves, _merged([(layer, layer.root) for layer in everything], (), leaves)


def _hides_anything(leaves: Mapping[Path, Found]) -> bool:
    return any(
        len(found) > 1 and found[1][0].origin is not Origin.DEFAULT for found in leaves.values()
    )


def _merged(found: Found, path: Path, leaves: dict[Path, Found]) -> object:
    if len(found) == 1:
        return _alone(*found[0], path, leaves)
    run = list(takewhile(lambda pair: isinstance(pair[1].value, dict), found))
    filled = [pair for pair in run if pair[1].value]
    if len(filled) == 1:
        return _alone(*filled[0], path, leaves)
    children: dict[str, Found] = {}
    for layer, node in reversed(filled):  # weakest first, so that keys keep the schema's order
        for key, child in entries(node).items():
            children.setdefault(key, []).insert(0, (layer, child))
    if children:
        return {key: _merged(below, (*path, key), leaves) for key, below in children.items()}
    # An empty mapping adds nothing, so the weakest source that has one counts as its origin.
    leaves[path] = run[-1:] or found
    return plain(found[0][1])


def _alone(layer: Layer, node: Node, path: Path, leaves: dict[Path, Found]) -> object:
    """The part of the tree that only one layer says."""
    value = node.value
    if not isinstance(value, dict) or not value:
        leaves[path] = [(layer, node)]
        return plain(node)
    data: dict[str, object] = {}
    for key, child in value.items():
        below, here = child.value, (*path, key)
        if isinstance(below, dict) and below:
            data[key] = _alone(layer, child, here, leaves)
        else:
            leaves[here] = [(layer, child)]
            data[key] = plain(child) if isinstance(below, list | dict) else below
    return data


def _setting(config: Settings, path: Path, found: Found) -> Setting:
    layer, node = found[0]
    value = {} if isinstance(node.value, dict) else value_at(config, path)
    return Setting(
        path,
        masked(path, value),
        layer.origin,
        _place(layer, node),
        tuple(
            Shadow(masked(path, plain(below)), lower.origin, _place(lower, below))
            for lower, below in found[1:]
            if below.value is not None
        ),
    )


def _place(layer: Layer, node: Node) -> Place:
    return _DEFAULT_PLACE if layer.origin is Origin.DEFAULT else layer.place(node)


def _judge(layer: Layer, inputs: Inputs, knowledge: Knowledge) -> None:
    check_keys(layer)
    lint.warn_of_readable_secrets(layer)
    lint.check_patterns(layer, knowledge)
    lint.check_bindings(layer, knowledge)
    lint.note_capability_aliases(layer)
    if layer.origin is Origin.WORKSPACE and layer.file is not None:
        if not _may_name_servers(layer.file, inputs) and drop_untrusted(layer):
            layer.file = replace(layer.file, trusted=False)


def _may_name_servers(file: SourceFile, inputs: Inputs) -> bool:
    if inputs.draft is not None and inputs.draft.path == file.path:
        return inputs.draft.trusted
    return is_trusted(inputs.ollm_home, file)


def _is_flag(leaves: Mapping[Path, Found], path: Path) -> bool:
    return leaves[path][0][0].origin is Origin.FLAG


def _note_overruled_flags(layers: list[Layer], config: Settings, active: str) -> None:
    top = layers[0] if layers and layers[0].origin is Origin.FLAG else None
    if top is None:
        return
    routing = find(top.root, ("model", "routing", "defaultProfile"))
    if routing is not None and find(top.root, ("model", "default")) is not None:
        top.report(
            "--model wins over --profile",
            routing,
            ("model", "routing", "defaultProfile"),
            severity=Severity.NOTICE,
            remedy="Leave one of them out.",
        )
    host = find(top.root, ("providers", active, "host"))
    if host is not None and config.providers[active].kind == "local":
        top.report(
            "The local store has no address",
            host,
            ("providers", active, "host"),
            severity=Severity.WARNING,
            remedy="Add --provider ollama to ask that server.",
        )


def _connection(
    config: Settings, active: str, leaves: Mapping[Path, Found], inputs: Inputs
) -> Connection:
    provider = config.providers.get(active) or Provider(kind="local")
    host = leaves.get(("providers", active, "host"))
    host_origin = _place(*host[0]) if host else _DEFAULT_PLACE
    return Connection(
        name=active,
        kind=provider.kind,
        host=provider.host,
        shown_host=without_userinfo(provider.host),
        is_named=config.provider != "auto" or host_origin is not _DEFAULT_PLACE,
        host_origin=str(host_origin),
        timeout_s=provider.timeout_s,
        options=provider.options,
        headers=provider.headers,
        api_key=inputs.env.get(provider.api_key_env) if provider.api_key_env else None,
        ca_file=_ca_file(provider, leaves.get(("providers", active, "caFile")), inputs),
        registries={
            host: _login(host, registry, inputs) for host, registry in config.registries.items()
        },
    )


def _login(host: str, registry: Registry, inputs: Inputs) -> RegistryLogin:
    name = registry.password_env or ""
    return RegistryLogin(
        user=registry.user or "",
        password=inputs.env.get(name) or None,
        # Who wrote the password itself in its place does not want to see it in an error.
        variable=str(masked(("registries", host, "passwordEnv"), name)) if name else "",
    )


def _ca_file(provider: Provider, found: Found | None, inputs: Inputs) -> str | None:
    """Absolute; a relative one is relative to the file that names it."""
    if provider.ca_file is None or not found:
        return None
    file = found[0][0].file
    folder = FilePath(file.path).parent if file else inputs.cwd
    return str(folder / FilePath(provider.ca_file).expanduser())


def _sorted_problems(layers: list[Layer]) -> tuple[ConfigProblem, ...]:
    return tuple(
        problem
        for layer in layers
        for problem in sorted(layer.problems, key=lambda item: (item.place.line, item.place.column))
    )


@cache
def _defaults(provider_names: frozenset[str]) -> Layer:
    tree = as_plain(Settings(), settings_shape())
    providers = tree["providers"]
    provider_shape = settings_shape().keys["providers"].item
    assert isinstance(providers, dict)
    assert provider_shape is not None
    for name in sorted(provider_names - set(providers)):
        provider = Provider(kind="local" if name == "local" else "ollama")
        providers[name] = as_plain(provider, provider_shape)
    return Layer(Origin.DEFAULT, planted(tree))
