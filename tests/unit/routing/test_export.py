"""Answers as plain data and as Markdown."""

import json

from ollm_tui.core.model import ModelInfo
from ollm_tui.routing import export
from ollm_tui.routing.breakpoints import breakpoints
from ollm_tui.routing.change import Edit
from ollm_tui.routing.fixes import fixes
from ollm_tui.routing.matrix import matrix
from ollm_tui.routing.model_changes import RemoveModel
from ollm_tui.routing.profile_changes import SetMinContext
from ollm_tui.routing.situation import Situation
from ollm_tui.routing.what_if import preview
from tests.unit.routing.build import model, models

START = Situation("code", tuple(models("phi3:mini", "llama3.1:8b", "mistral:7b")))


def test_edits_become_one_mapping() -> None:
    edits = [Edit(("a", "b.c", "d"), 1), Edit(("a", "b.c", "e"), None), Edit(("f",), ["x"])]
    assert export.nested(edits) == {"a": {"b.c": {"d": 1, "e": None}}, "f": ["x"]}


def test_a_change_as_data() -> None:
    assert export.change_data(SetMinContext("code", 4_096), START) == {
        "code": "SET_MIN_CONTEXT",
        "subject": "code",
        "sentence": "Lower minContextWindow of code from 16,384 to 4,096.",
        "cost": {"rank": "lower_context", "amount": 12_288},
        "config": {"model": {"routing": {"profiles": {"code": {"minContextWindow": 4_096}}}}},
    }


def test_everything_is_plain_data() -> None:
    columns = list(matrix(START))
    rows = [row for row in fixes(START) if row]
    changes = [change for change in preview(START, RemoveModel("llama3.1:8b")) if change]
    data = {
        "matrix": export.matrix_data(columns, START.models),
        "fixes": [export.row_data(row) for row in rows],
        "breakpoints": [export.segment_data(segment) for segment in breakpoints(START)],
        "differences": [export.difference_data(change) for change in changes],
    }
    assert json.loads(json.dumps(data)) == data
    matrix_data = data["matrix"]
    assert isinstance(matrix_data, dict)
    assert matrix_data["orphans"] == ["mistral:7b"]
    assert matrix_data["chosen_by"]["phi3:mini"] == ["fast"]
    assert matrix_data["profiles"][2]["cells"]["phi3:mini"] == {
        "mark": "dropped",
        "code": "CONTEXT_TOO_SMALL",
        "letter": "C",
        "slot": None,
    }


def test_a_decision_as_markdown() -> None:
    text = export.decision_markdown(START.decide())
    assert text.startswith("**code**: llama3.1:8b, because no preferred family of code is there")
    assert "Profile code asks for 16,384 tokens of context and streaming." in text
    assert (
        "| phi3:mini | dropped |  | phi | 4,096 | CONTEXT\\_TOO\\_SMALL | 4,096 \\< 16,384 |"
        in text
    )
    failed = export.decision_markdown(START.asking("cod").decide())
    assert "- Did you mean code?" in failed


def test_a_matrix_as_markdown() -> None:
    text = export.matrix_markdown(list(matrix(START)), START.models)
    lines = text.splitlines()
    assert lines[0] == "| Model | fast | general | code | creative | Chosen by |"
    assert lines[2] == "| phi3:mini | **wins** | C | C | C | 1 |"
    assert lines[4] == "| mistral:7b | could (3) | could (2) | could | could (2) | orphan |"
    assert lines[-1] == "`C` context too small"


def test_the_others_as_markdown() -> None:
    assert export.breakpoints_markdown(breakpoints(START)).splitlines()[2:] == [
        "| 0 | 128,000 | llama3.1:8b | code |",
        "| 128,001 | any more | llama3.1:8b | general |",
    ]
    rows = [row for row in fixes(START, ["phi3:mini"]) if row]
    assert export.fixes_markdown(rows) == ("- phi3:mini: Make phi3:mini the override of code.\n")
    changes = [change for change in preview(START, RemoveModel("phi3:mini")) if change]
    assert export.differences_markdown(changes) == (
        "- fast would choose mistral:7b instead of phi3:mini. "
        "phi3:mini is not installed any more.\n"
    )
    assert export.differences_markdown([]) == ""


def test_markdown_shows_hostile_names_as_they_are() -> None:
    hostile = ModelInfo("a|b\x1b[31m*c*<img>")
    situation = START.with_models([*START.models, model(hostile.name)])
    for text in (
        export.matrix_markdown(list(matrix(situation)), situation.models),
        export.decision_markdown(situation.decide()),
    ):
        assert "\x1b" not in text
        assert "\\|b" in text
        assert "\\*c\\*\\<img\\>" in text
