"""The file of cases that the screen runs and adds to: the workspace's, else the user's.

Adding leaves every other line as it is, comments too; the result is read back before it counts.
"""

from collections.abc import Mapping, Sequence

from ollm_tui.cli.input_file import LIMIT_BYTES, LIMIT_NODES
from ollm_tui.cli.routing import Candidates
from ollm_tui.cli.scenarios import read_file, run_file
from ollm_tui.config.atomic import write_atomically
from ollm_tui.config.document import parse_document
from ollm_tui.config.edit import inline_yaml
from ollm_tui.config.inputs import Inputs, find_workspace_file
from ollm_tui.core.error import ConfigError
from ollm_tui.core.model import ModelInfo
from ollm_tui.routing.router import Router
from ollm_tui.routing.scenario import CaseResult, read_scenarios, run_scenarios

FILE_NAME = "scenarios.yaml"
_NEW = """\
# Decisions that should stay as they are; `ollm-tui route test` runs them.
models: installed
"""


class FileOfCases:
    """Implements the screen's ScenarioBook.

    Args:
        inputs: where this process was started.
    """

    is_file = True

    def __init__(self, inputs: Inputs) -> None:
        workspace = None if inputs.no_config else find_workspace_file(inputs)
        folder = inputs.ollm_home if workspace is None else workspace.parent
        self._path = folder / FILE_NAME
        self._home = inputs.user_home

    @property
    def path(self) -> str:
        """The file, as people write it."""
        if self._path.is_relative_to(self._home):
            return f"~/{self._path.relative_to(self._home)}"
        return str(self._path)

    def run(self, router: Router, models: Sequence[ModelInfo]) -> Sequence[CaseResult]:
        """Run every case, in the file's order; none when there is no file yet.

        Raises:
            OllmError: the file cannot be read, with every place that is wrong.
        """
        if not self._path.exists():
            return ()
        return run_file(read_file(str(self._path)), Candidates(router, models))

    def record(self, case: Mapping[str, object]) -> None:
        """Add a case at the end; comments and the other cases stay as they are.

        Raises:
            OllmError: the file cannot be read, or not be written; it is as it was.
        """
        before = self._text()
        after = _with_case(before, case)
        document = parse_document(
            after, str(self._path), limit_bytes=LIMIT_BYTES, limit_nodes=LIMIT_NODES
        )
        expected = [*_cases(before, str(self._path)), dict(case)]
        if document.problems or _cases(after, str(self._path)) != expected:
            raise _refusal(self.path, "it is laid out in an unusual way")
        read_scenarios(document.data)
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            mode = self._path.stat().st_mode & 0o777 if self._path.exists() else 0o600
            write_atomically(self._path, after.encode(), mode=mode)
        except OSError as error:
            raise _refusal(self.path, error.strerror or str(error)) from error

    def _text(self) -> str:
        if not self._path.exists():
            return _NEW
        return read_file(str(self._path)).document.text


class CasesInMemory:
    """Implements the screen's ScenarioBook for the demo: nothing of the user's is touched."""

    path = "this demo's memory"
    is_file = False

    def __init__(self) -> None:
        self._cases: list[Mapping[str, object]] = []

    def run(self, router: Router, models: Sequence[ModelInfo]) -> Sequence[CaseResult]:
        """Run every case, in the order in which they were kept."""
        if not self._cases:
            return ()
        return run_scenarios(read_scenarios({"cases": self._cases}), router, models)

    def record(self, case: Mapping[str, object]) -> None:
        """Add a case at the end."""
        self._cases.append(case)


def _cases(text: str, path: str) -> list[object]:
    document = parse_document(text, path, limit_bytes=LIMIT_BYTES, limit_nodes=LIMIT_NODES)
    cases = document.data.get("cases") if isinstance(document.data, dict) else None
    return list(cases) if isinstance(cases, list) else []


def _with_case(text: str, case: Mapping[str, object]) -> str:
    """The text with a case behind the last one; `cases` has to be the last key."""
    lines = text.rstrip().splitlines()
    indents = [
        len(line) - len(line.lstrip())
        for line in lines[_line_of_cases(lines) :]
        if line.lstrip().startswith("- ")
    ]
    if _line_of_cases(lines) == len(lines):
        lines.append("cases:")
    indent = " " * (min(indents) if indents else 2)
    entries = [f"{key}: {inline_yaml(value)}" for key, value in case.items()]
    lines.append(f"{indent}- {entries[0]}")
    lines += [f"{indent}  {entry}" for entry in entries[1:]]
    return "\n".join(lines) + "\n"


def _line_of_cases(lines: Sequence[str]) -> int:
    """The index of the line that begins the cases; behind all of them when none does."""
    found = (index for index, line in enumerate(lines) if line.startswith("cases:"))
    return next(found, len(lines))


def _refusal(path: str, why: str) -> ConfigError:
    return ConfigError(
        f"The case was not added to {path}",
        cause=why,
        actions=("Add it by hand: the verb `route --json` prints the decision.",),
    )
