"""What is being tried, for which profile, and what the router decides then. Draws nothing."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from ollm_tui.core.turns import in_turn
from ollm_tui.service.service import ModelService
from ollm_tui.ui import work
from ollm_tui.ui.simulator.view import Scene

if TYPE_CHECKING:
    from ollm_tui.routing.change import Change
    from ollm_tui.routing.decision import Decision
    from ollm_tui.routing.what_if import WhatIf


class Experiment:
    """Changes tried on the models and settings of a service; without a scene nothing can be tried.

    Args:
        service: knows the situation that is started from.
        show: called with every new scene; told whether it is the first.
    """

    def __init__(self, service: ModelService, show: Callable[[bool], None]) -> None:
        self._service = service
        self._show = show
        self._wanted: str | None = None
        self.scene: Scene | None = None
        """None until there are models and a router."""

    @property
    def profile(self) -> str | None:
        """The one that is asked for; None = the default one."""
        return self._wanted if self.scene is None else self.scene.now.profile

    @property
    def has_steps(self) -> bool:
        """Whether anything can be taken back, or made again."""
        what_if = self._what_if
        return what_if is not None and bool(what_if.trials or what_if.undone)

    async def ask_again(self) -> None:
        """Ask anew, by the settings and models of now; what is being tried is tried again."""
        # Its modules take a while to load, maybe in a thread already: keys wait for neither.
        await work.in_thread(partial(in_turn, _load))
        from ollm_tui.routing.what_if import WhatIf

        is_outdated = True
        while is_outdated:
            before = self._what_if
            situation = await self._service.situation(self._wanted)
            if self._wanted is not None and situation.find_profile(self._wanted) is None:
                self._wanted = None  # it was one of the settings before
                situation = await self._service.situation()
            what_if = WhatIf(situation)
            for trial in before.trials if before else ():
                what_if = what_if.do(trial.change)
            # Ten thousand models take longer to judge than a key may wait.
            decision = await work.in_thread(partial(in_turn, what_if.now.decide))
            is_outdated = self._what_if is not before  # a key has asked for something else
        self._take(what_if, decision)

    def ask_profile(self, name: str) -> None:
        """Ask for a profile by name."""
        if self._what_if is not None:
            self._wanted = name
            self._try(self._what_if.asking(name))

    def ask_next_profile(self, by: int) -> None:
        """Ask for the next profile, or the previous one."""
        if self.scene is not None:
            now = self.scene.now
            names = [profile.name for profile in now.profiles]
            at = names.index(now.profile) if now.profile in names else -1
            self.ask_profile(names[(at + by) % len(names)])

    def do(self, change: "Change") -> None:
        """Try a change."""
        if self._what_if is not None:
            self._try(self._what_if.do(change))

    def undo(self) -> None:
        """Take back the last change."""
        if self._what_if is not None:
            self._try(self._what_if.undo())

    def redo(self) -> None:
        """Try the change again that was taken back last."""
        if self._what_if is not None:
            self._try(self._what_if.redo())

    def reset(self) -> None:
        """Take back every change."""
        what_if = self._what_if
        while what_if is not None and what_if.trials:
            what_if = what_if.undo()
        if what_if is not None:
            self._try(what_if)

    @property
    def _what_if(self) -> "WhatIf | None":
        return None if self.scene is None else self.scene.what_if

    def _try(self, what_if: "WhatIf") -> None:
        self._take(what_if, what_if.now.decide())

    def _take(self, what_if: "WhatIf", decision: "Decision") -> None:
        is_first = self.scene is None
        self.scene = Scene(what_if, decision)
        self._show(is_first)


def _load() -> None:
    import ollm_tui.routing.what_if  # noqa: F401
