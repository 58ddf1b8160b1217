"""The what-if form: everything that decides, field by field."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ollm_tui.core.text import clean_line
from ollm_tui.ui import format as words
from ollm_tui.ui.keymap import named
from ollm_tui.ui.simulator.field import (
    NONE,
    Field,
    Question,
    amount,
    beyond,
    described,
    one_of,
    some,
    starting,
)

if TYPE_CHECKING:
    from ollm_tui.routing.change import Change
    from ollm_tui.routing.profile import RoutingProfile
    from ollm_tui.routing.settings import RoutingConfig
    from ollm_tui.routing.situation import Situation
    from ollm_tui.ui.simulator.view import Scene

CONTEXT_STEPS = (0, *(2048 << doubled for doubled in range(8)))
"""In tokens: none, 2k to 256k."""
_COMMON = ("toolCalling", "vision", "streaming", "thinking")
"""Capabilities that always have a line; the others have one once they are asked for."""


def fields(scene: "Scene") -> Iterator[Field]:
    """Every field of the form: the profile's, then models, then those of all routing."""
    now, before = scene.now, scene.what_if.start
    profile = now.find_profile(now.profile)
    if profile is not None:
        yield from _profile(now, profile, before.find_profile(profile.name) or profile)
    yield _override(now, before)
    yield from _models(now, before)
    yield from _settings(now, before)


def _settings(now: "Situation", before: "Situation") -> Iterator[Field]:
    from ollm_tui.routing import settings_changes as settings

    config, was = now.config, before.config
    yield Field(
        "enabled",
        "routing",
        "on" if config.enabled else f"off: always {config.default_model or 'nothing'}",
        f"{named('what_if.switch')} switches",
        config.enabled != was.enabled,
        switch=lambda: settings.SetRouting(not config.enabled),
    )
    if config.pinned_model is not None:
        yield Field(
            "pinned",
            "asked for",
            clean_line(config.pinned_model),
            f"{named('what_if.switch')} leaves out --model",
            switch=settings.Unpin,
        )
    yield Field(
        "remote",
        "other machines",
        "allowed" if config.allow_remote else "not allowed",
        f"{named('what_if.switch')} switches: models that run on another machine",
        config.allow_remote != was.allow_remote,
        switch=lambda: settings.SetAllowRemote(not config.allow_remote),
    )
    yield Field(
        "loaded",
        "loaded first",
        "yes" if config.prefer_loaded else "no",
        f"{named('what_if.switch')} switches: a model in memory wins a tie",
        config.prefer_loaded != was.prefer_loaded,
        switch=lambda: settings.SetPreferLoaded(not config.prefer_loaded),
    )
    match = "exact" if config.family_match == "substring" else "substring"
    yield Field(
        "match",
        "families by",
        "part of the name" if config.family_match == "substring" else "the whole name",
        f"{named('what_if.switch')} switches: whether llama covers codellama",
        config.family_match != was.family_match,
        switch=lambda: settings.SetFamilyMatch(match),
    )
    budget = config.memory_budget_bytes
    yield Field(
        "budget",
        "memory",
        "no limit" if budget is None else f"{words.size(budget)}; larger models rank last",
        _of_memory(config) + "enter types another limit, such as 16G",
        budget != was.memory_budget_bytes,
        question=Question(
            "Memory that a model may take",
            "bytes, such as 16G; none for no limit",
            "" if budget is None else f"{budget / 1e9:g}G",
            lambda text: settings.SetMemoryBudget(amount(text, "bytes")),
        ),
    )


