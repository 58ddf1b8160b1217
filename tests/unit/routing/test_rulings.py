"""The rulings Z that concern routing, and what people read."""

from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from ollm_tui.core.error import NoCompatibleModels, PinnedNotInstalled
from ollm_tui.core.model import ModelInfo
from ollm_tui.routing.decision import Code, Via
from ollm_tui.routing.profile import RoutingProfile
from ollm_tui.routing.wording import ordinal
from tests.unit.routing.build import candidate, model, models, router, warning_codes


def test_z04_slots_count_from_one_and_none_means_not_preferred() -> None:
    decision = router().explain("general", models("llama3.1:8b", "qwen3:8b", "gpt-oss:20b"))
    slots = {c.model: c.slot for c in decision.hops[0].candidates}
    assert slots == {"llama3.1:8b": 1, "qwen3:8b": 3, "gpt-oss:20b": None}
    alone = router().explain("general", models("gpt-oss:20b"))
    assert candidate(alone, "gpt-oss:20b").slot is None
    behind = candidate(decision, "qwen3:8b")
    assert behind.code is Code.LOST_TIEBREAK
    assert behind.detail == "family: choice 3, llama3.1:8b is choice 1"
    outside = candidate(decision, "gpt-oss:20b")
    assert outside.code is Code.NOT_PREFERRED
    assert outside.detail == "gpt-oss is not a preferred family"


def test_z05_over_budget_and_base_models_never_lose_their_slot() -> None:
    heavy = model("llama3.1:70b", size_bytes=43 * 10**9)
    base = model("mistral:7b-text", size_bytes=10**9)
    light = model("qwen3:8b", size_bytes=10**9)
    decision = router(memory_budget_bytes=8 * 10**9).explain("general", [light, base, heavy])
    assert [c.model for c in decision.hops[0].candidates] == [heavy.name, base.name, light.name]


def test_z05_within_a_slot_they_rank_last() -> None:
    listed = [
        model("mistral:7b-text", size_bytes=10**9),
        model("mistral:24b", size_bytes=14 * 10**9),
        model("mistral:7b", size_bytes=5 * 10**9),
    ]
    mine = RoutingProfile("general", preferred_families=("mistral",))
    decision = router(memory_budget_bytes=8 * 10**9).explain(mine, listed)
    ranked = [c.model for c in decision.hops[0].candidates]
    assert ranked == ["mistral:7b", "mistral:24b", "mistral:7b-text"]


def test_z05_of_the_smallest_one_that_fits_comes_first() -> None:
    listed = [
        model("a:7b", size_bytes=15 * 10**9),
        model("b:8b", size_bytes=5 * 10**9),
        model("c:9b", size_bytes=15 * 10**9),
    ]
    mine = RoutingProfile("mine", size_preference="smallest")
    decision = router(memory_budget_bytes=8 * 10**9).explain(mine, listed)
    assert [c.model for c in decision.hops[0].candidates] == ["b:8b", "a:7b", "c:9b"]


