"""Which models fit at all, and what is said when none does: R18 to R26, JSON."""

import json
from typing import Any

import pytest

from ollm_tui.core.error import (
    NoCompatibleModels,
    NoModelsInstalled,
)
from ollm_tui.core.model import ModelInfo
from ollm_tui.routing.decision import Code, Verdict, decision_json
from ollm_tui.routing.profile import RoutingProfile
from tests.unit.routing.build import DATABASE, candidate, model, models, router, warning_codes


def chosen(profile: Any, listed: list[ModelInfo], **settings: Any) -> str | None:
    return router(**settings).explain(profile, listed).model


@pytest.mark.parametrize("name", ["toolcalling", "telepathy", ""])
def test_r18_an_unknown_capability_is_met_by_no_model(name: str) -> None:
    mine = RoutingProfile("mine", required_capabilities=(name,))
    decision = router().explain(mine, models("gpt-oss:20b"))
    row = candidate(decision, "gpt-oss:20b")
    assert (row.verdict, row.code) == (Verdict.DROPPED, Code.CAPABILITY_UNKNOWN)
    assert "toolCalling, vision" in row.detail


@pytest.mark.parametrize("name", ["toolCalling", "tool_calling", "tools"])
def test_r18_every_known_spelling_of_a_capability_works(name: str) -> None:
    mine = RoutingProfile("mine", required_capabilities=(name,))
    decision = router().explain(mine, models("gpt-oss:20b", "gemma:2b"))
    assert decision.model == "gpt-oss:20b"
    row = candidate(decision, "gemma:2b")
    assert (row.code, row.detail) == (Code.CAPABILITY_MISSING, f"no {name}")


def test_r19_an_unknown_model_is_routed_when_its_context_is_enough() -> None:
    assert chosen("fast", models("who-knows:1b")) == "who-knows:1b"
    decision = router().explain("general", models("who-knows:1b"))
    row = candidate(decision, "who-knows:1b")
    assert row.code is Code.CONTEXT_ASSUMED
    assert row.detail == "context unknown, 4,096 assumed < 8,192"
    assert warning_codes(router().explain("fast", models("who-knows:1b"))) == ["CONTEXT_ASSUMED"]


def test_r19_a_model_that_was_never_enriched_counts_as_unknown() -> None:
    assert chosen("fast", [ModelInfo("who-knows:1b")]) == "who-knows:1b"
    assert chosen("general", [ModelInfo("who-knows:1b")]) is None
    assert chosen("general", [ModelInfo("llama3.1:8b")]) == "llama3.1:8b"


def test_r20_embedding_models_are_never_routed() -> None:
    mine = RoutingProfile("mine")
    with pytest.raises(NoCompatibleModels) as caught:
        router().select_model(mine, models("nomic-embed-text"))
    assert caught.value.commonest == "EMBEDDING_ONLY"
    assert "the installed models are for embeddings" in str(caught.value)


def test_r22_an_empty_list_is_an_error_of_its_own_with_models_that_fit() -> None:
    ask = router()
    with_advice = type(ask)(
        ask.profiles,
        DATABASE,
        suggestions=[
            model("codellama:7b", size_bytes=3_800_000_000),
            model("llama2:7b", size_bytes=3_800_000_000),
            model("codellama:34b", size_bytes=19 * 10**9),
        ],
    )
    with pytest.raises(NoModelsInstalled) as caught:
        with_advice.select_model("code", [])
    assert caught.value.actions == (
        "Install codellama:7b (about 3.8 GB): `ollm-tui pull codellama:7b`.",
    )
    with pytest.raises(NoModelsInstalled) as caught:
        ask.select_model("code", [])
    assert caught.value.actions


def test_r22_advice_is_at_most_three_models_and_within_the_budget() -> None:
    names = [f"codellama:{n}b" for n in range(1, 9)]
    many = [model(name, size_bytes=int(name[10]) * 10**9) for name in names]
    ask = router()
    assert len(type(ask)(suggestions=many).suggest(ask.get_profile("code"))) == 3
    for size_bytes, advised in ((10**10, 1), (10**10 + 1, 0)):
        one = [model("codellama:7b", size_bytes=size_bytes)]
        assert len(type(ask)(suggestions=one).suggest(ask.get_profile("code"))) == advised
    tight = type(ask)(suggestions=many, config=router(memory_budget_bytes=2 * 10**9).config)
    assert [m.name for m in tight.suggest(ask.get_profile("code"))] == [
        "codellama:1b",
        "codellama:2b",
    ]


