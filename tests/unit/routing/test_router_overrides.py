"""Overrides, fallbacks and profiles by name: decisions R1 to R10, R28 to R32."""

from types import ModuleType as Module
from typing import Any

import pytest

from ollm_tui.core.error import (
    DefaultNotInstalled,
    NoCompatibleModels,
    OverrideNotInstalled,
    UnknownProfile,
)
from ollm_tui.core.model import ModelInfo
from ollm_tui.routing import capability, database, family, pattern, profile, ranking, wording
from ollm_tui.routing import router as router_module
from ollm_tui.routing.decision import Code, Outcome, Verdict, Via
from ollm_tui.routing.profile import RoutingProfile
from tests.unit.routing.build import candidate, model, models, router, warning_codes


def chosen(profile: Any, listed: list[ModelInfo], **settings: Any) -> str | None:
    return router(**settings).explain(profile, listed).model


def test_r01_an_override_that_is_not_installed_is_passed_over_with_one_warning() -> None:
    decision = router(overrides={"code": "gone:1b"}).explain("code", models("codellama:7b"))
    assert decision.model == "codellama:7b"
    assert decision.via is Via.PROFILE
    assert warning_codes(decision) == ["OVERRIDE_NOT_INSTALLED"]
    assert "gone:1b" in decision.warnings[0].message


def test_r01_strict_overrides_raise_with_place_and_near_names() -> None:
    strict = router(
        overrides={"code": "codelama:7b"},
        strict_overrides=True,
        origins={"model.routing.overrides.code": "config.yaml:3:7"},
    )
    with pytest.raises(OverrideNotInstalled) as caught:
        strict.select_model("code", models("codellama:7b"))
    assert "codelama:7b" in caught.value.message
    assert "config.yaml:3:7" in caught.value.cause
    assert "codellama:7b" in caught.value.actions[0]
    nowhere = router(overrides={"code": "x"}, strict_overrides=True).explain("code", models("y"))
    assert nowhere.error is not None
    assert nowhere.error.cause == "model.routing.overrides.code is set"
    assert strict.explain("code", models("codellama:7b")).reason is Code.OVERRIDE_NOT_INSTALLED
    assert strict.select_model("fast", models("phi3:mini")) == "phi3:mini"


@pytest.mark.parametrize(
    ("override", "installed"),
    [
        ("PHI3", "phi3:latest"),
        ("Phi3:Mini", "phi3:mini"),
        ("registry.ollama.ai/library/phi3", "phi3"),
        ("no good name!", "no good name!"),
    ],
)
def test_r02_names_compare_by_ollamas_rules_and_return_as_listed(
    override: str, installed: str
) -> None:
    assert chosen("code", models("codellama:7b", installed), overrides={"code": override}) == (
        installed
    )


def test_r02_an_exact_name_comes_before_an_equal_one() -> None:
    listed = models("phi3:latest", "phi3")
    assert chosen("fast", listed, overrides={"fast": "phi3"}) == "phi3"


def test_r02_a_bad_name_equals_only_itself() -> None:
    decision = router(overrides={"fast": "BAD NAME"}).explain("fast", models("bad name", "phi3"))
    assert decision.model == "phi3"


def test_r03_an_override_wins_although_it_violates_the_profile() -> None:
    decision = router(overrides={"code": "phi3:mini"}).explain(
        "code", models("codellama:7b", "phi3:mini")
    )
    assert decision.model == "phi3:mini"
    assert (decision.via, decision.reason) == (Via.OVERRIDE, Code.OVERRIDE_USED)
    row = candidate(decision, "phi3:mini")
    assert (row.code, row.detail) == (Code.OVERRIDE_VIOLATES, "4,096 < 16,384")
    assert warning_codes(decision) == ["OVERRIDE_VIOLATES"]
    other = candidate(decision, "codellama:7b")
    assert (other.verdict, other.code) == (Verdict.ELIGIBLE, Code.OVERRIDE_USED)
    assert len(decision.hops[0].candidates) == 2


