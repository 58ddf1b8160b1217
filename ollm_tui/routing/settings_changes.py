"""Changes to routing as a whole and to its overrides. See `change.py`."""

from dataclasses import dataclass, replace
from typing import ClassVar

from ollm_tui.core.text import clean_line
from ollm_tui.routing.change import Change, ChangeCode, Cost, Edit, Rank
from ollm_tui.routing.plain import camel
from ollm_tui.routing.ranking import gigabytes
from ollm_tui.routing.situation import Situation

_OVERRIDES = ("model", "routing", "overrides")


@dataclass(frozen=True)
class SetOverride(Change):
    """Let a profile always get one model."""

    profile: str
    model: str
    """Its raw name."""

    code = ChangeCode.SET_OVERRIDE

    @property
    def subject(self) -> str:
        """The profile's name."""
        return self.profile

    def apply(self, situation: Situation) -> Situation:
        """Return the situation with this as the profile's only override."""
        keys = situation.override_keys(self.profile)
        kept = {k: m for k, m in situation.config.overrides.items() if k not in keys}
        overrides = {**kept, self._key(situation): self.model}
        return situation.with_config(replace(situation.config, overrides=overrides))

    def sentence(self, situation: Situation) -> str:
        """Say which model, and instead of which one."""
        keys = situation.override_keys(self.profile)
        if keys:
            old = situation.config.overrides[keys[-1]]
            return clean_line(f"Change the override of {self.profile} from {old} to {self.model}.")
        return clean_line(f"Make {self.model} the override of {self.profile}.")

    def cost(self, situation: Situation) -> Cost:
        """Less for an override that only changes its model."""
        has_one = situation.override_keys(self.profile)
        return Cost(Rank.EDIT_OVERRIDE if has_one else Rank.NEW_OVERRIDE)

    def edits(self, situation: Situation) -> tuple[Edit, ...]:
        """Return the key, and the removal of others that mean the same profile."""
        key = self._key(situation)
        others = [other for other in situation.override_keys(self.profile) if other != key]
        return (
            *(Edit((*_OVERRIDES, other), None) for other in others),
            Edit((*_OVERRIDES, key), self.model),
        )

    def _key(self, situation: Situation) -> str:
        keys = situation.override_keys(self.profile)
        return keys[-1] if keys else self.profile


@dataclass(frozen=True)
class RemoveOverride(Change):
    """Let a profile choose by its rules again."""

    profile: str

    code = ChangeCode.REMOVE_OVERRIDE

    @property
    def subject(self) -> str:
        """The profile's name."""
        return self.profile

    def apply(self, situation: Situation) -> Situation:
        """Return the situation without an override of the profile."""
        keys = situation.override_keys(self.profile)
        if not keys:
            return situation
        kept = {k: m for k, m in situation.config.overrides.items() if k not in keys}
        return situation.with_config(replace(situation.config, overrides=kept))

    def sentence(self, situation: Situation) -> str:
        """Say which."""
        keys = situation.override_keys(self.profile)
        names = f" ({situation.config.overrides[keys[-1]]})" if keys else ""
        return clean_line(f"Remove the override of {self.profile}{names}.")

    def cost(self, situation: Situation) -> Cost:
        """One line less."""
        return Cost(Rank.REMOVE_OVERRIDE)

    def edits(self, situation: Situation) -> tuple[Edit, ...]:
        """Return the removal of every key that means the profile."""
        keys = situation.override_keys(self.profile)
        return tuple(Edit((*_OVERRIDES, key), None) for key in keys)


@dataclass(frozen=True)
class SettingChange(Change):
    """A change to one field of the routing settings."""

    value: object

    field: ClassVar[str]
    """The field of `RoutingConfig` that is changed."""

    def apply(self, situation: Situation) -> Situation:
        """Return the situation with the field changed."""
        if getattr(situation.config, self.field) == self.value:
            return situation
        config = replace(situation.config, **{self.field: self.value})  # type: ignore[arg-type]
        return situation.with_config(config)

    def edits(self, situation: Situation) -> tuple[Edit, ...]:
        """Return the one key."""
        return (Edit(("model", "routing", camel(self.field)), self.value),)


@dataclass(frozen=True)
class SetRouting(SettingChange):
    """Switch routing on or off."""

    value: bool

    code = ChangeCode.SET_ROUTING
    field = "enabled"

    def sentence(self, situation: Situation) -> str:
        """Say on, or off and what then answers."""
        if self.value:
            return "Switch routing on, so that profiles choose."
        model = situation.config.default_model or "nothing, as model.default is not set"
        return clean_line(f"Switch routing off, so that every profile gets {model}.")

    def cost(self, situation: Situation) -> Cost:
        """Off gives up every rule."""
        return Cost(Rank.ROUTING_ON if self.value else Rank.ROUTING_OFF)


