"""Which of the models that fit is best: decisions R11 to R17, R21, R25, R27, R33."""

import random
from dataclasses import replace
from typing import Any

import pytest

from ollm_tui.core.model import ModelCapabilities, ModelInfo
from ollm_tui.routing.decision import Code, Verdict
from ollm_tui.routing.profile import RoutingProfile
from tests.unit.routing.build import candidate, model, models, router, warning_codes


def chosen(profile: Any, listed: list[ModelInfo], **settings: Any) -> str | None:
    return router(**settings).explain(profile, listed).model


def families(*preferred: str, **more: Any) -> RoutingProfile:
    return RoutingProfile("mine", preferred_families=preferred, **more)


def test_r11_the_longest_entry_that_a_family_holds_is_its_slot() -> None:
    decision = router().explain(families("llama", "codellama"), models("codellama:7b"))
    assert candidate(decision, "codellama:7b").slot == 2


def test_r11_an_equal_family_comes_before_one_that_holds_the_entry() -> None:
    mine = families("llama", "mistral")
    assert chosen(mine, models("mistral:7b", "codellama:7b")) == "codellama:7b"
    decision = router().explain(mine, models("codellama:7b", "llama3.1:8b"))
    assert decision.model == "llama3.1:8b"
    row = candidate(decision, "codellama:7b")
    assert (row.slot, row.code) == (1, Code.LOST_TIEBREAK)
    assert row.detail.startswith("family: codellama")


def test_r11_of_equally_long_entries_the_first_counts() -> None:
    decision = router().explain(families("ama", "lla"), models("llama3.1:8b"))
    assert candidate(decision, "llama3.1:8b").slot == 1


def test_r11_a_longer_entry_counts_before_an_earlier_one() -> None:
    decision = router().explain(families("ama", "llama"), models("codellama:7b"))
    assert candidate(decision, "codellama:7b").slot == 2


def test_r12_codellama_is_a_llama_unless_families_match_exactly() -> None:
    mine = families("llama")
    assert candidate(router().explain(mine, models("codellama:7b")), "codellama:7b").slot == 1
    exact = router(family_match="exact").explain(mine, models("codellama:7b", "llama3.1:8b"))
    assert candidate(exact, "codellama:7b").slot is None
    assert candidate(exact, "llama3.1:8b").slot == 1


def test_r13_the_given_family_counts_and_else_the_names() -> None:
    mine = families("llama")
    given = ModelInfo("zzz", family="LLaMA", context_window=9, capabilities=ModelCapabilities())
    assert candidate(router().explain(mine, [given]), "zzz").slot == 1
    unset = ModelInfo("llama9:1b", context_window=9)
    assert candidate(router().explain(mine, [unset]), "llama9:1b").slot == 1


def test_r13_facts_that_are_given_are_trusted() -> None:
    mine = RoutingProfile("mine", min_context_window=5, required_capabilities=("vision",))
    blind = ModelCapabilities(streaming=True)
    small = ModelInfo("llama3.1:8b", context_window=4, capabilities=blind)
    assert candidate(router().explain(mine, [small]), small.name).code is Code.CONTEXT_TOO_SMALL
    seeing = replace(
        small, name="zzz", context_window=5, capabilities=ModelCapabilities(False, True)
    )
    assert chosen(mine, [small, seeing]) == "zzz"


@pytest.mark.parametrize("preferred", [("",), (" ", "\t")])
def test_r14_blank_families_are_no_preference_and_warned_of_once(
    preferred: tuple[str, ...],
) -> None:
    decision = router().explain(families(*preferred), models("llama3.1:8b"))
    assert candidate(decision, "llama3.1:8b").slot is None
    assert [(w.code, w.message) for w in decision.warnings] == [
        (Code.BLANK_FAMILY, "mine has a blank preferred family; it is ignored.")
    ]


def test_r14_families_are_trimmed() -> None:
    decision = router().explain(families(" llama "), models("llama3.1:8b"))
    assert candidate(decision, "llama3.1:8b").slot == 1


def test_r15_repeated_families_count_once() -> None:
    decision = router().explain(families("Phi", "phi", "PHI", "llama"), models("llama3.1:8b"))
    assert candidate(decision, "llama3.1:8b").slot == 2


def test_r16_the_default_is_the_largest_and_fast_takes_the_smallest() -> None:
    listed = models("llama3.1:8b", "llama3.1:70b", "llama3.2:3b")
    assert chosen("general", listed) == "llama3.1:70b"
    phis = models("phi3:14b", "phi3:3.8b")
    assert chosen("fast", phis) == "phi3:3.8b"
    decision = router().explain("general", listed)
    assert candidate(decision, "llama3.2:3b").detail == "size: 3B, llama3.1:70b is 70B"


