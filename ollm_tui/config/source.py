"""Where settings come from: one function for each source, in one literal tuple by precedence.

Every function gives the source's own words as nodes with their places; nothing is judged here.
"""

import hashlib
import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path as FilePath

from ollm_tui.config.document import CONFIG_LIMIT_BYTES, Document, parse_document
from ollm_tui.config.draft import Draft
from ollm_tui.config.host import normalise_host
from ollm_tui.config.inputs import FILE_NAME, OTHER_NAMES, Inputs, find_workspace_file
from ollm_tui.config.layer import Layer, SourceFile
from ollm_tui.config.node import Node, Path, planted
from ollm_tui.config.problem import ConfigProblem, Origin, Place, Severity

ACTIVE = "*active*"
"""Stands for the name of the provider in use until it is known."""

_MODEL: Path = ("model", "default")
_PROFILE: Path = ("model", "routing", "defaultProfile")
_HOST: Path = ("providers", ACTIVE, "host")

FLAGS: Mapping[str, tuple[str, Path]] = {
    "model": ("--model", _MODEL),
    "profile": ("--profile", _PROFILE),
    "temperature": ("--temperature", ("options", "temperature")),
    "max_tokens": ("--max-tokens", ("options", "maxTokens")),
    "context_size": ("--context-size", ("options", "numCtx")),
    "host": ("--host", _HOST),
    "provider": ("--provider", ("provider",)),
}
"""Name of a flag's value to its spelling and the setting that it is."""

VARIABLES: Mapping[str, Path] = {
    "OLLM_MODEL": _MODEL,
    "OLLM_PROVIDER": ("provider",),
    "OLLM_HOST": _HOST,
    "OLLM_TEMPERATURE": ("options", "temperature"),
    "OLLM_MAX_TOKENS": ("options", "maxTokens"),
    "OLLM_CONTEXT_SIZE": ("options", "numCtx"),
}
"""Environment variable to the setting that it is."""

_DECIMAL = re.compile(r"[-+]?(?:[0-9]{1,100}(?:\.[0-9]*)?|\.[0-9]+)", re.ASCII)
_NUMBERS = frozenset({"temperature", "maxTokens", "numCtx"})


def flags(inputs: Inputs) -> Layer | None:
    """The command line."""
    tree: dict[str, object] = {}
    for name, (spelling, path) in FLAGS.items():
        value = inputs.flags.get(name)
        if value is not None:
            _plant(tree, path, _number_or_text(path, value), spelling)
    return Layer(Origin.FLAG, planted_tree(tree)) if tree else None


def environment(inputs: Inputs) -> Layer | None:
    """Our own variables; an empty one is not set."""
    tree: dict[str, object] = {}
    for name, path in VARIABLES.items():
        value = inputs.env.get(name, "").strip()
        if value:
            _plant(tree, path, _number_or_text(path, value), f"env {name}")
    return Layer(Origin.ENV, planted_tree(tree)) if tree else None


def given_file(inputs: Inputs) -> Layer | None:
    """The file of --config, which has to be there."""
    if inputs.config_file is None or inputs.no_config:
        return None
    path = (inputs.cwd / inputs.config_file.expanduser()).absolute()
    return _file_layer(path, Origin.FILE, inputs, required=True)


def workspace_file(inputs: Inputs) -> Layer | None:
    """The nearest `.ollm/config.yaml` upward, not above the repository or in the home folder."""
    if inputs.config_file is not None or inputs.no_config:
        return None
    path = find_workspace_file(inputs)
    return _file_layer(path, Origin.WORKSPACE, inputs) if path is not None else None


def user_file(inputs: Inputs) -> Layer | None:
    """The user's own `config.yaml`."""
    if inputs.config_file is not None or inputs.no_config:
        return None
    return _file_layer(inputs.user_path, Origin.USER, inputs)


def ollama_environment(inputs: Inputs) -> Layer | None:
    """OLLAMA_HOST, for the provider `ollama`, when nobody else named a server."""
    value = inputs.env.get("OLLAMA_HOST", "").strip()
    if not value:
        return None
    tree: dict[str, object] = {}
    label = "env OLLAMA_HOST"
    try:
        _plant(tree, ("providers", "ollama", "host"), normalise_host(value, lenient=True), label)
    except ValueError:
        # Not an address at all: the schema says so in its own words.
        _plant(tree, ("providers", "ollama", "host"), value, label)
    return Layer(Origin.ENV, planted_tree(tree))


