"""What is hardly meant is found, and what is meant is left alone."""

from typing import Any

from ollm_tui.catalogue.catalogue import catalogue
from ollm_tui.core.model import ModelInfo
from ollm_tui.routing.database import ModelDatabase
from ollm_tui.routing.lint import Finding, LintCode, lint
from ollm_tui.routing.model_changes import InstallModel
from ollm_tui.routing.profile import BUILT_IN_PROFILES, RoutingProfile
from ollm_tui.routing.profile_changes import (
    DropCapability,
    SetFallback,
    SetFamilies,
    SetMinContext,
)
from ollm_tui.routing.router import Router
from ollm_tui.routing.settings import RoutingConfig
from ollm_tui.routing.settings_changes import RemoveOverride
from tests.unit.routing.build import models

LISTED = models("codellama:7b", "phi3:mini", "llama3.1:8b")


def found(
    *profiles: RoutingProfile,
    listed: list[ModelInfo] | None = None,
    database: ModelDatabase | None = None,
    **settings: Any,
) -> list[Finding]:
    router = Router((*BUILT_IN_PROFILES, *profiles), database, RoutingConfig(**settings))
    return lint(router, LISTED if listed is None else listed)


def only(findings: list[Finding]) -> tuple[LintCode, str]:
    (finding,) = findings
    return finding.code, finding.subject


def test_the_shipped_settings_are_clean() -> None:
    assert found() == []
    assert lint(Router(), [], catalogue()) == []
    assert lint(Router(), []) == []


def test_an_unknown_fallback() -> None:
    (finding,) = found(RoutingProfile("mine", fallback_profile="generl"))
    assert finding.code is LintCode.FALLBACK_UNKNOWN
    assert finding.subject == "model.routing.profiles.mine.fallbackProfile"
    assert "generl" in finding.message


def test_a_cycle_is_said_of_every_profile_in_it_and_of_no_other() -> None:
    findings = found(
        RoutingProfile("a", min_context_window=9, fallback_profile="B"),
        RoutingProfile("b", min_context_window=8, fallback_profile="a"),
        RoutingProfile("into", min_context_window=10, fallback_profile="a"),
        RoutingProfile("self", fallback_profile="self"),
    )
    cycles = [f.subject.split(".")[3] for f in findings if f.code is LintCode.FALLBACK_CYCLE]
    assert cycles == ["a", "b", "self"]
    assert "a → b → a" in findings[0].message
    assert len(findings) == 3


def test_a_dead_fallback_asks_for_no_less_all_the_way() -> None:
    streaming = ("streaming",)
    dead = RoutingProfile("dead", "", (), 8_192, streaming, "general")
    assert only(found(dead))[0] is LintCode.FALLBACK_DEAD
    lower = RoutingProfile("lower", "", (), 8_193, streaming, "general")
    assert found(lower) == []
    more = RoutingProfile("more", "", (), 1, ("streaming", "toolCalling"), "general")
    assert found(more) == []
    later = RoutingProfile("later", "", (), 10_000, streaming, "code")
    assert found(later) == []
    assert found(dead, overrides={"general": "phi3:mini"})[0].code is LintCode.OVERRIDE_VIOLATES


def test_overrides_are_checked_against_profiles_and_models() -> None:
    assert only(found(overrides={"cod": "phi3:mini"})) == (
        LintCode.OVERRIDE_UNKNOWN_PROFILE,
        "model.routing.overrides.cod",
    )
    assert only(found(overrides={"code": "gone"}))[0] is LintCode.OVERRIDE_NOT_INSTALLED
    (finding,) = found(overrides={"code": "PHI3:mini"})
    assert finding.code is LintCode.OVERRIDE_VIOLATES
    assert "4,096 < 16,384" in finding.message
    assert found(overrides={"code": "llama3.1:8b"}) == []
    assert found(listed=[], overrides={"code": "gone"}) == []


def test_a_preferred_family_that_nobody_has() -> None:
    preferred = ("lama", "llama", "yi", "granit3", "")
    (finding,) = found(RoutingProfile("mine", preferred_families=preferred))
    assert finding.code is LintCode.FAMILY_UNKNOWN
    assert finding.subject == "model.routing.profiles.mine.preferredFamilies"
    assert finding.message == "no known model is of the family granit3; did you mean granite?"