def test_r16_a_model_over_the_budget_ranks_last_in_its_slot_but_stays() -> None:
    listed = [
        model("llama3.1:8b", size_bytes=5 * 10**9),
        model("llama3.1:70b", size_bytes=43 * 10**9),
        model("qwen3:8b", size_bytes=5 * 10**9),
    ]
    decision = router(memory_budget_bytes=16 * 10**9).explain("general", listed)
    assert decision.model == "llama3.1:8b"
    row = candidate(decision, "llama3.1:70b")
    assert (row.code, row.verdict) == (Code.OVER_BUDGET, Verdict.ELIGIBLE)
    assert row.detail == "needs 47.3 GB, the limit is 16.0 GB"


def test_r16_of_models_over_the_budget_the_smallest_wins_with_a_warning() -> None:
    listed = [
        model("llama3.1:70b", size_bytes=43 * 10**9),
        model("llama3.1:405b", size_bytes=243 * 10**9),
    ]
    decision = router(memory_budget_bytes=10**9).explain("general", listed)
    assert decision.model == "llama3.1:70b"
    assert [(w.code, w.message) for w in decision.warnings] == [
        (
            Code.OVER_BUDGET,
            "llama3.1:70b needs about 47.3 GB of memory; the limit is 1.0 GB, by memoryBudget.",
        )
    ]


def test_a_limit_that_nobody_set_is_told_as_a_share_of_the_memory() -> None:
    listed = [model("llama3.1:70b", size_bytes=43 * 10**9)]
    usual = router(memory_budget_bytes=18 * 10**9, memory_bytes=24 * 10**9)
    (warning,) = usual.explain("general", listed).warnings
    assert warning.message.endswith(
        "the limit is 18.0 GB, three quarters of the 24.0 GB of this machine."
    )
    one_that_is_set = router(memory_budget_bytes=16 * 10**9, memory_bytes=24 * 10**9)
    (warning,) = one_that_is_set.explain("general", listed).warnings
    assert warning.message.endswith("the limit is 16.0 GB, by memoryBudget.")


