"""Advice against brute force: every single change is made, and the router asked on everything.

The oracle is a plain reading of what `routing/fixes.py` says it looks at, on every profile.
"""

from collections.abc import Iterator
from dataclasses import fields, replace
from functools import cache
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from ollm_tui.core.error import RoutingError
from ollm_tui.core.model import ModelCapabilities, ModelInfo
from ollm_tui.routing.breakpoints import breakpoints
from ollm_tui.routing.capability import capability_field
from ollm_tui.routing.change import Change, Cost
from ollm_tui.routing.decision import Code, Decision, Verdict, Via
from ollm_tui.routing.difference import differences
from ollm_tui.routing.facts import enrich
from ollm_tui.routing.fixes import fixes, install_advice
from ollm_tui.routing.matrix import LETTERS, Mark, matrix, uses
from ollm_tui.routing.model_changes import DescribeContext, InstallModel
from ollm_tui.routing.profile import RoutingProfile, name_fold
from ollm_tui.routing.profile_changes import (
    DropCapability,
    SetFallback,
    SetMinContext,
    SetSizePreference,
    prefer_family,
)
from ollm_tui.routing.remedies import remedies
from ollm_tui.routing.router import SUGGESTED_SIZE_BYTES, Router
from ollm_tui.routing.settings_changes import (
    RemoveOverride,
    SetAllowRemote,
    SetDefaultModel,
    SetFamilyMatch,
    SetMemoryBudget,
    SetOverride,
    SetPreferLoaded,
    SetRouting,
    SetStrictOverrides,
    Unpin,
)
from ollm_tui.routing.situation import Situation
from tests.properties.situations import (
    DATABASE,
    close_situations,
    models,
    situations,
    small_situations,
)

THOROUGH = settings(max_examples=max(200, settings().max_examples))


def explain(situation: Situation, profile: str | None = None) -> Decision:
    """The router on all models."""
    router = Router(situation.profiles, situation.database, situation.config)
    return router.explain(profile or situation.profile, situation.models)


def select(situation: Situation) -> str | None:
    """The router on all models, or None where it raises."""
    router = Router(situation.profiles, situation.database, situation.config)
    try:
        return router.select_model(situation.profile, situation.models)
    except RoutingError:
        return None


def way(situation: Situation) -> list[RoutingProfile]:
    """The profile asked for and those it leads to, by name."""
    by_fold = {name_fold(profile.name): profile for profile in situation.profiles}
    found: list[RoutingProfile] = []
    name: str | None = situation.profile
    while name is not None and (profile := by_fold.pop(name_fold(name), None)):
        found.append(profile)
        name = profile.fallback_profile
    return found


def single_changes(situation: Situation, target: str) -> Iterator[Change]:
    """Every change that could be advice for one model."""
    config = situation.config
    yield Unpin()
    yield from (SetRouting(value) for value in (True, False))
    yield SetDefaultModel(target)
    yield from (SetStrictOverrides(value) for value in (True, False))
    yield from (SetAllowRemote(value) for value in (True, False))
    yield from (SetPreferLoaded(value) for value in (True, False))
    yield from (SetFamilyMatch(value) for value in ("exact", "substring"))
    asked = next((profile.name for profile in way(situation)), situation.profile)
    yield SetOverride(asked, target)
    yield RemoveOverride(asked)
    # Of two entries with one name the first is the model.
    models = [model for model in situation.models if model.name == target][:1]
    contexts = {model.context_window or 0 for model in situation.models}
    for profile in way(situation):
        name = profile.name
        yield RemoveOverride(name)
        yield from (SetMinContext(name, tokens) for tokens in contexts)
        yield from (DropCapability(name, c) for c in profile.required_capabilities)
        yield from (SetSizePreference(name, v) for v in ("smallest", "largest-that-fits"))
        yield from (SetFallback(name, other.name) for other in situation.profiles)
        yield SetFallback(name, None)
        for model in models:
            if model.family != "unknown":
                for place in range(len(profile.preferred_families) + 1):
                    yield prefer_family(profile, model.family, place)
            if model.sources["context_window"] == "default":
                tokens = profile.min_context_window
                if tokens > (model.context_window or 0):
                    yield DescribeContext(target, tokens)
    resolved = explain(situation).hops[-1:]
    budget = config.memory_budget_bytes
    for hop in resolved:
        judge = Router(situation.profiles, DATABASE, config).judge(hop.profile)
        for model in models:
            if budget is not None and judge.memory_bytes(model) > budget:
                yield SetMemoryBudget(judge.memory_bytes(model))


