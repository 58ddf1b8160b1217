"""The servers that the screen can switch to, and a service on each."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ollm_tui.cli.compose import make_service
from ollm_tui.cli.setup import Setup, memory_bytes_for
from ollm_tui.config.connection import Connection
from ollm_tui.config.host import normalise_host
from ollm_tui.core.error import ConfigError
from ollm_tui.core.text import clean_line
from ollm_tui.service.service import ModelService

if TYPE_CHECKING:
    from ollm_tui.ui.screens.servers import Server

# The dialog and what it masks are loaded when somebody asks: the first frame does without them.


class Servers:
    """Those of one run's configuration. Implements ServerSource."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup

    def servers(self) -> "Sequence[Server]":
        """The configured ones, in the order of the file; the store of this disk as well."""
        from ollm_tui.ui.screens.servers import Server

        providers = self._setup.effective.config.providers
        found = [
            Server(
                clean_line(name),
                provider.kind,
                "the store on this disk" if provider.kind == "local" else _shown(provider.host),
                ", ".join(
                    _sent_along(
                        provider.headers,
                        provider.api_key_env,
                        provider.ca_file,
                        self._setup.inputs.env,
                    )
                ),
            )
            for name, provider in providers.items()
        ]
        if "local" not in providers:
            found.append(Server("local", "local", "the store on this disk"))
        return found

    def typed(self, address: str) -> "Server":
        """The one at an address.

        Raises:
            ConfigError: it is no address.
        """
        from ollm_tui.ui.screens.servers import Server

        try:
            host = normalise_host(address)
        except ValueError as error:
            raise ConfigError("That is no address", cause=str(error)) from error
        return Server("", "ollama", _shown(host), typed=host)

    def make_service(self, server: "Server") -> ModelService:
        """A service on it; nothing is asked yet.

        Raises:
            ConfigError: it cannot be used.
        """
        return make_service(self._setup, connection=self._connection(server))

    def memory_bytes(self, server: "Server") -> int | None:
        """The memory of this machine, where the server is on it; else nobody knows."""
        return memory_bytes_for(self._connection(server))

    def _connection(self, server: "Server") -> Connection:
        if server.typed:
            # Headers and keys were given to another server, so they are not sent to this one.
            return Connection(
                "ollama",
                "ollama",
                server.typed,
                server.address,
                True,
                host_origin="typed here",
                registries=self._setup.connection().registries,
            )
        return self._setup.connection_to(server.name)


def _shown(host: str) -> str:
    """An address for people, without its credentials."""
    from ollm_tui.config.secret import masked

    return clean_line(str(masked(("host",), host)))


def _sent_along(
    headers: Mapping[str, str], key: str | None, ca_file: str | None, env: Mapping[str, str]
) -> Iterator[str]:
    if headers:
        yield f"headers {' '.join(clean_line(name) for name in headers)}"
    if key:
        yield f"key of {clean_line(key)}" + ("" if env.get(key) else ", which is not set")
    if ca_file:
        yield f"certificates {clean_line(ca_file)}"
