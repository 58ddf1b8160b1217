"""A decision written down as a scenario: the plain data of a case that passes when it is run.

What a scenario file has no words for is said, and so is a case that would not pass.

Source: cli.md, scenario file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from ollm_tui.core.error import ScenarioError
from ollm_tui.core.model import UNKNOWN_FAMILY, ModelInfo
from ollm_tui.core.text import clean_line
from ollm_tui.routing.capability import CAPABILITY_FIELDS
from ollm_tui.routing.decision import Decision
from ollm_tui.routing.profile import RoutingProfile
from ollm_tui.routing.scenario import read_scenarios, run_scenarios
from ollm_tui.routing.situation import Situation

Plain = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Recording:
    """A scenario file of one case."""

    data: Plain
    """The whole file; its case is data["cases"][0]."""
    decision: Decision
    """What was recorded."""
    failures: tuple[str, ...]
    """Why the case does not pass under the settings it will be run with; empty = it passes."""

    @property
    def case(self) -> Plain:
        """The case alone, to add to a file that has the same models."""
        case: Plain = self.data["cases"][0]
        return case


def record(
    situation: Situation,
    base: Situation | None = None,
    *,
    name: str | None = None,
    with_models: bool = True,
) -> Recording:
    """Return the decision of a situation as a scenario that was run once.

    Args:
        situation: what was decided, changes included.
        base: the settings and the installed models that the case will be run with; None = these.
        name: of the case; None = a sentence.
        with_models: write the models down too, so that it passes whatever is installed later;
            else only those that differ from the ones of `base`.
    """
    base = base or situation
    decision = situation.decide()
    case: Plain = {"name": name or _name(decision)}
    case["profile"] = _profile(situation, base)
    if not with_models:
        case.update(_other_models(situation, base))
    overrides = _overrides(situation, base)
    if overrides:
        case["overrides"] = overrides
    case["expect"] = _expected(decision)
    data: Plain = {"models": "installed"}
    if with_models:
        data["models"] = [model_data(model) for model in situation.models]
    if situation.config.memory_budget_bytes is not None:
        data["memory_budget_bytes"] = situation.config.memory_budget_bytes
    data["cases"] = [case]
    return Recording(data, decision, _failures(data, base))


def _failures(data: Plain, base: Situation) -> tuple[str, ...]:
    try:
        (result,) = run_scenarios(read_scenarios(data), base.router, base.models)
    except ScenarioError as error:
        return error.problems
    return result.failures


def _name(decision: Decision) -> str:
    return clean_line(f"{decision.profile} chooses {decision.model or 'no model'}")


def _profile(situation: Situation, base: Situation) -> str | Plain:
    """The profile's name, or the profile itself where the settings have another one."""
    profile = situation.find_profile(situation.profile)
    if profile is None or profile == base.find_profile(situation.profile):
        return situation.profile
    return profile_data(profile)


def profile_data(profile: RoutingProfile) -> Plain:
    """Return a profile as a scenario or a configuration file has it, its name included."""
    data: Plain = {
        "name": profile.name,
        "preferredFamilies": list(profile.preferred_families),
        "minContextWindow": profile.min_context_window,
        "requiredCapabilities": list(profile.required_capabilities),
        "sizePreference": profile.size_preference,
    }
    if profile.fallback_profile and profile.fallback_profile.strip():
        data["fallbackProfile"] = profile.fallback_profile
    return data


def _overrides(situation: Situation, base: Situation) -> Mapping[str, str]:
    """Those that the settings lack; one that was removed cannot be said."""
    old = base.config.overrides
    return {k: m for k, m in situation.config.overrides.items() if old.get(k) != m}


def _other_models(situation: Situation, base: Situation) -> Plain:
    """The models to add to those of `base` and to remove from them."""
    old = {model.name: model for model in base.models}
    new = {model.name: model for model in situation.models}
    add = [model_data(model) for name, model in new.items() if old.get(name) != model]
    remove = [name for name in old if name not in new]
    return {**({"add": add} if add else {}), **({"remove": remove} if remove else {})}


def _expected(decision: Decision) -> Plain:
    if decision.model is None:
        error = decision.error
        return {"none": True, **({"error": error.code} if error else {})}
    values = {
        "model": decision.model,
        "resolved_profile": decision.resolved_profile,
        "via": decision.via and decision.via.value,
    }
    return {key: value for key, value in values.items() if value is not None}


_FACTS: Final = (
    "family", "architecture", "size_bytes", "parameters_billions", "quantization",
    "context_window", "max_output_tokens", "digest", "loaded", "remote", "embedding_only",
    "base_model", "served_context_tokens",
)  # fmt: skip


def model_data(model: ModelInfo) -> Plain:
    """Return what the router knows of a model, in the shape of `list --json`."""
    usual = {field.name: field.default for field in fields(ModelInfo)}
    data: Plain = {"name": model.name}
    for fact in _FACTS:
        value = getattr(model, fact)
        if value not in (usual[fact], None, "", UNKNOWN_FAMILY):
            data[fact] = value
    if model.capabilities is not None:
        able = model.capabilities
        data["capabilities"] = {
            name: getattr(able, name)
            for name in CAPABILITY_FIELDS
            if name == "streaming" or getattr(able, name)
        }
    if model.sources:
        data["sources"] = dict(model.sources)
    return data
