"""The verbs `config show`, `check`, `init`, `path` and `trust`."""

import argparse
import sys
from collections.abc import Callable

from ollm_tui.cli import render
from ollm_tui.cli.exit_status import DONE, NEGATIVE, USAGE
from ollm_tui.cli.linting import routing_warnings
from ollm_tui.cli.setup import Setup
from ollm_tui.config.edit import inline_yaml
from ollm_tui.config.problem import ConfigProblem, Origin, Severity
from ollm_tui.config.resolve import Setting, Shadow
from ollm_tui.core.text import clean_line


def configure(options: argparse.Namespace) -> int:
    """Run one of the verbs and return the exit status."""
    verb: dict[str, Callable[[Setup, argparse.Namespace], int]] = {
        "config show": _show,
        "config check": _check,
        "config init": _init,
        "config path": _path,
        "config trust": _trust,
    }
    return verb[options.verb](Setup(options), options)


def _show(setup: Setup, options: argparse.Namespace) -> int:
    settings = list(setup.effective.settings.values())
    if options.json:
        _print(render.as_json([_setting_json(setting, options) for setting in settings]))
    else:
        set_ones = [setting for setting in settings if setting.origin is not Origin.DEFAULT]
        shown = settings if options.origin else set_ones or settings
        head = (
            ("KEY", "VALUE", "ORIGIN", "LOCATION", "HIDES") if options.origin else ("KEY", "VALUE")
        )
        rows = [_row(setting)[: len(head)] for setting in shown]
        _print(render.table(head, rows, right=set()))
        if not options.origin and set_ones:
            _warn("only what is set; --origin shows the defaults and who set what, too")
    for problem in setup.effective.problems:
        _warn(f"{problem.severity.value}: {problem.message}")
    return USAGE if setup.effective.errors else DONE


def _check(setup: Setup, options: argparse.Namespace) -> int:
    problems = (*setup.effective.problems, *routing_warnings(setup, options.models))
    for problem in problems:
        _warn(_paragraph(problem))
    counted = [
        problem
        for problem in problems
        if problem.severity is Severity.ERROR
        or (options.strict and problem.severity is Severity.WARNING)
    ]
    if counted:
        return USAGE
    found = [file.path for file in setup.effective.files if file.exists]
    _print(f"ok: {', '.join(found) if found else 'no configuration file; defaults are in force'}")
    return DONE


def _init(setup: Setup, options: argparse.Namespace) -> int:
    setup.create_example()
    _print(str(setup.inputs.user_path))
    return DONE


def _path(setup: Setup, options: argparse.Namespace) -> int:
    for file in setup.effective.files:
        state = "in use" if file.exists else "not there"
        _print(f"{file.origin.value:<10} {file.path}  {state}")
    if not setup.effective.files:
        _print("no configuration file is looked for")
    return DONE


def _trust(setup: Setup, options: argparse.Namespace) -> int:
    if not setup.trust_workspace():
        _warn("nothing to trust: no workspace file here names servers, keys or headers")
        return NEGATIVE
    _print("trusted, as it is now; a change of the file asks again")
    return DONE


def _row(setting: Setting) -> tuple[str, str, str, str, str]:
    hidden = (shadow for shadow in setting.shadows if shadow.origin is not Origin.DEFAULT)
    return (
        clean_line(setting.key),
        _shown(setting.value),
        setting.origin.value,
        "" if setting.origin is Origin.DEFAULT else str(setting.place),
        ", ".join(f"{_shown(shadow.value)} of {shadow.place}" for shadow in hidden),
    )


def _shown(value: object) -> str:
    """As it would stand in the file."""
    return "unset" if value is None else clean_line(inline_yaml(value))


def _setting_json(setting: Setting, options: argparse.Namespace) -> dict[str, object]:
    data: dict[str, object] = {"key": setting.key, "value": setting.value}
    if options.origin:
        data.update(
            origin=setting.origin.value,
            location=str(setting.place),
            shadows=[_shadow_json(shadow) for shadow in setting.shadows],
        )
    return data


def _shadow_json(shadow: Shadow) -> dict[str, object]:
    return {
        "value": shadow.value,
        "origin": shadow.origin.value,
        "location": str(shadow.place),
    }


def _paragraph(problem: ConfigProblem) -> str:
    return "\n".join((f"{problem.severity.value}: {problem.message}", *problem.snippet))


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")


def _warn(text: str) -> None:
    sys.stderr.write(f"{text}\n")
