"""Which provider a connection means: a server, or the model store of this disk in its stead."""

import shutil
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ollm_tui.cli.setup import Setup
from ollm_tui.config.connection import Connection
from ollm_tui.providers.base import Provider

if TYPE_CHECKING:
    from ollm_tui.config.inputs import Inputs
    from ollm_tui.providers.local.auth import Credentials
    from ollm_tui.providers.local.location import StoreLocation

PROBE_LIMIT_S = 0.5


def make_provider(setup: Setup, connection: Connection) -> Provider:
    """The provider that a connection names, or the local store in its stead.

    Blocks for up to half a second where nobody named a server, to see whether one is there.

    Raises:
        ConfigError: its address cannot be used.
    """
    if connection.kind == "local" or _stands_in(setup.inputs, connection):
        return _local_store(setup, connection)
    from ollm_tui.providers.ollama import OllamaProvider

    headers = dict(connection.headers)
    if connection.api_key:
        headers.setdefault("Authorization", f"Bearer {connection.api_key}")
    return OllamaProvider(
        connection.host,
        asks_registries=not setup.is_demo and not setup.inputs.env.get("OLLM_NO_REGISTRY"),
        # The sandbox has no files, and the store that is here is not its own.
        locate_store=None if setup.is_demo else lambda: _store(setup.inputs),
        headers=headers,
        ca_file=connection.ca_file,
        credentials=_credentials(connection),
        read_timeout_s=connection.timeout_s,
    )


def _stands_in(inputs: "Inputs", connection: Connection) -> bool:
    """Whether nobody named a server, none answers, and a store can do the work in its stead.

    Where Ollama is installed and has no store yet, it is the server that has to be started.
    Source: ruling Z1.
    """
    if connection.is_named:
        return False
    from ollm_tui.providers.ollama_host import parse_host

    host = parse_host(connection.host)
    try:
        socket.create_connection((host.host, host.port), timeout=PROBE_LIMIT_S).close()
    except OSError:
        store = _store(inputs)
        return store.exists or (store.is_writable and shutil.which("ollama") is None)
    return False


def _store(inputs: "Inputs") -> "StoreLocation":
    from ollm_tui.providers.local.location import locate_store

    models = inputs.env.get("OLLAMA_MODELS", "")
    return locate_store(home=inputs.user_home, ollama_models=models)


def _local_store(setup: Setup, connection: Connection) -> Provider:
    from ollm_tui.providers.local.provider import LocalProvider

    place = _store(setup.inputs)
    return LocalProvider(
        place.path,
        source=place.source,
        ca_file=connection.ca_file,
        credentials=_credentials(connection),
        bytes_per_s=_bytes_per_s(setup),
    )


def _bytes_per_s(setup: Setup) -> float | None:
    """The bandwidth limit; without a configuration file there is none."""
    if setup.quick_connection is not None:
        return None
    limit: int | None = setup.effective.config.downloads.bandwidth_limit
    return limit


def _credentials(connection: Connection) -> "Mapping[str, Credentials]":
    """What to tell registries, by host or host:port."""
    if not connection.registries:
        return {}
    from ollm_tui.providers.local.auth import Credentials

    return {
        host: Credentials(login.user, login.password or "", login.variable)
        for host, login in connection.registries.items()
    }
