"""The router: which installed model answers a task, and the whole reason why.

Trusts the facts it is given (`facts.enrich` first), asks nobody, and gives one answer for any
order of the list. No I/O, no clock, no randomness.

Source: design, Model Router; Properties 7 to 10.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from ollm_tui.core.error import OverrideNotInstalled, RoutingError, UnknownProfile
from ollm_tui.core.model import ModelInfo
from ollm_tui.core.text import clean_line
from ollm_tui.routing import wording
from ollm_tui.routing.database import ModelDatabase
from ollm_tui.routing.decision import Code, Decision, Hop, Outcome, Remark, Verdict, Via
from ollm_tui.routing.profile import BUILT_IN_PROFILES, RoutingProfile, find_profile, name_fold
from ollm_tui.routing.ranking import Judge, canonical_key
from ollm_tui.routing.settings import RoutingConfig

SUGGESTIONS: Final = 3
SUGGESTED_SIZE_BYTES: Final = 10_000_000_000


class Router:
    """Chooses models by profile. Immutable; a change of settings makes a new one."""

    def __init__(
        self,
        profiles: Sequence[RoutingProfile] = BUILT_IN_PROFILES,
        database: ModelDatabase | None = None,
        config: RoutingConfig | None = None,
        suggestions: Sequence[ModelInfo] = (),
    ) -> None:
        """Take everything the router may know.

        Args:
            suggestions: models that could be installed, for the advice in errors.
        """
        self.profiles: Final = tuple(profiles)
        self.database: Final = database or ModelDatabase()
        self.config: Final = config or RoutingConfig()
        self._suggestions: Final = suggestions
        self._overrides: Final = {
            name_fold(key): (key, model) for key, model in self.config.overrides.items()
        }

    def with_config(self, config: RoutingConfig) -> "Router":
        """Return a router with other settings and the same profiles and database."""
        return Router(self.profiles, self.database, config, self._suggestions)

    def pinned_to(self, model: str) -> "Router":
        """Return a router that always names this model, as --model does."""
        return self.with_config(replace(self.config, pinned_model=model))

    def list_profiles(self) -> tuple[RoutingProfile, ...]:
        """Return every profile, the built-in ones first."""
        return self.profiles

    def get_profile(self, name: str) -> RoutingProfile:
        """Return a profile by name.

        Raises:
            UnknownProfile: with the closest names.
        """
        return find_profile(name, self.profiles)

    def matches_profile(self, model: ModelInfo, profile: RoutingProfile) -> bool:
        """Whether a model meets what the profile requires; what it prefers does not matter."""
        return self.judge(profile).unmet(model) is None

    def select_model(
        self, profile: str | RoutingProfile | None, models: Sequence[ModelInfo]
    ) -> str:
        """Return the name of the best model, exactly as in the list.

        Args:
            profile: a name, a profile as it is, or None for the default profile.

        Raises:
            RoutingError: no model can be named; it carries the decision.

        Source: design, Property 7.
        """
        decision = self.explain(profile, models)
        if decision.error:
            raise decision.error
        assert decision.model is not None  # a decision has one or the other
        return decision.model

    def explain(
        self,
        profile: str | RoutingProfile | None,
        models: Sequence[ModelInfo],
        *,
        provisional: bool = False,
    ) -> Decision:
        """Return the whole decision: every profile asked, every model once in each.

        Never raises: where no model can be named, the decision holds the error.

        Args:
            profile: as for `select_model`.
            models: enriched; in any order.
            provisional: details of some models are still to come.
        """
        asked = self.config.default_profile if profile is None else profile
        walk = _Walk(self, asked, models, provisional)
        if self.config.pinned_model is not None:
            return walk.pinned(self.config.pinned_model, profile_ignored=profile is not None)
        if not self.config.enabled:
            return walk.disabled(self.config.default_model)
        return walk.follow()

    def override_for(self, profile_name: str) -> tuple[str, str] | None:
        """Return a profile's override: the key as written and the model it names."""
        return self._overrides.get(name_fold(profile_name))

    def judge(self, profile: RoutingProfile) -> Judge:
        """Return what judges models against a profile, under this router's settings."""
        return Judge(profile, self.database, self.config)

    def suggest(self, profile: RoutingProfile) -> list[ModelInfo]:
        """Return up to three models that would meet the profile if installed, best first.

        Nobody is sent to pull more than fits, nor, where that is not known, a very large one.
        """
        limit = self.config.memory_budget_bytes or SUGGESTED_SIZE_BYTES
        fitting = [model for model in self._suggestions if model.size_bytes <= limit]
        return self.judge(profile).best_of(fitting, SUGGESTIONS)


