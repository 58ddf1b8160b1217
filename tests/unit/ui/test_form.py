"""The fields of the what-if form: which changes they make."""

import pytest

from ollm_tui.core.model import ModelInfo
from ollm_tui.routing.change import Change
from ollm_tui.routing.model_changes import InstallModel, RemoveModel, SetNumCtx
from ollm_tui.routing.profile_changes import (
    DropCapability,
    RequireCapability,
    SetFallback,
    SetFamilies,
    SetMinContext,
)
from ollm_tui.routing.settings import RoutingConfig
from ollm_tui.routing.settings_changes import (
    RemoveOverride,
    SetMemoryBudget,
    SetOverride,
    SetRouting,
    Unpin,
)
from ollm_tui.routing.situation import Situation
from ollm_tui.routing.what_if import WhatIf
from ollm_tui.ui.simulator.field import Field
from ollm_tui.ui.simulator.form import fields
from ollm_tui.ui.simulator.view import Scene

MODELS = (ModelInfo("llama3.1:8b", family="llama"), ModelInfo("phi3:mini", family="phi"))
CATALOGUE = (ModelInfo("qwen3:14b", family="qwen", size_bytes=9_300_000_000),)


def form(what_if: WhatIf | None = None, **settings: object) -> dict[object, Field]:
    """The fields by key, for the profile code."""
    if what_if is None:
        config = RoutingConfig(**settings)  # type: ignore[arg-type]  # settings vary
        what_if = WhatIf(Situation("code", MODELS, config=config, catalogue=CATALOGUE))
    found = list(fields(Scene(what_if, what_if.now.decide())))
    assert len({field.key for field in found}) == len(found)
    return {field.key: field for field in found}


def typed(field: Field, text: str) -> Change | None:
    """What is typed into a field means."""
    assert field.question is not None
    return field.question.read(text)


@pytest.mark.parametrize(("by", "tokens"), [(1, 32768), (-1, 8192)])
def test_context_steps_by_doubling(by: int, tokens: int) -> None:
    step = form()["context"].step
    assert step is not None
    assert step(by) == SetMinContext("code", tokens)


def test_context_ends_at_none_and_at_256k() -> None:
    for tokens, by in ((0, -1), (262_144, 1), (1_000_000, 1)):
        start = WhatIf(Situation("code", MODELS)).do(SetMinContext("code", tokens))
        step = form(start)["context"].step
        assert step is not None
        assert step(by) is None


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("16384", 16384),
        (" 16k ", 16000),
        ("16,384", 16384),
        ("0", 0),
        ("1.5k", 1500),
        ("1M", 10**6),
    ],
)
def test_context_is_typed_in_tokens(text: str, tokens: int) -> None:
    assert typed(form()["context"], text) == SetMinContext("code", tokens)


@pytest.mark.parametrize("text", ["", "abc", "-1", "16q", "1e3", "none"])
def test_what_is_no_number_says_what_it_should_be(text: str) -> None:
    with pytest.raises(ValueError, match="such as 16k"):
        typed(form()["context"], text)


def test_a_memory_limit_is_typed_in_bytes_or_as_none() -> None:
    field = form(memory_budget_bytes=18_000_000_000)["budget"]
    assert field.value.startswith("18.0 GB")
    assert typed(field, "16G") == SetMemoryBudget(16_000_000_000)
    assert typed(field, "none") == SetMemoryBudget(None)
    with pytest.raises(ValueError, match="such as 16G"):
        typed(field, "lots")


def test_the_memory_limit_says_where_it_is_from() -> None:
    usual = form(memory_budget_bytes=18_000_000_000, memory_bytes=24_000_000_000)["budget"]
    assert usual.hint.startswith("three quarters of the 24.0 GB of this machine; enter")
    ours = form(memory_budget_bytes=16_000_000_000, memory_bytes=24_000_000_000)["budget"]
    assert ours.hint.startswith("enter")


def test_capabilities_switch_both_ways_and_rare_ones_are_named() -> None:
    found = form()
    vision, streaming = found["capability", "vision"], found["capability", "streaming"]
    assert vision.switch is not None
    assert vision.switch() == RequireCapability("code", "vision")
    assert streaming.switch is not None
    assert streaming.switch() == DropCapability("code", "streaming")
    assert ("capability", "audio") not in found
    assert typed(found["add capability"], "audio") == RequireCapability("code", "audio")
    with pytest.raises(ValueError, match="no 'smell' here"):
        typed(found["add capability"], "smell")


def test_families_move_leave_and_join() -> None:
    found = form()
    second = found["family", "deepseek-coder"]
    assert second.shift is not None
    assert second.shift(-1) == SetFamilies("code", ("deepseek-coder", "codellama", "starcoder"))
    assert second.shift(5) is None
    assert second.remove is not None
    assert second.remove() == SetFamilies("code", ("codellama", "starcoder"))
    added = typed(found["add family"], " qwen ")
    assert added == SetFamilies("code", ("codellama", "deepseek-coder", "starcoder", "qwen"))
    question = found["add family"].question
    assert question is not None
    assert ("qwen", "") in question.offers("q")
    assert ("phi", "") not in question.offers("q")


def test_the_fallback_goes_round_every_other_profile_and_none() -> None:
    step = form()["fallback"].step
    assert step is not None
    reached = {step(by) for by in range(4)}
    assert reached == {SetFallback("code", n) for n in (None, "fast", "general", "creative")}


def test_an_override_is_chosen_typed_and_removed() -> None:
    found = form(overrides={"code": "phi3:mini"})["override"]
    assert found.value == "phi3:mini"
    assert found.remove is not None
    assert found.remove() == RemoveOverride("code")
    assert typed(found, "none") == RemoveOverride("code")
    assert typed(found, "llama3.1:8b") == SetOverride("code", "llama3.1:8b")
    without = form()["override"]
    assert without.remove is None
    assert without.step is not None
    assert without.step(1) == SetOverride("code", "llama3.1:8b")


def test_models_are_added_and_done_without() -> None:
    found = form()
    added = typed(found["add model"], "qwen3:14b")
    assert isinstance(added, InstallModel)
    assert added.model.size_bytes == 9_300_000_000
    assert typed(found["remove model"], "phi3:mini") == RemoveModel("phi3:mini")
    with pytest.raises(ValueError, match="no 'phi' here"):
        typed(found["remove model"], "phi")
    assert typed(found["served"], "16k") == SetNumCtx(16_000)


def test_what_was_tried_on_models_has_a_line_to_take_it_back() -> None:
    start = WhatIf(Situation("code", MODELS, catalogue=CATALOGUE))
    tried = start.do(InstallModel(CATALOGUE[0])).do(RemoveModel("phi3:mini"))
    found = form(tried)
    virtual, gone = found["virtual", "qwen3:14b"], found["gone", "phi3:mini"]
    assert virtual.remove is not None
    assert virtual.remove() == RemoveModel("qwen3:14b")
    assert gone.remove is not None
    assert gone.remove() == InstallModel(MODELS[1])


def test_what_differs_from_what_is_is_marked() -> None:
    tried = WhatIf(Situation("code", MODELS)).do(SetMinContext("code", 4096))
    found = form(tried)
    assert found["context"].is_changed
    assert not found["fallback"].is_changed


def test_routing_and_a_pin_switch() -> None:
    off = form(enabled=False, default_model="x")["enabled"]
    assert off.value == "off: always x"
    assert off.switch is not None
    assert off.switch() == SetRouting(True)
    pinned = form(pinned_model="phi3:mini")["pinned"]
    assert pinned.switch is not None
    assert pinned.switch() == Unpin()
    assert "pinned" not in form()
