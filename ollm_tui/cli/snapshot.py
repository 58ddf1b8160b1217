"""Files of models for --models and for scenarios: the output of `list --json`, or a bare list."""

import json
from pathlib import Path

from ollm_tui.cli.input_file import read_input
from ollm_tui.core.error import ConfigError
from ollm_tui.core.model import ModelInfo
from ollm_tui.routing.database import ModelDatabase
from ollm_tui.routing.facts import enrich
from ollm_tui.routing.snapshot import read_models

_SHOWN = 3

Where = tuple[str | int, ...]


def load_models(path: str, database: ModelDatabase) -> list[ModelInfo]:
    """The models of a file, each with what the database knows besides.

    Raises:
        ConfigError: the file cannot be read; with every place, as far as three go.
    """
    raw = read_input(path)
    try:
        data = json.loads(raw)
    except json.JSONDecodeError as error:
        raise _unusable(path, [f"{path}:{error.lineno}:{error.colno}: {error.msg}"]) from error
    except (ValueError, RecursionError) as error:
        raise _unusable(path, [f"{path}: {error}"]) from error
    wrong: list[tuple[Where, str]] = []
    models = read_models(data, lambda where, what: wrong.append((where, what)))
    if wrong:
        places = _Places(path, raw)
        raise _unusable(path, [f"{places.at(where)}: {what}" for where, what in wrong])
    return [enrich(model, database) for model in models]


class _Places:
    """Where values stand in a JSON file, which is YAML, too, and that reader keeps places."""

    def __init__(self, path: str, raw: bytes) -> None:
        from ollm_tui.cli.input_file import LIMIT_BYTES, LIMIT_NODES
        from ollm_tui.config.document import parse_document

        self._document = parse_document(raw, path, limit_bytes=LIMIT_BYTES, limit_nodes=LIMIT_NODES)
        self._path = path

    def at(self, where: Where) -> str:
        """The place as "file:line:column", or by its keys where that cannot be told."""
        if self._document.root is not None:
            return str(self._document.place(where))
        return ".".join((self._path, *map(str, where)))


def _unusable(path: str, problems: list[str]) -> ConfigError:
    more = len(problems) - _SHOWN
    cause = "; ".join(problems[:_SHOWN]) + (f"; and {more:,} more" if more > 0 else "")
    return ConfigError(
        f"{Path(path).name} is not a list of models",
        cause=cause,
        actions=("Write one with `ollm-tui list --json > FILE`.",),
    )
