"""Which model a routing profile would pick, why each other one is not it, and what would change it.

Keeps what is being tried; what a question looks like on screen is its view's (`ui/simulator`).
"""

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.strip import Strip

from ollm_tui.core.event import ModelsState
from ollm_tui.core.model import ModelInfo
from ollm_tui.core.text import clean_line
from ollm_tui.service.service import ModelService
from ollm_tui.ui import format as words
from ollm_tui.ui import keymap, work
from ollm_tui.ui.keyed import REASON_S
from ollm_tui.ui.no_answer import WAYS_ON, no_answer
from ollm_tui.ui.rows import Piece, RowList
from ollm_tui.ui.simulator.trace import TraceView
from ollm_tui.ui.simulator.view import Line, Scene, View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollm_tui.routing.change import Change, Edit
    from ollm_tui.routing.decision import Decision
    from ollm_tui.routing.what_if import WhatIf
    from ollm_tui.ui.simulator.field import Field, Question
    from ollm_tui.ui.simulator.scenarios import ScenarioBook

_WORK = "simulate"
_OTHER_PROFILE = "For another profile: esc, 4, ← or → to it, and o again in pane 1."


class RouterPane(RowList[Line]):
    """Pane 4."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *keymap.bindings(keymap.ROUTER),
        *keymap.bindings(keymap.WHAT_IF),
    ]
    HEADER = False

    class Viewed(Message):
        """Another view is shown, which may want other keys and more room, or the first of all."""

    class SaveWanted(Message):
        """What was tried is to be written down.

        Attributes:
            edits: settings to change, in order.
            consequences: what becomes of profiles, a sentence each.
        """

        def __init__(self, edits: "Sequence[Edit]", consequences: "Sequence[str]") -> None:
            super().__init__()
            self.edits = edits
            self.consequences = consequences

    def __init__(
        self, service: ModelService, scenarios: "Callable[[], ScenarioBook] | None" = None
    ) -> None:
        super().__init__(id="router", key=lambda line: line.key, classes="pane")
        self._service = service
        self._scenarios = scenarios
        self._view: View = TraceView()
        self._views: dict[str, View] = {"trace": self._view}
        self._profile: str | None = None
        self._what_if: WhatIf | None = None
        self._scene: Scene | None = None
        self._models: tuple[ModelInfo, ...] | None = None
        self._wanted: Hashable = None
        self.border_title = Content("4 Router")

    # What others ask and tell.

    @property
    def place(self) -> str:
        """Whose keys apply now."""
        return self._view.place

    @property
    def wants_room(self) -> bool:
        """Whether the view is better seen alone."""
        return self._view.wants_room

    @property
    def scene(self) -> Scene | None:
        """What is asked about; None until there are models and a router."""
        return self._scene

    @property
    def why_no_decision(self) -> str:
        """Why nothing is decided yet, one sentence or two; empty = there is a decision."""
        if self._scene is not None:
            return ""
        state = self._service.models
        if state.as_of is None and state.error is not None and not state.loading:
            return f"No models are known. {state.error.message}: {WAYS_ON}."
        if self._models is None:
            return "The models are not known yet."
        return "The router has decided nothing yet."

    def show(self, state: ModelsState) -> None:
        """Ask the router again, if the models are others; once the list of them is drawn."""
        if state.as_of is None and state.error is not None and not state.loading:
            self.set_items((), [("No models to choose from.", ""), *no_answer(state.error)])
        elif state.as_of is None:
            self.set_items((), [("Waiting for the models …", "dim")])
        elif state.models is not self._models and not state.loading:
            self._models = state.models
            self.call_after_refresh(self.ask_again)

    def ask_again(self) -> None:
        """Ask anew, by the settings and models of now; what is being tried is tried again."""
        if self._models is not None:
            work.run(self, self._prepare(), "route", exclusive=True)

    # Keys.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("undo", "redo", "reset"):  # wherever something is tried
            return self._what_if is not None and bool(self._what_if.trials or self._what_if.undone)
        if action in keymap.actions(keymap.WHAT_IF) and self.place != keymap.WHAT_IF:
            return False  # so that the key goes on to whoever else has it
        return True

    def action_profile(self, by: int) -> None:
        """Ask for the next profile, or the previous one."""
        if self._what_if is None:
            return
        names = [profile.name for profile in self._what_if.now.profiles]
        now = self._what_if.now.profile
        at = names.index(now) if now in names else -1
        self._profile = names[(at + by) % len(names)]
        self._try(self._what_if.asking(self._profile))
        if self.place != keymap.WHAT_IF:
            self.action_jump(0)

    def action_move(self, by: int) -> None:
        """Move to the next line that is about something, past words and gaps."""
        index = self.cursor + by
        while 0 <= index < len(self.items) and self.items[index].item is None:
            index += 1 if by > 0 else -1
        if 0 <= index < len(self.items):
            self.move_to(index)
        else:
            self.scroll_to(y=0 if by < 0 else len(self.items), animate=False)

    def action_view(self, name: str) -> None:
        """Show a view; the key of the one that is shown leads back to the trace."""
        if self._scene is None:
            return
        view = self._views.get(name)
        if view is None:
            view = self._views[name] = self._make_view(name)
        if view is self._view:
            self.action_back()
        else:
            self._show_view(view)

    def action_back(self) -> None:
        """Back to the trace; a model asked about is forgotten."""
        self._views.pop("fixes", None)
        self._show_view(self._views["trace"])

    def action_choose(self) -> None:
        """Do what the line under the cursor is for."""
        if self.item is not None and self._scene is not None:
            self._view.choose(self, self._scene, self.item)

    def action_step(self, by: int) -> None:
        """The next value of the field under the cursor, or the one before."""
        field = self._field
        if field is not None and field.step is not None:
            self.do(field.step(by))
        else:
            self._refuse("This line has no next value; enter says what it is for.")

    def action_switch(self) -> None:
        """Switch the field under the cursor, or take its next value."""
        field = self._field
        if field is not None and field.switch is not None:
            self.do(field.switch())
        else:
            self.action_step(1)

    def action_remove(self) -> None:
        """Take out what is under the cursor."""
        field = self._field
        if field is not None and field.remove is not None:
            self.do(field.remove())
        else:
            self._refuse("There is nothing to take out on this line.")

    def action_shift(self, by: int) -> None:
        """Move what is under the cursor among its like; the cursor goes along."""
        field = self._field
        if field is not None and field.shift is not None:
            self.do(field.shift(by))
        else:
            self._refuse("Only a preferred family can be moved up or down.")

    def _refuse(self, reason: str) -> None:
        self.notify(reason, timeout=REASON_S)

    def action_undo(self) -> None:
        """Take back the last change that was tried."""
        if self._what_if is not None:
            self._try(self._what_if.undo())

    def action_redo(self) -> None:
        """Try the change again that was taken back last."""
        if self._what_if is not None:
            self._try(self._what_if.redo())

    def action_reset(self) -> None:
        """Take back everything that was tried."""
        what_if = self._what_if
        while what_if is not None and what_if.trials:
            what_if = what_if.undo()
        if what_if is not None:
            self._try(what_if)

    def action_copy(self) -> None:
        """Copy what is decided, as text."""
        if self._scene is not None:
            from ollm_tui.ui.simulator.export import copy_as

            copy_as(self, self._scene, "text")

    def action_apply(self) -> None:
        """Offer to save what is tried, or to copy the decision in a form of one's choice."""
        if self._scene is not None:
            from ollm_tui.ui.simulator.export import offer

            offer(self, self._scene)

    def action_try_prompt(self) -> None:
        """Send a prompt to the model that the profile picks, with what is being tried."""
        from ollm_tui.ui.screens.try_prompt import TryPromptScreen

        scene, model = self._scene, None
        if scene is not None and scene.what_if.trials:
            model = scene.decision.model
            if model is not None and scene.what_if.start.model(model) is None:
                self.notify(
                    f"{clean_line(model)} is only tried, not installed: p pulls it.",
                    severity="warning",
                    markup=False,
                )
                return
        profile = scene.now.profile if scene else self._profile
        self.app.push_screen(TryPromptScreen(self._service, profile, model))

    def action_record(self) -> None:
        """Keep this decision as a case for `route test`."""
        if self._scene is not None and self._scenarios is not None:
            from ollm_tui.ui.simulator.scenarios import record

            record(self, self._scene, self._scenarios(), self._recorded)

    def _recorded(self) -> None:
        self._views.pop("scenarios", None)  # there is one more to run
        self.show_view("scenarios")

    # What views and their choices do.

    def do(self, change: "Change | None") -> None:
        """Try a change; None changes nothing."""
        if change is not None and self._what_if is not None:
            self._try(self._what_if.do(change))

    def ask_profile(self, name: str) -> None:
        """Ask for a profile by name, and show how it came to its answer."""
        if self._what_if is not None:
            self._profile = name
            self._try(self._what_if.asking(name))
            self.action_back()

    def show_view(self, name: str) -> None:
        """Show a view, also when it is the one that is shown."""
        if self._view is not self._views.get(name):
            self.action_view(name)

    def show_fixes(self, model: str) -> None:
        """Show what would make one model win."""
        from ollm_tui.ui.simulator.fixes import FixesView

        view = self._views.setdefault("fixes", FixesView())
        assert isinstance(view, FixesView)
        view.focus(model)
        self.show_view("fixes")
        self.move_to_key(("fix", model, 0))

    def move_to_key(self, key: Hashable) -> None:
        """Put the cursor on the line of a key, as soon as there is one."""
        self._wanted = key
        self._go_to_wanted()

    def override(self, model: str) -> None:
        """Offer to make a model the override of the profile that is asked for."""
        if self._what_if is None:
            return
        from ollm_tui.routing.difference import consequences
        from ollm_tui.routing.settings_changes import SetOverride

        start = self._what_if.start
        change = SetOverride(start.profile, model)
        told = [*consequences(start, change.apply(start))[:3], _OTHER_PROFILE]
        self.post_message(self.SaveWanted(change.edits(start), told))

    def question(self, question: "Question") -> None:
        """Ask for what is typed, and try the change that it means."""
        from ollm_tui.ui.screens.ask import Answer, AskScreen

        def answered(answer: "Answer[Change | None] | None") -> None:
            if answer is not None:
                self.do(answer.value)

        self.app.push_screen(
            AskScreen(
                question.title, question.hint, question.value, question.read, question.offers
            ),
            answered,
        )

    # Drawing.

    def pieces(self, line: Line, width: int) -> list[Piece]:
        return self._view.pieces(line, width)

    def on_resize(self) -> None:
        super().on_resize()
        self._draw()  # sentences are wrapped to the pane
        if self._cursor == self._first_item:  # there is more room than when it was gone to
            self.scroll_to(y=0, animate=False)
            self._scroll_to_cursor()

    def move_to(self, index: int) -> None:
        super().move_to(index)
        self._show_about()

    def _header_strip(self, width: int) -> Strip:
        head = None if self._scene is None else self._view.head(self._scene, width - 1)
        return self.strip([(" ", ""), *(head or ())], width, self.base)

    def _draw(self) -> None:
        scene = self._scene
        if scene is None:
            return
        self.HEADER = self._view.head(scene, self.room - 1) is not None
        self.set_items(self._view.lines(scene, self.room - 1))
        self._go_to_wanted()
        self._retitle(scene)
        self._show_about()

    def _go_to_wanted(self) -> None:
        if self._wanted is None:
            return
        for index, line in enumerate(self.items):
            if line.key == self._wanted:
                self._wanted = None
                self.move_to(index)
                return

    def _retitle(self, scene: Scene) -> None:
        decision = scene.decision
        model = "nothing fits" if decision.model is None else clean_line(decision.model)
        title = f"4 Router ─ {clean_line(decision.profile)} → {model}"
        if scene.what_if.trials:
            title += f" ─ what if: {words.count(len(scene.what_if.trials), 'change')}"
        if self._view.name:
            title += f" ─ {self._view.name}"
        self.border_title = Content(title)

    def _show_about(self) -> None:
        line = self.item
        self.border_subtitle = Content(clean_line("" if line is None else self._view.about(line)))

    # Asking.

    @property
    def _field(self) -> "Field | None":
        from ollm_tui.ui.simulator.field import Field

        line = self.item
        return line.item if line is not None and isinstance(line.item, Field) else None

    async def _prepare(self) -> None:
        from ollm_tui.routing.what_if import WhatIf

        is_outdated = True
        while is_outdated:
            before = self._what_if
            situation = await self._service.situation(self._profile)
            if self._profile is not None and situation.find_profile(self._profile) is None:
                self._profile = None  # it was one of the settings before
                situation = await self._service.situation()
            what_if = WhatIf(situation)
            for trial in before.trials if before else ():
                what_if = what_if.do(trial.change)
            # Ten thousand models take longer to judge than a key may wait.
            decision = await work.in_thread(what_if.now.decide)
            is_outdated = self._what_if is not before  # a key has asked for something else
        self._show_decision(what_if, decision)

    def _try(self, what_if: "WhatIf") -> None:
        self._show_decision(what_if, what_if.now.decide())

    def _show_decision(self, what_if: "WhatIf", decision: "Decision") -> None:
        is_first = self._scene is None
        self._what_if = what_if
        self._scene = Scene(what_if, decision)
        self._show_view(self._view)
        if is_first:
            self.post_message(self.Viewed())

    def _show_view(self, view: View) -> None:
        is_other = view is not self._view
        if is_other:
            self._wanted = None
        self._view = view
        if self._scene is None:
            return
        self._draw()
        if is_other:
            self._to_first_item()
            self.post_message(self.Viewed())
        # Once it is painted, since finding more out would hold the picture up.
        self.call_after_refresh(self._begin_work, self._scene)

    def _to_first_item(self) -> None:
        """To the first line on which a key acts, with what is above it in sight."""
        self.scroll_to(y=0, animate=False)
        self.move_to(self._first_item)

    @property
    def _first_item(self) -> int:
        acting = (index for index, line in enumerate(self.items) if line.item is not None)
        return next(acting, 0)

    def _begin_work(self, scene: Scene) -> None:
        if scene is not self._scene:
            return  # there has been another key since
        self.app.workers.cancel_group(self.app, _WORK)
        if self._view.has_work(scene):
            work.run(self, self._view.work(scene, self._draw_found), _WORK, exclusive=True)

    def _draw_found(self) -> None:
        """Draw what has been found; an unmoved cursor goes to the first line on which keys act."""
        is_unmoved = self.cursor == 0 and all(line.item is None for line in self.items)
        self._draw()
        if is_unmoved and self._wanted is None:
            self._to_first_item()

    def _make_view(self, name: str) -> View:
        from ollm_tui.ui.simulator.views import make_view

        return make_view(name, self._scenarios)
