"""What all dialogs are: modal, and left once."""

from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen

T = TypeVar("T")


class Dialog(ModalScreen[T]):
    """A dialog that two keys in quick succession close once.

    Textual closes whichever screen is on top, were it the last one, which ends the program. On a
    busy machine enter has closed a dialog, and escape, which was pressed meanwhile, comes to it.
    """

    VERTICAL_BREAKPOINTS = [(0, "-short"), (32, "-tall")]  # noqa: RUF012  # as Textual declares it

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        if self not in self.app.screen_stack:
            return AwaitComplete()
        return super().dismiss(result)
