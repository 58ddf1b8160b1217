"""Files that people write, and others plant: configuration, scenarios, lists of models."""

import tempfile
from pathlib import Path

from ollm_tui.cli.scenario_book import FileOfCases
from ollm_tui.cli.scenario_update import update
from ollm_tui.cli.scenarios import read_file
from ollm_tui.cli.snapshot import load_models
from ollm_tui.config.change import Change
from ollm_tui.config.document import parse_document
from ollm_tui.config.draft import Draft
from ollm_tui.config.edit import edited
from ollm_tui.config.inputs import Inputs
from ollm_tui.config.lint import Knowledge
from ollm_tui.config.manager import ConfigManager
from ollm_tui.config.problem import ConfigProblem
from ollm_tui.config.resolve import load_config
from ollm_tui.core.error import ConfigError, OllmError, ScenarioError
from ollm_tui.routing.database import ModelDatabase
from ollm_tui.routing.pattern import check_pattern
from ollm_tui.routing.profile import BUILT_IN_PROFILES
from ollm_tui.routing.router import Router
from ollm_tui.routing.scenario import run_scenarios
from tests.fuzz import rendered
from tests.fuzz.invariants import assert_clean, assert_error, assert_lines

_HOME = Path("/nowhere")
_PATH = _HOME / ".ollm/config.yaml"
_KNOWLEDGE = Knowledge(
    profiles=tuple(profile.name for profile in BUILT_IN_PROFILES), check_pattern=check_pattern
)
_MANAGER = ConfigManager(Inputs(), _KNOWLEDGE)
_ROUTER = Router()
_DATABASE = ModelDatabase()
_CHANGES = (
    Change(("options", "temperature"), 0.5),
    Change(("provider",), "local"),
    Change(("a b", "c"), {"d": ["e: f", None, True]}),
    Change(("model",), None),
    Change(("model", "default"), None),
    Change(("options", "temperature"), None),
)
_CASE = {"profile": "code", "expect": {"none": True}}


def document(data: bytes) -> None:
    """YAML: nodes within limits, or problems each with a place that exists."""
    found = parse_document(data, "file.yaml")
    assert found.root is None or not found.problems
    _assert_problems(found.problems)
    assert str(found.place(("cases", 0, "expect"))).startswith("file.yaml:")
    assert isinstance(repr(found.data), str)


def _assert_problems(problems: tuple[ConfigProblem, ...]) -> None:
    for problem in problems:
        assert problem.sentence
        assert_lines((problem.message, *problem.snippet))


def config(data: bytes) -> None:
    """The user's file, whole, and as data: there is always an answer."""
    draft = Draft(str(_PATH), data)
    found = load_config(Inputs({}, {}, _HOME, _HOME, draft=draft), _KNOWLEDGE)
    _assert_problems(found.problems)
    for _ in found.settings:
        pass
    plain = parse_document(data, "file.yaml").data
    if isinstance(plain, dict):
        result = _MANAGER.validate_config(plain)
        assert result.valid is not bool(result.errors)
        assert_lines(error.message for error in result.errors)


def edit(data: bytes) -> None:
    """A change to a file: refused, or made so that it is read back as it was meant."""
    text = data.decode("utf-8", "replace")
    for change in _CHANGES:
        try:
            after = edited(text, [change])
        except ConfigError as error:
            assert_error(error)
            continue
        assert not parse_document(after, "file.yaml").problems


def scenarios(data: bytes) -> None:
    """A file of cases: refused with the places, or run, brought up to date and added to."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scenarios.yaml"
        path.write_bytes(data)
        book = FileOfCases(Inputs({}, {"OLLM_HOME": folder}, _HOME, _HOME))
        try:
            book.record(_CASE)
        except OllmError as error:
            assert_error(error)
            assert path.read_bytes() == data
        else:
            assert read_file(str(path)).scenarios.cases
            path.write_bytes(data)
        try:
            file = read_file(str(path))
        except ScenarioError as error:
            assert_error(error)
            assert_lines(error.problems)
            return
        results = run_scenarios(file.scenarios, _ROUTER)
        assert len(results) == len(file.scenarios.cases)
        for result in results:
            assert_lines((result.case.name, *result.failures))
            rendered.assert_decision(result.decision)
        try:
            update(file.document, results)
        except ConfigError as error:
            assert_error(error)
            assert path.read_bytes() == data
        else:
            again = run_scenarios(read_file(str(path)).scenarios, _ROUTER)
            assert not any(result.failures for result in again)


def models(data: bytes) -> None:
    """A file of models as `list --json` writes it."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        try:
            found = load_models(file.name, _DATABASE)
        except ConfigError as error:
            assert_error(error)
            return
    assert_clean(found)
    rendered.assert_models(found)
    rendered.assert_decision(_ROUTER.explain("code", found))