def find_model(name: str, models: Sequence[ModelInfo]) -> int | None:
    """Return the index of a model by its exact name, else by Ollama's rules. Decision R2."""
    for index, model in enumerate(models):
        if model.name == name:
            return index
    key = canonical_key(name)
    return next((i for i, model in enumerate(models) if canonical_key(model.name) == key), None)


class _Walk:
    """One run of the selection algorithm, from profile to fallback profile."""

    def __init__(
        self,
        router: Router,
        asked: str | RoutingProfile,
        models: Sequence[ModelInfo],
        provisional: bool,
    ) -> None:
        self._router = router
        self._config = router.config
        self._asked = asked
        self._asked_name = asked if isinstance(asked, str) else asked.name
        self._models = models
        self._provisional = provisional
        self._hops: list[Hop] = []
        self._warnings: list[Remark] = []

    def pinned(self, name: str, *, profile_ignored: bool) -> Decision:
        """The model asked for by name; the profile does not matter. Source: ruling Z20."""
        if profile_ignored:
            self._warn(Code.PINNED, wording.profile_ignored(self._asked_name))
        index = find_model(name, self._models)
        if index is None:
            return self._failed(
                Code.PINNED_NOT_INSTALLED, wording.pinned_missing(name, self._models)
            )
        model = self._models[index]
        return self._found(
            model, Via.PINNED, Code.PINNED, f"{model.display_name}, as it was asked for by name."
        )

    def disabled(self, name: str | None) -> Decision:
        """The default model, as routing is off; never silently another. Source: decision R4."""
        index = None if name is None else find_model(name, self._models)
        if index is None:
            origin = self._config.origins.get("model.default", "")
            error = wording.default_missing(name, origin, self._models)
            return self._failed(Code.DEFAULT_NOT_INSTALLED, error)
        model = self._models[index]
        return self._found(
            model,
            Via.DEFAULT,
            Code.ROUTING_DISABLED,
            f"{model.display_name}, the default model, as routing is off.",
        )

    def follow(self) -> Decision:
        """Ask the profile, then its fallbacks, until one has a model."""
        profile: str | RoutingProfile | None = self._asked
        visited: list[str] = []
        while profile is not None:
            name = profile if isinstance(profile, str) else profile.name
            visited.append(name)
            chosen, error = self._override(name)
            try:
                resolved = self._resolve(profile, overridden=chosen is not None)
            except UnknownProfile as unknown:
                return self._failed(Code.UNKNOWN_PROFILE, unknown)
            if not self._models:
                suggestions = self._router.suggest(resolved)
                return self._failed(
                    Code.NO_MODELS_INSTALLED, wording.nothing_installed(suggestions)
                )
            if error:
                return self._failed(Code.OVERRIDE_NOT_INSTALLED, error)
            judge = self._router.judge(resolved)
            candidates = tuple(judge.judge(self._models, chosen))
            if candidates[0].verdict is Verdict.SELECTED:
                outcome = Outcome.SELECTED if chosen is None else Outcome.OVERRIDE
                self._hops.append(Hop(resolved, candidates, outcome))
                return self._selected(judge)
            outcome, profile = self._next(resolved, visited)
            self._hops.append(Hop(resolved, candidates, outcome))
        suggestions = self._router.suggest(self._hops[0].profile)
        return self._failed(
            Code.NO_COMPATIBLE,
            wording.no_compatible(self._asked_name, self._hops, self._models, suggestions),
        )

    def _override(self, profile_name: str) -> tuple[int | None, OverrideNotInstalled | None]:
        """The index of the model that an override names, or the error where that is strict."""
        override = self._router.override_for(profile_name)
        if override is None:
            return None, None
        key, name = override
        index = find_model(name, self._models)
        if index is None and self._config.strict_overrides:
            origin = self._config.origins.get(f"model.routing.overrides.{key}", "")
            return None, wording.override_missing(key, name, origin, self._models)
        if index is None:
            self._warn(Code.OVERRIDE_NOT_INSTALLED, wording.override_dropped(key, name))
        return index, None

    def _resolve(self, profile: str | RoutingProfile, *, overridden: bool) -> RoutingProfile:
        """The profile itself; an override counts for an unknown name too. Decision R6."""
        if isinstance(profile, RoutingProfile):
            return profile
        try:
            return self._router.get_profile(profile)
        except UnknownProfile:
            if overridden:
                return RoutingProfile(name=profile)
            raise

    def _next(
        self, profile: RoutingProfile, visited: Sequence[str]
    ) -> tuple[Outcome, RoutingProfile | None]:
        """Where a profile falls back to, or how the chain ends. Source: decision R10."""
        fallback = profile.fallback_profile
        if not fallback or not fallback.strip():
            return Outcome.NO_FALLBACK, None
        if name_fold(fallback) in {name_fold(name) for name in visited}:
            self._warn(Code.FALLBACK_CYCLE, wording.fallback_cycle([*visited, fallback]))
            return Outcome.FALLBACK_CYCLE, None
        try:
            return Outcome.FALLBACK, self._router.get_profile(fallback)
        except UnknownProfile:
            known = [known.name for known in self._router.profiles]
            self._warn(Code.FALLBACK_UNKNOWN, wording.fallback_unknown(profile, known))
            return Outcome.FALLBACK_UNKNOWN, None

    def _selected(self, judge: Judge) -> Decision:
        """The decision for the model that the last hop selected."""
        hop = self._hops[-1]
        winner = hop.candidates[0]
        model = next(model for model in self._models if model.name == winner.model)
        if hop.outcome is Outcome.OVERRIDE:
            via, reason = Via.OVERRIDE, Code.OVERRIDE_USED
        elif len(self._hops) > 1:
            via, reason = Via.FALLBACK, Code.FALLBACK_USED
        else:
            via, reason = Via.PROFILE, winner.code
        self._add_warnings(judge, model)
        summary = wording.summary(self._asked_name, self._hops, via, model.display_name)
        return self._found(model, via, reason, summary, hop.profile.name)

    def _add_warnings(self, judge: Judge, model: ModelInfo) -> None:
        """What the user should know of a model that won."""
        first, last = self._hops[0].profile, self._hops[-1].profile
        winner = self._hops[-1].candidates[0]
        if winner.code is Code.OVERRIDE_VIOLATES:
            self._warn(Code.OVERRIDE_VIOLATES, wording.override_violates(last.name, winner))
        if last.min_context_window < first.min_context_window:
            self._warn(Code.FALLBACK_USED, wording.fallback_lowered(first, last))
        tokens = judge.context_tokens(model)
        if judge.is_context_assumed(model):
            self._warn(Code.CONTEXT_ASSUMED, wording.context_assumed(model, tokens))
        served = self._served_tokens(model)
        if served is not None and served < last.min_context_window <= tokens:
            need = last.min_context_window
            self._warn(Code.SERVED_CONTEXT_TOO_SMALL, wording.served_too_small(model, served, need))
        longest = self._longest_answer(model)
        if self._config.max_tokens is not None and self._config.max_tokens > longest:
            self._warn(
                Code.ANSWER_LIMIT, wording.answer_limit(model, self._config.max_tokens, longest)
            )
        if judge.over_budget(model):
            need = judge.memory_bytes(model)
            self._warn(Code.OVER_BUDGET, wording.over_budget(model, need, self._config))
        if model.remote:
            self._warn(Code.REMOTE, f"{model.display_name} runs on another machine.")
        if model.base_model:
            self._warn(Code.BASE_MODEL, f"{model.display_name} continues text and does not chat.")
        if any(not family.strip() for family in last.preferred_families):
            self._warn(
                Code.BLANK_FAMILY, f"{last.name} has a blank preferred family; it is ignored."
            )

    def _longest_answer(self, model: ModelInfo) -> int:
        """The longest answer that a model gives, in tokens. Source: decisions R26 and D14."""
        known = model.max_output_tokens
        if known is not None:
            return known
        return self._router.database.get_model_limits(model.name).max_output_tokens

    def _served_tokens(self, model: ModelInfo) -> int | None:
        """What the server would give: what prompts ask for, else what it gives by itself.

        Source: decision R25. What was said of this one model comes before what is said of all.
        """
        wanted = self._config.num_ctx
        if wanted is None or model.sources.get("served_context_tokens") == "user":
            return model.served_context_tokens
        return min(wanted, model.context_window or wanted)

    def _warn(self, code: Code, message: str) -> None:
        self._warnings.append(Remark(code, message))

    def _found(
        self, model: ModelInfo, via: Via, reason: Code, summary: str, resolved: str | None = None
    ) -> Decision:
        return Decision(
            profile=self._asked_name,
            model=model.name,
            resolved_profile=resolved,
            via=via,
            reason=reason,
            summary=clean_line(summary),
            hops=tuple(self._hops),
            warnings=tuple(self._warnings),
            provisional=self._provisional,
            served_context=self._served_tokens(model),
        )

    def _failed(self, reason: Code, error: RoutingError) -> Decision:
        decision = Decision(
            profile=self._asked_name,
            model=None,
            resolved_profile=None,
            via=None,
            reason=reason,
            summary=str(error),
            hops=tuple(self._hops),
            warnings=tuple(self._warnings),
            provisional=self._provisional,
            error=error,
        )
        error.decision = decision
        return decision
