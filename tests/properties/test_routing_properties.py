"""Properties 7 to 13 and 20 of the design, on models and profiles of any kind."""

import string
from collections.abc import Callable, Sequence
from itertools import permutations
from math import prod
from typing import TypeVar

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ollm_tui.core.error import RoutingError
from ollm_tui.core.model import ModelCapabilities, ModelInfo
from ollm_tui.core.name import name_key
from ollm_tui.routing.capability import capability_field
from ollm_tui.routing.database import ModelDatabase
from ollm_tui.routing.decision import Code, Decision, Outcome, Verdict
from ollm_tui.routing.facts import enrich
from ollm_tui.routing.family import detect_family
from ollm_tui.routing.pattern import matches_pattern
from ollm_tui.routing.profile import BUILT_IN_PROFILES, RoutingProfile, name_fold
from ollm_tui.routing.router import Router
from ollm_tui.routing.settings import RoutingConfig

T = TypeVar("T")

DATABASE = ModelDatabase()
FAMILIES = ("llama", "mistral", "codellama", "phi", "gemma", "unknown", "deepseek-coder", "qwen")
NAME_CHARACTERS = string.ascii_letters + string.digits + "._-"

NAMES = (
    "llama3.1:8b", "llama3.1", "LLAMA3.1:latest", "llama3.1:70b", "llama9", "phi3:mini", "bge-m3",
    "user/qwen3:8b", "codellama:7b", "starcoder2:3b", "gemma:2b", "zz:x", "zz9:x", "zz10:x", "a b",
)  # fmt: skip
ABLE = tuple(
    ModelCapabilities(tool_calling=tools, vision=vision, streaming=streaming)
    for tools in (False, True)
    for vision in (False, True)
    for streaming in (True, True, False)
)


def each_of(build: Callable[..., T], **choices: Sequence[object]) -> st.SearchStrategy[T]:
    """Every combination of the choices, all equally likely.

    One number is drawn for the whole thing and not one for each field: drawing is what these
    tests spend their time on.
    """

    def decode(number: int) -> T:
        fields = {}
        for field, options in choices.items():
            number, index = divmod(number, len(options))
            fields[field] = options[index]
        return build(**fields)

    return st.integers(0, prod(map(len, choices.values())) - 1).map(decode)


models = each_of(
    ModelInfo,
    name=[*NAMES, "\x00", "é:1", "[", "x" * 90, "a/b/c/d", ":"],
    family=FAMILIES,
    context_window=[131_072, 16_384, 8_192, 8_191, 4_096, 2_048, None, 0],
    capabilities=[None, *ABLE],
    parameters_billions=[None, 0.5, 7.0, 8.0, 70.0],
    size_bytes=[0, 10**9, 5 * 10**9, 40 * 10**9],
    loaded=[False, True],
    remote=[False, True],
)
model_lists = st.lists(models, max_size=6)
profiles = each_of(
    RoutingProfile,
    name=["fast", "general", "code"],
    preferred_families=[
        tuple(families)
        for size in range(4)
        for families in permutations(["llama", "code", " Mistral ", "phi", "", "codellama"], size)
    ],
    min_context_window=[0, 2_048, 8_192, 16_384],
    required_capabilities=[(), ("streaming",), ("toolCalling",), ("vision", "streaming")],
    fallback_profile=[None, "fast", "general", "nowhere"],
    size_preference=["largest-that-fits", "smallest"],
)
configs = each_of(
    RoutingConfig,
    memory_budget_bytes=[None, 1, 10 * 10**9],
    family_match=["substring", "exact"],
    allow_remote=[True, False],
    prefer_loaded=[False, True],
)


def decide(config: RoutingConfig, profile: RoutingProfile, listed: list[ModelInfo]) -> Decision:
    return Router(database=DATABASE, config=config).explain(profile, listed)


def context_of(model: ModelInfo) -> int:
    if model.context_window and model.context_window > 0:
        return model.context_window
    return DATABASE.get_model_limits(model.name).context_window


def winner(decision: Decision, listed: list[ModelInfo]) -> ModelInfo:
    return next(model for model in listed if model.name == decision.model)


overridden = st.dictionaries(
    st.sampled_from(["fast", "general", "code"]),
    st.sampled_from(["llama3.1", "phi3:mini", "gone:1b"]),
)

THOROUGH = settings(max_examples=max(200, settings().max_examples))


