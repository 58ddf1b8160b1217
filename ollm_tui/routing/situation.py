"""Everything a routing decision follows from, held still so that questions can be asked of it.

Frozen: a change makes a new one, and the old one is the undo. Knows nothing of files or servers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from ollm_tui.core.error import UnknownProfile
from ollm_tui.core.model import ModelInfo
from ollm_tui.routing.database import ModelDatabase
from ollm_tui.routing.decision import Decision
from ollm_tui.routing.profile import BUILT_IN_PROFILES, RoutingProfile, find_profile, name_fold
from ollm_tui.routing.ranking import canonical_key
from ollm_tui.routing.router import Router
from ollm_tui.routing.settings import RoutingConfig


@dataclass(frozen=True, slots=True)
class Situation:
    """A profile asked for, and all that decides which model it gets."""

    profile: str
    """The name of the profile asked for."""
    models: tuple[ModelInfo, ...] = ()
    """Those installed, enriched."""
    profiles: tuple[RoutingProfile, ...] = BUILT_IN_PROFILES
    config: RoutingConfig = field(default_factory=RoutingConfig)
    database: ModelDatabase = field(default_factory=ModelDatabase)
    catalogue: tuple[ModelInfo, ...] = ()
    """What could be installed besides; need not be enriched."""
    provisional: bool = False
    """Details of some models are still to come. Source: ruling Z11."""

    @classmethod
    def of(
        cls,
        router: Router,
        models: Sequence[ModelInfo],
        profile: str | None = None,
        catalogue: Sequence[ModelInfo] = (),
    ) -> "Situation":
        """Return the situation that a router is in.

        Args:
            models: those installed, enriched.
            profile: None = the default profile.
            catalogue: what could be installed besides, for advice.
        """
        return cls(
            router.config.default_profile if profile is None else profile,
            tuple(models),
            router.profiles,
            router.config,
            router.database,
            tuple(catalogue),
        )

    @property
    def router(self) -> Router:
        """The router under these profiles and settings."""
        return Router(self.profiles, self.database, self.config, self.catalogue)

    def decide(self, profile: str | None = None) -> Decision:
        """Return the whole decision for a profile; None = the one asked for."""
        asked = self.profile if profile is None else profile
        return self.router.explain(asked, self.models, provisional=self.provisional)

    def asking(self, profile: str) -> "Situation":
        """Return the situation with another profile asked for."""
        return replace(self, profile=profile)

    def find_profile(self, name: str) -> RoutingProfile | None:
        """Return a profile by name as the router finds it, or None."""
        try:
            return find_profile(name, self.profiles)
        except UnknownProfile:
            return None

    def with_profile(self, changed: RoutingProfile) -> "Situation":
        """Return the situation with a profile in place of that of its name, or added."""
        old = self.find_profile(changed.name)
        if old is None:
            return replace(self, profiles=(*self.profiles, changed))
        profiles = tuple(changed if profile is old else profile for profile in self.profiles)
        return replace(self, profiles=profiles)

    def with_config(self, config: RoutingConfig) -> "Situation":
        """Return the situation under other settings."""
        return replace(self, config=config)

    def with_models(self, models: Sequence[ModelInfo]) -> "Situation":
        """Return the situation with other models installed; they have to be enriched."""
        return replace(self, models=tuple(models))

    def model(self, name: str) -> ModelInfo | None:
        """Return an installed model by its exact name, or None."""
        return next((model for model in self.models if model.name == name), None)

    def override_keys(self, profile: str) -> list[str]:
        """The keys of the overrides of a profile, as written; the last one counts."""
        folded = name_fold(profile)
        return [key for key in self.config.overrides if name_fold(key) == folded]

    def chain(self) -> Iterator[RoutingProfile]:
        """The profile asked for and its fallbacks, up to an end, an unknown name or a circle."""
        seen: set[str] = set()
        name: str | None = self.profile
        while name and name.strip() and name_fold(name) not in seen:
            seen.add(name_fold(name))
            profile = self.find_profile(name)
            if profile is None:
                return
            yield profile
            name = profile.fallback_profile

    def installable(self) -> Iterator[ModelInfo]:
        """The models of the catalogue that are not installed."""
        installed = {canonical_key(model.name) for model in self.models}
        return (model for model in self.catalogue if canonical_key(model.name) not in installed)
