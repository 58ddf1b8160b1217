"""Random routing situations: few models of many kinds, profiles that lead to one another."""

from collections.abc import Sequence

from hypothesis import strategies as st

from ollm_tui.core.model import ModelCapabilities, ModelInfo
from ollm_tui.routing.database import ModelDatabase
from ollm_tui.routing.facts import enrich
from ollm_tui.routing.profile import RoutingProfile
from ollm_tui.routing.settings import RoutingConfig
from ollm_tui.routing.situation import Situation
from tests.properties.test_routing_properties import each_of

DATABASE = ModelDatabase()
NAMES = (
    "llama3.1:8b", "llama3.1", "LLAMA3.1:latest", "llama3.1:70b", "phi3:mini", "user/qwen3:8b",
    "codellama:7b", "zz:x", "zz10:x", "zz9:x", "starcoder2:3b", "a b", "é:1",
)  # fmt: skip
FAMILIES = ("unknown", "llama", "Llama", "mistral", "codellama", "phi", "x-llama-phi")
LAYERS = {
    "block_count": 32,
    "attention.head_count": 32,
    "attention.head_count_kv": 8,
    "embedding_length": 4_096,
}
"""131,072 bytes of cache for each token."""
ABLE = tuple(
    ModelCapabilities(tool_calling=tools, vision=vision, streaming=streaming)
    for tools in (False, True)
    for vision in (False, True)
    for streaming in (True, True, True, True, False)
)
PROFILES = ("fast", "general", "code", "Mine")


def models(contexts: Sequence[int | None], sizes: Sequence[int]) -> st.SearchStrategy[ModelInfo]:
    """Enriched models."""
    return each_of(
        ModelInfo,
        name=NAMES,
        family=FAMILIES,
        context_window=contexts,
        capabilities=[None, *ABLE],
        parameters_billions=[None, 7.0, 8.0],
        size_bytes=sizes,
        loaded=[False, True],
        remote=[False] * 4 + [True],
        base_model=[False] * 4 + [True],
        metadata=[{}, LAYERS],
    ).map(lambda model: enrich(model, DATABASE))


def profiles(minimums: Sequence[int]) -> st.SearchStrategy[RoutingProfile]:
    """Profiles of every name."""
    return each_of(
        RoutingProfile,
        name=PROFILES,
        preferred_families=[
            (),
            ("llama", "mistral"),
            ("phi", "codellama", " Llama "),
            ("", "mistral", "phi", "llama"),
            ("code", "lama", "phi"),
        ],
        min_context_window=minimums,
        required_capabilities=[
            (),
            (),
            ("streaming",),
            ("streaming",),
            ("tools", "tool_calling"),
            ("vision", "streaming"),
            ("flying",),
        ],
        fallback_profile=[None, "fast", "general", "CODE", "mine", "nowhere", " "],
        size_preference=["largest-that-fits", "smallest"],
    )


def configs(budgets: Sequence[int | None]) -> st.SearchStrategy[RoutingConfig]:
    """Settings; routing is mostly on."""
    return each_of(
        RoutingConfig,
        enabled=[True] * 12 + [False],
        overrides=[
            {},
            {},
            {},
            {},
            {},
            {},
            {"code": "llama3.1"},
            {"General": "phi3:mini", "fast": "gone:1b"},
            {" CODE ": "zz:x", "code": "codellama:7b"},
            {"nobody": "phi3:mini"},
        ],
        default_model=[None, "phi3:mini", "LLAMA3.1"],
        pinned_model=[None] * 19 + ["zz:x"],
        strict_overrides=[False, True],
        memory_budget_bytes=budgets,
        family_match=["substring", "exact"],
        allow_remote=[True, False],
        prefer_loaded=[False, True],
    )


def situations(
    contexts: Sequence[int | None] = (131_072, 16_384, 8_192, 4_096, 2_048, None),
    minimums: Sequence[int] = (0, 4_096, 8_192, 16_384, 16_384, 200_000),
    sizes: Sequence[int] = (0, 10**9, 3 * 10**9, 5 * 10**9),
    budgets: Sequence[int | None] = (None, 3 * 10**9, 6 * 10**9),
    least: int = 0,
) -> st.SearchStrategy[Situation]:
    """Situations with up to nine models and four profiles.

    Args:
        least: how many models there are at least.
    """
    return st.builds(
        Situation,
        profile=st.sampled_from((*PROFILES * 3, "CODE", "nobody")),
        models=st.lists(models(contexts, sizes), min_size=least, max_size=9).map(tuple),
        profiles=st.lists(
            profiles(minimums), min_size=2, max_size=4, unique_by=lambda profile: profile.name
        ).map(tuple),
        config=configs(budgets),
        database=st.just(DATABASE),
    )


def close_situations() -> st.SearchStrategy[Situation]:
    """Situations in which many models meet a profile, and little tells them apart."""
    billion = 10**9
    alike = each_of(
        ModelInfo,
        name=[f"zz{index}:x" for index in range(12)],
        family=["llama", "codellama"],
        context_window=[8_192, 16_384, 32_768],
        capabilities=[ModelCapabilities(streaming=True)],
        size_bytes=[billion, 2 * billion, 3 * billion, 4 * billion],
        loaded=[False, True],
        remote=[False, False, True],
        metadata=[{}, LAYERS],
    ).map(lambda model: enrich(model, DATABASE))
    lenient = each_of(
        RoutingProfile,
        name=PROFILES,
        preferred_families=[(), ("llama",), ("codellama", "llama")],
        min_context_window=[4_096, 8_192, 16_384],
        fallback_profile=["general", "code", "Mine"],
        size_preference=["largest-that-fits", "smallest"],
    )
    settings = each_of(
        RoutingConfig,
        memory_budget_bytes=[None, 2 * billion, 4 * billion],
        family_match=["substring", "exact"],
        allow_remote=[True, False],
        prefer_loaded=[False, True],
    )
    return st.builds(
        Situation,
        profile=st.sampled_from(PROFILES),
        models=st.lists(alike, min_size=3, max_size=8).map(tuple),
        profiles=st.lists(lenient, min_size=3, max_size=4, unique_by=lambda p: p.name).map(tuple),
        config=settings,
        database=st.just(DATABASE),
    )


def small_situations() -> st.SearchStrategy[Situation]:
    """Situations in which every number of tokens can be tried."""
    million = 10**6
    return situations(
        contexts=range(1, 21, 2),
        minimums=(0, 1, 7, 25),
        sizes=(0, million, 2 * million),
        budgets=(None, 2 * million, 3 * million),
    )