def test_r16_a_thousand_shuffles_of_fifty_models_give_one_answer() -> None:
    kinds = ["llama3.1", "llama3.2", "qwen3", "mistral", "codellama", "zzz", "nomic-embed-text"]
    listed = [
        model(f"{kind}:{size}b", size_bytes=size * 10**9 // 2)
        for kind in kinds
        for size in (1, 3, 7, 8, 14, 32, 70, 72)
    ][:50]
    ask = router(memory_budget_bytes=20 * 10**9)
    first = ask.explain("general", listed)
    shuffler = random.Random(7)
    for _ in range(1_000):
        shuffler.shuffle(listed)
        assert ask.explain("general", listed) == first


def test_r16_larger_contexts_then_natural_names_break_ties() -> None:
    mine = RoutingProfile("mine")
    listed = [model("b:x", context_window=9), model("a:x", context_window=8)]
    decision = router().explain(mine, listed)
    assert decision.model == "b:x"
    assert candidate(decision, "a:x").detail == "context: 8 < 9"
    names = router().explain(mine, models("m10:x", "m9:x"))
    assert names.model == "m9:x"
    assert candidate(names, "m10:x").detail == "name: after m9:x"
    assert router().explain(mine, models("m:x-a", "m:x")).model == "m:x"


def test_r17_unknown_sizes_come_after_known_ones() -> None:
    listed = [model("b:x", size_bytes=9 * 10**9), model("a:x"), model("c:1b")]
    decision = router().explain(RoutingProfile("mine"), listed)
    assert [c.model for c in decision.hops[0].candidates] == ["c:1b", "b:x", "a:x"]
    small = RoutingProfile("mine", size_preference="smallest")
    decision = router().explain(small, listed)
    assert [c.model for c in decision.hops[0].candidates] == ["c:1b", "b:x", "a:x"]


def test_r17_equal_parameters_go_by_bytes() -> None:
    listed = [model("a:8b", size_bytes=4 * 10**9), model("b:8b", size_bytes=8 * 10**9)]
    assert chosen(RoutingProfile("mine"), listed) == "b:8b"
    assert chosen(RoutingProfile("mine", size_preference="smallest"), listed) == "a:8b"


@pytest.mark.parametrize("count", [float("nan"), float("inf"), -1.0, 0.0])
def test_r17_a_parameter_count_that_is_none_is_unknown(count: float) -> None:
    listed = [model("a:x", parameters_billions=count), model("b:x", parameters_billions=1.0)]
    assert chosen(RoutingProfile("mine"), listed) == "b:x"


def test_r17_sizes_that_read_alike_are_alike() -> None:
    listed = [
        model("a:x", parameters_billions=8.03, size_bytes=4 * 10**9),
        model("b:x", parameters_billions=8.04, size_bytes=3 * 10**9),
    ]
    assert chosen(RoutingProfile("mine"), listed) == "a:x"


def test_r17_without_parameters_bytes_go_by_the_size_preference() -> None:
    listed = [model("a:x", size_bytes=5 * 10**9), model("b:x", size_bytes=9 * 10**9)]
    assert chosen(RoutingProfile("mine"), listed) == "b:x"
    assert chosen(RoutingProfile("mine", size_preference="smallest"), listed) == "a:x"


@pytest.mark.parametrize("count", [float("nan"), float("inf"), -1.0, 0.0])
def test_r17_a_parameter_count_that_is_none_is_not_the_smallest(count: float) -> None:
    listed = [model("a:x", parameters_billions=count), model("b:x", parameters_billions=1.0)]
    assert chosen(RoutingProfile("mine", size_preference="smallest"), listed) == "b:x"


def test_r21_a_base_model_comes_after_the_chat_models_of_its_slot() -> None:
    listed = models("starcoder2:15b", "starcoder2:3b-instruct")
    decision = router().explain("code", listed)
    assert decision.model == "starcoder2:3b-instruct"
    assert candidate(decision, "starcoder2:15b").code is Code.BASE_MODEL
    alone = router().explain("code", models("starcoder2:15b"))
    assert alone.model == "starcoder2:15b"
    assert [(w.code, w.message) for w in alone.warnings] == [
        (Code.BASE_MODEL, "starcoder2:15b continues text and does not chat.")
    ]


def test_r25_the_trained_context_filters_and_a_smaller_served_one_warns() -> None:
    served = model("llama3.1:8b", served_context_tokens=4_096)
    decision = router().explain("general", [served])
    assert decision.model == "llama3.1:8b"
    assert decision.served_context == 4_096
    assert warning_codes(decision) == ["SERVED_CONTEXT_TOO_SMALL"]
    assert "set numCtx: 8192" in decision.warnings[0].message
    enough = router().explain("general", [model("llama3.1:8b", served_context_tokens=8_192)])
    assert enough.warnings == ()
    barely = model("llama3:8b", context_window=8_192, served_context_tokens=4_096)
    assert warning_codes(router().explain("general", [barely])) == ["SERVED_CONTEXT_TOO_SMALL"]


def test_r25_what_prompts_ask_for_counts_as_served() -> None:
    loaded = model("llama3.1:8b", served_context_tokens=4_096)
    asking = router(num_ctx=16_384).explain("general", [loaded])
    assert (asking.served_context, asking.warnings) == (16_384, ())
    small = router(num_ctx=2_048).explain("general", [model("llama3.1:8b")])
    assert warning_codes(small) == ["SERVED_CONTEXT_TOO_SMALL"]
    assert "would give it 2,048 tokens" in small.warnings[0].message
    trained = router(num_ctx=10**6).explain("general", [model("llama3:8b")])
    assert trained.served_context == 8_192
    told = replace(loaded, sources={"served_context_tokens": "user"})
    assert router(num_ctx=16_384).explain("general", [told]).served_context == 4_096


def test_r26_a_longer_answer_than_the_model_gives_is_warned_of() -> None:
    asking = router(max_tokens=8_192).explain("general", [model("llama3.1:8b")])
    assert asking.model == "llama3.1:8b"
    assert warning_codes(asking) == ["ANSWER_LIMIT"]
    assert "8,192 tokens; llama3.1:8b is known to give 4,096" in asking.warnings[0].message
    assert router(max_tokens=4_096).explain("general", [model("llama3.1:8b")]).warnings == ()
    own = model("llama3.1:8b", max_output_tokens=9_000)
    assert router(max_tokens=9_000).explain("general", [own]).warnings == ()
    assert router(max_tokens=9_001).explain("general", [own]).warnings != ()


def test_r26_without_a_word_of_the_model_itself_the_database_says_how_long_it_answers() -> None:
    asking = router(max_tokens=8_192).explain("general", [ModelInfo("llama3.1:8b")])
    assert "8,192 tokens; llama3.1:8b is known to give 4,096" in asking.warnings[0].message


def test_r27_remote_models_are_eligible_marked_and_never_the_smallest_by_their_stub() -> None:
    stub = model("phi9:cloud", remote=True, size_bytes=380, context_window=131_072)
    local = model("phi9:x", size_bytes=2 * 10**9)
    assert chosen("fast", [stub, local]) == "phi9:x"
    decision = router().explain("fast", [stub])
    assert decision.model == "phi9:cloud"
    assert [(w.code, w.message) for w in decision.warnings] == [
        (Code.REMOTE, "phi9:cloud runs on another machine.")
    ]


def test_r27_a_remote_model_has_no_size_here() -> None:
    listed = [model("b:x", remote=True, size_bytes=380), model("a:x")]
    assert chosen(RoutingProfile("mine"), listed) == "a:x"


def test_r27_remote_models_can_be_forbidden() -> None:
    stub = model("gpt-oss:120b-cloud", remote=True)
    decision = router(allow_remote=False).explain("general", [stub])
    assert candidate(decision, stub.name).code is Code.REMOTE_NOT_ALLOWED
    assert decision.model is None


def test_r27_a_remote_model_needs_no_memory_here() -> None:
    stub = model("llama3.1:405b", remote=True, size_bytes=243 * 10**9)
    decision = router(memory_budget_bytes=1).explain("general", [stub])
    assert warning_codes(decision) == ["REMOTE"]


def test_r33_loaded_models_are_preferred_only_when_asked_for() -> None:
    listed = [model("llama3.1:70b"), model("llama3.1:8b", loaded=True)]
    assert chosen("general", listed) == "llama3.1:70b"
    decision = router(prefer_loaded=True).explain("general", listed)
    assert decision.model == "llama3.1:8b"
    assert candidate(decision, "llama3.1:70b").detail == "loaded: llama3.1:8b is in memory"


def test_r33_being_loaded_does_not_beat_a_specialist() -> None:
    listed = [model("llama3.1:8b", loaded=True), model("qwen2.5-coder:7b")]
    assert chosen("code", listed, prefer_loaded=True) == "qwen2.5-coder:7b"


DETAILS: list[tuple[RoutingProfile | str, list[ModelInfo], dict[str, Any], Code, str]] = [
    # profile, models (the last one counts), settings, what is said of it
    ("fast", [model("a:1b", remote=True)], {"allow_remote": False},
     Code.REMOTE_NOT_ALLOWED, "runs on another machine"),
    ("fast", [model("bge-m3")], {}, Code.EMBEDDING_ONLY, "answers no prompts"),
    ("fast", models("phi3", "phi3:latest"), {}, Code.DUPLICATE, "listed before"),
    ("fast", models("phi3"), {"overrides": {"fast": "phi3"}},
     Code.OVERRIDE_USED, "named by the override"),
    ("fast", models("phi3", "gemma"), {"overrides": {"fast": "phi3"}},
     Code.OVERRIDE_USED, "the override names phi3"),
    ("code", models("starcoder2:3b-instruct", "starcoder2:3b"), {},
     Code.BASE_MODEL, "continues text, does not chat"),
    (families("llama"), models("llama3.1:8b", "codellama:7b"), {},
     Code.LOST_TIEBREAK, "family: codellama is not quite llama"),
    (families("llama", "phi"), models("codellama:7b"), {},
     Code.PREFERRED, "codellama holds llama, choice 1 of 2"),
    (families("llama", "phi"), models("phi3:mini"), {}, Code.PREFERRED, "phi, choice 2 of 2"),
    (families("llama"), models("phi3:mini"), {},
     Code.NOT_PREFERRED, "the best that meets the profile"),
    ("general", models("llama3.1:8b", "llama3:8b"), {},
     Code.LOST_SPECIALIST, "llama3.1:8b is more of a general model"),
    (families(), [model("a:1b"), model("b:x")], {},
     Code.LOST_TIEBREAK, "size: of unknown size, a:1b is 1B"),
    (families(), [model("a:1b"), model("b:x", size_bytes=1_549_999_999)], {},
     Code.LOST_TIEBREAK, "size: 1.5 GB, a:1b is 1B"),
    (families(required_capabilities=("x" * 50,)), models("a:1b"), {},
     Code.CAPABILITY_UNKNOWN,
     f"'{'x' * 39}…' is none of toolCalling, vision, streaming, thinking, insert, embedding, "
     "audio, image"),
]  # fmt: skip


@pytest.mark.parametrize(("profile", "listed", "settings", "code", "detail"), DETAILS)
def test_what_is_said_of_a_model(
    profile: RoutingProfile | str,
    listed: list[ModelInfo],
    settings: dict[str, Any],
    code: Code,
    detail: str,
) -> None:
    row = candidate(router(**settings).explain(profile, listed), listed[-1].name)
    assert (row.code, row.detail) == (code, detail)


def test_advice_goes_by_the_same_order_and_copes_with_a_model_that_is_there_twice() -> None:
    judge = router().judge(RoutingProfile("mine"))
    twins = [model("b:1b"), model("a:8b"), model("a:8b", digest="d"), model("a:8b", digest="c")]
    assert [m.name for m in judge.best_of(models("b:1b", "a:1b"), 2)] == ["a:1b", "b:1b"]
    assert [m.name for m in judge.best_of(twins, 4)] == ["a:8b", "a:8b", "a:8b", "b:1b"]


def test_a_size_that_cannot_be_is_unknown() -> None:
    listed = [model("b:x", size_bytes=-1), model("a:x", size_bytes=1)]
    assert chosen(RoutingProfile("mine", size_preference="smallest"), listed) == "a:x"
