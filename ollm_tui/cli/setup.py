"""From flags, environment and files to the parts that they ask for.

Without a configuration file the first request needs neither YAML nor pydantic; with one, the
provider is made once the first frame is out. Routing reads the whole configuration, after that.
Which provider it is, is chosen in `provider_choice`.
"""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ollm_tui.config.connection import Connection
from ollm_tui.config.inputs import Inputs
from ollm_tui.config.node import dotted
from ollm_tui.config.start import quick_start
from ollm_tui.core.error import ConfigError
from ollm_tui.core.text import clean_line
from ollm_tui.core.turns import TURN

if TYPE_CHECKING:
    from ollm_tui.config.change import Change
    from ollm_tui.config.manager import ConfigManager
    from ollm_tui.config.problem import ConfigProblem, Origin
    from ollm_tui.config.resolve import Effective
    from ollm_tui.config.save import Plan
    from ollm_tui.config.target import Target
    from ollm_tui.core.generation import EffectiveOptions
    from ollm_tui.routing.database import ModelDatabase
    from ollm_tui.routing.router import Router
    from ollm_tui.ui.simulator.scenarios import ScenarioBook

STATE_NAME = "state.sqlite"
LOOK_NAME = "look.json"
DEMO_MEMORY_BYTES = 24 * 10**9
"""Of the machine that the made-up server would run on: the demo is the same everywhere."""


