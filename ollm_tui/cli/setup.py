"""From flags, environment and files to the parts that they ask for.

Without a configuration file the first request needs neither YAML nor pydantic; with one, the
provider is made once the first frame is out. Routing reads the whole configuration, after that.
"""

import argparse
import os
import socket
import threading
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ollm_tui.config.connection import Connection
from ollm_tui.config.inputs import Inputs
from ollm_tui.config.start import quick_start
from ollm_tui.core.error import ConfigError
from ollm_tui.providers.base import Provider

if TYPE_CHECKING:
    from ollm_tui.config.manager import ConfigManager
    from ollm_tui.config.problem import ConfigProblem
    from ollm_tui.config.resolve import Effective
    from ollm_tui.providers.local.location import StoreLocation
    from ollm_tui.routing.database import ModelDatabase
    from ollm_tui.routing.router import Router

STATE_NAME = "state.sqlite"
PROBE_LIMIT_S = 0.5


class Setup:
    """What this run was started with, and the parts made from it.

    Args:
        options: the command line.
        host: asked instead of what the settings say; the sandbox's, with --demo.
    """

    def __init__(self, options: argparse.Namespace, host: str | None = None) -> None:
        self._host = host
        flags = {
            name: getattr(options, name, None)
            for name in (
                "model",
                "profile",
                "temperature",
                "max_tokens",
                "context_size",
                "host",
                "provider",
            )
        }
        if host is not None:
            flags.update(host=host, provider="ollama")
        self.inputs = Inputs.of_process(
            flags,
            config_file=Path(options.config) if options.config else None,
            # The demo shows made-up models: nobody's own files have a say in it.
            no_config=options.no_config or (host is not None and not options.config),
        )
        self._loading = threading.RLock()

    @property
    def quick_connection(self) -> Connection | None:
        """Whom to ask, when that is known without reading a file."""
        return quick_start(self.inputs)

    @cached_property
    def manager(self) -> "ConfigManager":
        """Every setting with its origin. Slow to make: it loads YAML and pydantic."""
        from ollm_tui.config.lint import Knowledge
        from ollm_tui.config.manager import ConfigManager
        from ollm_tui.routing.pattern import check_pattern
        from ollm_tui.routing.profile import BUILT_IN_PROFILES

        knowledge = Knowledge(
            profiles=frozenset(profile.name for profile in BUILT_IN_PROFILES),
            check_pattern=check_pattern,
        )
        return ConfigManager(self.inputs, knowledge)

    @property
    def effective(self) -> "Effective":
        """The configuration in force; from any thread."""
        with self._loading:
            return self.manager.get_effective_config()

    @property
    def state_path(self) -> Path | None:
        """Where the queue and the last known lists are kept; nowhere for the demo."""
        return None if self._host is not None else self.inputs.ollm_home / STATE_NAME

    def connection(self) -> Connection:
        """Whom to ask; reads the files where there are some."""
        return self.quick_connection or self.effective.connection

    def require_valid(self) -> None:
        """Refuse to go on with a configuration that says something unusable.

        Raises:
            ConfigError: with every problem. Source: decision K23.
        """
        if self.quick_connection is None and (errors := self.effective.errors):
            raise config_error(errors)

    def make_provider(self, connection: Connection) -> Provider:
        """The provider that a connection names, or the local store in its stead.

        Raises:
            ConfigError: its address cannot be used.
        """
        if connection.kind == "local" or self._stands_in(connection):
            return self._local_store()
        from ollm_tui.providers.ollama import OllamaProvider

        headers = dict(connection.headers)
        if connection.api_key:
            headers.setdefault("Authorization", f"Bearer {connection.api_key}")
        return OllamaProvider(
            connection.host,
            asks_registries=self._host is None and not self.inputs.env.get("OLLM_NO_REGISTRY"),
            # The sandbox has no files, and the store that is here is not its own.
            locate_store=self._store if self._host is None else None,
            headers=headers,
            ca_file=connection.ca_file,
            read_timeout_s=connection.timeout_s,
        )

    def _stands_in(self, connection: Connection) -> bool:
        """Whether nobody named a server, none answers, and there is a store. Source: ruling Z1."""
        if connection.is_named:
            return False
        from ollm_tui.providers.ollama_host import parse_host

        host = parse_host(connection.host)
        try:
            socket.create_connection((host.host, host.port), timeout=PROBE_LIMIT_S).close()
        except OSError:
            return self._store().exists
        return False

    def _store(self) -> "StoreLocation":
        from ollm_tui.providers.local.location import locate_store

        models = self.inputs.env.get("OLLAMA_MODELS", "")
        return locate_store(home=self.inputs.user_home, ollama_models=models)

    def _local_store(self) -> Provider:
        from ollm_tui.providers.local.provider import LocalProvider

        return LocalProvider(self._store().path)

    def make_database(self) -> "ModelDatabase":
        """The known models, with the user's entries."""
        from ollm_tui.routing.database import ModelDatabase

        if self.quick_connection is not None:
            return ModelDatabase()
        return ModelDatabase(_custom(self.effective, "database"))

    def read(self) -> "Effective":
        """What is in force now; sources that have changed are read again."""
        return self.effective

    def trust_workspace(self) -> bool:
        """Allow the workspace's file, as it is, to name servers and credentials.

        Returns:
            False when there is no file that asks to.

        Raises:
            ConfigError: the decision could not be written.
        """
        for file in self.effective.files:
            if not file.trusted:
                try:
                    self.manager.trust(file)
                except OSError as error:
                    raise ConfigError("The decision was not written", cause=str(error)) from error
                return True
        return False

    def make_router(
        self, database: "ModelDatabase", *, is_for_this_machine: bool = True
    ) -> "Router":
        """The router under the settings in force.

        Args:
            is_for_this_machine: False for models of a file, where no memory is the limit, so that
                every machine gives one answer. Source: ruling Z7.
        """
        from ollm_tui.catalogue.catalogue import catalogue
        from ollm_tui.routing.profile import merge_profiles
        from ollm_tui.routing.router import Router
        from ollm_tui.routing.settings import RoutingConfig

        effective = self.effective
        routing = effective.config.model.routing
        profiles, _ = merge_profiles(_custom(effective, "model", "routing", "profiles"))
        config = RoutingConfig(
            enabled=routing.enabled,
            default_profile=routing.default_profile,
            overrides=dict(routing.overrides),
            default_model=effective.config.model.default,
            pinned_model=effective.pinned_model,
            strict_overrides=routing.strict_overrides,
            family_match=routing.family_match,
            memory_budget_bytes=self._memory_budget() if is_for_this_machine else None,
            allow_remote=routing.allow_remote,
            prefer_loaded=routing.prefer_loaded,
            origins={s.key: str(s.place) for s in effective.settings.values() if s.place.line},
        )
        return Router(profiles, database, config, suggestions=catalogue())

    def _memory_budget(self) -> int | None:
        """What is set, else three quarters of this machine's memory when the server runs on it."""
        configured: int | None = self.effective.config.model.routing.memory_budget
        if configured is not None:
            return configured
        is_demo = self._host is not None  # whose models are the same on every machine
        return None if is_demo else memory_budget_bytes(self.connection().host)


