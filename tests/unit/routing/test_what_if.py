"""Trying changes, taking them back, and what would be written or become of other profiles."""

from ollm_tui.routing.change import Edit
from ollm_tui.routing.decision import Via
from ollm_tui.routing.difference import consequences, differences
from ollm_tui.routing.model_changes import InstallModel, RemoveModel, SetNumCtx, virtual_model
from ollm_tui.routing.profile_changes import DropCapability, RequireCapability, SetMinContext
from ollm_tui.routing.settings import RoutingConfig
from ollm_tui.routing.settings_changes import RemoveOverride, SetOverride, SetRouting
from ollm_tui.routing.situation import Situation
from ollm_tui.routing.what_if import WhatIf, preview
from tests.unit.routing.build import DATABASE, models

START = Situation("code", tuple(models("phi3:mini", "llama3.1:8b", "mistral:7b")))
PHI = SetMinContext("code", 4_096)
PROFILES = ("model", "routing", "profiles")


def test_changes_are_made_taken_back_and_made_again() -> None:
    trying = WhatIf(START).do(PHI).do(SetOverride("code", "phi3:mini"))
    assert [trial.sentence for trial in trying.trials] == [
        "Lower minContextWindow of code from 16,384 to 4,096.",
        "Make phi3:mini the override of code.",
    ]
    before, after = trying.decide()
    assert (before.model, after.model, after.via) == ("llama3.1:8b", "phi3:mini", Via.OVERRIDE)
    back = trying.undo()
    assert back.now == PHI.apply(START)
    assert back.redo() == trying
    assert back.undo().now is START
    assert back.undo().undo().undo().redo() == back
    assert back.do(SetRouting(False)).redo().now.config.enabled is False


def test_a_change_of_nothing_is_not_kept() -> None:
    trying = WhatIf(START).do(PHI).undo()
    assert trying.do(RemoveOverride("code")) is trying
    assert trying.redo().trials


def test_another_profile_can_be_asked_on_the_way() -> None:
    trying = WhatIf(START).do(RemoveModel("llama3.1:8b")).asking("general")
    before, after = trying.decide()
    assert (before.profile, after.profile) == ("general", "general")
    assert (before.model, after.model) == ("llama3.1:8b", "mistral:7b")
    assert trying.undo().now.profile == "general"


def test_what_would_be_written_is_each_key_once_and_only_what_is_another() -> None:
    trying = WhatIf(START).do(PHI).do(RequireCapability("code", "vision")).do(SetNumCtx(9))
    trying = trying.do(SetMinContext("code", 8_192)).do(SetOverride("fast", "phi3:mini"))
    assert trying.edits() == (
        Edit((*PROFILES, "code", "requiredCapabilities"), ["streaming", "vision"]),
        Edit(("options", "numCtx"), 9),
        Edit((*PROFILES, "code", "minContextWindow"), 8_192),
        Edit(("model", "routing", "overrides", "fast"), "phi3:mini"),
    )
    back = trying.do(SetMinContext("code", 16_384)).do(DropCapability("code", "vision"))
    back = back.do(RemoveOverride("fast")).do(RemoveModel("phi3:mini"))
    assert back.edits() == (Edit(("options", "numCtx"), 9),)


def test_a_preview_tells_of_every_profile_that_answers_otherwise() -> None:
    found = [change for change in preview(START, RemoveModel("llama3.1:8b")) if change]
    assert [change.profile for change in found] == ["general", "code", "creative"]
    assert {change.cause for change in found} == {"llama3.1:8b is not installed any more."}
    assert len(list(preview(START, PHI))) == 4


def sentences(before: Situation, after: Situation) -> list[tuple[str, str]]:
    return [(found.sentence, found.cause) for found in differences(before, after) if found]


def test_the_causes_of_differences() -> None:
    assert sentences(START, PHI.apply(START)) == []
    coder = InstallModel(virtual_model("codellama:7b", START)).apply(START)
    assert sentences(START, coder) == [
        (
            "code would choose codellama:7b instead of llama3.1:8b.",
            "codellama:7b is newly installed.",
        )
    ]
    higher = SetMinContext("code", 200_000).apply(coder)
    assert sentences(coder, higher) == [
        (
            "code would choose llama3.1:8b through general instead of codellama:7b.",
            "code now drops codellama:7b: 16,384 < 200,000.",
        )
    ]
    assert sentences(higher, coder)[0][1] == (
        "code no longer drops codellama:7b: 16,384 < 200,000, before."
    )
    named = SetOverride("code", "phi3:mini").apply(START)
    assert sentences(START, named)[0][1] == "The override of code names phi3:mini."
    assert sentences(named, START)[0][1] == "The override of code no longer names phi3:mini."
    off = START.with_config(RoutingConfig(enabled=False, default_model="mistral:7b"))
    causes = {cause for _, cause in sentences(START, off)}
    assert causes == {"Routing is off."}
    fewer = Situation("code", START.models, START.profiles[:3], database=DATABASE)
    assert sentences(START, fewer) == [("There would be no profile creative any more.", "")]
    assert sentences(fewer, START) == [("creative would be new and choose llama3.1:8b.", "")]


def test_consequences_are_only_those_that_change_the_model() -> None:
    after = RemoveModel("phi3:mini").apply(START)
    assert consequences(START, after) == ["fast would choose mistral:7b instead of phi3:mini."]
    assert consequences(START, SetOverride("code", "llama3.1:8b").apply(START)) == []
    nothing = START.with_models([])
    assert consequences(START, nothing)[0] == "fast would choose no model instead of phi3:mini."
