"""Scenario files: read strictly, run purely, reported in every form."""

import xml.etree.ElementTree as ET
from typing import Any

import pytest

from ollm_tui.core.error import ScenarioError
from ollm_tui.core.model import ModelCapabilities, ModelInfo
from ollm_tui.routing.profile import RoutingProfile
from ollm_tui.routing.scenario import (
    CaseResult,
    read_scenarios,
    run_scenarios,
    updated_expectation,
)
from ollm_tui.routing.scenario_report import junit_xml, scenarios_json
from ollm_tui.routing.snapshot import read_models
from tests.unit.routing.build import router

MODELS = [{"name": "phi3:mini"}, {"name": "llama3.1:8b"}]


def run(*cases: dict[str, Any], models: Any = MODELS, **top: Any) -> list[CaseResult]:
    return run_scenarios(read_scenarios({"models": models, "cases": list(cases), **top}), router())


def problems(data: Any) -> tuple[str, ...]:
    with pytest.raises(ScenarioError) as caught:
        read_scenarios(data)
    return caught.value.problems


def test_the_example_of_the_command_line_page() -> None:
    (result,) = run(
        {
            "name": "code prefers a code family",
            "profile": "code",
            "add": [
                {
                    "name": "codellama:7b",
                    "family": "codellama",
                    "context_window": 16384,
                    "parameters_billions": 7,
                    "capabilities": {"streaming": True},
                }
            ],
            "remove": ["phi3:mini"],
            "overrides": {"code": "deepseek-coder:6.7b"},
            "expect": {"model": "codellama:7b"},
        }
    )
    assert result.failures == ()
    listed = [c.model for c in result.decision.hops[0].candidates]
    assert listed == ["codellama:7b", "llama3.1:8b"]
    assert result.decision.warnings[0].code == "OVERRIDE_NOT_INSTALLED"


@pytest.mark.parametrize(
    ("profile", "expect"),
    [
        ("fast", {"model": "PHI3:mini"}),
        ("fast", {"anyOf": ["a", "phi3:mini"]}),
        ("fast", {"any_of": ["phi3:mini"], "family": "Phi"}),
        ("code", {"resolvedProfile": "code", "via": "profile", "reason": "NOT_PREFERRED"}),
        ({"minContextWindow": 10**6}, {"none": True}),
        ({"minContextWindow": 10**6}, {"error": "NO_COMPATIBLE"}),
        ({"minContextWindow": 10**6}, {"error": "CONTEXT_TOO_SMALL"}),
        ("cods", {"error": "UNKNOWN_PROFILE", "reason": "UNKNOWN_PROFILE"}),
        (None, {"model": "llama3.1:8b", "none": False}),
    ],
)
def test_every_expectation_can_hold(profile: Any, expect: dict[str, Any]) -> None:
    (result,) = run({"profile": profile, "expect": expect})
    assert result.failures == ()


@pytest.mark.parametrize(
    ("expect", "failure"),
    [
        ({"model": "llama3.1:8b"}, "model: expected llama3.1:8b, got phi3:mini"),
        ({"any_of": ["a", "b"]}, "any_of: expected one of a, b, got phi3:mini"),
        ({"family": "llama"}, "family: expected llama, got phi"),
        ({"resolved_profile": "general"}, "resolved_profile: expected general, got fast"),
        ({"via": "fallback"}, "via: expected fallback, got profile"),
        ({"reason": "PINNED"}, "reason: expected PINNED, got PREFERRED"),
        ({"none": True}, "none: expected no model, got phi3:mini"),
        ({"error": "NO_COMPATIBLE"}, "error: expected NO_COMPATIBLE, got no error"),
        ({}, "nothing is expected; --update writes down what is decided now"),
    ],
)
def test_every_expectation_can_fail(expect: dict[str, Any], failure: str) -> None:
    (result,) = run({"profile": "fast", "expect": expect})
    assert result.failures == (failure,)


def test_an_expected_model_where_there_is_none() -> None:
    (result,) = run({"profile": "code", "expect": {"model": "x", "none": False}}, models=[])
    assert result.failures == (
        "model: expected x, got no model",
        "none: expected a model, got no model",
    )


def test_an_inline_profile_is_a_profile() -> None:
    fields = {
        "name": "mine",
        "preferredFamilies": ["llama"],
        "minContextWindow": 9_000,
        "requiredCapabilities": ["toolCalling"],
        "fallbackProfile": "fast",
    }
    scenarios = read_scenarios({"cases": [{"profile": fields, "expect": {"none": True}}]})
    assert scenarios.cases[0].profile == RoutingProfile(
        "mine", "", ("llama",), 9_000, ("toolCalling",), "fast"
    )


