"""One change to a routing situation: what it does, what it costs, how a file would say it.

The changes themselves are in `profile_changes`, `settings_changes` and `model_changes`; together
they are all there is. Undoing one means going back to the situation before it.
"""

from abc import ABC, abstractmethod
from enum import IntEnum, StrEnum
from typing import ClassVar, NamedTuple

from ollm_tui.routing.situation import Situation


class Edit(NamedTuple):
    """One setting of the configuration file."""

    path: tuple[str, ...]
    """Keys from the top, in camelCase: ("model", "routing", "overrides", "code")."""
    value: object
    """A scalar or list; None removes the key."""

    @property
    def key(self) -> str:
        """The path as people write it."""
        return ".".join(self.path)


class ChangeCode(StrEnum):
    """Which kind of change; stable."""

    SET_MIN_CONTEXT = "SET_MIN_CONTEXT"
    DROP_CAPABILITY = "DROP_CAPABILITY"
    REQUIRE_CAPABILITY = "REQUIRE_CAPABILITY"
    SET_FAMILIES = "SET_FAMILIES"
    SET_FALLBACK = "SET_FALLBACK"
    SET_SIZE_PREFERENCE = "SET_SIZE_PREFERENCE"
    SET_OVERRIDE = "SET_OVERRIDE"
    REMOVE_OVERRIDE = "REMOVE_OVERRIDE"
    SET_ROUTING = "SET_ROUTING"
    SET_DEFAULT_MODEL = "SET_DEFAULT_MODEL"
    UNPIN = "UNPIN"
    SET_STRICT_OVERRIDES = "SET_STRICT_OVERRIDES"
    SET_FAMILY_MATCH = "SET_FAMILY_MATCH"
    SET_MEMORY_BUDGET = "SET_MEMORY_BUDGET"
    SET_ALLOW_REMOTE = "SET_ALLOW_REMOTE"
    SET_PREFER_LOADED = "SET_PREFER_LOADED"
    SET_NUM_CTX = "SET_NUM_CTX"
    INSTALL_MODEL = "INSTALL_MODEL"
    REMOVE_MODEL = "REMOVE_MODEL"
    DESCRIBE_CONTEXT = "DESCRIBE_CONTEXT"


class Rank(IntEnum):
    """How much a change asks of the user, least first. This order is the order of fixes.

    First what undoes the user's own exception, then what only ranks, then what changes a
    requirement, then what gives up the rules, then what moves gigabytes.
    """

    LEAVE_OUT_FLAG = 1
    """Nothing is written."""
    REMOVE_OVERRIDE = 2
    EDIT_OVERRIDE = 3
    """A line that is there names another model."""
    REORDER_FAMILIES = 4
    ADD_FAMILY = 5
    TIE_RULE = 6
    """Size rule, loaded first, how families match."""
    ROUTING_ON = 7
    MEMORY_BUDGET = 8
    """Amount: bytes more. A promise that the memory is there."""
    SERVED_CONTEXT = 9
    """Amount: tokens. Takes memory when served."""
    RAISE_CONTEXT = 10
    """Amount: tokens more. Asks for more than was wanted."""
    LOWER_CONTEXT = 11
    """Amount: tokens less. Gives up what was asked for."""
    FALLBACK = 12
    CAPABILITY = 13
    """One capability less, or one more."""
    REMOTE = 14
    """Prompts may leave the machine, or may not."""
    DESCRIBE = 15
    """States a fact that nobody has checked."""
    NEW_OVERRIDE = 16
    """The profile's rules no longer count."""
    ROUTING_OFF = 17
    """No profile's rules count."""
    INSTALL = 18
    """Amount: bytes to download."""
    REMOVE = 19
    """Amount: bytes that are gone."""


class Cost(NamedTuple):
    """What a change asks of the user; the smaller comes first."""

    rank: Rank
    amount: int = 0
    """Within the rank, in the rank's own unit, 0 or more."""


class Change(ABC):
    """One single change. Subclasses are frozen."""

    code: ClassVar[ChangeCode]

    @property
    def subject(self) -> str:
        """The profile or model it is about, or nothing for a change to all of routing."""
        return ""

    @abstractmethod
    def apply(self, situation: Situation) -> Situation:
        """Return the situation after the change; the same one if it changes nothing."""

    @abstractmethod
    def sentence(self, situation: Situation) -> str:
        """Say, before it is made, what to do; one sentence, safe to print."""

    @abstractmethod
    def cost(self, situation: Situation) -> Cost:
        """What it asks of the user, before it is made."""

    def edits(self, situation: Situation) -> tuple[Edit, ...]:
        """Return what to write into a configuration file, before the change is made.

        Empty where no setting says it: a download, a flag of this run.
        """
        return ()