@THOROUGH
@given(profile=profiles, listed=model_lists, overrides=overridden)
def test_property_7(
    profile: RoutingProfile, listed: list[ModelInfo], overrides: dict[str, str]
) -> None:
    """Feature: stage-07-model-management, Property 7: For any model selection by the router, the
    returned model name should be present in the list of available models provided to the router.
    """
    router = Router(database=DATABASE, config=RoutingConfig(overrides=overrides))
    if router.explain(profile, listed).error:
        with pytest.raises(RoutingError) as caught:
            router.select_model(profile, listed)
        assert caught.value.actions
    else:
        assert router.select_model(profile, listed) in [model.name for model in listed]


@THOROUGH
@given(config=configs, profile=profiles, listed=model_lists)
def test_property_8(
    config: RoutingConfig, profile: RoutingProfile, listed: list[ModelInfo]
) -> None:
    """Feature: stage-07-model-management, Property 8: For any routing profile with preferred
    families, when multiple models match the requirements, the router should select a model from
    the first matching preferred family.
    """
    decision = decide(config, profile, listed)
    assume(decision.model is not None)
    candidates = decision.hops[-1].candidates
    slots = [c.slot or 99 for c in candidates if c.verdict is not Verdict.DROPPED]
    assert slots[0] == min(slots)
    assert slots == sorted(slots)


@THOROUGH
@given(listed=st.lists(st.sampled_from(FAMILIES), min_size=1, max_size=6), data=st.data())
def test_property_8_against_plain_reading(listed: list[str], data: st.DataObject) -> None:
    """Feature: stage-07-model-management, Property 8: For any routing profile with preferred
    families, when multiple models match the requirements, the router should select a model from
    the first matching preferred family.

    With whole families that do not hold one another, the plain sentence is the whole rule.
    """
    plain = ["mistral", "phi", "gemma", "qwen", "codellama", "deepseek-coder"]
    preferred = data.draw(st.permutations(plain))
    able = ModelCapabilities(streaming=True)
    installed = [
        ModelInfo(f"zz{i}:1b", family=family, context_window=10**5, capabilities=able)
        for i, family in enumerate(listed)
    ]
    profile = RoutingProfile("mine", preferred_families=tuple(preferred))
    chosen = winner(Router(database=DATABASE).explain(profile, installed), installed)
    first = next((family for family in preferred if family in listed), None)
    assert first is None or chosen.family == first


@THOROUGH
@given(config=configs, profile=profiles, listed=model_lists)
def test_property_9(
    config: RoutingConfig, profile: RoutingProfile, listed: list[ModelInfo]
) -> None:
    """Feature: stage-07-model-management, Property 9: For any routing profile, the selected model
    should have a context window greater than or equal to the profile's minimum context window
    requirement.

    With a fallback, the minimum is that of the profile that found the model (decision R9).
    """
    decision = decide(config, profile, listed)
    assume(decision.model is not None)
    resolved = decision.hops[-1].profile
    assert decision.resolved_profile == resolved.name
    assert context_of(winner(decision, listed)) >= resolved.min_context_window
    if len(decision.hops) == 1:
        assert resolved is profile


@THOROUGH
@given(config=configs, profile=profiles, listed=model_lists)
def test_property_10(
    config: RoutingConfig, profile: RoutingProfile, listed: list[ModelInfo]
) -> None:
    """Feature: stage-07-model-management, Property 10: For any routing profile with required
    capabilities, the selected model should support all capabilities listed in the requirements.
    """
    decision = decide(config, profile, listed)
    assume(decision.model is not None)
    chosen = winner(decision, listed)
    able = chosen.capabilities or DATABASE.get_model_capabilities(chosen.name)
    for name in decision.hops[-1].profile.required_capabilities:
        assert getattr(able, capability_field(name) or "")


@THOROUGH
@given(config=configs, profile=profiles, listed=model_lists)
def test_every_model_gets_exactly_one_verdict_at_every_hop(
    config: RoutingConfig, profile: RoutingProfile, listed: list[ModelInfo]
) -> None:
    decision = decide(config, profile, listed)
    for hop in decision.hops:
        assert sorted(c.model for c in hop.candidates) == sorted(m.name for m in listed)
        selected = [c for c in hop.candidates if c.verdict is Verdict.SELECTED]
        assert len(selected) == (1 if hop.outcome is Outcome.SELECTED else 0)
        assert all(c.detail for c in hop.candidates)
    if decision.model is None:
        assert decision.error is not None
        assert all(c.verdict is Verdict.DROPPED for h in decision.hops for c in h.candidates)
    assert decision.summary


