"""A decision written down as a scenario passes when it is run."""

from dataclasses import replace

from hypothesis import given

from ollm_tui.routing.model_changes import InstallModel, RemoveModel, virtual_model
from ollm_tui.routing.profile_changes import SetMinContext
from ollm_tui.routing.recording import record
from ollm_tui.routing.scenario import read_scenarios, run_scenarios
from ollm_tui.routing.settings_changes import SetOverride, SetRouting
from ollm_tui.routing.situation import Situation
from tests.properties.situations import situations
from tests.unit.routing.build import models

START = Situation("code", tuple(models("phi3:mini", "llama3.1:8b")))


def test_a_case_with_its_models_needs_nothing_else() -> None:
    recording = record(START)
    assert recording.failures == ()
    assert recording.case == {
        "name": "code chooses llama3.1:8b",
        "profile": "code",
        "expect": {"model": "llama3.1:8b", "resolved_profile": "code", "via": "profile"},
    }
    (result,) = run_scenarios(read_scenarios(recording.data), START.router, models("other:1b"))
    assert result.failures == ()


def test_what_was_tried_is_written_down_as_what_differs_from_the_installed_models() -> None:
    tried = SetMinContext("code", 4_096).apply(START)
    tried = InstallModel(virtual_model("starcoder2:3b", tried)).apply(tried)
    tried = RemoveModel("llama3.1:8b").apply(SetOverride("fast", "gone:1b").apply(tried))
    recording = record(tried, START, name="mine", with_models=False)
    assert recording.failures == ()
    case = recording.case
    assert recording.data["models"] == "installed"
    assert case["name"] == "mine"
    assert case["profile"]["minContextWindow"] == 4_096
    assert [model["name"] for model in case["add"]] == ["starcoder2:3b"]
    assert case["remove"] == ["llama3.1:8b"]
    assert case["overrides"] == {"fast": "gone:1b"}
    assert case["expect"]["model"] == "starcoder2:3b"


def test_a_failure_is_recorded_as_such() -> None:
    recording = record(replace(START, models=()))
    assert recording.case["expect"] == {"none": True, "error": "NO_MODELS_INSTALLED"}
    assert recording.failures == ()


def test_what_a_scenario_cannot_say_is_told() -> None:
    off = SetRouting(False).apply(START)
    assert record(off, START).failures == (
        "none: expected no model, got llama3.1:8b",
        "error: expected DEFAULT_NOT_INSTALLED, got no error",
    )


@given(situations())
def test_any_decision_passes_again_where_the_models_can_be_written_down(
    situation: Situation,
) -> None:
    plain = [replace(model, metadata={}) for model in situation.models]
    assert record(replace(situation, models=tuple(plain))).failures == ()