@dataclass(frozen=True)
class SetDefaultModel(SettingChange):
    """Change which model answers while routing is off."""

    value: str

    code = ChangeCode.SET_DEFAULT_MODEL
    field = "default_model"

    def sentence(self, situation: Situation) -> str:
        """Say which."""
        return clean_line(f"Make {self.value} the default model.")

    def cost(self, situation: Situation) -> Cost:
        """A line that is there names another model."""
        return Cost(Rank.EDIT_OVERRIDE)

    def edits(self, situation: Situation) -> tuple[Edit, ...]:
        """Return the one key."""
        return (Edit(("model", "default"), self.value),)


@dataclass(frozen=True)
class Unpin(Change):
    """Do not ask for a model by name, so that profiles choose."""

    code = ChangeCode.UNPIN

    def apply(self, situation: Situation) -> Situation:
        """Return the situation with no model asked for by name."""
        if situation.config.pinned_model is None:
            return situation
        return situation.with_config(replace(situation.config, pinned_model=None))

    def sentence(self, situation: Situation) -> str:
        """Say what to leave out."""
        return clean_line(f"Leave out --model {situation.config.pinned_model or ''}.")

    def cost(self, situation: Situation) -> Cost:
        """Nothing is written."""
        return Cost(Rank.LEAVE_OUT_FLAG)


@dataclass(frozen=True)
class SetStrictOverrides(SettingChange):
    """Whether an override that is not installed is an error."""

    value: bool

    code = ChangeCode.SET_STRICT_OVERRIDES
    field = "strict_overrides"

    def sentence(self, situation: Situation) -> str:
        """Say what becomes of such overrides."""
        what = "Refuse to decide by" if self.value else "Pass over"
        return f"{what} overrides that are not installed."

    def cost(self, situation: Situation) -> Cost:
        """After removing the one override that is in the way."""
        return Cost(Rank.REMOVE_OVERRIDE, 1)


@dataclass(frozen=True)
class SetFamilyMatch(SettingChange):
    """Whether a preferred family counts for families that hold its name."""

    value: str

    code = ChangeCode.SET_FAMILY_MATCH
    field = "family_match"

    def sentence(self, situation: Situation) -> str:
        """Say how they match."""
        if self.value == "exact":
            return "Match families exactly, so that llama does not cover codellama."
        return "Match families by part of the name, so that llama covers codellama."

    def cost(self, situation: Situation) -> Cost:
        """One rule for all profiles."""
        return Cost(Rank.TIE_RULE, 2)


@dataclass(frozen=True)
class SetMemoryBudget(SettingChange):
    """Say how much memory models may take."""

    value: int | None
    """In bytes; None = unlimited."""

    code = ChangeCode.SET_MEMORY_BUDGET
    field = "memory_budget_bytes"

    def sentence(self, situation: Situation) -> str:
        """Say from what to what."""
        before = situation.config.memory_budget_bytes
        then = "unlimited" if self.value is None else gigabytes(self.value)
        what = "Set" if before is None or self.value is None else None
        what = what or ("Raise" if self.value > before else "Lower")  # type: ignore[operator]
        since = "" if before is None else f" from {gigabytes(before)}"
        return f"{what} the memory budget{since} to {then}."

    def cost(self, situation: Situation) -> Cost:
        """The difference in bytes; from or to unlimited comes last."""
        before = situation.config.memory_budget_bytes
        if before is None or self.value is None:
            return Cost(Rank.MEMORY_BUDGET, 2**63)
        return Cost(Rank.MEMORY_BUDGET, abs(self.value - before))

    def edits(self, situation: Situation) -> tuple[Edit, ...]:
        """Return the one key, or nothing: no setting says unlimited."""
        if self.value is None:
            return ()
        return (Edit(("model", "routing", "memoryBudget"), self.value),)


@dataclass(frozen=True)
class SetAllowRemote(SettingChange):
    """Whether models on other machines may be chosen."""

    value: bool

    code = ChangeCode.SET_ALLOW_REMOTE
    field = "allow_remote"

    def sentence(self, situation: Situation) -> str:
        """Say whether."""
        what = "Allow" if self.value else "Do not allow"
        return f"{what} models that run on another machine."

    def cost(self, situation: Situation) -> Cost:
        """Prompts leave the machine, or models are lost."""
        return Cost(Rank.REMOTE)


@dataclass(frozen=True)
class SetPreferLoaded(SettingChange):
    """Whether a model in memory wins a tie."""

    value: bool

    code = ChangeCode.SET_PREFER_LOADED
    field = "prefer_loaded"

    def sentence(self, situation: Situation) -> str:
        """Say whether."""
        what = "Prefer" if self.value else "Do not prefer"
        return f"{what} models that are in memory already."

    def cost(self, situation: Situation) -> Cost:
        """One rule for all profiles; answers then change with time."""
        return Cost(Rank.TIE_RULE, 1)