def _profile(now: "Situation", profile: "RoutingProfile", was: "RoutingProfile") -> Iterator[Field]:
    from ollm_tui.routing import profile_changes as changes
    from ollm_tui.routing.profile import SMALLEST

    name, tokens = profile.name, profile.min_context_window

    def step(by: int) -> "Change | None":
        further = beyond(CONTEXT_STEPS, tokens, by)
        return None if further is None else changes.SetMinContext(name, further)

    yield Field(
        "context",
        "context",
        f"≥ {tokens:,} tokens" if tokens else "any",
        f"{_steps()} step, enter types a number",
        tokens != was.min_context_window,
        step=step,
        question=Question(
            f"Context that {name} asks for",
            "tokens, such as 16384 or 16k; 0 for any",
            str(tokens),
            lambda text: changes.SetMinContext(name, amount(text, "tokens") or 0),
        ),
    )
    yield from _capabilities(profile, was)
    yield from _families(now, profile, was)
    names = [NONE, *(other.name for other in now.profiles if other.name != name)]
    fallback = profile.fallback_profile or NONE

    def fall_back(by: int) -> "Change | None":
        at = names.index(fallback) if fallback in names else 0
        other = names[(at + by) % len(names)]
        return changes.SetFallback(name, None if other == NONE else other)

    yield Field(
        "fallback",
        "fallback",
        clean_line(fallback),
        f"{_steps()} choose another profile",
        profile.fallback_profile != was.fallback_profile,
        step=fall_back,
    )
    is_smallest = profile.size_preference == SMALLEST
    yield Field(
        "size",
        "when equal",
        "the smallest" if is_smallest else "the largest that fits",
        f"{named('what_if.switch')} switches",
        profile.size_preference != was.size_preference,
        switch=lambda: changes.SetSizePreference(
            name, "largest-that-fits" if is_smallest else SMALLEST
        ),
    )


def _capabilities(profile: "RoutingProfile", was: "RoutingProfile") -> Iterator[Field]:
    from ollm_tui.routing.capability import CAPABILITY_NAMES, capability_field
    from ollm_tui.routing.profile_changes import DropCapability, RequireCapability

    required = {capability_field(name) for name in profile.required_capabilities}
    required_before = {capability_field(name) for name in was.required_capabilities}
    asked = required | required_before
    for name in CAPABILITY_NAMES:
        if name not in _COMMON and capability_field(name) not in asked:
            continue
        is_on = capability_field(name) in required

        def switch(name: str = name, is_on: bool = is_on) -> "Change":
            change = DropCapability if is_on else RequireCapability
            return change(profile.name, name)

        yield Field(
            ("capability", name),
            f"needs {name}",
            "✓ yes" if is_on else "– no",
            f"{named('what_if.switch')} switches",
            is_on != (capability_field(name) in required_before),
            switch=switch,
        )
    rare = [name for name in CAPABILITY_NAMES if name not in _COMMON]
    yield Field(
        "add capability",
        "needs …",
        "…",
        f"enter names another: {', '.join(rare)}",
        question=Question(
            f"Something else that {profile.name} needs",
            ", ".join(rare),
            "",
            lambda text: RequireCapability(profile.name, one_of(text, rare)),
            lambda typed: starting([(name, "") for name in rare], typed),
        ),
    )
    for name in profile.required_capabilities:
        if capability_field(name) is None:
            yield Field(
                ("capability", name),
                "needs",
                f"{clean_line(name)}, which no model can have",
                f"{named('what_if.remove')} drops it",
                remove=lambda name=name: DropCapability(profile.name, name),  # type: ignore[misc]
            )


def _families(
    now: "Situation", profile: "RoutingProfile", was: "RoutingProfile"
) -> Iterator[Field]:
    from ollm_tui.routing.profile_changes import SetFamilies

    families = profile.preferred_families
    before = was.preferred_families
    down, up, out = named("what_if.down"), named("what_if.up"), named("what_if.remove")
    moving = f"{down} and {up} move it, {out} takes it out"
    for index, family in enumerate(families):

        def shift(by: int, index: int = index) -> "Change | None":
            other = index + by
            if not 0 <= other < len(families):
                return None
            order = list(families)
            order[index], order[other] = order[other], order[index]
            return SetFamilies(profile.name, tuple(order))

        def remove(index: int = index) -> "Change":
            return SetFamilies(profile.name, families[:index] + families[index + 1 :])

        yield Field(
            ("family", family),
            f"family {index + 1}",
            clean_line(family),
            moving,
            index >= len(before) or before[index] != family,
            shift=shift,
            remove=remove,
        )
    known = sorted({model.family for model in (*now.models, *now.catalogue)} - set(families))
    yield Field(
        "add family",
        "add family",
        "…",
        "enter names one",
        question=Question(
            f"A family for {profile.name} to prefer, after the others",
            "such as qwen",
            "",
            lambda text: SetFamilies(profile.name, (*families, some(text, "a family"))),
            lambda typed: starting([(family, "") for family in known], typed),
        ),
    )


