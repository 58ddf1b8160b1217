"""Profiles: the four of the design, the user's over them, and finding one by name."""

from typing import Any

import pytest

from ollm_tui.core.error import UnknownProfile
from ollm_tui.routing.profile import (
    BUILT_IN_PROFILES,
    RoutingProfile,
    find_profile,
    merge_profiles,
)


@pytest.mark.parametrize(
    ("name", "description", "families", "minimum", "fallback", "size"),
    [
        (
            "fast",
            "Quick responses with smaller models",
            ("phi", "gemma", "mistral"),
            4_096,
            "general",
            "smallest",
        ),
        (
            "general",
            "Balanced performance for most tasks",
            ("llama", "mistral", "qwen"),
            8_192,
            None,
            "largest-that-fits",
        ),
        (
            "code",
            "Optimized for code generation",
            ("codellama", "deepseek-coder", "starcoder"),
            16_384,
            "general",
            "largest-that-fits",
        ),
        (
            "creative",
            "Creative writing and storytelling",
            ("llama", "mistral"),
            8_192,
            "general",
            "largest-that-fits",
        ),
    ],
)
def test_the_built_in_profiles_are_the_designs(
    name: str,
    description: str,
    families: tuple[str, ...],
    minimum: int,
    fallback: str | None,
    size: str,
) -> None:
    profile = find_profile(name, BUILT_IN_PROFILES)
    assert profile.preferred_families == families
    assert profile.min_context_window == minimum
    assert profile.required_capabilities == ("streaming",)
    assert profile.fallback_profile == fallback
    assert profile.size_preference == size
    assert profile.description == description


def test_the_built_in_profiles_keep_their_order() -> None:
    assert [p.name for p in BUILT_IN_PROFILES] == ["fast", "general", "code", "creative"]


@pytest.mark.parametrize("name", ["code", "CODE", " Code "])
def test_r29_a_profile_is_found_exactly_then_without_case_and_blanks(name: str) -> None:
    assert find_profile(name, BUILT_IN_PROFILES).name == "code"


def test_r29_an_exact_name_comes_before_a_folded_one() -> None:
    twins = (RoutingProfile("Code"), RoutingProfile("code"))
    assert find_profile("code", twins) is twins[1]


def test_r29_an_unknown_profile_lists_all_and_names_the_closest() -> None:
    with pytest.raises(UnknownProfile) as caught:
        find_profile("genral", BUILT_IN_PROFILES)
    assert caught.value.message == "Unknown routing profile: 'genral'"
    assert caught.value.actions == ("Did you mean general?",)
    assert caught.value.cause == "the profiles are fast, general, code, creative"
    with pytest.raises(UnknownProfile) as caught:
        find_profile("zzzzzz", BUILT_IN_PROFILES)
    assert caught.value.actions
    assert "mean" not in caught.value.actions[0]


def test_r29_of_several_near_names_all_are_named() -> None:
    with pytest.raises(UnknownProfile) as caught:
        find_profile("cod", (RoutingProfile("code"), RoutingProfile("codes")))
    assert caught.value.actions == ("Did you mean code or codes?",)


def test_r30_the_users_fields_replace_and_new_profiles_follow() -> None:
    profiles, problems = merge_profiles(
        {
            "Code": {"minContextWindow": 32_768, "preferredFamilies": ["qwen"]},
            "legal": {"min_context_window": 0, "sizePreference": "smallest"},
        }
    )
    assert problems == ()
    assert [p.name for p in profiles] == ["fast", "general", "code", "creative", "legal"]
    assert profiles[2].min_context_window == 32_768
    assert profiles[2].preferred_families == ("qwen",)
    assert profiles[2].fallback_profile == "general"
    assert profiles[4] == RoutingProfile("legal", size_preference="smallest")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"minContextWindow": -1}, "minContextWindow should be a whole number, 0 or more"),
        ({"minContextWindow": True}, "minContextWindow should be a whole number"),
        ({"sizePreference": "big"}, "sizePreference should be smallest or largest-that-fits"),
        ({"preferredFamilies": "llama"}, "preferredFamilies should be a list of texts"),
        ({"fallbak": "x"}, "fallbak is unknown"),
        (["x"], "should be a mapping such as {minContextWindow: 8192}"),
        ({"description": 1}, "description should be text, not 1"),
    ],
)
def test_r24_a_bad_field_is_said_and_left_as_it_was(fields: Any, reason: str) -> None:
    profiles, problems = merge_profiles({"code": fields})
    assert profiles == BUILT_IN_PROFILES
    assert problems[0].subject == "code"
    assert problems[0].reason.startswith(reason)


def test_a_profile_without_a_name_is_a_problem() -> None:
    profiles, problems = merge_profiles({" ": {}})
    assert profiles == BUILT_IN_PROFILES
    assert problems[0].reason == "a profile needs a name"


def test_r18_an_unknown_capability_is_a_problem_with_the_closest_name() -> None:
    _, problems = merge_profiles({"code": {"requiredCapabilities": ["toolcaling"]}})
    assert problems[0].reason == (
        "requiredCapabilities no model can have 'toolcaling'; did you mean toolCalling?"
    )
    _, problems = merge_profiles({"code": {"requiredCapabilities": ["zzz"]}})
    assert "known: toolCalling, vision" in problems[0].reason


def test_r18_tools_is_an_alias_with_a_notice() -> None:
    _, problems = merge_profiles({"code": {"requiredCapabilities": ["tools"]}})
    assert [problem.reason for problem in problems] == [
        "requiredCapabilities tools is read as toolCalling"
    ]


@pytest.mark.parametrize("name", ["toolCalling", "tool_calling", "vision", "streaming"])
def test_r18_known_capabilities_are_no_problem(name: str) -> None:
    assert merge_profiles({"code": {"requiredCapabilities": [name]}})[1] == ()
