"""Trying changes one after the other, and taking them back; nothing is saved until asked.

Source: routing anchors B3, points 4 and 8.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from ollm_tui.routing.change import Change, Edit
from ollm_tui.routing.decision import Decision
from ollm_tui.routing.difference import AnswerChange, differences
from ollm_tui.routing.plain import snake
from ollm_tui.routing.situation import Situation


@dataclass(frozen=True, slots=True)
class Trial:
    """One change that was made, in the words and edits of the moment before it."""

    change: Change
    sentence: str
    edits: tuple[Edit, ...]
    result: Situation


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A situation and the changes tried on it. Frozen: each step makes a new one."""

    start: Situation
    trials: tuple[Trial, ...] = ()
    """In the order in which they were made."""
    undone: tuple[Trial, ...] = ()
    """What `redo` makes again, the next one last."""

    @property
    def now(self) -> Situation:
        """The situation after all changes."""
        return self.trials[-1].result if self.trials else self.start

    def do(self, change: Change) -> "WhatIf":
        """Make a change; one that changes nothing is not kept."""
        result = change.apply(self.now)
        if result == self.now:
            return self
        trial = Trial(change, change.sentence(self.now), change.edits(self.now), result)
        return replace(self, trials=(*self.trials, trial), undone=())

    def undo(self) -> "WhatIf":
        """Take back the last change, if there is one."""
        if not self.trials:
            return self
        return replace(self, trials=self.trials[:-1], undone=(*self.undone, self.trials[-1]))

    def redo(self) -> "WhatIf":
        """Make the change again that was taken back last, if there is one."""
        if not self.undone:
            return self
        return replace(self, trials=(*self.trials, self.undone[-1]), undone=self.undone[:-1])

    def asking(self, profile: str) -> "WhatIf":
        """Ask for another profile before and after every change."""
        return WhatIf(
            self.start.asking(profile),
            tuple(replace(t, result=t.result.asking(profile)) for t in self.trials),
            tuple(replace(t, result=t.result.asking(profile)) for t in self.undone),
        )

    def decide(self) -> tuple[Decision, Decision]:
        """Return the decision before all changes and the one after them."""
        return self.start.decide(), self.now.decide()

    def differences(self) -> Iterator[AnswerChange | None]:
        """Yield what became of every profile; see `difference.differences`."""
        return differences(self.start, self.now)

    def edits(self) -> tuple[Edit, ...]:
        """Return what to write into a configuration file, each key once, in order.

        What later changes took back is not written.
        """
        last: dict[tuple[str, ...], Edit] = {}
        for trial in self.trials:
            for edit in trial.edits:
                last.pop(edit.path, None)
                last[edit.path] = edit
        return tuple(
            edit
            for path, edit in last.items()
            if setting(self.start, path) != setting(self.now, path)
            or setting(self.now, path) is _NONE
        )


_NONE: Any = object()


def setting(situation: Situation, path: tuple[str, ...]) -> Any:
    """Return what a situation says of a key of the configuration, as plain data.

    A key that no situation holds, such as an option of one model, gives one and the same object.
    """
    config = situation.config
    match path:
        case ("options", "numCtx"):
            return config.num_ctx
        case ("model", "default"):
            return config.default_model
        case ("model", "routing", "overrides", key):
            return config.overrides.get(key)
        case ("model", "routing", "memoryBudget"):
            return config.memory_budget_bytes
        case ("model", "routing", "profiles", name, key):
            profile = situation.find_profile(name)
            value = getattr(profile, snake(key), None)
            return list(value) if isinstance(value, tuple) else value
        case ("model", "routing", key):
            return getattr(config, snake(key))
    return _NONE


def preview(situation: Situation, change: Change) -> Iterator[AnswerChange | None]:
    """Yield what a change would do to every profile; see `difference.differences`."""
    return differences(situation, change.apply(situation))