def _override(now: "Situation", before: "Situation") -> Field:
    from ollm_tui.routing.settings_changes import RemoveOverride, SetOverride

    profile = now.profile
    model = _override_of(now)
    names = [NONE, *(m.name for m in now.models)]

    def choose(name: str) -> "Change":
        return RemoveOverride(profile) if name == NONE else SetOverride(profile, name)

    def step(by: int) -> "Change | None":
        at = names.index(model) if model in names else 0
        return choose(names[(at + by) % len(names)])

    return Field(
        "override",
        "override",
        NONE if model is None else clean_line(model),
        f"{_steps()} choose, enter names one, {named('what_if.remove')} removes it",
        model != _override_of(before),
        step=step,
        remove=None if model is None else lambda: RemoveOverride(profile),
        question=Question(
            f"The model that {profile} always gets",
            "an installed model, or none",
            model or "",
            lambda text: choose(some(text, "a model's name")),
            lambda typed: starting([(NONE, ""), *described(now.models)], typed),
        ),
    )


def _models(now: "Situation", before: "Situation") -> Iterator[Field]:
    from ollm_tui.routing.model_changes import InstallModel, RemoveModel, SetNumCtx, virtual_model

    yield Field(
        "served",
        "numCtx",
        "as served now",
        "enter types the context that the server should give",
        question=Question(
            "Context that the server gives every model (options.numCtx)",
            "tokens, such as 16k",
            "",
            lambda text: SetNumCtx(amount(text, "tokens") or 0),
        ),
    )
    installed = {model.name for model in before.models}
    present = {model.name for model in now.models}
    yield Field(
        "add model",
        "add model",
        "…",
        "enter names one that is not installed",
        question=Question(
            "A model to have as well, without a download",
            "a name of the catalogue, or any other",
            "",
            lambda text: InstallModel(virtual_model(some(text, "a model's name"), now)),
            lambda typed: starting(described(now.installable()), typed),
        ),
    )
    yield Field(
        "remove model",
        "without",
        "…",
        "enter names a model to do without",
        question=Question(
            "A model to do without; nothing is deleted",
            "an installed model",
            "",
            lambda text: RemoveModel(one_of(text, present)),
            lambda typed: starting(described(now.models), typed),
        ),
    )
    for model in now.models:
        if model.name not in installed:
            yield Field(
                ("virtual", model.name),
                "+ model",
                clean_line(model.display_name),
                f"tried, not installed; {named('what_if.remove')} takes it out",
                is_changed=True,
                remove=lambda name=model.name: RemoveModel(name),  # type: ignore[misc]
            )
    for model in before.models:
        if model.name not in present:
            yield Field(
                ("gone", model.name),
                "- model",
                clean_line(model.display_name),
                f"done without; {named('what_if.remove')} brings it back",
                is_changed=True,
                remove=lambda model=model: InstallModel(model),  # type: ignore[misc]
            )


def _steps() -> str:
    return f"{named('what_if.more')} and {named('what_if.less')}"


def _of_memory(config: "RoutingConfig") -> str:
    if not config.has_usual_budget:
        return ""
    return f"three quarters of the {words.size(config.memory_bytes or 0)} of this machine; "


def _override_of(situation: "Situation") -> str | None:
    keys = situation.override_keys(situation.profile)
    return situation.config.overrides[keys[-1]] if keys else None