class BruteForce:
    """Makes every change in one situation; what some models have in common is made once."""

    def __init__(self, situation: Situation) -> None:
        self._situation = situation
        self.winner_with = cache(lambda change: select(change.apply(situation)))

    def cheapest(self, target: str) -> dict[tuple[str, str], Cost]:
        """The cost of the cheapest change of each kind to each subject that makes it win."""
        found: dict[tuple[str, str], Cost] = {}
        for change in single_changes(self._situation, target):
            if self.winner_with(change) == target:
                key = (change.code.value, change.subject)
                cost = change.cost(self._situation)
                found[key] = min(found.get(key, cost), cost)
        return found


@THOROUGH
@given(situations(least=3) | close_situations())
def test_fixes_are_those_of_a_brute_force_in_existence_and_in_cost(situation: Situation) -> None:
    brute_force = BruteForce(situation)
    winner = select(situation)
    rows = [row for row in fixes(situation) if row is not None]
    losers = dict.fromkeys(m.name for m in situation.models if m.name != winner)
    assert [row.model for row in rows] == list(losers)
    for row in rows:
        shown = {(fix.change.code.value, fix.change.subject): fix.cost for fix in row.fixes}
        assert shown == brute_force.cheapest(row.model)
        assert [fix.cost for fix in row.fixes] == sorted(shown.values())
        for fix in row.fixes:
            assert brute_force.winner_with(fix.change) == row.model
            assert fix.cost == fix.change.cost(situation)
            assert fix.sentence.endswith(".")


@THOROUGH
@given(small_situations())
def test_breakpoints_are_exact_at_every_number_of_tokens(situation: Situation) -> None:
    segments = breakpoints(situation)
    assert segments[0].from_tokens == 0
    assert segments[-1].to_tokens is None
    for before, after in pairwise(segments):
        assert before.to_tokens == after.from_tokens - 1
        assert before[2:] != after[2:]
    for segment in segments:
        upper = 30 if segment.to_tokens is None else segment.to_tokens
        for tokens in range(segment.from_tokens, upper + 1):
            asked = SetMinContext(situation.profile, tokens).apply(situation)
            decision = explain(asked)
            found = (decision.model, decision.resolved_profile, decision.via)
            assert found == segment[2:], tokens


@THOROUGH
@given(situations() | close_situations())
def test_breakpoints_are_exact_at_their_ends(situation: Situation) -> None:
    for segment in breakpoints(situation):
        upper = 10**7 if segment.to_tokens is None else segment.to_tokens
        for tokens in (segment.from_tokens, upper):
            asked = SetMinContext(situation.profile, tokens).apply(situation)
            assert select(asked) == segment.model


def lacks(model: ModelInfo, profile: RoutingProfile, letter: str) -> bool:
    """Whether a letter tells the truth of a model."""
    able = model.capabilities or ModelCapabilities()
    required = [capability_field(name) for name in profile.required_capabilities]
    is_small = (model.context_window or 0) < profile.min_context_window
    named = {"T": "tool_calling", "V": "vision", "S": "streaming"}
    if letter in named:
        return named[letter] in required and not getattr(able, named[letter])
    return {
        "C": is_small,
        "?": is_small and model.sources["context_window"] == "default",
        "X": None in required,
        "E": model.embedding_only,
        "R": model.remote,
        "D": True,
    }[letter]


