"""What a planned change would come to: refused when it brings an error, else with what to know.

Compares what is in force now with what would be; knows nothing of files.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from ollm_tui.config.change import Change
from ollm_tui.config.edit import inline_yaml
from ollm_tui.config.node import dotted
from ollm_tui.config.problem import ConfigProblem, Origin, Severity
from ollm_tui.config.resolve import Effective, Setting
from ollm_tui.config.save import Plan
from ollm_tui.core.error import ConfigError

_STRENGTH = list(Origin)
_SHOWN = 40
_PROFILES = ("model", "routing", "profiles")


def noted(
    plan: Plan,
    changes: Sequence[Change],
    now: Effective,
    then: Effective,
    built_in: Collection[str] = (),
) -> Plan:
    """The plan with its notes.

    Args:
        then: what would be in force once the plan is carried out.
        built_in: names of the profiles that have values of their own below the files.

    Raises:
        ConfigError: it would bring a problem for which something written is not in force.
    """
    fresh = _fresh_problems(now, then)
    for problem in fresh:
        if problem.severity is Severity.ERROR:
            raise ConfigError(problem.sentence, cause=problem.detail, actions=(problem.remedy,))
    own = {name.casefold() for name in built_in}
    notes = [note for change in changes for note in _notes(change, plan.file.origin, then, own)]
    return replace(plan, notes=(*notes, *(problem.message for problem in fresh)))


def _fresh_problems(now: Effective, then: Effective) -> list[ConfigProblem]:
    """Those that were not there before; compared without their lines, which move."""
    known = Counter((problem.origin, problem.sentence, problem.field) for problem in now.problems)
    fresh = []
    for problem in then.problems:
        same = (problem.origin, problem.sentence, problem.field)
        if known[same]:
            known[same] -= 1
        else:
            fresh.append(problem)
    return fresh


def _notes(
    change: Change, saved_to: Origin, then: Effective, built_in: Collection[str]
) -> Iterator[str]:
    key = dotted(change.path)
    setting = then.settings.get(change.path)
    if change.value is None:
        if setting is not None and setting.value is not None:
            below = _shown(setting)
        else:
            below = "as built in" if _is_in_profile(change, built_in) else "unset"
        yield f"{key} is then {below}."
    elif setting is not None and _STRENGTH.index(setting.origin) < _STRENGTH.index(saved_to):
        yield f"{key} stays {_shown(setting)}, which wins over this."


def _is_in_profile(change: Change, names: Collection[str]) -> bool:
    *parents, name = change.path[: len(_PROFILES) + 1]
    return tuple(parents) == _PROFILES and name.strip().casefold() in names


def _shown(setting: Setting) -> str:
    value = inline_yaml(setting.value)
    value = value if len(value) <= _SHOWN else value[: _SHOWN - 1] + "…"
    place = "the default" if setting.origin is Origin.DEFAULT else f"from {setting.place}"
    return f"{value}, {place}"
