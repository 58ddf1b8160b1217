"""What routing finds hardly meant in the configuration, for the verb `config check`."""

from typing import TYPE_CHECKING

from ollm_tui.cli.setup import Setup
from ollm_tui.config.problem import ConfigProblem, Place, Severity

if TYPE_CHECKING:
    from ollm_tui.routing.lint import Finding

_SAID_BY_CONFIG = ("FALLBACK_UNKNOWN", "OVERRIDE_UNKNOWN_PROFILE", "PROBLEM")
"""The configuration's own checks have warned of these, with their column."""


def routing_warnings(setup: Setup, models_path: str | None) -> list[ConfigProblem]:
    """Return a warning, with its place, for each finding of the lint of profiles and database.

    Args:
        models_path: file of the models that are installed; without it, overrides are not held
            against any, and only the catalogue tells which profiles can be met.

    Raises:
        ConfigError: the file cannot be read.
    """
    from ollm_tui.catalogue.catalogue import catalogue
    from ollm_tui.cli.snapshot import load_models
    from ollm_tui.routing.lint import lint

    database = setup.make_database()
    router = setup.make_router(database, is_for_this_machine=False)
    models = [] if models_path is None else load_models(models_path, database)
    return [
        _warning(setup, finding)
        for finding in lint(router, models, catalogue())
        if finding.code not in _SAID_BY_CONFIG
    ]


def _warning(setup: Setup, finding: "Finding") -> ConfigProblem:
    what, _, hint = finding.message.partition("; ")
    return ConfigProblem(
        f"{finding.subject}: {what}",
        _place(setup, finding.subject),
        Severity.WARNING,
        remedy=hint[:1].upper() + hint[1:],
        field=finding.subject,
    )


def _place(setup: Setup, subject: str) -> Place:
    """Where the key is written, else the first key below it, else that it is built in."""
    for setting in setup.effective.settings.values():
        if f"{'.'.join(setting.path)}.".startswith(f"{subject}.") and setting.place.line:
            return setting.place
    return Place("built in")