@THOROUGH
@given(situations())
def test_the_matrix_is_what_each_profile_selects(situation: Situation) -> None:
    columns = list(matrix(situation))
    assert [column.profile for column in columns] == [p.name for p in situation.profiles]
    firsts = {model.name: model for model in reversed(situation.models)}
    for column, profile in zip(columns, situation.profiles, strict=True):
        decision = explain(situation, profile.name)
        assert column.model == select(situation.asking(profile.name))
        assert column.cells.keys() == firsts.keys()
        winners = [n for n, c in column.cells.items() if c.mark in (Mark.WINNER, Mark.FALLBACK)]
        assert winners == ([column.model] if column.model is not None else [])
        if decision.hops:
            hop = decision.hops[0].candidates
            eligible = {c.model for c in hop if c.verdict is Verdict.ELIGIBLE}
            marked = {n for n, c in column.cells.items() if c.mark is Mark.ELIGIBLE}
            assert marked == eligible - {column.model}
        for name, cell in column.cells.items():
            assert bool(cell.letter) == (cell.mark is Mark.DROPPED) or cell.mark is Mark.FALLBACK
            if cell.letter and len([m for m in situation.models if m.name == name]) == 1:
                assert cell.letter in LETTERS
                assert lacks(firsts[name], profile, cell.letter)
    used = uses(columns, situation.models)
    picked = {select(situation.asking(profile.name)) for profile in situation.profiles}
    assert set(used.orphans) == firsts.keys() - picked


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Situation, Situation]:
    """Two situations that have much in common."""
    before = draw(situations())
    other = draw(situations())
    parts = [field.name for field in fields(Situation)]
    taken = draw(st.sets(st.sampled_from(parts), max_size=2))
    return before, replace(before, **{part: getattr(other, part) for part in taken})


@THOROUGH
@given(pairs())
def test_differences_are_the_profiles_whose_decisions_differ(
    pair: tuple[Situation, Situation],
) -> None:
    before, after = pair
    found = {change.profile: change for change in differences(before, after) if change}
    for name in {profile.name for profile in (*before.profiles, *after.profiles)}:
        was = explain(before, name) if before.find_profile(name) else None
        now = explain(after, name) if after.find_profile(name) else None
        if was is None or now is None:
            assert (name in found) == (was is not now)
        else:
            same = all(
                getattr(was, part) == getattr(now, part)
                for part in ("model", "resolved_profile", "via", "reason")
            )
            assert (name in found) != same
            if not same:
                assert found[name].before == was
                assert found[name].after == now
                assert found[name].cause.endswith(".")


@THOROUGH
@given(situations(), st.lists(models((131_072, 8_192, None), (0, 10**9, 9 * 10**9)), max_size=4))
def test_install_advice_is_what_wins_when_it_is_there(
    situation: Situation, offers: list[ModelInfo]
) -> None:
    situation = replace(situation, catalogue=tuple(offers))
    limit = situation.config.memory_budget_bytes or SUGGESTED_SIZE_BYTES
    expected = []
    for model in situation.installable():
        after = replace(situation, models=(*situation.models, enrich(model, DATABASE)))
        if model.size_bytes <= limit and select(after) == model.name:
            expected.append(InstallModel(model))
    found = [fix for fix in install_advice(situation) if fix is not None]
    assert [fix.cost for fix in found] == sorted(change.cost(situation) for change in expected)
    assert {fix.change.subject for fix in found} == {change.subject for change in expected}


@THOROUGH
@given(situations() | close_situations())
def test_after_its_remedy_a_warning_is_gone(situation: Situation) -> None:
    served = [replace(model, served_context_tokens=2_048) for model in situation.models]
    situation = replace(situation, models=tuple(served))
    decision = explain(situation)
    found = remedies(situation, decision)
    assert [remedy.warning for remedy in found] == list(decision.warnings)
    for warning, change in found:
        assert change is None or warning not in explain(change.apply(situation)).warnings
        helpless = (Code.FALLBACK_USED, Code.CONTEXT_ASSUMED, Code.BASE_MODEL)
        if warning.code is not Code.REMOTE or decision.via is not Via.OVERRIDE:
            assert (change is None) == (warning.code in helpless)