def test_an_added_model_takes_the_place_of_the_one_installed() -> None:
    more = {"name": "PHI3:mini", "contextWindow": 99_999}
    (result,) = run({"profile": "code", "add": [more], "expect": {"model": "phi3:mini"}})
    assert [c.model for c in result.decision.hops[0].candidates] == ["llama3.1:8b", "PHI3:mini"]


def test_z07_the_budget_is_unlimited_unless_the_file_sets_one() -> None:
    heavy = [
        {"name": "llama3.1:70b", "size_bytes": 43 * 10**9},
        {"name": "llama3.1:8b", "size_bytes": 5 * 10**9},
    ]
    case = {"profile": "general", "expect": {"none": False}}
    tight = router(memory_budget_bytes=10**10)
    own = read_scenarios({"models": heavy, "cases": [case]})
    assert run_scenarios(own, tight)[0].decision.model == "llama3.1:70b"
    limited = read_scenarios({"models": heavy, "memoryBudgetBytes": 10**10, "cases": [case]})
    assert run_scenarios(limited, router())[0].decision.model == "llama3.1:8b"
    installed = read_scenarios({"models": "installed", "cases": [case]})
    assert installed.models is None
    listed = read_models(heavy, lambda path, what: None)
    assert run_scenarios(installed, tight, listed)[0].decision.model == "llama3.1:8b"


def test_models_may_be_in_another_file() -> None:
    scenarios = read_scenarios({"models": {"file": "snap.json"}, "cases": [{"expect": {}}]})
    assert (scenarios.models_file, scenarios.models) == ("snap.json", None)
    listed = [ModelInfo("llama3.1:8b")]
    assert run_scenarios(scenarios, router(), listed)[0].decision.model == "llama3.1:8b"


def test_everything_wrong_is_said_at_once_with_its_place() -> None:
    data = {
        "modls": 3,
        "memory_budget_bytes": -1,
        "cases": [
            {"profil": "x", "expect": {"via": "zz", "any_of": 3}},
            {"add": [{"nam": "x"}, {"name": "y", "size_bytes": True}, 7], "profile": 3},
            {"profile": {"requiredCapabilities": ["toolcaling"]}, "remove": "x"},
            {"overrides": ["x"], "expect": 3, "add": {}},
            "x",
        ],
    }
    said = problems(data)
    starts = [
        "modls: modls is unknown; did you mean models?",
        "memory_budget_bytes: memory_budget_bytes should be a whole number, 0 or more",
        "cases.0.profil: profil is unknown; did you mean profile?",
        "cases.0.expect.via: via should be override or profile",
        "cases.0.expect.any_of: any_of should be a list of model names, not 3",
        "cases.1.add.0.nam: nam is unknown; did you mean name?",
        "cases.1.add.0: name is missing",
        "cases.1.add.1.size_bytes: size_bytes should be a whole number, not True",
        "cases.1.add.2: should be a model",
        "cases.1.profile: profile should be a profile's name or a profile, not 3",
        "cases.2.profile.requiredCapabilities: requiredCapabilities no model can have 'toolcaling'",
        "cases.2.remove: remove should be a list of model names",
        "cases.3.overrides: overrides should be a mapping",
        "cases.3.expect: expect should be a mapping",
        "cases.3.add: should be a list of models",
        "cases.4: should be a case",
    ]
    assert len(said) == len(starts)
    for problem, start in zip(said, starts, strict=True):
        assert problem.startswith(start)


@pytest.mark.parametrize(
    ("data", "start"),
    [
        (None, "the file: should be a mapping"),
        ({}, "cases: cases should be a list"),
        ({"cases": []}, "cases: cases should be a list"),
        ({"models": 3, "cases": [{}]}, "models: models should be installed"),
    ],
)
def test_a_file_of_another_shape_is_refused(data: Any, start: str) -> None:
    (problem,) = problems(data)
    assert problem.startswith(start)


def test_places_come_from_whoever_parsed_the_file() -> None:
    with pytest.raises(ScenarioError) as caught:
        read_scenarios({"cases": [{"profil": 1}]}, lambda path: f"s.yaml:{len(path)}:1")
    assert caught.value.problems == ("s.yaml:3:1: profil is unknown; did you mean profile?",)
    assert caught.value.message == "The scenario file has 1 problem"


