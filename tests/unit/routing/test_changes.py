"""Each change: what it does, what it says, what it costs, what a configuration file would hold."""

from collections.abc import Mapping
from typing import Any

import pytest

from ollm_tui.catalogue.catalogue import catalogue
from ollm_tui.config.schema import Settings
from ollm_tui.core.model import ModelInfo
from ollm_tui.routing.change import Change, Cost, Rank
from ollm_tui.routing.export import nested
from ollm_tui.routing.model_changes import (
    DescribeContext,
    InstallModel,
    RemoveModel,
    SetNumCtx,
    virtual_model,
)
from ollm_tui.routing.profile import RoutingProfile, merge_profiles
from ollm_tui.routing.profile_changes import (
    DropCapability,
    RequireCapability,
    SetFallback,
    SetFamilies,
    SetMinContext,
    SetSizePreference,
    prefer_family,
)
from ollm_tui.routing.settings import RoutingConfig
from ollm_tui.routing.settings_changes import (
    RemoveOverride,
    SetAllowRemote,
    SetDefaultModel,
    SetFamilyMatch,
    SetMemoryBudget,
    SetOverride,
    SetPreferLoaded,
    SetRouting,
    SetStrictOverrides,
    Unpin,
)
from ollm_tui.routing.situation import Situation
from tests.unit.routing.build import DATABASE, model, models

LISTED = (*models("codellama:7b", "phi3:mini", "llama3.1:8b"), model("zz:x"))
USUAL = Situation("code", LISTED, database=DATABASE, catalogue=catalogue())
OVERRIDDEN = USUAL.with_config(
    RoutingConfig(
        overrides={"Code": "phi3:mini", "code": "zz:x"},
        memory_budget_bytes=8 * 10**9,
        pinned_model="phi3:mini",
    )
)


