"""What lies on the disk and may be damaged, old or planted, to the readers of it."""

import io
import json
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from ollm_tui.core.error import StoreError
from ollm_tui.providers.local import weights
from ollm_tui.providers.local.gguf import read_header
from ollm_tui.providers.local.journal import read_journal
from ollm_tui.providers.local.manifest import is_digest
from ollm_tui.service import state
from ollm_tui.service.list_store import load_list, save_list
from ollm_tui.service.queue_share import load_shared, save_shared, take_wishes
from ollm_tui.service.queue_store import load_history, load_queue
from tests.fuzz import rendered
from tests.fuzz.invariants import assert_clean, assert_error

_OWNER = ("provider", "host")
_ROWS = {
    "lists": ("as_of", "list"),
    "queue": ("key", "place", "name", "state", "downloaded_bytes", "total_bytes"),
    "history": ("name", "state", "downloaded_bytes", "ended_at", "error"),
    "wishes": ("wish", "name", "argument"),
    "shared": ("items", "taken"),
}
_AS_TEXT = ("list", "items")
"""Columns that hold JSON themselves."""
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1


def gguf(data: bytes) -> None:
    """The header of a file of weights, as far as the vocabulary and whole."""
    for whole in (False, True):
        try:
            header = read_header(io.BytesIO(data), len(data), whole=whole)
        except StoreError as error:
            assert_error(error)
            continue
        counts = (weights.context_tokens(header), weights.embedding_length(header))
        assert all(count is None or 0 < count < 2**63 for count in counts)
        assert_clean(weights.parameter_text(header.parameter_count or 0))
        assert_clean(weights.architecture(header))
        assert_clean(weights.quantization(header))
        assert_clean(weights.shown_values(header))


def journal(data: bytes) -> None:
    """The journal beside a download that was broken off."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        found = read_journal(Path(file.name))
    if found is not None:
        assert is_digest(found.digest)
        assert 0 <= found.kept_bytes <= found.size_bytes
        assert_clean((found.model, found.etag))


def state_rows(data: bytes) -> None:
    """Rows of the state file, given as JSON: {"queue": [{"name": ..., ...}], ...}."""
    try:
        tables = json.loads(data)
    except (ValueError, RecursionError):
        return
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(state._SCHEMA)
        for table, columns in _ROWS.items():
            rows = tables.get(table) if isinstance(tables, dict) else None
            for row in rows if isinstance(rows, list) else ():
                if isinstance(row, dict):
                    _insert(connection, table, columns, row)
        known = load_list(connection, *_OWNER)
        assert_clean(known)
        if known is not None:
            rendered.assert_models(known.models.models)
            save_list(connection, *_OWNER, known)
        load_queue(connection, *_OWNER)
        for ended in load_history(connection, *_OWNER, 100):
            assert_clean(ended)
            rendered.assert_ended(ended)
        take_wishes(connection, *_OWNER)
        shared = load_shared(connection, *_OWNER)
        assert_clean(shared)
        for item in shared.items:
            rendered.assert_download(item)
        save_shared(connection, *_OWNER, shared)
        assert load_shared(connection, *_OWNER).taken >= shared.taken


def _insert(
    connection: sqlite3.Connection, table: str, columns: tuple[str, ...], row: dict[str, object]
) -> None:
    values = [_stored(column, row.get(column)) for column in columns]
    marks = ", ".join("?" * (len(_OWNER) + len(columns)))
    names = ", ".join((*("provider", "host"), *columns))
    connection.execute(
        f"INSERT OR REPLACE INTO {table} ({names}) VALUES ({marks})", (*_OWNER, *values)
    )


def _stored(column: str, value: object) -> object:
    """A value as some program could have stored it."""
    if column in _AS_TEXT and not isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, int) and not _SMALLEST <= value <= _LARGEST:
        return float(_LARGEST)
    return value if isinstance(value, int | float) or value is None else json.dumps(value).encode()