@THOROUGH
@given(config=configs, profile=profiles, listed=model_lists, data=st.data())
def test_the_order_of_the_list_does_not_matter(
    config: RoutingConfig, profile: RoutingProfile, listed: list[ModelInfo], data: st.DataObject
) -> None:
    keys = [name_key(model.name) for model in listed]
    assume(len(set(keys)) == len(keys))
    other = data.draw(st.permutations(listed))
    assert decide(config, profile, list(other)) == decide(config, profile, listed)


@THOROUGH
@given(config=configs, profile=profiles, listed=model_lists)
def test_removing_a_loser_does_not_change_the_winner(
    config: RoutingConfig, profile: RoutingProfile, listed: list[ModelInfo]
) -> None:
    decision = decide(config, profile, listed)
    assume(decision.model is not None and len(listed) > 1)
    # Under every name that it has: without the first of two, the second would count (decision R23).
    losers = {name_key(c.model) for c in decision.hops[-1].candidates}
    losers.discard(name_key(decision.model or ""))
    assume(losers)
    without = [model for model in listed if name_key(model.name) != min(losers)]
    assert decide(config, profile, without).model == decision.model


@THOROUGH
@given(st.lists(st.integers(-1, 50), min_size=1, max_size=50))
def test_any_graph_of_fallbacks_ends(links: list[int]) -> None:
    names = [*(f"p{i}" for i in range(51)), None]
    graph = [
        RoutingProfile(f"P{i}", min_context_window=10**9, fallback_profile=names[link])
        for i, link in enumerate(links)
    ]
    decision = Router(graph, DATABASE).explain("p0", [ModelInfo("llama3.1:8b")])
    visited = [name_fold(hop.profile.name) for hop in decision.hops]
    assert len(set(visited)) == len(visited) <= len(links)
    assert decision.reason is Code.NO_COMPATIBLE
    assert decision.hops[-1].outcome in (
        Outcome.FALLBACK_CYCLE,
        Outcome.FALLBACK_UNKNOWN,
        Outcome.NO_FALLBACK,
    )


GLOB_NAMES = st.text("ab:/.^", max_size=8)


def glob_tokens() -> st.SearchStrategy[list[str]]:
    """Lists of "*", "?", single characters, and sets given as their members."""
    sets = st.tuples(st.booleans(), st.text("ab:", min_size=1, max_size=3)).map(
        lambda parts: f"{'[!' if parts[0] else '['}{parts[1]}]"
    )
    return st.lists(st.sampled_from(["*", "?", "a", "b", ":", "/", "."]) | sets, min_size=1)


def reads(name: str, tokens: list[str]) -> bool:
    """Glob matching as one would explain it, with no regular expression."""
    if not tokens:
        return not name
    head, rest = tokens[0], tokens[1:]
    if head == "*":
        return reads(name, rest) or (bool(name) and reads(name[1:], tokens))
    if not name:
        return False
    if head == "?":
        fits = True
    elif head.startswith("[!"):
        fits = name[0] not in head[2:-1]
    elif head.startswith("["):
        fits = name[0] in head[1:-1]
    else:
        fits = name[0] == head
    return fits and reads(name[1:], rest)


@THOROUGH
@given(name=GLOB_NAMES, tokens=glob_tokens().filter(lambda tokens: len(tokens) <= 8))
def test_property_11(name: str, tokens: list[str]) -> None:
    """Feature: stage-07-model-management, Property 11: For any model name and glob pattern, the
    pattern matching should correctly identify matches using standard glob syntax (*, ?, []).
    """
    pattern = "".join(tokens)
    assert matches_pattern(name, pattern) is reads(name, tokens)
    assert matches_pattern(name, pattern.replace("[!", "[^")) is reads(name, tokens)


@THOROUGH
@given(
    name=st.text(max_size=40) | st.from_regex(r"[a-z0-9.]{1,8}(:[a-z0-9]{1,4})?", fullmatch=True)
)
def test_property_12(name: str) -> None:
    """Feature: stage-07-model-management, Property 12: For any model that matches a database
    entry, the returned limits should include both contextWindow and maxOutputTokens fields.
    """
    limits = DATABASE.get_model_limits(name)
    assert limits.context_window > 0
    assert 0 < limits.max_output_tokens <= limits.context_window