@pytest.mark.parametrize(
    ("change", "sentence", "cost"),
    [
        (
            SetMinContext("code", 4_096),
            "Lower minContextWindow of code from 16,384 to 4,096.",
            Cost(Rank.LOWER_CONTEXT, 12_288),
        ),
        (
            SetMinContext("code", 16_385),
            "Raise minContextWindow of code from 16,384 to 16,385.",
            Cost(Rank.RAISE_CONTEXT, 1),
        ),
        (
            DropCapability("code", "streaming"),
            "Drop streaming from what code requires.",
            Cost(Rank.CAPABILITY),
        ),
        (
            RequireCapability("code", "tools"),
            "Require toolCalling for code.",
            Cost(Rank.CAPABILITY),
        ),
        (
            SetFamilies("code", ("starcoder", "codellama", "deepseek-coder")),
            "Reorder the families of code: starcoder, codellama, deepseek-coder.",
            Cost(Rank.REORDER_FAMILIES, 2),
        ),
        (
            SetFamilies("code", ("codellama", "deepseek-coder", "qwen", "starcoder")),
            "Prefer qwen in code: codellama, deepseek-coder, qwen, starcoder.",
            Cost(Rank.ADD_FAMILY, 2),
        ),
        (
            SetFamilies("code", ("codellama",)),
            "No longer prefer deepseek-coder, starcoder in code: codellama.",
            Cost(Rank.ADD_FAMILY, 2),
        ),
        (
            SetFallback("code", "fast"),
            "Let code fall back to fast.",
            Cost(Rank.FALLBACK),
        ),
        (
            SetSizePreference("code", "smallest"),
            "Let code choose the smallest of models otherwise equal.",
            Cost(Rank.TIE_RULE),
        ),
        (
            SetOverride("fast", "zz:x"),
            "Make zz:x the override of fast.",
            Cost(Rank.NEW_OVERRIDE),
        ),
        (SetRouting(True), "Switch routing on, so that profiles choose.", Cost(Rank.ROUTING_ON)),
        (
            SetRouting(False),
            "Switch routing off, so that every profile gets nothing, as model.default is not set.",
            Cost(Rank.ROUTING_OFF),
        ),
        (
            SetDefaultModel("zz:x"),
            "Make zz:x the default model.",
            Cost(Rank.EDIT_OVERRIDE),
        ),
        (
            SetMemoryBudget(10**10),
            "Set the memory budget to 10.0 GB.",
            Cost(Rank.MEMORY_BUDGET, 2**63),
        ),
        (
            SetAllowRemote(False),
            "Do not allow models that run on another machine.",
            Cost(Rank.REMOTE),
        ),
        (
            InstallModel(ModelInfo("new:1b", size_bytes=2 * 10**9)),
            "Install new:1b (about 2.0 GB).",
            Cost(Rank.INSTALL, 2 * 10**9),
        ),
        (RemoveModel("zz:x"), "Delete zz:x.", Cost(Rank.REMOVE, 0)),
        (
            DescribeContext("zz:x", 32_768),
            "If zz:x has 32,768 tokens of context, say so under `database`.",
            Cost(Rank.DESCRIBE),
        ),
        (
            SetNumCtx(16_384, "llama3.1:8b"),
            "Set numCtx to 16,384 for llama3.1:8b, so that the server gives it.",
            Cost(Rank.SERVED_CONTEXT, 16_384),
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Change) else "",
)
def test_what_it_says_and_costs(change: Change, sentence: str, cost: Cost) -> None:
    assert change.sentence(USUAL) == sentence
    assert change.cost(USUAL) == cost


def test_what_is_said_of_what_is_there_already() -> None:
    change = SetOverride("code", "llama3.1:8b")
    assert change.sentence(OVERRIDDEN) == "Change the override of code from zz:x to llama3.1:8b."
    assert change.cost(OVERRIDDEN) == Cost(Rank.EDIT_OVERRIDE)
    assert RemoveOverride("CODE").sentence(OVERRIDDEN) == "Remove the override of CODE (zz:x)."
    assert Unpin().sentence(OVERRIDDEN) == "Leave out --model phi3:mini."
    raised = SetMemoryBudget(9 * 10**9)
    assert raised.sentence(OVERRIDDEN) == "Raise the memory budget from 8.0 GB to 9.0 GB."
    assert raised.cost(OVERRIDDEN) == Cost(Rank.MEMORY_BUDGET, 10**9)
    assert "Lower" in SetMemoryBudget(10**9).sentence(OVERRIDDEN)
    assert "to unlimited" in SetMemoryBudget(None).sentence(OVERRIDDEN)


def test_costs_are_in_the_order_of_what_they_ask() -> None:
    dearer = [
        Unpin(),
        RemoveOverride("code"),
        SetOverride("code", "zz:x"),
        SetFamilies("code", ("deepseek-coder", "codellama", "starcoder")),
        prefer_family(USUAL.profiles[2], "qwen", 3),
        prefer_family(USUAL.profiles[2], "qwen", 0),
        SetSizePreference("code", "smallest"),
        SetPreferLoaded(True),
        SetFamilyMatch("exact"),
        SetMinContext("code", 16_383),
        SetMinContext("code", 4_096),
        SetFallback("code", "fast"),
        DropCapability("code", "streaming"),
        SetOverride("fast", "zz:x"),
        SetRouting(False),
        InstallModel(ModelInfo("small:1b", size_bytes=1)),
        InstallModel(ModelInfo("large:1b", size_bytes=2)),
        InstallModel(ModelInfo("unknown:1b")),
        RemoveModel("zz:x"),
    ]
    costs = [change.cost(OVERRIDDEN) for change in dearer]
    assert costs == sorted(costs)
    assert len(set(costs)) == len(costs)


def written(change: Change, situation: Situation) -> Mapping[str, Any]:
    """What a configuration file would hold, as the schema accepts it."""
    data = nested(change.edits(situation))
    Settings.model_validate(data)
    return data


@pytest.mark.parametrize(
    "change",
    [
        SetMinContext("code", 0),
        DropCapability("code", "streaming"),
        RequireCapability("code", "vision"),
        SetFamilies("code", ("phi",)),
        SetFallback("code", "fast"),
        SetFallback("general", None),
        SetSizePreference("code", "smallest"),
    ],
    ids=lambda change: type(change).__name__,
)
def test_a_profile_read_from_the_file_is_the_profile_changed(change: Change) -> None:
    custom = written(change, USUAL)["model"]["routing"]["profiles"]
    profiles, problems = merge_profiles(custom)
    assert not problems
    assert profiles == change.apply(USUAL).profiles
    assert (profiles == USUAL.profiles) == (change == SetFallback("general", None))


@pytest.mark.parametrize(
    ("change", "path", "value"),
    [
        (SetRouting(False), "model.routing.enabled", False),
        (SetDefaultModel("zz:x"), "model.default", "zz:x"),
        (SetStrictOverrides(True), "model.routing.strictOverrides", True),
        (SetFamilyMatch("exact"), "model.routing.familyMatch", "exact"),
        (SetMemoryBudget(5), "model.routing.memoryBudget", 5),
        (SetAllowRemote(False), "model.routing.allowRemote", False),
        (SetPreferLoaded(True), "model.routing.preferLoaded", True),
        (SetOverride("fast", "zz:x"), "model.routing.overrides.fast", "zz:x"),
        (SetNumCtx(4_096), "options.numCtx", 4_096),
        (SetNumCtx(4_096, "a"), "models.a.numCtx", 4_096),
        (DescribeContext("zz", 8_192), "database.zz.contextWindow", 8_192),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Change) else "",
)
def test_each_setting_has_its_key(change: Change, path: str, value: object) -> None:
    (edit,) = change.edits(USUAL)
    assert (edit.key, edit.value) == (path, value)
    written(change, USUAL)


@pytest.mark.parametrize(
    "change",
    [Unpin(), RemoveModel("zz:x"), SetMemoryBudget(None), SetFallback("code", None)],
    ids=lambda change: type(change).__name__,
)
def test_what_no_setting_says_has_no_edits(change: Change) -> None:
    assert change.edits(OVERRIDDEN) == ()
    assert change.apply(OVERRIDDEN) != OVERRIDDEN


def test_an_override_takes_the_place_of_every_spelling_of_its_profile() -> None:
    change = SetOverride("CODE", "llama3.1:8b")
    assert change.apply(OVERRIDDEN).config.overrides == {"code": "llama3.1:8b"}
    assert [(e.key, e.value) for e in change.edits(OVERRIDDEN)] == [
        ("model.routing.overrides.Code", None),
        ("model.routing.overrides.code", "llama3.1:8b"),
    ]
    gone = RemoveOverride("CODE")
    assert gone.apply(OVERRIDDEN).config.overrides == {}
    assert [edit.value for edit in gone.edits(OVERRIDDEN)] == [None, None]


def test_a_change_of_nothing_gives_the_same_situation() -> None:
    for change in (
        SetMinContext("code", 16_384),
        SetMinContext("nobody", 1),
        RequireCapability("code", "streaming"),
        DropCapability("code", "vision"),
        RemoveOverride("code"),
        SetRouting(True),
        Unpin(),
        RemoveModel("gone"),
        DescribeContext("gone", 5),
    ):
        assert change.apply(USUAL) is USUAL


def test_capabilities_are_one_in_every_spelling() -> None:
    twice = RoutingProfile("mine", required_capabilities=("tools", "tool_calling", "flying"))
    situation = USUAL.with_profile(twice)
    dropped = DropCapability("mine", "toolCalling").apply(situation)
    assert dropped.profiles[-1].required_capabilities == ("flying",)
    assert RequireCapability("mine", "toolCalling").apply(situation) is situation


def test_only_a_context_that_nobody_tells_can_be_described() -> None:
    told = DescribeContext("zz:x", 32_768).apply(USUAL)
    assert told.models[-1].context_window == 32_768
    assert told.models[-1].sources["context_window"] == "user"
    assert DescribeContext("zz:x", 9).apply(told).models[-1].context_window == 9
    given = USUAL.with_models([model("zz:x", context_window=5)])
    assert DescribeContext("zz:x", 9).apply(given) is given


def test_num_ctx_is_served_up_to_what_a_model_was_trained_on() -> None:
    after = SetNumCtx(8_192).apply(USUAL)
    assert after.config.num_ctx == 8_192
    served = [after.with_models([m]).decide("fast").served_context for m in after.models]
    assert set(served) <= {8_192, 4_096, None}
    assert 8_192 in served
    one = SetNumCtx(8_192, "llama3.1:8b").apply(USUAL)
    assert [m.served_context_tokens for m in one.models] == [None, None, 8_192, None]


def test_a_virtual_model_is_as_the_catalogue_else_the_database_knows_it() -> None:
    known = virtual_model("CODELLAMA:13b", USUAL)
    assert known.name == "codellama:13b"
    assert known.size_bytes > 0
    unknown = virtual_model("llama3.1:999b", USUAL)
    assert (unknown.family, unknown.parameters_billions) == ("llama", 999)
    again = InstallModel(virtual_model("llama3.1:8b", USUAL)).apply(USUAL)
    assert sorted(m.name for m in again.models) == sorted(m.name for m in LISTED)