SOURCES: tuple[Callable[[Inputs], Layer | None], ...] = (
    flags,
    environment,
    given_file,
    workspace_file,
    user_file,
    ollama_environment,
)
"""Strongest first. What none of them says is the schema's default."""


def planted_tree(tree: dict[str, object]) -> Node:
    """Nested dicts with nodes at their ends, as one node."""
    children = {}
    for key, value in tree.items():
        child = value if isinstance(value, Node) else planted_tree(value)  # type: ignore[arg-type]
        child.key = key
        children[key] = child
    label = next(iter(children.values())).label if children else ""
    return Node(children, label=label)


def _plant(tree: dict[str, object], path: Path, value: object, label: str) -> None:
    for key in path[:-1]:
        tree = tree.setdefault(key, {})  # type: ignore[assignment]  # only dicts above the ends
    tree[path[-1]] = planted(value, label)


def _number_or_text(path: Path, value: object) -> object:
    """Decimal text as a number where one belongs; anything else is left for the schema."""
    if path[-1] not in _NUMBERS or not isinstance(value, str):
        return value
    text = value.strip()
    if not _DECIMAL.fullmatch(text):
        return text
    return float(text) if "." in text else int(text)


def _file_layer(
    path: FilePath, origin: Origin, inputs: Inputs, *, required: bool = False
) -> Layer | None:
    shown = inputs.shown(path)
    try:
        raw, mode = _read(path, inputs.draft)
    except (FileNotFoundError, NotADirectoryError):  # nothing there, nor can be
        if not required:
            return _other_name(path, origin, shown)
        return _unreadable(path, origin, shown, "There is no such file", "Check --config.")
    except OSError as error:
        why = error.strerror or str(error)
        return _unreadable(path, origin, shown, why, "Check the file and its permissions.")
    document = parse_document(raw, shown)
    layer = Layer(
        origin,
        document=document,
        file=SourceFile(str(path), origin, exists=True, digest=hashlib.sha256(raw).hexdigest()),
        problems=[replace(problem, origin=origin) for problem in document.problems],
        is_private=mode & 0o077 == 0,
    )
    root = document.root
    if root is None or root.value is None:
        return layer
    if isinstance(root.value, dict):
        layer.root = root
    else:
        layer.report(
            "The file must be a mapping of keys to values",
            root,
            (),
            remedy="Write `key: value`, with a space after the colon.",
            show_value=False,
        )
    return layer


def _read(path: FilePath, draft: Draft | None) -> tuple[bytes, int]:
    """The file's first bytes, one more than are allowed, and its mode."""
    if draft is not None and draft.path == str(path):
        return draft.content, 0o600
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode):
        # A pipe would block and a device never end.
        raise OSError(0, "It is not a regular file")
    with open(path, "rb") as file:
        return file.read(CONFIG_LIMIT_BYTES + 1), mode


def _other_name(path: FilePath, origin: Origin, shown: str) -> Layer | None:
    """A hint when the file is there under a name that is not read."""
    for name in OTHER_NAMES:
        if path.with_name(name).exists():
            layer = _unreadable(
                path.with_name(name),
                origin,
                shown.removesuffix(FILE_NAME) + name,
                f"Only {FILE_NAME} is read",
                f"Rename it to {FILE_NAME}; JSON is valid YAML.",
                severity=Severity.NOTICE,
            )
            layer.file = SourceFile(str(path), origin)
            return layer
    return Layer(origin, file=SourceFile(str(path), origin))


def _unreadable(
    path: FilePath,
    origin: Origin,
    shown: str,
    detail: str,
    remedy: str,
    severity: Severity = Severity.ERROR,
) -> Layer:
    problem = ConfigProblem(
        "The configuration file is not used",
        Place(shown, 1, 1) if severity is Severity.ERROR else Place(shown),
        severity=severity,
        detail=detail,
        remedy=remedy,
        origin=origin,
    )
    return Layer(
        origin,
        document=Document(shown, ""),
        file=SourceFile(str(path), origin),
        problems=[problem],
    )
