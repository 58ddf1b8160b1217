"""What would make another model win, on situations that a person would meet."""

from dataclasses import replace

from ollm_tui.catalogue.catalogue import catalogue
from ollm_tui.core.model import ModelInfo
from ollm_tui.routing.fixes import fixes, install_advice
from ollm_tui.routing.profile import RoutingProfile
from ollm_tui.routing.settings import RoutingConfig
from ollm_tui.routing.situation import Situation
from tests.unit.routing.build import DATABASE, model, models

LISTED = tuple(models("phi3:mini", "llama3.1:8b", "codellama:7b"))


def sentences(situation: Situation, name: str) -> list[str]:
    (row,) = [row for row in fixes(situation, [name]) if row]
    assert row.model == name
    return [fix.sentence for fix in row.fixes]


def test_a_preferred_family_gives_way_to_another() -> None:
    assert sentences(Situation("code", LISTED), "llama3.1:8b") == [
        "Prefer llama in code: llama, codellama, deepseek-coder, starcoder.",
        "Raise minContextWindow of code from 16,384 to 128,000.",
        "Make llama3.1:8b the override of code.",
    ]


def test_a_context_that_is_too_small() -> None:
    fast = RoutingProfile("mine", preferred_families=("phi",), min_context_window=10_000)
    situation = Situation("mine", LISTED).with_profile(fast)
    assert sentences(situation, "phi3:mini")[0] == (
        "Lower minContextWindow of mine from 10,000 to 4,096."
    )


def test_an_override_in_the_way_is_removed_first() -> None:
    config = RoutingConfig(overrides={"code": "phi3:mini"})
    assert sentences(Situation("code", LISTED, config=config), "codellama:7b") == [
        "Remove the override of code (phi3:mini).",
        "Change the override of code from phi3:mini to codellama:7b.",
    ]


def test_routing_that_is_off_is_switched_on_or_has_another_default() -> None:
    config = RoutingConfig(enabled=False, default_model="phi3:mini")
    situation = Situation("code", LISTED, config=config)
    assert sentences(situation, "codellama:7b") == [
        "Make codellama:7b the default model.",
        "Switch routing on, so that profiles choose.",
    ]


def test_a_model_asked_for_by_name_is_left_out() -> None:
    situation = Situation("code", LISTED, config=RoutingConfig(pinned_model="phi3:mini"))
    assert sentences(situation, "codellama:7b") == ["Leave out --model phi3:mini."]
    assert sentences(situation, "llama3.1:8b") == []


def test_an_embedding_model_only_ever_wins_as_an_override() -> None:
    situation = Situation("code", (*LISTED, *models("nomic-embed-text")))
    assert sentences(situation, "nomic-embed-text") == [
        "Make nomic-embed-text the override of code."
    ]


def test_the_budget_is_raised_to_exactly_what_a_model_needs() -> None:
    large = replace(LISTED[1], name="llama3.1:70b", size_bytes=40 * 10**9)
    config = RoutingConfig(memory_budget_bytes=8 * 10**9)
    situation = Situation("general", (LISTED[1], large), config=config)
    assert "Raise the memory budget from 8.0 GB to 44.0 GB." in sentences(situation, large.name)


def test_rows_come_in_the_order_asked_for_and_the_winner_and_strangers_are_passed_over() -> None:
    situation = Situation("code", LISTED)
    asked = ["phi3:mini", "codellama:7b", "gone:1b", "llama3.1:8b", "phi3:mini"]
    rows = [row.model for row in fixes(situation, asked) if row]
    assert rows == ["phi3:mini", "llama3.1:8b"]
    assert [row.model for row in fixes(situation) if row] == rows


def test_the_search_can_be_left_at_any_step() -> None:
    search = fixes(Situation("code", LISTED))
    assert next(search) is None
    search.close()  # type: ignore[attr-defined]
    assert list(search) == []


def test_what_to_install_when_nothing_fits_smallest_first() -> None:
    small = [model("phi3:mini")]
    situation = Situation("code", tuple(small), catalogue=catalogue(), database=DATABASE)
    found = [fix for fix in install_advice(situation) if fix]
    assert found
    assert found == sorted(found, key=lambda fix: fix.cost)
    assert all("about" in fix.sentence for fix in found)
    assert max(fix.cost.amount for fix in found) <= 10**10
    tight = situation.with_config(RoutingConfig(memory_budget_bytes=10**9))
    fewer = [fix for fix in install_advice(tight) if fix]
    assert 0 < len(fewer) < len(found)


def test_an_override_that_is_not_installed_is_advice_too() -> None:
    offer = ModelInfo("gone:1b", size_bytes=10**9)
    config = RoutingConfig(overrides={"code": "gone:1b"})
    situation = Situation("code", LISTED, config=config, catalogue=(offer,))
    (fix,) = [fix for fix in install_advice(situation) if fix]
    assert fix.sentence == "Install gone:1b (about 1.0 GB)."
