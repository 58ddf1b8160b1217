"""What can only be judged by looking at every layer, or by knowing what others know.

Errors take the value out of its layer, like those of `check.py`; the rest warns.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from ollm_tui.config.check import described
from ollm_tui.config.layer import Layer
from ollm_tui.config.node import Node, Path, branch, dotted, entries, find, leaves, remove
from ollm_tui.config.problem import Severity
from ollm_tui.config.schema import BUILT_IN_PROVIDERS, CAPABILITY_ALIASES, UNKNOWN_PROFILE
from ollm_tui.config.secret import masked
from ollm_tui.config.source import ACTIVE
from ollm_tui.core.error import OllmError, closest
from ollm_tui.core.text import clean_line

_ROUTING: Path = ("model", "routing")


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What other parts of the program know; None = nobody asked, nothing is checked."""

    profiles: Collection[str] | None = None
    """Names of the built-in routing profiles."""
    check_pattern: Callable[[str], object] | None = None
    """Raises an OllmError for a glob pattern that means nothing."""
    bindings: Collection[str] | None = None
    """Ids of the key bindings."""
    check_keys: Callable[[Mapping[str, str]], Iterable[tuple[str, str, str]]] | None = None
    """Takes binding ids to keys; gives the id, the sentence and the detail of each mistake."""


def bind_active_provider(layers: Iterable[Layer]) -> str:
    """Find the provider in use, put its name where `ACTIVE` stands, and return `provider`."""
    layers = list(layers)
    names = set(BUILT_IN_PROVIDERS)
    for layer in layers:
        names |= set(entries(branch(layer.root, "providers")))
    names.discard(ACTIVE)
    chosen = ""
    for layer in layers:
        node = branch(layer.root, "provider")
        if node is None or not isinstance(node.value, str):
            continue
        if node.value in names:
            chosen = chosen or node.value
            continue
        near = closest(node.value[:80], names, count=1)
        layer.report(
            "Unknown provider",
            node,
            ("provider",),
            detail=f"Got {described(('provider',), node)}",
            remedy=(f"Did you mean {near[0]}? " if near else "")
            + f"Known are {clean_line(', '.join(sorted(names)), 200)}.",
        )
        remove(layer.root, ("provider",))
    provider = chosen or "auto"
    for layer in layers:
        providers = branch(layer.root, "providers")
        node = entries(providers).get(ACTIVE)
        if providers is not None and node is not None:
            node.key = "ollama" if provider == "auto" else provider
            providers.value = {node.key: node}
    return provider


def check_patterns(layer: Layer, knowledge: Knowledge) -> None:
    """Take out entries whose pattern means nothing."""
    if knowledge.check_pattern is None:
        return
    for section in ("models", "database"):
        for pattern, node in list(entries(branch(layer.root, section)).items()):
            try:
                knowledge.check_pattern(pattern)
            except OllmError as error:
                layer.report(
                    error.message,
                    node,
                    (section, pattern),
                    detail=error.cause,
                    remedy=error.actions[0],
                    of_key=True,
                    show_value=False,
                )
                remove(layer.root, (section, pattern))


def check_profiles(layers: Iterable[Layer], knowledge: Knowledge) -> None:
    """Refuse an unknown default profile; warn of other references to unknown ones."""
    if knowledge.profiles is None:
        return
    layers = list(layers)
    known = {name.casefold(): name for name in knowledge.profiles}
    for layer in layers:
        for name in entries(find(layer.root, (*_ROUTING, "profiles"))):
            known.setdefault(name.casefold(), name)

    def is_known(name: object) -> bool:
        return isinstance(name, str) and name.strip().casefold() in known

    for layer in layers:
        default = find(layer.root, (*_ROUTING, "defaultProfile"))
        if default is not None and not is_known(default.value):
            path: Path = (*_ROUTING, "defaultProfile")
            _report_profile(layer, default, path, known.values(), Severity.ERROR)
            remove(layer.root, path)
        for name, node in entries(find(layer.root, (*_ROUTING, "overrides"))).items():
            if not is_known(name):
                path = (*_ROUTING, "overrides", name)
                _report_profile(layer, node, path, known.values(), Severity.WARNING, name)
        for name, profile in entries(find(layer.root, (*_ROUTING, "profiles"))).items():
            fallback = branch(profile, "fallbackProfile")
            if fallback is not None and not is_known(fallback.value):
                path = (*_ROUTING, "profiles", name, "fallbackProfile")
                _report_profile(layer, fallback, path, known.values(), Severity.WARNING)


