"""Changes to one profile: what it requires and what it likes best. See `change.py`."""

from dataclasses import dataclass, replace
from typing import ClassVar

from ollm_tui.core.text import clean_line
from ollm_tui.routing.capability import CAPABILITY_FIELDS, CAPABILITY_NAMES, capability_field
from ollm_tui.routing.change import Change, ChangeCode, Cost, Edit, Rank
from ollm_tui.routing.plain import camel
from ollm_tui.routing.profile import BUILT_IN_PROFILES, SMALLEST, RoutingProfile, name_fold
from ollm_tui.routing.situation import Situation


@dataclass(frozen=True)
class ProfileChange(Change):
    """A change to one field of one profile; without such a profile it changes nothing."""

    profile: str

    field: ClassVar[str]
    """The field of `RoutingProfile` that is changed."""

    @property
    def subject(self) -> str:
        """The profile's name."""
        return self.profile

    def changed(self, profile: RoutingProfile) -> RoutingProfile:
        """Return the profile after the change."""
        raise NotImplementedError

    def apply(self, situation: Situation) -> Situation:
        """Return the situation with the profile changed."""
        old = situation.find_profile(self.profile)
        if old is None or (new := self.changed(old)) == old:
            return situation
        return situation.with_profile(new)

    def edits(self, situation: Situation) -> tuple[Edit, ...]:
        """Return the one key of the profile."""
        old = situation.find_profile(self.profile)
        if old is None:
            return ()
        value = getattr(self.changed(old), self.field)
        if isinstance(value, tuple):
            value = list(value)
        return (Edit(("model", "routing", "profiles", old.name, camel(self.field)), value),)


@dataclass(frozen=True)
class SetMinContext(ProfileChange):
    """Ask for more or less context."""

    tokens: int
    """0 = no minimum."""

    code = ChangeCode.SET_MIN_CONTEXT
    field = "min_context_window"

    def changed(self, profile: RoutingProfile) -> RoutingProfile:
        """Return the profile with the other minimum."""
        return replace(profile, min_context_window=self.tokens)

    def sentence(self, situation: Situation) -> str:
        """Say from what to what."""
        before = self._before(situation)
        what = "Lower" if self.tokens < before else "Raise"
        return clean_line(
            f"{what} minContextWindow of {self.profile} from {before:,} to {self.tokens:,}."
        )

    def cost(self, situation: Situation) -> Cost:
        """The difference in tokens."""
        before = self._before(situation)
        if self.tokens < before:
            return Cost(Rank.LOWER_CONTEXT, before - self.tokens)
        return Cost(Rank.RAISE_CONTEXT, self.tokens - before)

    def _before(self, situation: Situation) -> int:
        profile = situation.find_profile(self.profile)
        return profile.min_context_window if profile else 0


def same_capability(one: str, other: str) -> bool:
    """Whether two names mean one capability; a name that means none is only itself."""
    return one == other or (
        capability_field(one) is not None and capability_field(one) == capability_field(other)
    )


def capability_name(name: str) -> str:
    """The name of a capability as the configuration file has it."""
    field = capability_field(name)
    return clean_line(name) if field is None else CAPABILITY_NAMES[CAPABILITY_FIELDS.index(field)]


@dataclass(frozen=True)
class DropCapability(ProfileChange):
    """No longer require a capability, in whichever spellings."""

    capability: str

    code = ChangeCode.DROP_CAPABILITY
    field = "required_capabilities"

    def changed(self, profile: RoutingProfile) -> RoutingProfile:
        """Return the profile without it."""
        kept = tuple(
            name
            for name in profile.required_capabilities
            if not same_capability(name, self.capability)
        )
        return replace(profile, required_capabilities=kept)

    def sentence(self, situation: Situation) -> str:
        """Say what is dropped."""
        name = capability_name(self.capability)
        return clean_line(f"Drop {name} from what {self.profile} requires.")

    def cost(self, situation: Situation) -> Cost:
        """One capability."""
        return Cost(Rank.CAPABILITY)


@dataclass(frozen=True)
class RequireCapability(ProfileChange):
    """Require a further capability."""

    capability: str

    code = ChangeCode.REQUIRE_CAPABILITY
    field = "required_capabilities"

    def changed(self, profile: RoutingProfile) -> RoutingProfile:
        """Return the profile with it, last."""
        required = profile.required_capabilities
        if any(same_capability(name, self.capability) for name in required):
            return profile
        return replace(profile, required_capabilities=(*required, capability_name(self.capability)))

    def sentence(self, situation: Situation) -> str:
        """Say what is required."""
        return clean_line(f"Require {capability_name(self.capability)} for {self.profile}.")

    def cost(self, situation: Situation) -> Cost:
        """One capability."""
        return Cost(Rank.CAPABILITY)