def memory_budget_bytes(address: str) -> int | None:
    """Three quarters of this machine's memory, where the server is on it. Source: decision R16."""
    from ollm_tui.providers.ollama_host import parse_host

    if not parse_host(address).is_loopback:
        return None
    try:
        total_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):  # a system that does not tell
        return None
    return total_bytes * 3 // 4 if total_bytes > 0 else None


def config_error(problems: "tuple[ConfigProblem, ...]") -> ConfigError:
    """One error that tells of all problems: the first in words, the others counted."""
    first = problems[0]
    more = len(problems) - 1
    place = f"{first.detail} ({first.place})" if first.detail else str(first.place)
    return ConfigError(
        first.sentence,
        cause=f"{place}, and {more} more" if more else place,
        actions=(
            *((first.remedy,) if first.remedy else ()),
            "Run `ollm-tui config check` to see every problem with its place.",
        ),
    )


def _custom(effective: "Effective", *path: str) -> Mapping[str, Any]:
    """A mapping of the settings by its path, as the file spells it, without what is unset."""
    from ollm_tui.config.shape import as_plain, settings_shape

    found: Any = as_plain(effective.config, settings_shape())
    for key in path:
        found = found.get(key) or {}
    return {
        name: {key: value for key, value in entry.items() if value is not None}
        for name, entry in found.items()
    }