def test_a_family_of_an_installed_model_or_a_custom_entry_is_known() -> None:
    mine = RoutingProfile("mine", preferred_families=("zephyr",))
    assert only(found(mine))[0] is LintCode.FAMILY_UNKNOWN
    installed = ModelInfo("z:1b", family="Zephyr", context_window=99_999)
    assert found(mine, listed=[*LISTED, installed]) == []
    assert found(mine, database=ModelDatabase({"z:*": {"family": "zephyr"}})) == []


def test_a_profile_that_no_known_model_meets() -> None:
    huge = RoutingProfile("huge", min_context_window=10**7)
    assert only(found(huge)) == (LintCode.PROFILE_UNSATISFIABLE, "model.routing.profiles.huge")
    assert found(huge, listed=[]) == []


def test_d12_a_shadowed_pattern_names_what_shadows_it() -> None:
    database = ModelDatabase({"llama*": {"contextWindow": 5}, "*": {"contextWindow": 5}})
    (finding,) = found(database=database)
    assert finding.code is LintCode.PATTERN_SHADOWED
    assert finding.subject == "database.llama*"
    assert "llama2:*, llama3.1:*" in finding.message
    assert "more" in finding.message
    assert found(database=ModelDatabase({"llama3.1:8b*": {"contextWindow": 5}})) == []


def test_each_finding_says_what_to_do_and_where_one_change_does_it_which() -> None:
    mine = RoutingProfile("mine", preferred_families=("granit3", "zephyr", ""))
    huge = RoutingProfile("huge", min_context_window=10**7, required_capabilities=("streaming",))
    flying = RoutingProfile("flying", required_capabilities=("flying",))
    both = RoutingProfile("both", min_context_window=10**7, required_capabilities=("flying",))
    findings = found(
        RoutingProfile("lost", fallback_profile="generl"),
        RoutingProfile("away", fallback_profile="xyz"),
        RoutingProfile("self", fallback_profile="self"),
        RoutingProfile("dead", "", (), 8_192, ("streaming",), "general"),
        mine,
        huge,
        flying,
        both,
        overrides={"cod": "phi3:mini", "code": "PHI3:mini", "fast": "gone:1b"},
        database=ModelDatabase({"llama*": {"contextWindow": 5}, "[": {}}),
    )
    assert [(finding.remedy, finding.change) for finding in findings] == [
        ("Let lost fall back to general.", SetFallback("lost", "general")),
        ("Let away fall back to no other profile.", SetFallback("away", None)),
        ("Let self fall back to no other profile.", SetFallback("self", None)),
        ("Let dead fall back to no other profile.", SetFallback("dead", None)),
        (
            "Prefer granite in mine: granite, zephyr.",
            SetFamilies("mine", ("granite", "zephyr")),
        ),
        (
            "No longer prefer zephyr in mine: granit3.",
            SetFamilies("mine", ("granit3",)),
        ),
        (
            "Lower minContextWindow of huge from 10,000,000 to 128,000.",
            SetMinContext("huge", 128_000),
        ),
        (
            "Drop flying from what flying requires.",
            DropCapability("flying", "flying"),
        ),
        ("Ask less of both: a smaller context, fewer capabilities.", None),
        ("Remove the override of cod (phi3:mini).", RemoveOverride("cod")),
        ("Remove the override of code (PHI3:mini).", RemoveOverride("code")),
        ("Remove the override of fast (gone:1b).", RemoveOverride("fast")),
        ("Correct or remove this entry; without it the others still count.", None),
        ("Write an entry for llama2:* itself: the longest pattern wins.", None),
    ]


def test_an_override_that_the_catalogue_has_can_be_installed() -> None:
    router = Router(config=RoutingConfig(overrides={"code": "codellama:13b"}))
    (finding,) = lint(router, LISTED, catalogue())
    assert isinstance(finding.change, InstallModel)
    assert finding.remedy == "Install codellama:13b (about 7.4 GB)."


def test_problems_of_the_database_are_repeated() -> None:
    assert only(found(database=ModelDatabase({"[": {}}))) == (LintCode.PROBLEM, "database.[")
