"""Short ways to write models and routers in tests."""

from typing import Any

from ollm_tui.core.model import ModelCapabilities, ModelInfo
from ollm_tui.routing.database import ModelDatabase
from ollm_tui.routing.decision import Candidate, Decision
from ollm_tui.routing.facts import enrich
from ollm_tui.routing.profile import BUILT_IN_PROFILES, RoutingProfile
from ollm_tui.routing.router import Router
from ollm_tui.routing.settings import RoutingConfig

DATABASE = ModelDatabase()
STREAMING = ModelCapabilities(streaming=True)


def model(name: str, *can: str, **facts: Any) -> ModelInfo:
    """A model as enrichment leaves it; streams unless `can` says what it does."""
    if can:
        facts["capabilities"] = ModelCapabilities(**dict.fromkeys(can, True))
    return enrich(ModelInfo(name=name, **facts), DATABASE)


def models(*names: str) -> list[ModelInfo]:
    return [model(name) for name in names]


def router(*profiles: RoutingProfile, **settings: Any) -> Router:
    """A router with the built-in profiles, or those given, and settings of `RoutingConfig`."""
    return Router(profiles or BUILT_IN_PROFILES, DATABASE, RoutingConfig(**settings))


def candidate(decision: Decision, name: str, hop: int = 0) -> Candidate:
    """What became of one model."""
    return next(c for c in decision.hops[hop].candidates if c.model == name)


def warning_codes(decision: Decision) -> list[str]:
    return [warning.code.value for warning in decision.warnings]
