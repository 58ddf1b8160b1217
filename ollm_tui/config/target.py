"""The files that settings can be saved to, each with what speaks against it.

Knows nothing of what is saved.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path as FilePath

from ollm_tui.config.inputs import FILE_NAME, FOLDER_NAME, Inputs
from ollm_tui.config.layer import SourceFile
from ollm_tui.config.problem import Origin


@dataclass(frozen=True, slots=True)
class Target:
    """A file to save to, or why it is none."""

    file: SourceFile
    shown_path: str
    refusal: str = ""
    """Why nothing can be saved there; empty = it can."""
    note: str = ""
    """What to know before saving there."""


def targets(inputs: Inputs, files: Iterable[SourceFile]) -> tuple[Target, ...]:
    """Every file that settings could be saved to, the one that a person means most often first.

    Args:
        files: those that are in use or looked for now.
    """
    known = {file.origin: file for file in files}
    if Origin.FILE in known:
        return (
            _target(inputs, known[Origin.FILE]),
            *_replaced(inputs, "--config replaces this file"),
        )
    if inputs.no_config:
        return _replaced(inputs, "With --no-config no file is read")
    user = known.get(Origin.USER) or _user(inputs)
    if inputs.is_passing:
        return (replace(_target(inputs, user), note="It is the demo's own and goes with it."),)
    return (_target(inputs, user), _target(inputs, known.get(Origin.WORKSPACE)))


def _user(inputs: Inputs) -> SourceFile:
    return SourceFile(str(inputs.user_path), Origin.USER)


def _workspace(inputs: Inputs) -> SourceFile:
    return SourceFile(str(inputs.cwd / FOLDER_NAME / FILE_NAME), Origin.WORKSPACE)


def _replaced(inputs: Inputs, refusal: str) -> tuple[Target, ...]:
    return tuple(
        Target(file, inputs.shown(FilePath(file.path)), refusal)
        for file in (_user(inputs), _workspace(inputs))
    )


def _target(inputs: Inputs, file: SourceFile | None) -> Target:
    refusal = note = ""
    if file is None:
        file = _workspace(inputs)
        if inputs.cwd == inputs.user_home:
            refusal = "The home folder is no workspace"
        elif FilePath(file.path) == inputs.user_path:
            refusal = "It is the user's own file"
    if not file.exists:
        note = "It is not there yet and will be made."
    elif not file.trusted:
        note = "It is not trusted: the servers and keys that it names are ignored until you do."
    return Target(file, inputs.shown(FilePath(file.path)), refusal, "" if refusal else note)
