"""The signs before the names of the installed models: what is happening to each of them."""

from ollm_tui.core.event import PendingDeletions, QueueState, UpdatesState
from ollm_tui.core.model import ModelInfo
from ollm_tui.core.name import name_key
from ollm_tui.ui.columns import Piece

LEAVING_SIGN: Piece = ("–", "bad")


class Signs:
    """Knows what arrives, what leaves, and what its registry has anew."""

    def __init__(self) -> None:
        self.leaving: frozenset[str] = frozenset()
        """The raw names of what is about to be deleted."""
        self.outdated: frozenset[str] = frozenset()
        """The raw names of what its registry has anew."""
        self._arriving: frozenset[str] = frozenset()

    def take_queue(self, state: QueueState) -> bool:
        """Learn what is being downloaded; returns whether that is news."""
        before = self._arriving
        self._arriving = frozenset(
            name_key(item.name) for item in state.items if item.progress.status.is_active
        )
        return self._arriving != before

    def take_updates(self, state: UpdatesState) -> None:
        """Learn what its registry has anew."""
        self.outdated = frozenset(one.name for one in state.outdated)

    def take_pending(self, state: PendingDeletions) -> None:
        """Learn what is about to be deleted."""
        self.leaving = frozenset(name for one in state.pending for name in one.names)

    def of(self, model: ModelInfo) -> Piece:
        """The sign of a model; what is happening comes before what it is."""
        if name_key(model.name) in self._arriving:
            return ("↓", "accent")
        if model.name in self.leaving:
            return LEAVING_SIGN
        if model.name in self.outdated:
            return ("↑", "warn")
        if model.loaded:
            return ("●", "good")
        if model.remote:
            return ("☁", "dim")
        return (" ", "")
