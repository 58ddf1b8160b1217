"""Which workspace files may name servers and credentials: those that the user has allowed.

Trust holds for one path with one content; an edit ends it. Kept in `trusted.json` under
OLLM_HOME, readable by its owner only.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath

from ollm_tui.config.atomic import write_atomically
from ollm_tui.config.layer import Layer, SourceFile
from ollm_tui.config.node import Node, Path, branch, dotted, entries, remove
from ollm_tui.config.problem import Severity

STORE_NAME = "trusted.json"
GUARDED = ("host", "headers", "apiKeyEnv", "caFile")
"""Keys of a provider that send requests, or what they carry, elsewhere."""
_LIMIT_BYTES = 1 << 20


def is_trusted(ollm_home: FilePath, file: SourceFile) -> bool:
    """Whether the user has allowed this file with this content."""
    try:
        return bool(file.digest) and _allowed(ollm_home).get(file.path) == file.digest
    except OSError:
        return False


def trust(ollm_home: FilePath, file: SourceFile) -> None:
    """Allow `file` with the content that was read.

    Raises:
        OSError: the decisions could not be read or written.
    """
    _store(ollm_home, {**_allowed(ollm_home), file.path: file.digest})


def distrust(ollm_home: FilePath, file: SourceFile) -> None:
    """Take the permission back.

    Raises:
        OSError: the decisions could not be read or written.
    """
    rest = {path: digest for path, digest in _allowed(ollm_home).items() if path != file.path}
    _store(ollm_home, rest)


def drop_untrusted(layer: Layer) -> bool:
    """Take out of a layer what only a trusted file may say, with a warning for each.

    Returns:
        Whether there was anything.
    """
    guarded = list(_guarded(layer.root))
    for path, node in guarded:
        layer.report(
            f"{dotted(path)} is ignored: this workspace is not trusted",
            node,
            path,
            severity=Severity.WARNING,
            remedy="Read the file, then allow it with `ollm-tui config trust`.",
            of_key=True,
            show_value=False,
        )
        remove(layer.root, path)
    return bool(guarded)


def _guarded(root: Node) -> Iterator[tuple[Path, Node]]:
    for name, provider in entries(branch(root, "providers")).items():
        for key in GUARDED:
            node = branch(provider, key)
            if node is not None:
                yield ("providers", name, key), node
    # All of an entry: it says which of the user's secrets goes where.
    for host, registry in entries(branch(root, "registries")).items():
        yield ("registries", host), registry


def _allowed(ollm_home: FilePath) -> dict[str, str]:
    """Path to digest; a file that is not there or makes no sense allows nothing.

    Raises:
        OSError: nobody can tell what it allows, which must not be overwritten.
    """
    try:
        with open(ollm_home / STORE_NAME, "rb") as file:
            data = json.loads(file.read(_LIMIT_BYTES))
    except (FileNotFoundError, NotADirectoryError, ValueError, RecursionError):
        return {}
    files = data.get("files") if isinstance(data, dict) else None
    if not isinstance(files, dict):
        return {}
    return {path: digest for path, digest in files.items() if isinstance(digest, str)}


def _store(ollm_home: FilePath, allowed: Mapping[str, str]) -> None:
    ollm_home.mkdir(mode=0o700, parents=True, exist_ok=True)
    content = json.dumps({"version": 1, "files": allowed}, indent=2, sort_keys=True)
    write_atomically(ollm_home / STORE_NAME, content.encode(), mode=0o600)
