"""Which model a routing profile would pick, why each other one is not it, and what would change it.

Keeps which view is shown. What is being tried is the experiment's, and what a question looks like
on screen is its view's (both in `ui/simulator`).
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
from ollm_tui.ui import keymap, work
from ollm_tui.ui.columns import Piece
from ollm_tui.ui.keyed import KeyedApp
from ollm_tui.ui.no_answer import no_answer, ways_on
from ollm_tui.ui.rows import RowList
from ollm_tui.ui.simulator.experiment import Experiment
from ollm_tui.ui.simulator.trace import TraceView
from ollm_tui.ui.simulator.view import Line, Scene, View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollm_tui.routing.change import Change, Edit
    from ollm_tui.ui.simulator.field import Question
    from ollm_tui.ui.simulator.scenarios import ScenarioBook

_WORK = "simulate"


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
        self._experiment = Experiment(service, self._show_scene)
        self._models: tuple[ModelInfo, ...] | None = None
        self._wanted: Hashable = None
        self._placed: Hashable = None
        """Where the cursor was put without a key; None = nowhere."""
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
        return self._experiment.scene

    @property
    def why_no_decision(self) -> str:
        """Why nothing is decided yet, one sentence or two; empty = there is a decision."""
        if self.scene is not None:
            return ""
        state = self._service.models
        if state.as_of is None and state.error is not None and not state.loading:
            return f"No models are known. {state.error.message}: {ways_on()}."
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

    def respell(self) -> None:
        self.show(self._service.models)
        self._draw()

    def ask_again(self) -> None:
        """Ask anew, by the settings and models of now; what is being tried is tried again."""
        if self._models is not None:
            work.run(self, self._experiment.ask_again(), "route", exclusive=True)

    # Keys.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("undo", "redo", "reset"):  # wherever something is tried
            return self._experiment.has_steps
        if action in keymap.actions(keymap.WHAT_IF) and self.place != keymap.WHAT_IF:
            return False  # so that the key goes on to whoever else has it
        return True

    def action_profile(self, by: int) -> None:
        """Ask for the next profile, or the previous one."""
        if self.scene is None:
            return
        self._experiment.ask_next_profile(by)
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

    def action_jump(self, index: int) -> None:
        """Move to the first line on which keys act, or to the last; what is around comes along."""
        if index >= 0:
            self.move_to(self._first_item)
            self.scroll_to(y=0, animate=False)
            self._scroll_to_cursor()  # where that is further down than there is room
        else:
            about = [at for at, line in enumerate(self.items) if line.item is not None]
            self.move_to(about[-1] if about else len(self.items) - 1)
            self.scroll_to(y=len(self.items), animate=False)

    def action_view(self, name: str) -> None:
        """Show a view; the key of the one that is shown leads back to the trace."""
        if self.scene is None:
            return
        view = self._views.get(name)
        if view is None:
            from ollm_tui.ui.simulator.views import make_view

            view = self._views[name] = make_view(name, self._scenarios)
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
        if self.item is not None and self.scene is not None:
            self._view.choose(self, self.scene, self.item)

    def action_step(self, by: int) -> None:
        """The next value of the field under the cursor, or the one before."""
        self._view.change(self, self.item, "step", by)

    def action_switch(self) -> None:
        """Switch the field under the cursor, or take its next value."""
        self._view.change(self, self.item, "switch")

    def action_remove(self) -> None:
        """Take out what is under the cursor."""
        self._view.change(self, self.item, "remove")

    def action_shift(self, by: int) -> None:
        """Move what is under the cursor among its like; the cursor goes along."""
        self._view.change(self, self.item, "shift", by)

    def action_undo(self) -> None:
        """Take back the last change that was tried."""
        self._experiment.undo()

    def action_redo(self) -> None:
        """Try the change again that was taken back last."""
        self._experiment.redo()

    def action_reset(self) -> None:
        """Take back everything that was tried."""
        self._experiment.reset()

    def action_copy(self) -> None:
        """Copy what is decided, as text."""
        if self.scene is not None:
            from ollm_tui.ui.simulator.export import copy_as

            copy_as(self, self.scene, "text")

    def action_apply(self) -> None:
        """Offer to save what is tried, or to copy the decision in a form of one's choice."""
        if self.scene is not None:
            from ollm_tui.ui.simulator.export import offer

            offer(self, self.scene)

    def action_try_prompt(self) -> None:
        """Send a prompt to the model that the profile picks, with what is being tried."""
        from ollm_tui.ui.simulator.prompt import open_prompt

        open_prompt(self, self._service, self._experiment)

    def action_record(self) -> None:
        """Keep this decision as a case for `route test`."""
        if self.scene is not None and self._scenarios is not None:
            from ollm_tui.ui.simulator.scenarios import record

            record(self, self.scene, self._scenarios(), self._recorded)

    def _recorded(self) -> None:
        self._views.pop("scenarios", None)  # there is one more to run
        self.show_view("scenarios")

    # What views and their choices do.

    def do(self, change: "Change | None") -> None:
        """Try a change; None changes nothing."""
        if change is not None:
            self._experiment.do(change)

    def refuse(self, reason: str) -> None:
        """Say why a key does nothing."""
        assert isinstance(self.app, KeyedApp)
        self.app.refuse(reason)

    def ask_profile(self, name: str) -> None:
        """Ask for a profile by name, and show how it came to its answer."""
        if self.scene is not None:
            self._experiment.ask_profile(name)
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
        if self.scene is not None:
            from ollm_tui.ui.simulator.export import offer_override

            offer_override(self, self.scene, model)

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
        head = None if self.scene is None else self._view.head(self.scene, width - 1)
        return self.strip([(" ", ""), *(head or ())], width, self.base)

    def _draw(self) -> None:
        scene = self.scene
        if scene is None:
            return
        self.HEADER = self._view.head(scene, self.room - 1) is not None
        self.set_items(self._view.lines(scene, self.room - 1))
        self._go_to_wanted()
        self.border_title = Content(self._view.title(scene))
        self._show_about()

    def _go_to_wanted(self) -> None:
        if self._wanted is None:
            return
        for index, line in enumerate(self.items):
            if line.key == self._wanted:
                self._wanted = None
                self.move_to(index)
                return

    def _show_about(self) -> None:
        line = self.item
        self.border_subtitle = Content(clean_line("" if line is None else self._view.about(line)))

    def _show_scene(self, is_first: bool) -> None:
        self._placed = None  # where something has been tried, the cursor stays
        self._show_view(self._view)
        if is_first:
            self.post_message(self.Viewed())

    def _show_view(self, view: View) -> None:
        is_other = view is not self._view
        if is_other:
            self._wanted = None
        self._view = view
        if self.scene is None:
            return
        self._draw()
        if is_other:
            self.scroll_to(y=0, animate=False)  # what is above the first item is in sight then
            self._place()
            self.post_message(self.Viewed())
        # Once it is painted, since finding more out would hold the picture up.
        self.call_after_refresh(self._begin_work, self.scene)

    @property
    def _first_item(self) -> int:
        """The first line on which a key acts."""
        acting = (index for index, line in enumerate(self.items) if self._view.is_acting(line))
        return next(acting, 0)

    def _place(self) -> None:
        """Put the cursor on the first line on which a key acts."""
        self.move_to(self._first_item)
        self._placed = self._at

    @property
    def _at(self) -> Hashable:
        """What the cursor is on."""
        return 0 if self.item is None else self.item.key

    def _begin_work(self, scene: Scene) -> None:
        if scene is not self.scene:
            return  # there has been another key since
        self.app.workers.cancel_group(self.app, _WORK)
        if self._view.has_work(scene):
            work.run(self, self._view.work(scene, self._draw_found), _WORK, exclusive=True)

    def _draw_found(self) -> None:
        """Draw what has been found; a cursor that nobody has moved goes to the first line again."""
        is_unmoved = self._at == self._placed or all(line.item is None for line in self.items)
        self._draw()
        if is_unmoved and self._wanted is None:
            self._place()
