"""For a model that was not chosen: the single changes that would make it win, smallest first.

The changes that are looked at are these, each made alone:

- leave out --model; switch routing on or off; make the model the default while routing is off;
- remove the override of a profile on the way, or let missing overrides pass;
- make the model the override of the profile asked for;
- on a profile that was asked on the way: its minimum of context set to exactly what some installed
  model has, one required capability dropped, the other size rule, another profile to fall back to,
  the model's own family moved to, or added at, any place among the preferred ones;
- the memory budget raised to what the model needs under the profile that decided;
- the other setting of allowRemote, preferLoaded and familyMatch;
- for a model whose context nobody knows: that it has what a profile on the way asks for.

On the way are the profile asked for and its fallbacks. `install_advice` looks at one more model
of the catalogue. Deleting models is never advice. Of changes of one code to one subject only the
cheapest is kept.

Source: routing anchors B3, points 2 and 12.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from ollm_tui.core.model import UNKNOWN_FAMILY, ModelInfo
from ollm_tui.routing.answers import Answers
from ollm_tui.routing.breakpoints import context_steps
from ollm_tui.routing.change import Change, Cost, Edit
from ollm_tui.routing.decision import Decision, Hop, Outcome, Verdict
from ollm_tui.routing.facts import enrich
from ollm_tui.routing.model_changes import DescribeContext, InstallModel
from ollm_tui.routing.profile import LARGEST_THAT_FITS, SMALLEST, RoutingProfile
from ollm_tui.routing.profile_changes import (
    DropCapability,
    SetFallback,
    SetMinContext,
    SetSizePreference,
    prefer_family,
)
from ollm_tui.routing.router import SUGGESTED_SIZE_BYTES
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


class Fix(NamedTuple):
    """One single change that makes a model win."""

    change: Change
    cost: Cost
    sentence: str
    """What to do, safe to print."""
    edits: tuple[Edit, ...]
    """What to write into a configuration file; empty where no setting says it."""


class RowFixes(NamedTuple):
    """The fixes for one model, smallest first; for some models there is none."""

    model: str
    """The raw name."""
    fixes: tuple[Fix, ...]


def fixes(
    situation: Situation,
    models: Sequence[str] | None = None,
    decision: Decision | None = None,
) -> Iterator[RowFixes | None]:
    """Yield the fixes of each model, in the order given; None between, where one may pause.

    Between two yields pass a few milliseconds. Whoever stops asking has cancelled it. The
    smallest fix of each row was tried with the router on every model.

    Args:
        models: raw names, those on the screen first; the winner is passed over. None = all that
            did not win.
        decision: of this situation, where it is known already.
    """
    finder = _Finder(situation, decision or situation.decide())
    for _ in finder.look_at_shared_changes():
        yield None
    names = models if models is not None else [model.name for model in situation.models]
    for name in dict.fromkeys(names):
        if name != finder.decision.model and situation.model(name) is not None:
            yield finder.row(name)


def install_advice(situation: Situation) -> Iterator[Fix | None]:
    """Yield what could be installed so that it wins, smallest first; None between, for a pause.

    Nothing larger than the memory budget or, without one, than the router would suggest.
    """
    answers = Answers(situation)
    limit = situation.config.memory_budget_bytes or SUGGESTED_SIZE_BYTES
    offers = [InstallModel(model) for model in situation.installable()]
    for change in sorted(offers, key=lambda offer: (offer.cost(situation), offer.subject)):
        if change.model.size_bytes > limit:
            continue
        joining = enrich(change.model, situation.database)
        answer = answers.answer(change.apply(situation), joining)
        yield _fix(change, situation) if answer.model == joining.name else None


def _fix(change: Change, situation: Situation) -> Fix:
    return Fix(change, change.cost(situation), change.sentence(situation), change.edits(situation))


class _Finder:
    """The search in one situation."""

    def __init__(self, situation: Situation, decision: Decision) -> None:
        self.decision = decision
        self._situation = situation
        self._answers = Answers(situation)
        self._winning: dict[str, list[Change]] = {}
        """Changes that do not depend on a model, by the model that wins with them."""
        self._by_name = {model.name: model for model in reversed(self._answers.models)}
        known = situation.find_profile(situation.profile)
        self._asked = known.name if known else situation.profile
        last = decision.hops[-1] if decision.hops else None
        self._decisive: Hop | None = last if last and last.outcome is Outcome.SELECTED else None
        self._leaders = self._family_leaders()

    def _family_leaders(self) -> dict[str, ModelInfo]:
        """The best of each family under the profile that decided.

        Whatever the profile prefers, within a family the order stays, so only these can win.
        """
        leaders: dict[str, ModelInfo] = {}
        for candidate in self._decisive.candidates if self._decisive else ():
            if candidate.verdict is not Verdict.DROPPED:
                leaders.setdefault(candidate.family, self._by_name[candidate.model])
        return leaders

    def look_at_shared_changes(self) -> Iterator[None]:
        """Find who wins with each change that does not depend on a model, one a step."""
        for change in self._shared():
            changed = change.apply(self._situation)
            if changed is not self._situation:
                self._note(self._answers.answer(changed).model, change)
            yield
        for hop in self.decision.hops:
            if hop.outcome is not Outcome.OVERRIDE:
                self._look_at_contexts(hop.profile)
                yield

    def _note(self, winner: str | None, change: Change) -> None:
        if winner is not None:
            self._winning.setdefault(winner, []).append(change)

    def _shared(self) -> Iterator[Change]:
        config = self._situation.config
        if config.pinned_model is not None:
            yield Unpin()
            return
        yield SetRouting(not config.enabled)
        if not config.enabled:
            return
        way = [profile.name for profile in self._situation.chain()]
        yield from (RemoveOverride(name) for name in way or [self._asked])
        yield SetStrictOverrides(False)
        yield SetAllowRemote(not config.allow_remote)
        yield SetPreferLoaded(not config.prefer_loaded)
        yield SetFamilyMatch("substring" if config.family_match == "exact" else "exact")
        for hop in self.decision.hops:
            if hop.outcome is not Outcome.OVERRIDE:
                yield from self._shared_of(hop)

    def _shared_of(self, hop: Hop) -> Iterator[Change]:
        profile = hop.profile
        if hop is self._decisive:
            other = LARGEST_THAT_FITS if profile.size_preference == SMALLEST else SMALLEST
            yield SetSizePreference(profile.name, other)
        else:
            for fallback in self._situation.profiles:
                yield SetFallback(profile.name, fallback.name)
        for capability in dict.fromkeys(profile.required_capabilities):
            yield DropCapability(profile.name, capability)

    def _look_at_contexts(self, profile: RoutingProfile) -> None:
        """Find the nearest minimum, of those that models have, at which each model wins."""
        judge = self._situation.router.judge(profile)
        contexts = {judge.context_tokens(model) for model in self._situation.models}
        steps = context_steps(self._answers, profile, self._situation.config)
        nearest: dict[str | None, SetMinContext] = {}
        at = 0
        for tokens in sorted(contexts - {profile.min_context_window}):
            while (upper := steps[at].to_tokens) is not None and upper < tokens:
                at += 1
            best = steps[at].model
            winner = None if best is None else best.name
            change = SetMinContext(profile.name, tokens)
            known = nearest.get(winner)
            if known is None or change.cost(self._situation) < known.cost(self._situation):
                nearest[winner] = change
        beyond = nearest.pop(None, None)
        for winner, change in nearest.items():
            self._note(winner, change)
        if beyond is not None:
            # No model has so much: then its fallbacks answer, the same whatever the minimum is.
            asking = beyond.changed(profile)
            self._answers.remember(asking, self._situation.config, None)
            self._note(self._answers.answer(beyond.apply(self._situation)).model, beyond)

    def row(self, name: str) -> RowFixes:
        """Return the fixes of one model."""
        cheapest: dict[tuple[str, str], Fix] = {}
        for change in (*self._winning.get(name, ()), *self._own(name)):
            fix = _fix(change, self._situation)
            key = (change.code, change.subject)
            if key not in cheapest or fix.cost < cheapest[key].cost:
                cheapest[key] = fix
        found = sorted(cheapest.values(), key=lambda fix: (fix.cost, fix.sentence))
        while found and not self._is_confirmed(found[0].change, name):
            del found[0]
        return RowFixes(name, tuple(found))

    def _is_confirmed(self, change: Change, name: str) -> bool:
        """Whether the router says so on every model; what is named wins among any others."""
        if isinstance(change, SetOverride | SetDefaultModel):
            return True
        return change.apply(self._situation).decide().model == name

    def _own(self, name: str) -> Iterator[Change]:
        """The changes for the sake of one model that make it win."""
        for change, joining in self._considered(name):
            changed = change.apply(self._situation)
            if changed is not self._situation:
                if self._answers.answer(changed, joining).model == name:
                    yield change

    def _considered(self, name: str) -> Iterator[tuple[Change, ModelInfo | None]]:
        if self._situation.config.pinned_model is not None:
            return
        if not self._situation.config.enabled:
            yield SetDefaultModel(name), None
            return
        yield SetOverride(self._asked, name), None
        model = self._by_name.get(name)
        if model is None:
            return  # another name of a model that is listed before
        if self._decisive is not None:
            yield from ((change, None) for change in self._ranking(model, self._decisive))
        yield from self._descriptions(model)

    def _ranking(self, model: ModelInfo, hop: Hop) -> Iterator[Change]:
        """What would rank a model higher under the profile that decided."""
        config = self._situation.config
        family = next((f for f, leader in self._leaders.items() if leader is model), None)
        if family is not None and family != UNKNOWN_FAMILY:
            for place in range(len(hop.profile.preferred_families) + 1):
                change = prefer_family(hop.profile, family, place)
                asking = change.changed(hop.profile)
                judge = self._situation.router.judge(asking)
                best = judge.best_of([*self._leaders.values()], 1)[0]
                self._answers.remember(asking, config, best)
                if best is model:
                    yield change
        need = self._situation.router.judge(hop.profile).memory_bytes(model)
        if config.memory_budget_bytes is not None and need > config.memory_budget_bytes:
            yield SetMemoryBudget(need)

    def _descriptions(self, model: ModelInfo) -> Iterator[tuple[Change, ModelInfo]]:
        """For a model of unknown context: that it has what a profile on the way asks for."""
        way = list(self._situation.chain())
        if not way:
            return
        judge = self._situation.router.judge(way[0])
        if not judge.is_context_assumed(model):
            return
        for tokens in sorted({profile.min_context_window for profile in way}):
            if tokens > judge.context_tokens(model):
                change = DescribeContext(model.name, tokens)
                joining = change.apply(replace(self._situation, models=(model,))).models[0]
                yield change, joining
