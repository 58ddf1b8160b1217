"""The design's selection algorithm, step by step, on the built-in profiles."""

import pytest

from ollm_tui.core.error import NoCompatibleModels, NoModelsInstalled, UnknownProfile
from ollm_tui.core.model import ModelInfo
from ollm_tui.routing.database import ModelDatabase
from ollm_tui.routing.facts import enrich
from ollm_tui.routing.router import Router

DATABASE = ModelDatabase()


def installed(*names: str) -> list[ModelInfo]:
    return [enrich(ModelInfo(name=name), DATABASE) for name in names]


@pytest.mark.parametrize(
    ("profile", "winner"),
    [
        ("fast", "phi3:mini"),
        ("general", "llama3.1:8b"),
        ("code", "codellama:7b"),
        ("creative", "llama3.1:8b"),
    ],
)
def test_every_built_in_profile_finds_its_own_model(profile: str, winner: str) -> None:
    models = installed("mistral:7b", "codellama:7b", "phi3:mini", "llama3.1:8b")
    assert Router(database=DATABASE).select_model(profile, models) == winner


def test_an_empty_list_says_so() -> None:
    with pytest.raises(NoModelsInstalled):
        Router(database=DATABASE).select_model("code", [])


def test_when_nothing_fits_the_error_carries_the_decision() -> None:
    with pytest.raises(NoCompatibleModels) as caught:
        Router(database=DATABASE).select_model("code", installed("phi3:mini"))
    assert caught.value.commonest == "CONTEXT_TOO_SMALL"
    assert caught.value.decision is not None


def test_an_unknown_profile_names_the_closest() -> None:
    with pytest.raises(UnknownProfile) as caught:
        Router(database=DATABASE).select_model("cods", [])
    assert caught.value.actions == ("Did you mean code?",)
