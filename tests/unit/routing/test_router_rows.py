"""The decisions R1 to R33 about the router, one test or more for each."""

import json
import random
from dataclasses import replace
from typing import Any

import pytest

from ollm_tui.core.error import (
    DefaultNotInstalled,
    NoCompatibleModels,
    NoModelsInstalled,
    OverrideNotInstalled,
    UnknownProfile,
)
from ollm_tui.core.model import ModelCapabilities, ModelInfo
from ollm_tui.routing.decision import Code, Outcome, Verdict, Via, decision_json
from ollm_tui.routing.profile import RoutingProfile
from tests.unit.routing.build import DATABASE, candidate, model, models, router, warning_codes


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


def test_r12_codellama_is_a_llama_unless_families_match_exactly() -> None:
    mine = families("llama")
    assert candidate(router().explain(mine, models("codellama:7b")), "codellama:7b").slot == 1
    exact = router(exact_families=True).explain(mine, models("codellama:7b", "llama3.1:8b"))
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
    assert warning_codes(decision) == ["BLANK_FAMILY"]


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
    assert row.detail == "needs 47.3 GB, 16.0 GB are there"


def test_r16_of_models_over_the_budget_the_smallest_wins_with_a_warning() -> None:
    listed = [
        model("llama3.1:70b", size_bytes=43 * 10**9),
        model("llama3.1:405b", size_bytes=243 * 10**9),
    ]
    decision = router(memory_budget_bytes=10**9).explain("general", listed)
    assert decision.model == "llama3.1:70b"
    assert warning_codes(decision) == ["OVER_BUDGET"]


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


def test_r21_a_base_model_comes_after_the_chat_models_of_its_slot() -> None:
    listed = models("starcoder2:15b", "starcoder2:3b-instruct")
    decision = router().explain("code", listed)
    assert decision.model == "starcoder2:3b-instruct"
    assert candidate(decision, "starcoder2:15b").code is Code.BASE_MODEL
    alone = router().explain("code", models("starcoder2:15b"))
    assert alone.model == "starcoder2:15b"
    assert warning_codes(alone) == ["BASE_MODEL"]


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


@pytest.mark.parametrize("tokens", [0, -1, None])
def test_r24_a_context_that_is_none_is_looked_up(tokens: int | None) -> None:
    known = ModelInfo("llama3.1:8b", context_window=tokens)
    unknown = ModelInfo("zzz", context_window=tokens)
    assert chosen("general", [known]) == "llama3.1:8b"
    assert chosen("fast", [unknown]) == "zzz"
    assert chosen("general", [unknown]) is None


def test_r24_no_minimum_takes_any_context() -> None:
    assert chosen(RoutingProfile("mine"), [model("zzz", context_window=1)]) == "zzz"


def test_r25_the_trained_context_filters_and_a_smaller_served_one_warns() -> None:
    served = model("llama3.1:8b", served_context_tokens=4_096)
    decision = router().explain("general", [served])
    assert decision.model == "llama3.1:8b"
    assert decision.served_context == 4_096
    assert warning_codes(decision) == ["SERVED_CONTEXT_TOO_SMALL"]
    assert "set numCtx: 8192" in decision.warnings[0].message
    enough = router().explain("general", [model("llama3.1:8b", served_context_tokens=8_192)])
    assert enough.warnings == ()


def test_r26_the_output_limit_never_filters() -> None:
    assert chosen("general", [model("llama3.1:8b", max_output_tokens=1)]) == "llama3.1:8b"


def test_r27_remote_models_are_eligible_marked_and_never_the_smallest_by_their_stub() -> None:
    stub = model("phi9:cloud", remote=True, size_bytes=380, context_window=131_072)
    local = model("phi3:x", size_bytes=2 * 10**9)
    assert chosen("fast", [stub, local]) == "phi3:x"
    decision = router().explain("fast", [stub])
    assert (decision.model, warning_codes(decision)) == ("phi9:cloud", ["REMOTE"])


def test_r27_remote_models_can_be_forbidden() -> None:
    stub = model("gpt-oss:120b-cloud", remote=True)
    decision = router(allow_remote=False).explain("general", [stub])
    assert candidate(decision, stub.name).code is Code.REMOTE_NOT_ALLOWED
    assert decision.model is None


def test_r27_a_remote_model_needs_no_memory_here() -> None:
    stub = model("llama3.1:405b", remote=True, size_bytes=243 * 10**9)
    decision = router(memory_budget_bytes=1).explain("general", [stub])
    assert warning_codes(decision) == ["REMOTE"]


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


def test_r33_loaded_models_are_preferred_only_when_asked_for() -> None:
    listed = [model("llama3.1:70b"), model("llama3.1:8b", loaded=True)]
    assert chosen("general", listed) == "llama3.1:70b"
    decision = router(prefer_loaded=True).explain("general", listed)
    assert decision.model == "llama3.1:8b"
    assert candidate(decision, "llama3.1:70b").detail == "loaded: llama3.1:8b is in memory"


def test_r33_being_loaded_does_not_beat_a_specialist() -> None:
    listed = [model("llama3.1:8b", loaded=True), model("qwen2.5-coder:7b")]
    assert chosen("code", listed, prefer_loaded=True) == "qwen2.5-coder:7b"


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