TIES: list[tuple[str, dict[str, Any], str, dict[str, Any], Code]] = [
    # winner, its facts, loser, its facts, the rule; each loser is better by every later rule
    (
        "zz-llama:1b", {"context_window": 9_000},
        "codellama:34b", {"context_window": 99_000},
        Code.LOST_TIEBREAK,
    ),
    (
        "llama3.1:1b", {"context_window": 9_000},
        "llama3:70b", {"context_window": 99_000},
        Code.LOST_SPECIALIST,
    ),
    (
        "gemma2:2b", {"context_window": 9_000},
        "llava:70b", {"context_window": 99_000, "family": "gemma"},
        Code.LOST_SPECIALIST,
    ),
    (
        "llama3.1:1b", {"size_bytes": 10**9, "context_window": 9_000},
        "llama3.1:70b", {"size_bytes": 10**11, "context_window": 99_000},
        Code.OVER_BUDGET,
    ),
    (
        "llama3.1:8b", {"context_window": 9_000},
        "llama3.1:3b", {"context_window": 99_000},
        Code.LOST_TIEBREAK,
    ),
    (
        "llama3.1:8b-z", {"context_window": 99_000},
        "llama3.1:8b-a", {"context_window": 9_000},
        Code.LOST_TIEBREAK,
    ),
    (
        "llama3.1:8b-a9", {}, "llama3.1:8b-a10", {}, Code.LOST_TIEBREAK,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("winner", "its", "loser", "others", "code"), TIES)
def test_z06_the_order_of_ties(
    winner: str, its: dict[str, Any], loser: str, others: dict[str, Any], code: Code
) -> None:
    mine = RoutingProfile("general", preferred_families=("llama", "gemma"))
    listed = [model(loser, **others), model(winner, **its)]
    decision = router(memory_budget_bytes=10**10).explain(mine, listed)
    assert decision.model == winner
    assert candidate(decision, loser).code is code


def test_z06_a_specialist_comes_before_a_generalist() -> None:
    decision = router().explain("code", models("qwen3:235b", "qwen2.5-coder:7b"))
    assert decision.model == "qwen2.5-coder:7b"
    assert candidate(decision, "qwen3:235b").code is Code.LOST_SPECIALIST


def test_z06_equal_canonical_names_cannot_tie_and_raw_names_end_every_tie() -> None:
    listed = [ModelInfo("b b"), ModelInfo("B B")]
    mine = RoutingProfile("mine")
    assert router().explain(mine, listed).model == "B B"
    assert router().explain(mine, listed[::-1]).model == "B B"


def test_z08_the_budget_counts_the_cache_at_the_profiles_minimum() -> None:
    layers = {
        "block_count": 32,
        "attention.head_count": 32,
        "attention.head_count_kv": 8,
        "embedding_length": 4_096,
    }
    # 32 layers x 8 heads x (128 + 128) x 2 bytes = 131,072 bytes a token.
    deep = model("llama3.1:8b", size_bytes=10**9, metadata=layers)
    need = 10**9 + 8_192 * 131_072
    fits = router(memory_budget_bytes=need).explain("general", [deep])
    assert fits.warnings == ()
    short = router(memory_budget_bytes=need - 1).explain("general", [deep])
    assert warning_codes(short) == ["OVER_BUDGET"]


def test_z11_a_decision_on_incomplete_facts_is_provisional() -> None:
    listed = models("llama3.1:8b")
    assert router().explain("general", listed, provisional=True).provisional
    assert not router().explain("general", listed).provisional
    assert router().explain("code", models("phi3"), provisional=True).provisional


def test_z20_a_pinned_model_bypasses_routing_with_a_notice() -> None:
    listed = models("codellama:7b", "bge-m3:latest")
    decision = router(pinned_model="BGE-M3", enabled=False).explain("code", listed)
    assert (decision.model, decision.via) == ("bge-m3:latest", Via.PINNED)
    assert decision.reason is Code.PINNED
    assert warning_codes(decision) == ["PINNED"]
    assert router(pinned_model="bge-m3").explain(None, listed).warnings == ()


def test_z20_a_pinned_model_that_is_not_installed_is_an_error() -> None:
    with pytest.raises(PinnedNotInstalled) as caught:
        router(pinned_model="codelama:7b").select_model(None, models("codellama:7b"))
    assert "codellama:7b" in caught.value.actions[0]


def test_z20_a_router_pinned_later_names_that_model_alone() -> None:
    listed = models("codellama:7b", "bge-m3:latest")
    usual = router()
    pinned = usual.pinned_to("bge-m3").explain("code", listed)
    assert (pinned.model, pinned.via) == ("bge-m3:latest", Via.PINNED)
    assert usual.explain("code", listed).model == "codellama:7b"


def test_z20_the_commonest_code_names_a_capability_mismatch() -> None:
    mine = RoutingProfile("mine", min_context_window=5_000, required_capabilities=("vision",))
    listed = models("llama3.1:8b", "qwen3:8b", "phi3:mini", "moondream:1.8b")
    with pytest.raises(NoCompatibleModels) as caught:
        router().select_model(mine, listed)
    assert caught.value.code == "NO_COMPATIBLE"
    assert caught.value.commonest == "CAPABILITY_MISSING"
    assert "no installed model can do all of vision" in caught.value.cause
    assert "With vision: moondream:1.8b." in caught.value.actions
    more = [*listed, model("llama2:7b")]
    error = router().explain(mine, more).error
    assert isinstance(error, NoCompatibleModels)
    assert error.commonest == "CONTEXT_TOO_SMALL"


def test_an_error_of_context_says_what_would_help() -> None:
    error = router().explain("code", models("phi3:mini", "llama2:7b")).error
    assert error is not None
    assert "no installed model has 16,384 tokens of context" in error.cause
    assert error.actions[0].startswith("Lower minContextWindow of general to 4,096")
    assert "ollm-tui route code --explain" in error.actions[-1]


def test_an_unknown_context_or_a_forbidden_remote_is_named_as_the_cause() -> None:
    unknown = router().explain("general", models("who-knows:1b")).error
    assert unknown is not None
    assert "context of the installed models is unknown" in unknown.cause
    assert "`database`" in unknown.actions[0]
    stub = model("gpt-oss:120b-cloud", remote=True)
    remote = router(allow_remote=False).explain("general", [stub]).error
    assert remote is not None
    assert "another machine" in remote.cause


@pytest.mark.parametrize(
    ("profile", "listed", "settings", "summary"),
    [
        (
            "code", ["codellama:7b"], {},
            "codellama:7b, because no other model meets code.",
        ),
        (
            "code", ["codellama:7b", "qwen3:8b"], {},
            "codellama:7b, because codellama is the 1st choice of code.",
        ),
        (
            "code", ["codellama:7b", "codellama:13b"], {},
            "codellama:13b, because codellama is the 1st choice of code, "
            "and before codellama:7b by size.",
        ),
        (
            "general", ["llama3:8b", "llama3.1:8b"], {},
            "llama3.1:8b, because llama is the 1st choice of general, "
            "and before llama3:8b by being more specialised.",
        ),
        (
            "code", ["qwen3:8b", "gpt-oss:20b"], {},
            "qwen3:8b, because no preferred family of code is there "
            "and it is the best of the rest.",
        ),
        (
            "code", ["llama3:8b", "gemma:2b"], {},
            "llama3:8b through general, as no installed model has 16,384 tokens of context "
            "for code: llama is the 1st choice of general.",
        ),
        (
            "fast", ["llama3:8b", "gemma:2b"], {"overrides": {"fast": "llama3:8b"}},
            "llama3:8b, because an override for fast names it.",
        ),
        (
            "fast", ["gemma:2b"], {"pinned_model": "gemma:2b"},
            "gemma:2b, as it was asked for by name.",
        ),
        (
            "fast", ["gemma:2b"], {"enabled": False, "default_model": "gemma:2b"},
            "gemma:2b, the default model, as routing is off.",
        ),
    ],
)  # fmt: skip
def test_the_summary_is_a_sentence_a_person_would_say(
    profile: str, listed: list[str], settings: dict[str, Any], summary: str
) -> None:
    assert router(**settings).explain(profile, models(*listed)).summary == summary


def test_without_preferences_the_summary_counts() -> None:
    decision = router().explain(RoutingProfile("mine"), models("a:1b", "b:2b"))
    assert decision.summary == "b:2b, because it is the best of 2 models that meet mine."


@pytest.mark.parametrize(
    ("number", "text"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (13, "13th"),
     (20, "20th"), (21, "21st"), (22, "22nd"), (111, "111th")],
)  # fmt: skip
def test_ordinals(number: int, text: str) -> None:
    assert ordinal(number) == text


def test_z09_a_model_is_frozen_and_says_of_nothing_what_nobody_said() -> None:
    bare = ModelInfo("m")
    for field in ("context_window", "served_context_tokens", "parameters_billions", "capabilities"):
        assert getattr(bare, field) is None
        with pytest.raises(FrozenInstanceError):
            setattr(bare, field, 1)
    assert (bare.loaded, bare.remote, bare.embedding_only, bare.base_model) == (False,) * 4
    assert bare.sources == {}


def test_z10_hostile_names_stay_keys_and_reach_no_sentence_unsanitised() -> None:
    evil = "evil\x1b[31m:1b"
    listed = [ModelInfo(evil, display_name="evil\ufffd[31m:1b", context_window=9_000)]
    decision = router(overrides={"code\x1b": "\x1b"}).explain("fast", listed)
    assert decision.model == evil
    assert "\x1b" not in decision.summary
    wrong = RoutingProfile("mi\x1bne", required_capabilities=("\x1b",), fallback_profile="\x1b")
    failed = router().explain(wrong, listed)
    texts = [failed.summary, *(w.message for w in failed.warnings)]
    texts += [c.detail for hop in failed.hops for c in hop.candidates]
    assert failed.error is not None
    texts += [failed.error.message, failed.error.cause, *failed.error.actions]
    texts.append(router().explain(RoutingProfile("mi\x1bne"), listed).summary)
    assert all("\x1b" not in text for text in texts)