def test_r03_an_override_that_meets_the_profile_is_not_marked() -> None:
    decision = router(overrides={"code": "qwen3:8b"}).explain("code", models("qwen3:8b"))
    assert candidate(decision, "qwen3:8b").code is Code.OVERRIDE_USED
    assert decision.warnings == ()
    assert decision.hops[0].outcome is Outcome.OVERRIDE


def test_r04_with_routing_off_only_the_default_model_is_used() -> None:
    off = {"enabled": False, "default_model": "phi3:mini", "overrides": {"code": "codellama:7b"}}
    decision = router(**off).explain("code", models("codellama:7b", "phi3:mini"))
    assert (decision.model, decision.via) == ("phi3:mini", Via.DEFAULT)
    assert decision.reason is Code.ROUTING_DISABLED
    assert decision.hops == ()


def test_r04_with_routing_off_a_missing_default_is_an_error_with_its_origin() -> None:
    off = router(
        enabled=False, default_model="phi3:mini", origins={"model.default": "config.yaml:2:3"}
    )
    with pytest.raises(DefaultNotInstalled) as caught:
        off.select_model("code", models("codellama:7b"))
    assert "phi3:mini" in caught.value.message
    assert "model.default is set in config.yaml:2:3" in caught.value.cause
    nowhere = router(enabled=False, default_model="phi3:mini").explain("code", models("gemma"))
    assert nowhere.error is not None
    assert nowhere.error.cause == "model.default is set"
    unset = router(enabled=False).explain("code", models("codellama:7b"))
    assert unset.reason is Code.DEFAULT_NOT_INSTALLED
    assert "not set" in unset.summary


def test_r05_an_override_counts_on_a_fallback_profile_too() -> None:
    settings = {"overrides": {"general": "gemma:2b"}}
    listed = models("llama3:8b", "gemma:2b", "phi3:mini")
    decision = router(**settings).explain("code", listed)
    assert (decision.model, decision.via) == ("gemma:2b", Via.OVERRIDE)
    assert decision.resolved_profile == "general"
    assert [hop.outcome for hop in decision.hops] == [Outcome.FALLBACK, Outcome.OVERRIDE]


def test_r05_a_fallbacks_override_is_not_reached_while_the_first_profile_has_a_model() -> None:
    settings = {"overrides": {"general": "gemma:2b"}}
    assert chosen("code", models("gemma:2b", "codellama:7b"), **settings) == "codellama:7b"


def test_r06_an_override_counts_for_a_profile_given_as_an_object() -> None:
    mine = RoutingProfile("mine", min_context_window=1)
    assert chosen(mine, models("a:1b", "b:1b"), overrides={"Mine ": "b:1b"}) == "b:1b"


def test_r06_an_override_counts_for_a_name_that_is_no_profile() -> None:
    decision = router(overrides={"legal": "b:1b"}).explain("legal", models("a:1b", "b:1b"))
    assert (decision.model, decision.resolved_profile) == ("b:1b", "legal")
    gone = router(overrides={"legal": "gone"}).explain("legal", models("a:1b"))
    assert gone.reason is Code.UNKNOWN_PROFILE


def test_r07_a_profile_object_is_used_as_it_is_and_only_its_fallback_is_looked_up() -> None:
    mine = RoutingProfile("general", min_context_window=100_000, fallback_profile="fast")
    decision = router().explain(mine, models("llama3:8b", "phi3:mini"))
    assert decision.resolved_profile == "fast"
    assert decision.hops[0].profile is mine


def test_r08_a_model_of_no_preferred_family_comes_before_the_fallback() -> None:
    listed = [model("granite-code:8b"), model("llama3:8b")]
    decision = router().explain("code", listed)
    assert (decision.model, decision.resolved_profile) == ("granite-code:8b", "code")
    assert decision.reason is Code.NOT_PREFERRED
    assert decision.via is Via.PROFILE


def test_r09_a_fallback_applies_its_own_minimum_and_says_so() -> None:
    decision = router().explain("code", models("llama3:8b"))
    assert (decision.model, decision.via) == ("llama3:8b", Via.FALLBACK)
    assert decision.resolved_profile == "general"
    assert decision.reason is Code.FALLBACK_USED
    assert warning_codes(decision) == ["FALLBACK_USED"]
    assert "8,192" in decision.warnings[0].message
    assert "16,384" in decision.warnings[0].message
    with pytest.raises(NoCompatibleModels):
        router().select_model("code", models("phi3:mini"))