class Setup:
    """What this run was started with, and the parts made from it.

    Args:
        options: the command line.
        host: asked instead of what the settings say; the sandbox's, with --demo.
        demo_home: a folder of the demo's own, for what is saved in it.
    """

    def __init__(
        self,
        options: argparse.Namespace,
        host: str | None = None,
        demo_home: Path | None = None,
    ) -> None:
        self.is_demo = host is not None
        """Whether the sandbox is asked."""
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
            no_config=options.no_config,
        )
        self.crash_folder = self.inputs.ollm_home
        if demo_home is not None:
            # The demo shows made-up models: nobody's own files have a say in it, and what is
            # saved in it is in force until it ends.
            self.inputs = replace(
                self.inputs,
                env={**self.inputs.env, "OLLM_HOME": str(demo_home)},
                cwd=demo_home / "home",
                user_home=demo_home / "home",
                is_passing=True,
            )

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
        from ollm_tui.ui.keymap import KEYS
        from ollm_tui.ui.rebinding import rebind

        knowledge = Knowledge(
            profiles=tuple(profile.name for profile in BUILT_IN_PROFILES),
            check_pattern=check_pattern,
            bindings=frozenset(key.id for key in KEYS),
            check_keys=lambda keys: rebind(keys).problems,
        )
        return ConfigManager(self.inputs, knowledge)

    @property
    def effective(self) -> "Effective":
        """The configuration in force; from any thread."""
        with TURN:
            return self.manager.get_effective_config()

    @property
    def state_path(self) -> Path | None:
        """Where the queue and the last known lists are kept; nowhere for the demo."""
        return None if self.is_demo else self.inputs.ollm_home / STATE_NAME

    @property
    def look_path(self) -> Path | None:
        """Where the look of the screen is kept; nowhere for the demo."""
        return None if self.is_demo else self.inputs.ollm_home / LOOK_NAME

    def connection(self) -> Connection:
        """Whom to ask; reads the files where there are some."""
        return self.quick_connection or self.effective.connection

    def connection_to(self, name: str) -> Connection:
        """How the configuration would ask a provider by its name, whatever is in force."""
        from ollm_tui.config.resolve import load_config

        flags = {**self.inputs.flags, "provider": name, "host": None}
        if name == "local" and self.quick_connection is not None:
            return replace(self.quick_connection, name="local", kind="local", is_named=True)
        return load_config(replace(self.inputs, flags=flags)).connection

    def require_valid(self, *, reads_all: bool = False) -> None:
        """Refuse to go on with a configuration that says something unusable.

        Args:
            reads_all: every setting counts, also where finding the server needs none of them.

        Raises:
            ConfigError: with every problem. Source: decision K23.
        """
        if (reads_all or self.quick_connection is None) and (errors := self.effective.errors):
            raise config_error(errors)

    def make_database(self) -> "ModelDatabase":
        """The known models, with the user's entries."""
        from ollm_tui.routing.database import ModelDatabase

        if self.quick_connection is not None:
            return ModelDatabase()
        return ModelDatabase(_custom(self.effective, "database"))

    def read(self) -> "Effective":
        """What is in force now; sources that have changed are read again."""
        return self.effective

    def targets(self) -> "tuple[Target, ...]":
        """The files that settings can be saved to, or why they cannot."""
        with TURN:
            return self.manager.targets()

    def plan(self, origin: "Origin", changes: "Sequence[Change]") -> "Plan":
        """Work out a change to one file; see `ConfigManager.plan`."""
        with TURN:
            return self.manager.plan(origin, changes)

    def apply(self, plan: "Plan") -> "Effective":
        """Make a change; see `ConfigManager.apply`."""
        with TURN:
            return self.manager.apply(plan)

    def example(self) -> tuple[str, str]:
        """The path of the example that could be written, and its text, before it is."""
        from ollm_tui.config.save import example

        return self.inputs.shown(self.inputs.user_path), example(self.inputs.user_path)

    def create_example(self) -> str:
        """Write the commented example where the user's file belongs, never over one; its path."""
        from ollm_tui.config.save import create_example

        create_example(self.inputs.user_path)
        return self.inputs.shown(self.inputs.user_path)

    def options_for(self, model_name: str) -> "EffectiveOptions":
        """What is sent with requests for one model. Slow at first; from any thread."""
        from ollm_tui.core.generation import EffectiveOptions, OptionInForce

        with TURN:
            options = self.manager.get_model_options(model_name)
        return EffectiveOptions(
            generation=options.generation,
            provider=options.provider,
            in_force=tuple(
                OptionInForce(
                    name=clean_line(dotted(name)),
                    value=setting.value,
                    key=clean_line(setting.key),
                    origin=setting.origin.value,
                    place=clean_line(str(setting.place)),
                )
                for name, setting in options.in_force
            ),
        )

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
            memory_bytes=self.memory_bytes() if is_for_this_machine else None,
            allow_remote=routing.allow_remote,
            prefer_loaded=routing.prefer_loaded,
            num_ctx=effective.config.options.num_ctx,
            max_tokens=effective.config.options.max_tokens,
            origins={s.key: str(s.place) for s in effective.settings.values() if s.place.line},
        )
        return Router(profiles, database, config, suggestions=catalogue())

    def scenario_book(self) -> "ScenarioBook":
        """Where the screen keeps cases for the router."""
        from ollm_tui.cli.scenario_book import CasesInMemory, FileOfCases

        return CasesInMemory() if self.is_demo else FileOfCases(self.inputs)

    def memory_bytes(self) -> int | None:
        """The memory of the machine that runs the models, where that is this one; else None."""
        return DEMO_MEMORY_BYTES if self.is_demo else memory_bytes_for(self.connection())

    def _memory_budget(self) -> int | None:
        """What is set, else three quarters of this machine's memory when the server runs on it."""
        configured: int | None = self.effective.config.model.routing.memory_budget
        if configured is not None:
            return configured
        from ollm_tui.core.fit import usual_budget

        total_bytes = self.memory_bytes()
        return None if total_bytes is None else usual_budget(total_bytes)


def memory_bytes_for(connection: Connection) -> int | None:
    """This machine's memory; None where the models run on another, or the system does not tell."""
    from ollm_tui.providers.ollama_host import parse_host

    if connection.kind != "local" and not parse_host(connection.host).is_loopback:
        return None
    try:
        total_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return None
    return total_bytes if total_bytes > 0 else None


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
