"""The file of cases that the screen adds to."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from ollm_tui.cli.scenario_book import FILE_NAME, CasesInMemory, FileOfCases
from ollm_tui.config.inputs import Inputs
from ollm_tui.core.error import OllmError
from ollm_tui.core.model import ModelInfo
from ollm_tui.routing.router import Router

CASE: Mapping[str, object] = {
    "name": "code: gets # phi",
    "profile": "code",
    "remove": ["a:1b"],
    "expect": {"model": "phi3:mini", "via": "fallback"},
}
MODELS = [ModelInfo("phi3:mini", family="phi", context_window=131072)]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A user's home."""
    path = tmp_path / "somebody"
    path.mkdir()
    return path


@pytest.fixture
def book(home: Path) -> FileOfCases:
    """The user's file of cases, which is not there yet."""
    return FileOfCases(Inputs(cwd=home / "elsewhere", user_home=home))


def test_without_a_file_there_are_no_cases(book: FileOfCases) -> None:
    assert book.run(Router(), MODELS) == ()
    assert book.path == f"~/.ollm/{FILE_NAME}"


def test_a_case_is_written_and_run(book: FileOfCases, home: Path) -> None:
    book.record(CASE)
    (result,) = book.run(Router(), MODELS)
    assert result.case.name == "code: gets # phi"
    assert result.decision.model == "phi3:mini"
    assert result.failures == ("via: expected fallback, got profile",)
    assert os.stat(home / ".ollm" / FILE_NAME).st_mode & 0o777 == 0o600


def test_further_cases_follow_and_comments_stay(book: FileOfCases, home: Path) -> None:
    path = home / ".ollm" / FILE_NAME
    path.parent.mkdir()
    before = (
        "# mine\nmodels: installed   # all\ncases:\n"
        "    - name: first # one\n      profile: fast\n      expect: {none: false}\n\n# the end\n"
    )
    path.write_text(before)
    path.chmod(0o644)
    book.record(CASE)
    book.record({**CASE, "name": "third"})
    assert [result.case.name for result in book.run(Router(), MODELS)] == [
        "first",
        "code: gets # phi",
        "third",
    ]
    after = path.read_text()
    assert after.startswith(before.rstrip())
    assert os.stat(path).st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    "text",
    [
        "cases: [{name: a, profile: fast, expect: {none: true}}]\n",
        "cases:\n- {name: a, profile: fast, expect: {none: true}}\nmodels: installed\n",
        "{cases: [{name: a, profile: fast, expect: {none: true}}]}\n",
    ],
)
def test_a_file_laid_out_unusually_is_left_alone(book: FileOfCases, home: Path, text: str) -> None:
    path = home / ".ollm" / FILE_NAME
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(OllmError, match=r"not added|cannot be read") as caught:
        book.record(CASE)
    assert caught.value.actions
    assert path.read_text() == text


def test_a_broken_file_says_where(book: FileOfCases, home: Path) -> None:
    path = home / ".ollm" / FILE_NAME
    path.parent.mkdir()
    path.write_text("cases: [\n")
    with pytest.raises(OllmError) as caught:
        book.run(Router(), MODELS)
    assert any(":1" in action or ":2" in action for action in caught.value.actions)


def test_a_folder_that_cannot_be_written_is_said(book: FileOfCases, home: Path) -> None:
    (home / ".ollm").write_text("not a folder")
    with pytest.raises(OllmError, match="not added"):
        book.record(CASE)


def test_the_workspaces_file_comes_first(home: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / ".ollm").mkdir(parents=True)
    (project / ".ollm" / "config.yaml").write_text("{}")
    (project / "deep").mkdir()
    book = FileOfCases(Inputs(cwd=project / "deep", user_home=home))
    book.record(CASE)
    assert (project / ".ollm" / FILE_NAME).exists()


def test_the_demo_keeps_cases_in_memory() -> None:
    book = CasesInMemory()
    assert book.run(Router(), MODELS) == ()
    book.record(CASE)
    assert len(book.run(Router(), MODELS)) == 1
