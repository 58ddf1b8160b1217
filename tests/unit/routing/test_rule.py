"""Which rule settled a candidate, for every code that a candidate can have."""

import pytest

from ollm_tui.core.model import ModelCapabilities, ModelInfo
from ollm_tui.routing.decision import Candidate, Code, Verdict
from ollm_tui.routing.profile import RoutingProfile
from ollm_tui.routing.router import Router
from ollm_tui.routing.rule import REQUIREMENTS, Rule, met, settled_by
from ollm_tui.routing.settings import RoutingConfig

TEXT = ModelCapabilities(streaming=True)
PROFILE = RoutingProfile(
    name="p",
    preferred_families=("llama",),
    min_context_window=8192,
    required_capabilities=("streaming",),
)


def model(name: str, **facts: object) -> ModelInfo:
    """A model that meets PROFILE, but for the facts given."""
    plain: dict[str, object] = {
        "family": "llama",
        "context_window": 8192,
        "capabilities": TEXT,
        "parameters_billions": 8.0,
    }
    return ModelInfo(name=name, **(plain | facts))  # type: ignore[arg-type]  # facts vary


def judged(*models: ModelInfo, config: RoutingConfig | None = None) -> dict[str, Candidate]:
    """What becomes of each model."""
    decision = Router([PROFILE], config=config).explain("p", models)
    return {candidate.model: candidate for candidate in decision.hops[0].candidates}


WINNER = model("winner:9b", parameters_billions=9.0)


@pytest.mark.parametrize(
    ("loser", "rule"),
    [
        (model("a:8b", remote=True), Rule.HERE),
        (model("a:8b", embedding_only=True), Rule.PROMPTS),
        (model("a:8b", context_window=8191), Rule.CONTEXT),
        (model("a:8b", capabilities=ModelCapabilities()), Rule.CAPABILITIES),
        (model("a:8b", family="phi"), Rule.FAMILY),
        (model("a:8b", family="codellama"), Rule.FAMILY),
        (model("a:8b", base_model=True), Rule.CHAT),
        (model("a:8b"), Rule.SIZE),
    ],
)
def test_a_loser_is_settled_by_its_rule(loser: ModelInfo, rule: Rule) -> None:
    candidates = judged(WINNER, loser, config=RoutingConfig(allow_remote=False))
    assert settled_by(candidates[loser.name]) is rule
    assert settled_by(candidates[WINNER.name]) is None


def test_equals_are_settled_by_context_and_then_by_name() -> None:
    short, long = model("a:8b"), model("b:8b", context_window=16384)
    assert settled_by(judged(short, long)["a:8b"]) is Rule.LONGER_CONTEXT
    assert settled_by(judged(short, model("c:8b"))["c:8b"]) is Rule.NAME


def test_loaded_and_memory_settle_where_they_count() -> None:
    loaded = model("l:1b", loaded=True, parameters_billions=1.0)
    config = RoutingConfig(prefer_loaded=True)
    assert settled_by(judged(WINNER, loaded, config=config)[WINNER.name]) is Rule.LOADED
    huge = model("h:99b", size_bytes=10**12, parameters_billions=99.0)
    config = RoutingConfig(memory_budget_bytes=10**10)
    assert settled_by(judged(WINNER, huge, config=config)["h:99b"]) is Rule.MEMORY


def test_the_second_name_of_a_model_is_settled_by_being_listed_before() -> None:
    candidates = judged(model("a"), model("a:latest"))
    assert settled_by(candidates["a:latest"]) is Rule.LISTED_ONCE


def test_an_override_settles_everyone() -> None:
    config = RoutingConfig(overrides={"p": "o:1b"})
    candidates = judged(WINNER, model("o:1b", context_window=1), config=config)
    assert settled_by(candidates["o:1b"]) is Rule.OVERRIDE
    assert settled_by(candidates[WINNER.name]) is Rule.OVERRIDE


def test_requirements_are_met_up_to_the_one_that_drops() -> None:
    dropped = judged(model("a:8b", context_window=1))["a:8b"]
    assert [met(dropped, rule) for rule in REQUIREMENTS] == [True, True, True, False, None]
    assert [met(judged(WINNER)[WINNER.name], rule) for rule in REQUIREMENTS] == [True] * 5


def test_no_requirement_is_said_to_be_met_by_an_override_that_violates_one() -> None:
    config = RoutingConfig(overrides={"p": "o:1b"})
    violating = judged(model("o:1b", context_window=1), config=config)["o:1b"]
    assert violating.code is Code.OVERRIDE_VIOLATES
    assert [met(violating, rule) for rule in REQUIREMENTS] == [None] * 5


def test_every_code_of_a_candidate_has_a_rule() -> None:
    of_decisions = {
        Code.PREFERRED,  # the winner, whom no rule settles
        Code.LOST_TIEBREAK,  # by its detail
        Code.OVERRIDE_NOT_INSTALLED,
        Code.FALLBACK_USED,
        Code.FALLBACK_UNKNOWN,
        Code.FALLBACK_CYCLE,
        Code.PINNED,
        Code.PINNED_NOT_INSTALLED,
        Code.ROUTING_DISABLED,
        Code.DEFAULT_NOT_INSTALLED,
        Code.NO_MODELS_INSTALLED,
        Code.NO_COMPATIBLE,
        Code.UNKNOWN_PROFILE,
        Code.SERVED_CONTEXT_TOO_SMALL,
        Code.ANSWER_LIMIT,
        Code.REMOTE,
        Code.BLANK_FAMILY,
    }
    for code in set(Code) - of_decisions:
        candidate = Candidate("m", Verdict.DROPPED, code, "", None, "", 0)
        assert settled_by(candidate) is not None