def _report_profile(
    layer: Layer,
    node: Node,
    path: Path,
    known: Collection[str],
    severity: Severity,
    name: str = "",
) -> None:
    wanted = (name or str(node.value))[:80]
    near = [] if layer.has_enough(severity) else closest(wanted, known, count=1)
    layer.report(
        UNKNOWN_PROFILE,
        node,
        path,
        severity=severity,
        detail=f"Got {clean_line(name, 80)!r}" if name else f"Got {described(path, node)}",
        remedy=(f"Did you mean {near[0]}? " if near else "")
        + f"Known are {clean_line(', '.join(known), 200)}.",
        of_key=bool(name),
    )


def note_capability_aliases(layer: Layer) -> None:
    """Tell that `tools` is read as toolCalling."""
    for name, profile in entries(find(layer.root, (*_ROUTING, "profiles"))).items():
        wanted = branch(profile, "requiredCapabilities")
        for node in wanted.value if wanted and isinstance(wanted.value, list) else ():
            if node.value in CAPABILITY_ALIASES:
                meant = CAPABILITY_ALIASES[node.value]
                layer.report(
                    f"{node.value!r} is read as {meant!r}",
                    node,
                    (*_ROUTING, "profiles", name, "requiredCapabilities"),
                    severity=Severity.NOTICE,
                    remedy=f"Write {meant}.",
                    show_value=False,
                )


def check_bindings(layer: Layer, knowledge: Knowledge) -> None:
    """Warn of keys for bindings that do not exist."""
    if knowledge.bindings is None:
        return
    for name, node in entries(find(layer.root, ("ui", "keys"))).items():
        if name not in knowledge.bindings:
            near = closest(name[:80], knowledge.bindings, count=1)
            layer.report(
                f"Unknown key binding {clean_line(name, 60)!r}",
                node,
                ("ui", "keys", name),
                severity=Severity.WARNING,
                detail="It is ignored",
                remedy=(f"Did you mean {near[0]}? " if near else "")
                + "The help screen (?) lists the ids.",
                of_key=True,
            )


def check_key_clashes(layers: Iterable[Layer], knowledge: Knowledge) -> None:
    """Warn of keys that are none, or that two bindings cannot both have."""
    if knowledge.check_keys is None:
        return
    written: dict[str, tuple[Layer, Node]] = {}
    for layer in layers:
        for name, node in entries(find(layer.root, ("ui", "keys"))).items():
            written.setdefault(name, (layer, node))
    keys = {name: node.value for name, (_, node) in written.items() if isinstance(node.value, str)}
    for name, sentence, detail in knowledge.check_keys(keys):
        layer, node = written[name]
        layer.report(
            sentence,
            node,
            ("ui", "keys", name),
            severity=Severity.WARNING,
            detail=detail,
            remedy="The help screen (?) shows every key.",
        )


def warn_of_double_options(layers: Iterable[Layer], active: str) -> None:
    """Warn where a generation option hides a provider option of the same meaning."""
    layers = list(layers)
    general = {key for layer in layers for key in entries(branch(layer.root, "options"))}
    folded = {key.casefold(): key for key in general}
    for layer in layers:
        options = find(layer.root, ("providers", active, "options"))
        for key, node in entries(options).items():
            hidden_by = folded.get(key.replace("_", "").casefold())
            if hidden_by is not None:
                layer.report(
                    f"options.{hidden_by} wins over this",
                    node,
                    ("providers", active, "options", key),
                    severity=Severity.WARNING,
                    remedy="Delete one of them.",
                    of_key=True,
                )


def warn_of_readable_secrets(layer: Layer) -> None:
    """Warn when others can read a file that holds a secret."""
    if layer.is_private or layer.file is None:
        return
    for path, node in _possible_secrets(layer.root):
        if masked(path, node.value) != node.value:
            instead = "passwordEnv" if path[0] == "registries" else "apiKeyEnv"
            layer.report(
                f"{dotted(path)} holds a secret, and others can read the file",
                node,
                path,
                severity=Severity.WARNING,
                remedy=f"Run `chmod 600` on it, or name an environment variable with {instead}.",
                of_key=True,
                show_value=False,
            )
            return


def _possible_secrets(root: Node) -> Iterator[tuple[Path, Node]]:
    for section in ("providers", "registries", "models"):
        for name, entry in entries(branch(root, section)).items():
            for key, node in entries(entry).items():
                if isinstance(node.value, str | dict):
                    for path, leaf in leaves(node, (section, name, key)):
                        if isinstance(leaf.value, str):
                            yield path, leaf
