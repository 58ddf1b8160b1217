"""The configuration as the screen has it: read after the first frame, shown, saved, taken in anew.

What follows from other settings is the app's; this says only that there are some.
"""

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual.app import App

from ollm_tui.ui import format as words
from ollm_tui.ui import work
from ollm_tui.ui.keymap import named

if TYPE_CHECKING:
    from ollm_tui.config.resolve import Effective
    from ollm_tui.routing.change import Edit
    from ollm_tui.ui.screens.config import SettingsSource

_LOG = logging.getLogger(__name__)
UNTRUSTED_S = 15.0


class SettingsDesk:
    """Keeps what is in force.

    Args:
        app: shows its dialogs and toasts.
        source: where the configuration is read; None = there is none.
        on_read: told what is in force now, and what was before (None at first).
    """

    def __init__(
        self,
        app: App[None],
        source: "SettingsSource | None",
        on_read: "Callable[[Effective, Effective | None], None]",
    ) -> None:
        self._app = app
        self.source = source
        self._on_read = on_read
        self.effective: Effective | None = None

    @property
    def word(self) -> str:
        """How the configuration is, for the status line; empty until it is read."""
        if self.effective is None:
            return ""
        errors = len(self.effective.errors)
        return f"config ✗ {words.count(errors, 'problem')}, c" if errors else "config ✓"

    async def read(self) -> None:
        """Read it, without holding up the keys."""
        if self.source is not None:
            self.take(await work.in_thread(self.source.read))

    def take(self, effective: "Effective") -> None:
        """What is in force now: say what is new about it."""
        before, self.effective = self.effective, effective
        if before is None or effective.problems != before.problems:
            self._tell_problems(effective)
        self._on_read(effective, before)

    def show(self) -> None:
        """Show every setting and who set it; only once it has been read."""
        from ollm_tui.ui.screens.config import ConfigScreen

        assert self.source is not None
        assert self.effective is not None
        self._app.clear_notifications()  # what they tell of the configuration is in the view
        self._app.push_screen(ConfigScreen(self.effective, self.source, self.take))

    def save(
        self, edits: "Sequence[Edit]", consequences: Sequence[str], done: Callable[[], None]
    ) -> None:
        """Show what would be written, and where, and write it when that is agreed to.

        Args:
            consequences: what else it means, a sentence each.
            done: called once it is written, before it is taken in.
        """
        if self.source is None:
            self._app.notify("There is no configuration to save to here.", severity="warning")
            return
        from ollm_tui.config.change import Change
        from ollm_tui.ui.screens.save import Saved, SaveScreen

        def saved(result: Saved | None) -> None:
            if result is not None:
                done()
                self.take(result.effective)

        changes = [Change(edit.path, edit.value) for edit in edits]
        self._app.push_screen(SaveScreen(changes, self.source, consequences=consequences), saved)

    def _tell_problems(self, effective: "Effective") -> None:
        for problem in effective.errors:
            _LOG.warning("%s", problem.message)
        if any(not file.trusted for file in effective.files):
            self._app.notify(
                "This folder's .ollm/config.yaml names servers or keys, which are ignored until "
                f"you trust it: {named('app.config')}, then t.",
                severity="warning",
                timeout=UNTRUSTED_S,
                markup=False,
            )
