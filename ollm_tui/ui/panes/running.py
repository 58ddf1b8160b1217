"""The models in memory: size, where they run, the context they serve, and when they leave."""

from collections.abc import Sequence

from textual.content import Content

from ollm_tui.core.event import RunningState
from ollm_tui.core.model import RunningModel
from ollm_tui.service.service import ModelService
from ollm_tui.ui import format as words
from ollm_tui.ui import keymap, work
from ollm_tui.ui.columns import Column, Piece, fit_name
from ollm_tui.ui.keymap import named
from ollm_tui.ui.rows import RowList

TICK_S = 1.0
_NAME = 1  # which column the name is in
_STAYS: dict[str, tuple[str, str | int | None]] = {
    "5": ("5 min", "5m"),
    "1": ("1 hour", "1h"),
    "f": ("Forever", -1),
    "d": ("Default", None),
}


class RunningPane(RowList[RunningModel]):
    """Pane 1, what is running."""

    BINDINGS = keymap.bindings(keymap.RUNNING)
    COLUMNS = (
        Column("", 1),
        Column("NAME", 17, flexible=True),
        Column("MEMORY", 8, right=True),
        Column("PROCESSOR", 17, drop=2),
        Column("CTX", 5, right=True),
        Column("LEAVES IN", 9, right=True),
    )

    def __init__(self, service: ModelService) -> None:
        super().__init__(id="running", key=lambda model: model.name, classes="pane")
        self._service = service

    def on_mount(self) -> None:
        self.show(self._service.running)
        self.post_message(self.Moved(self))  # also when it is on none, which is news as well
        self.set_interval(TICK_S, self._tick)

    @property
    def model_name(self) -> str | None:
        """The raw name of the model under the cursor."""
        return self.item.name if self.item is not None else None

    def look(self) -> None:
        """Ask what is in memory now."""
        work.run(self.app, self._ask(), "memory", exclusive=True)

    def show(self, state: RunningState) -> None:
        """Draw what the service knows."""
        self.set_items(state.models, _empty(state))
        total = words.size(sum(model.size_bytes for model in state.models))
        parts = f"{len(state.models)} · {total} in memory" if state.models else "nothing"
        self.border_title = Content(f"1 Running ─ {parts}")

    def respell(self) -> None:
        self.show(self._service.running)

    def cells(self, model: RunningModel) -> Sequence[Piece]:
        return (
            ("●", "good"),
            (fit_name(model.display_name, self.widths[_NAME]), ""),
            (words.size(model.size_bytes), ""),
            (words.processor(model.size_bytes, model.size_vram_bytes), "dim"),
            (words.context(model.context_tokens), ""),
            (words.leaves_in(model.expires_at, self._service.now()), "dim"),
        )

    def action_unload(self) -> None:
        if self.item is not None:
            work.run(self, self._service.unload(self.item.name), f"memory {self.item.name}")

    def action_unload_all(self) -> None:
        work.run(self, self._service.unload_all(), "unload all")

    def action_keep(self) -> None:
        """Ask how long the model shall stay from now on."""
        model = self.item
        if model is None:
            return
        from ollm_tui.ui.screens.confirm import Choice, ConfirmScreen

        def keep(answer: str | None) -> None:
            if answer in _STAYS:
                wanted = _STAYS[answer][1]
                work.run(self, self._service.load(model.name, wanted), f"memory {model.name}")

        self.app.push_screen(
            ConfirmScreen(
                f"How long shall {model.display_name} stay in memory?",
                ["Counted from its last use; a new request starts it again."],
                [Choice(key, label) for key, (label, _) in _STAYS.items()],
                stay="As is",
            ),
            keep,
        )

    async def _ask(self) -> None:
        if self._service.running.error is None:
            await self._service.refresh_running()

    def _tick(self) -> None:
        if self.display and self.items:
            self.redraw()  # the time that is left


def _empty(state: RunningState) -> list[Piece]:
    if state.error is not None:
        return [
            (state.error.message, "warn"),
            *((action, "dim") for action in state.error.actions),
            (f"{named('running.view')} shows the disk", "dim"),
        ]
    return [
        ("No model is in memory.", ""),
        (
            f"{named('running.view')} twice leads back to the installed ones, where "
            f"{named('installed.load')} loads one",
            "dim",
        ),
    ]