@dataclass(frozen=True)
class SetFamilies(ProfileChange):
    """Prefer other families, or the same in another order."""

    families: tuple[str, ...]
    """Best first."""

    code = ChangeCode.SET_FAMILIES
    field = "preferred_families"

    def changed(self, profile: RoutingProfile) -> RoutingProfile:
        """Return the profile with those families."""
        return replace(profile, preferred_families=self.families)

    def sentence(self, situation: Situation) -> str:
        """Say which order, or which family is new."""
        before = self._before(situation)
        new = [family for family in self.families if not _has(before, family)]
        gone = [family for family in before if not _has(self.families, family)]
        order = ", ".join(self.families) or "none"
        if new:
            what = f"Prefer {', '.join(new)} in"
        elif gone:
            what = f"No longer prefer {', '.join(gone)} in"
        else:
            what = "Reorder the families of"
        return clean_line(f"{what} {self.profile}: {order}.")

    def cost(self, situation: Situation) -> Cost:
        """New families before all others; then by how many places those listed move."""
        before = self._before(situation)
        new = [family for family in self.families if not _has(before, family)]
        gone = [family for family in before if not _has(self.families, family)]
        if new or gone:
            after = sum(len(self.families) - self.families.index(family) for family in new)
            return Cost(Rank.ADD_FAMILY, after + len(gone))
        places = [_fold(family) for family in self.families]
        moved = max(
            (abs(places.index(_fold(family)) - index) for index, family in enumerate(before)),
            default=0,
        )
        return Cost(Rank.REORDER_FAMILIES, moved)

    def _before(self, situation: Situation) -> list[str]:
        profile = situation.find_profile(self.profile)
        return _listed(profile) if profile else []


def prefer_family(profile: RoutingProfile, family: str, place: int) -> SetFamilies:
    """Return the change that puts one family at a place among a profile's others.

    Args:
        place: from 0; the other families keep their order, blank entries are dropped.
    """
    others = [entry for entry in _listed(profile) if _fold(entry) != _fold(family)]
    return SetFamilies(profile.name, (*others[:place], family, *others[place:]))


def _listed(profile: RoutingProfile) -> list[str]:
    """The families that say something, each once, as first written."""
    listed = {_fold(family): family for family in reversed(profile.preferred_families)}
    order = dict.fromkeys(_fold(family) for family in profile.preferred_families)
    return [listed[folded] for folded in order if folded]


def _fold(family: str) -> str:
    return family.strip().casefold()


def _has(families: tuple[str, ...] | list[str], family: str) -> bool:
    return _fold(family) in map(_fold, families)


@dataclass(frozen=True)
class SetFallback(ProfileChange):
    """Ask another profile when no model fits, or none."""

    fallback: str | None

    code = ChangeCode.SET_FALLBACK
    field = "fallback_profile"

    def changed(self, profile: RoutingProfile) -> RoutingProfile:
        """Return the profile with the other fallback."""
        return replace(profile, fallback_profile=self.fallback)

    def sentence(self, situation: Situation) -> str:
        """Say which."""
        if self.fallback is None:
            return clean_line(f"Let {self.profile} fall back to no other profile.")
        return clean_line(f"Let {self.profile} fall back to {self.fallback}.")

    def cost(self, situation: Situation) -> Cost:
        """One fallback."""
        return Cost(Rank.FALLBACK)

    def edits(self, situation: Situation) -> tuple[Edit, ...]:
        """Return the key, or nothing: a built-in profile's own fallback cannot be unset."""
        if self.fallback is None and any(
            name_fold(built_in.name) == name_fold(self.profile) and built_in.fallback_profile
            for built_in in BUILT_IN_PROFILES
        ):
            return ()
        return super().edits(situation)


@dataclass(frozen=True)
class SetSizePreference(ProfileChange):
    """Let the smallest, or the largest that fits, win between equals."""

    preference: str

    code = ChangeCode.SET_SIZE_PREFERENCE
    field = "size_preference"

    def changed(self, profile: RoutingProfile) -> RoutingProfile:
        """Return the profile with the other rule."""
        return replace(profile, size_preference=self.preference)

    def sentence(self, situation: Situation) -> str:
        """Say which one wins."""
        which = "smallest" if self.preference == SMALLEST else "largest that fits"
        return clean_line(f"Let {self.profile} choose the {which} of models otherwise equal.")

    def cost(self, situation: Situation) -> Cost:
        """One rule."""
        return Cost(Rank.TIE_RULE, 0)
