"""The configuration manager: one object that always has an answer, and says when it is stale.

Reads the sources when they have changed, keeps the last good state when they have become worse,
and answers questions about single models. Knows nothing of the screen.

Source: design, Configuration Manager.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

from ollm_tui.config import trust
from ollm_tui.config.check import check_keys, check_values
from ollm_tui.config.draft import Draft
from ollm_tui.config.inputs import Inputs, find_workspace_file
from ollm_tui.config.layer import Layer, SourceFile
from ollm_tui.config.lint import Knowledge, check_patterns, check_profiles
from ollm_tui.config.node import planted
from ollm_tui.config.option import MatchPattern, ModelOptions, matches_glob, options_for
from ollm_tui.config.problem import Origin, Severity
from ollm_tui.config.resolve import Effective, load_config
from ollm_tui.config.schema import Settings
from ollm_tui.config.shape import as_plain, settings_shape
from ollm_tui.config.source import VARIABLES
from ollm_tui.core.error import ConfigError

if TYPE_CHECKING:  # only who saves pays for the importing of what saves
    from ollm_tui.config.change import Change
    from ollm_tui.config.save import Plan
    from ollm_tui.config.target import Target

_WATCHED_VARIABLES = (*VARIABLES, "OLLAMA_HOST", "OLLM_HOME")


@dataclass(frozen=True, slots=True)
class ValidationError:
    """One mistake in a configuration. Source: design, Configuration Manager."""

    field: str
    """The dotted key as written."""
    message: str
    value: object


@dataclass(frozen=True, slots=True)
class ValidationResult:
    """Whether a configuration can be used, and everything that speaks against it."""

    valid: bool
    errors: tuple[ValidationError, ...] = ()


class ConfigManager:
    """The settings in force, for one process."""

    def __init__(
        self,
        inputs: Inputs,
        knowledge: Knowledge | None = None,
        matches: MatchPattern = matches_glob,
    ) -> None:
        self._inputs = inputs
        self._knowledge = knowledge or Knowledge()
        self._matches = matches
        self._effective: Effective | None = None
        self._last_good: Effective | None = None
        self._signature: object = None

    def load_config(self) -> Effective:
        """Read every source again.

        Returns:
            What is in force. When the sources now have errors that the state before had not,
            that state stays in force, with the new problems and `is_last_good` set.
        """
        self._signature = self._read_signature()
        fresh = load_config(self._inputs, self._knowledge)
        if not fresh.errors:
            self._last_good = fresh
        elif self._last_good is not None:
            fresh = replace(
                self._last_good, problems=fresh.problems, files=fresh.files, is_last_good=True
            )
        self._effective = fresh
        return fresh

    def get_effective_config(self) -> Effective:
        """What is in force; the sources are read again only when one has changed."""
        if self._effective is None or self._signature != self._read_signature():
            return self.load_config()
        return self._effective

    def validate_config(self, config: Mapping[str, object] | Settings) -> ValidationResult:
        """Judge a configuration given as data, in the file's keys.

        Returns:
            Every error, not just the first; warnings do not count.
        """
        data = as_plain(config, settings_shape()) if isinstance(config, Settings) else config
        layer = Layer(Origin.FILE, planted(data, label="the configuration given"))
        check_keys(layer)
        check_values(layer)
        check_patterns(layer, self._knowledge)
        check_profiles([layer], self._knowledge)
        errors = tuple(
            ValidationError(problem.field, problem.message, problem.value)
            for problem in layer.problems
            if problem.severity is Severity.ERROR
        )
        return ValidationResult(not errors, errors)

    def get_model_options(self, model_name: str) -> ModelOptions:
        """The generation options in force for one model."""
        return options_for(self.get_effective_config(), model_name, self._matches)

    def trust(self, file: SourceFile) -> Effective:
        """Allow a workspace file, as it was read, to name servers and credentials.

        Raises:
            OSError: the decision could not be written.
        """
        trust.trust(self._inputs.ollm_home, file)
        return self.load_config()

    def distrust(self, file: SourceFile) -> Effective:
        """Take the permission back.

        Raises:
            OSError: the decision could not be written.
        """
        trust.distrust(self._inputs.ollm_home, file)
        return self.load_config()

    def plan(self, origin: Origin, changes: "Sequence[Change]") -> "Plan":
        """Work out a change to one file, to be shown before it is made.

        Args:
            origin: USER, WORKSPACE or FILE. A workspace without a file gets one in its folder.

        Raises:
            ConfigError: see `plan_changes` and `noted`.
        """
        from ollm_tui.config.forecast import noted
        from ollm_tui.config.save import plan_changes

        now = self.get_effective_config()
        plan = plan_changes(self._file(origin), changes)
        draft = Draft(plan.file.path, plan.after.encode(), self._stays_trusted(plan))
        then = load_config(replace(self._inputs, draft=draft), self._knowledge)
        return noted(plan, changes, now, then, self._knowledge.profiles or ())

    def targets(self) -> "tuple[Target, ...]":
        """The files that settings can be saved to, or why they cannot."""
        from ollm_tui.config.target import targets

        return targets(self._inputs, self.get_effective_config().files)

    def apply(self, plan: "Plan") -> Effective:
        """Make a change and read everything again. A trusted file stays trusted.

        Raises:
            ConfigError: nothing was written.
        """
        from ollm_tui.config.save import write_plan

        stays_trusted = self._stays_trusted(plan)
        written = write_plan(plan)
        if plan.file.origin is Origin.WORKSPACE and stays_trusted:
            return self.trust(written)
        return self.load_config()

    def _stays_trusted(self, plan: "Plan") -> bool:
        return not plan.file.exists or trust.is_trusted(self._inputs.ollm_home, plan.file)

    def _file(self, origin: Origin) -> SourceFile:
        refusal = f"no {origin} file is in use"
        for target in self.targets():
            if target.file.origin is origin:
                if not target.refusal:
                    return target.file
                refusal = target.refusal
        raise ConfigError(
            "There is no such file to save to",
            cause=refusal,
            actions=("Pick another file, or start without --config and --no-config.",),
        )

    def _read_signature(self) -> object:
        inputs = self._inputs
        variables = tuple(inputs.env.get(name) for name in _WATCHED_VARIABLES)
        if inputs.no_config:
            return variables
        if inputs.config_file is not None:
            return variables, _stamp(inputs.cwd / inputs.config_file.expanduser())
        workspace = find_workspace_file(inputs)
        return (
            variables,
            workspace,
            _stamp(workspace) if workspace else None,
            _stamp(inputs.user_path),
            _stamp(inputs.ollm_home / trust.STORE_NAME),
        )


def _stamp(path: FilePath) -> tuple[int, int, int] | None:
    """What changes when the file does; None when it is not there."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