def test_r23_of_two_names_for_one_model_the_first_counts() -> None:
    listed = [model("llama3.1", context_window=9_000), model("LLAMA3.1:latest")]
    decision = router().explain("general", listed)
    assert decision.model == "llama3.1"
    row = candidate(decision, "LLAMA3.1:latest")
    assert (row.verdict, row.code) == (Verdict.DROPPED, Code.DUPLICATE)
    assert chosen("general", listed[::-1]) == "LLAMA3.1:latest"


@pytest.mark.parametrize(("tokens", "fits"), [(4_095, False), (4_096, True), (4_097, True)])
def test_r24_the_minimum_itself_is_enough(tokens: int, fits: bool) -> None:
    listed = [model("zzz:1b", context_window=tokens)]
    assert (chosen("fast", listed) is not None) is fits


def test_r19_only_a_context_that_nobody_knows_is_called_assumed() -> None:
    huge = RoutingProfile("mine", min_context_window=10**6)
    for tokens, name, code in (
        (None, "llama3.1:8b", Code.CONTEXT_TOO_SMALL),
        (None, "who-knows:1b", Code.CONTEXT_ASSUMED),
        (0, "who-knows:1b", Code.CONTEXT_ASSUMED),
        (1, "who-knows:1b", Code.CONTEXT_TOO_SMALL),
    ):
        decision = router().explain(huge, [ModelInfo(name, context_window=tokens)])
        assert candidate(decision, name).code is code
    winner = router().explain("general", [ModelInfo("llama3.1:8b")])
    assert winner.warnings == ()


@pytest.mark.parametrize("tokens", [0, -1, None])
def test_r24_a_context_that_is_none_is_looked_up(tokens: int | None) -> None:
    known = ModelInfo("llama3.1:8b", context_window=tokens)
    unknown = ModelInfo("zzz", context_window=tokens)
    assert chosen("general", [known]) == "llama3.1:8b"
    assert chosen("fast", [unknown]) == "zzz"
    assert chosen("general", [unknown]) is None


def test_r24_no_minimum_takes_any_context() -> None:
    decision = router().explain(RoutingProfile("mine"), [model("zzz", context_window=1)])
    assert candidate(decision, "zzz").context_window == 1
    assert decision.warnings == ()


def test_r26_the_output_limit_never_filters() -> None:
    assert chosen("general", [model("llama3.1:8b", max_output_tokens=1)]) == "llama3.1:8b"


def test_the_json_of_a_decision_has_the_promised_keys() -> None:
    decision = router(overrides={"code": "gone"}).explain("code", models("llama3:8b", "phi3"))
    data = json.loads(json.dumps(decision_json(decision)))
    assert list(data) == [
        "profile", "model", "resolved_profile", "via", "reason", "summary", "provisional",
        "hops", "warnings", "served_context",
    ]  # fmt: skip
    assert data["via"] == "fallback"
    hop = data["hops"][0]
    assert (hop["profile"], hop["min_context_window"]) == ("code", 16_384)
    assert hop["required_capabilities"] == ["streaming"]
    assert hop["outcome"] == "fallback"
    assert hop["candidates"][0] == {
        "model": "llama3:8b",
        "verdict": "dropped",
        "code": "CONTEXT_TOO_SMALL",
        "detail": "8,192 < 16,384",
        "slot": None,
        "family": "llama",
        "context_window": 8_192,
    }
    assert {"code", "message"} == set(data["warnings"][0])


def test_the_json_of_a_failure_has_an_error_with_actions() -> None:
    data = decision_json(router().explain("code", models("phi3:mini")))
    error = data["error"]
    assert isinstance(error, dict)
    assert (data["model"], data["via"], error["code"]) == (None, None, "NO_COMPATIBLE")
    assert error["commonest"] == "CONTEXT_TOO_SMALL"
    assert error["actions"]


def test_matching_a_profile_means_its_requirements_only() -> None:
    ask = router()
    code = ask.get_profile("code")
    assert ask.matches_profile(model("granite-code:8b"), code)
    assert not ask.matches_profile(model("phi3:mini"), code)
    assert not ask.matches_profile(model("bge-m3"), ask.get_profile("fast"))
    assert ask.list_profiles() == ask.profiles