def test_cases_without_a_name_are_numbered() -> None:
    assert [result.case.name for result in run({}, {"name": "mine"})] == ["case 1", "mine"]


@pytest.mark.parametrize(
    ("case", "updated"),
    [
        ({"profile": "fast", "expect": {"model": "phi3:mini"}}, {"model": "phi3:mini"}),
        ({"profile": "fast", "expect": {"model": "x"}}, {"model": "phi3:mini"}),
        ({"profile": "fast", "expect": {"any_of": ["x"]}}, {"model": "phi3:mini"}),
        ({"profile": "fast", "expect": {"none": True}}, {"model": "phi3:mini"}),
        ({"profile": "fast"}, {"model": "phi3:mini"}),
        ({"profile": "fast", "expect": {"family": "x", "via": "pinned"}},
         {"family": "phi", "via": "profile"}),
        ({"profile": {"minContextWindow": 10**6}, "expect": {"model": "x"}}, {"none": True}),
        ({"profile": {"minContextWindow": 10**6}, "expect": {"error": "x"}},
         {"error": "NO_COMPATIBLE"}),
    ],
)  # fmt: skip
def test_updating_makes_a_case_pass_under_its_own_keys(
    case: dict[str, Any], updated: dict[str, Any]
) -> None:
    (result,) = run(case)
    assert updated_expectation(result) == updated
    (again,) = run({**case, "expect": updated})
    assert again.failures == ()


def test_the_json_counts_and_shows_the_decision() -> None:
    results = run(
        {"profile": "fast", "expect": {"model": "phi3:mini"}},
        {"profile": "fast", "expect": {"model": "x"}},
    )
    data = scenarios_json(results)
    assert (data["passed"], data["failed"]) == (1, 1)
    cases = data["cases"]
    assert isinstance(cases, list)
    assert set(cases[0]) == {"name", "passed", "failures", "expected", "decision"}
    assert [case["passed"] for case in cases] == [True, False]
    assert cases[1]["expected"] == {"model": "x"}
    assert cases[1]["decision"]["model"] == "phi3:mini"


def test_junit_is_well_formed_and_tells_why() -> None:
    results = run(
        {"name": "good <&>", "profile": "fast", "expect": {"model": "phi3:mini"}},
        {"name": 'bad "\x0b\uffff', "profile": "fast", "expect": {"model": "<x>"}},
    )
    root = ET.fromstring(junit_xml(results, "a&b.yaml"))
    suite = root[0]
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("a&b.yaml", "2", "1")
    good, bad = suite
    assert good.get("name") == "good <&>"
    assert len(good) == 0
    assert bad[0].get("message") == "model: expected <x>, got phi3:mini"
    assert "fast: phi3:mini selected PREFERRED" in (bad[0].text or "")


def test_a_snapshot_of_another_version_may_have_more_fields() -> None:
    complaints: list[Any] = []
    data = {
        "provider": "ollama",
        "models": [
            {
                "name": "x:1b",
                "future": 1,
                "modified_at": "2026-01-01T00:00:00Z",
                "parameters_billions": None,
                "capabilities": {"toolCalling": True},
                "sources": {"context_window": "/api/show"},
                "context_window": 9,
            }
        ],
    }
    (model,) = read_models(data, lambda path, what: complaints.append((path, what)))
    assert complaints == []
    assert model.capabilities == ModelCapabilities(tool_calling=True, streaming=True)
    assert model.sources == {"context_window": "/api/show"}


def test_z10_a_snapshot_keeps_raw_names_and_shows_safe_ones() -> None:
    (model,) = read_models([{"name": "a\x1bb"}], lambda path, what: None)
    assert (model.name, model.display_name) == ("a\x1bb", "a\ufffdb")


def test_a_model_that_makes_vectors_does_not_stream() -> None:
    row = {"name": "x", "capabilities": {"embedding": True}}
    (model,) = read_models([row], lambda path, what: None)
    assert model.capabilities == ModelCapabilities(embedding=True)


@pytest.mark.parametrize("field", ["size_bytes", "parameters_billions", "context_window"])
@pytest.mark.parametrize(
    "number",
    [10**400, 10**25, -1, float("inf"), float("nan")],
    ids=["no float", "no disk", "negative", "infinite", "none"],
)
def test_a_number_that_no_model_has_is_a_problem_of_its_file(field: str, number: float) -> None:
    complaints: list[Any] = []
    (model,) = read_models(
        [{"name": "x:1b", field: number}], lambda path, what: complaints.append(path)
    )
    assert complaints == [(0, field)]
    assert model == ModelInfo("x:1b")