@st.composite
def matching_globs(draw: st.DrawFn, name: str) -> str:
    """A glob that matches `name`: a part of it, or nothing, gives way to a wildcard."""
    start = draw(st.integers(0, len(name)))
    end = draw(st.integers(start, min(start + 4, len(name))))
    cut = name[start:end]
    holes = {"*", "?" * len(cut), "".join(f"[{character}-z]" for character in cut), cut}
    return name[:start] + draw(st.sampled_from(sorted(holes))) + name[end:]


@THOROUGH
@given(name=st.sampled_from(["llama3:8b", "llama3.1:70b-q4", "zz:x", "ns/m:t"]), data=st.data())
def test_property_13(name: str, data: st.DataObject) -> None:
    """Feature: stage-07-model-management, Property 13: For any model name that matches multiple
    database patterns, the system should use the longest (most specific) matching pattern.
    """
    patterns = data.draw(st.lists(matching_globs(name), min_size=2, max_size=5, unique=True))
    patterns.append("other*")
    numbers = {pattern: 1_000_000 + i for i, pattern in enumerate(patterns)}
    database = ModelDatabase({p: {"contextWindow": n} for p, n in numbers.items()})
    everything = [entry.pattern for entry in database.entries]
    longest = max(len(pattern) for pattern in everything if matches_pattern(name, pattern))
    used = database.matching(name)[0]
    assert matches_pattern(name, used.pattern)
    assert len(used.pattern) == longest
    assert database.get_model_limits(name).context_window == used.context_window


# A prefix or suffix may happen to spell another brand; which one wins then is decision D2's.
OTHER_BRANDS = (
    "llava", "qwen", "qwq", "falcon", "olmo", "embed", "nomic", "bge-", "minilm", "mxbai",
    "rerank", "smollm", "gptoss", "dolphin",
)  # fmt: skip
KEYWORDS = ("llama", "mistral", "codellama", "deepseek-coder", "starcoder", "phi", "gemma")


@st.composite
def in_any_case(draw: st.DrawFn, word: str) -> str:
    return "".join(draw(st.sampled_from([c.lower(), c.upper()])) for c in word)


@THOROUGH
@given(
    namespace=st.sampled_from(["", "user/", "host.example:5000/ns/", "phi/", "llama/x/"]),
    prefix=st.text(NAME_CHARACTERS, max_size=6),
    keyword=st.sampled_from(KEYWORDS),
    suffix=st.text(NAME_CHARACTERS, max_size=6),
    tag=st.sampled_from(["", ":8b", ":latest", ":phi"]),
    data=st.data(),
)
def test_property_20(
    namespace: str, prefix: str, keyword: str, suffix: str, tag: str, data: st.DataObject
) -> None:
    """Feature: stage-07-model-management, Property 20: For any model name containing family
    keywords (llama, mistral, codellama, deepseek-coder, starcoder, phi, gemma), the system should
    categorize it into the corresponding family.
    """
    name = f"{namespace}{prefix}{data.draw(in_any_case(keyword))}{suffix}{tag}"
    part = f"{prefix}{keyword}{suffix}".lower()
    assume(not any(brand in part for brand in OTHER_BRANDS))
    longest = max((word for word in KEYWORDS if word in part), key=len)
    assert detect_family(name) == longest


@THOROUGH
@given(models)
def test_enrichment_leaves_nothing_open_and_is_idempotent(model: ModelInfo) -> None:
    once = enrich(model, DATABASE)
    assert (once.context_window or 0) > 0
    assert (once.max_output_tokens or 0) > 0
    assert once.capabilities is not None
    twice = enrich(once, DATABASE)
    assert (twice, dict(twice.sources)) == (once, dict(once.sources))


@THOROUGH
@given(config=configs, listed=model_lists)
def test_enriched_or_not_a_model_is_routed_alike(
    config: RoutingConfig, listed: list[ModelInfo]
) -> None:
    """The router looks up what a model leaves out exactly as enrichment does."""
    marked = [m for m in listed if enrich(m, DATABASE).base_model == m.base_model]
    plain = [m for m in marked if not enrich(m, DATABASE).embedding_only]
    sized = [m for m in plain if enrich(m, DATABASE).parameters_billions == m.parameters_billions]
    router = Router(database=DATABASE, config=config)
    for profile in BUILT_IN_PROFILES:
        enriched = [enrich(model, DATABASE) for model in sized]
        assert router.explain(profile, sized).model == router.explain(profile, enriched).model