def test_r09_a_fallback_that_asks_for_no_less_is_no_warning() -> None:
    deep = RoutingProfile("deep", required_capabilities=("vision",), fallback_profile="general")
    decision = router(deep, *router().profiles).explain("deep", models("llama3:8b"))
    assert decision.via is Via.FALLBACK
    assert decision.warnings == ()


def chain(**fallbacks: str | None) -> list[RoutingProfile]:
    return [
        RoutingProfile(name, min_context_window=10**6, fallback_profile=fallback)
        for name, fallback in fallbacks.items()
    ]


@pytest.mark.parametrize(
    ("fallbacks", "names"),
    [
        ({"a": "a"}, ["a"]),
        ({"a": "b", "b": "c", "c": "A "}, ["a", "b", "c"]),
        ({"a": "b", "b": "c", "c": "b"}, ["a", "b", "c"]),
    ],
)
def test_r10_a_cycle_ends_the_chain(fallbacks: dict[str, str], names: list[str]) -> None:
    decision = router(*chain(**fallbacks)).explain("a", models("llama3.1:8b"))
    assert [hop.profile.name for hop in decision.hops] == names
    assert decision.hops[-1].outcome is Outcome.FALLBACK_CYCLE
    assert warning_codes(decision) == ["FALLBACK_CYCLE"]
    assert " → ".join(names) in decision.warnings[0].message
    assert decision.reason is Code.NO_COMPATIBLE


def test_r10_an_unknown_fallback_ends_the_chain_with_the_closest() -> None:
    decision = router(*chain(a="generl", general=None)).explain("a", models("llama3.1:8b"))
    assert decision.hops[-1].outcome is Outcome.FALLBACK_UNKNOWN
    assert warning_codes(decision) == ["FALLBACK_UNKNOWN"]
    assert "did you mean general?" in decision.warnings[0].message
    assert len(decision.hops) == 1


def test_r10_the_error_lists_the_chain_tried() -> None:
    decision = router(*chain(a="b", b=None)).explain("a", models("llama3.1:8b"))
    assert decision.hops[-1].outcome is Outcome.NO_FALLBACK
    assert "a → b" in decision.summary


def test_r28_a_name_or_an_error_never_nothing() -> None:
    assert router().select_model("fast", models("phi3:mini")) == "phi3:mini"
    with pytest.raises(NoCompatibleModels) as caught:
        router().select_model("general", models("phi3:mini"))
    assert caught.value.decision == router().explain("general", models("phi3:mini"))


@pytest.mark.parametrize("name", [" CODE", "Code"])
def test_r29_profiles_are_found_without_case(name: str) -> None:
    assert chosen(name, models("codellama:7b")) == "codellama:7b"
    assert router().get_profile(name).name == "code"
    with pytest.raises(UnknownProfile):
        router().get_profile("cod e r")


def test_r31_the_default_profile_is_used_when_none_is_given() -> None:
    listed = models("codellama:7b", "llama3.1:8b")
    assert router(default_profile="code").explain(None, listed).profile == "code"
    assert chosen(None, listed, default_profile="code") == "codellama:7b"
    assert chosen(None, listed) == "llama3.1:8b"
    unknown = router(default_profile="cods").explain(None, listed)
    assert unknown.reason is Code.UNKNOWN_PROFILE


def test_r32_asking_twice_gives_one_answer_and_changes_nothing() -> None:
    listed = models("codellama:7b", "llama3.1:8b", "phi3:mini")
    before = list(listed)
    ask = router()
    assert ask.explain("code", listed) == ask.explain("code", listed)
    assert listed == before


def test_r32_routing_knows_no_clock_no_chance_and_no_way_out() -> None:
    impure = {"asyncio", "datetime", "io", "os", "pathlib", "random", "secrets", "socket", "time"}
    for module in (capability, database, family, pattern, profile, ranking, router_module, wording):
        imported = {value.__name__ for value in vars(module).values() if isinstance(value, Module)}
        assert not imported & impure
        assert "open" not in vars(module)
