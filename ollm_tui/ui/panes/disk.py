"""What the models take on disk: leftovers first, then each model's own and shared bytes."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from textual.content import Content

from ollm_tui.core.event import ModelsState, PendingDeletions, StoreState
from ollm_tui.core.model import ModelInfo, Problem
from ollm_tui.core.store import Leftover, LeftoverKind, ModelUsage
from ollm_tui.service.service import ModelService
from ollm_tui.ui import deleting, keymap, work
from ollm_tui.ui import format as words
from ollm_tui.ui.columns import Column, Piece, fit_name, fit_text
from ollm_tui.ui.keymap import named
from ollm_tui.ui.panes.installed import InstalledPane
from ollm_tui.ui.panes.signs import LEAVING_SIGN, Signs
from ollm_tui.ui.possible import OnDisk
from ollm_tui.ui.rows import RowList

_NAME = 1  # which column the name is in
_GLYPHS: dict[LeftoverKind, Piece] = {
    LeftoverKind.DOWNLOAD: ("↓", "warn"),
    LeftoverKind.SERVER_DOWNLOAD: ("↓", "warn"),
    LeftoverKind.ORPHAN: ("?", "warn"),
    LeftoverKind.TEMPORARY: ("~", "warn"),
}


class _Row(NamedTuple):
    """A model or a leftover."""

    model: ModelUsage | None = None
    leftover: Leftover | None = None

    @property
    def key(self) -> tuple[str, str]:
        if self.leftover is not None:
            return self.leftover.kind, self.leftover.name
        return "", self.model.name if self.model else ""


class DiskPane(RowList[_Row]):
    """Pane 1, what is on disk."""

    BINDINGS = keymap.bindings(keymap.DISK)
    COLUMNS = (
        Column("", 1),
        Column("NAME", 17, flexible=True),
        Column("OWN", 9, right=True),
        Column("SHARED", 9, right=True),
    )

    def __init__(self, service: ModelService) -> None:
        super().__init__(id="disk", key=lambda row: row.key, classes="pane")
        self._service = service
        self._models: tuple[ModelInfo, ...] = ()
        self._problems: tuple[Problem, ...] = ()
        self._signs = Signs()

    def on_mount(self) -> None:
        self._signs.take_pending(self._service.deletions.state)
        self.show(self._service.store.state)
        self.post_message(self.Moved(self))  # also when it is on none, which is news as well

    @property
    def model_name(self) -> str | None:
        """The raw name of the model under the cursor, or of the one that a leftover is for."""
        row = self.item
        if row is None:
            return None
        return row.leftover.model if row.leftover is not None else row.key[1]

    @property
    def on(self) -> OnDisk:
        """What the cursor is on."""
        if self.item is None:
            return OnDisk.NOTHING
        return OnDisk.MODEL if self.item.leftover is None else OnDisk.LEFTOVER

    @property
    def is_leaving(self) -> bool:
        """Whether the model under the cursor is about to be deleted."""
        return self.on is OnDisk.MODEL and self.model_name in self._signs.leaving

    def look(self) -> None:
        """Measure the store again."""
        self._models, self._problems, *_ = self._service.models
        work.run(self.app, self._service.store.refresh(), "disk", exclusive=True)

    def models_changed(self, state: ModelsState) -> None:
        """Measure it again if there are other models than before."""
        is_same = state.models == self._models and state.problems == self._problems
        if not is_same and not state.loading:
            self.look()

    def show(self, state: StoreState) -> None:
        """Draw what the service knows."""
        usage = state.usage
        if usage is None or state.error is not None:
            self.set_items((), _empty(state))
            self.border_title = Content("1 Disk")
            return
        rows = [_Row(leftover=item) for item in usage.leftovers]
        models = sorted(usage.models, key=lambda model: (-model.unique_bytes, model.name))
        rows += [_Row(model=model) for model in models]
        self.set_items(rows, _empty(state))
        parts = [
            words.size(usage.blob_bytes),
            f"{words.size(usage.partial_bytes)} partial" if usage.partial_bytes else "",
            f"{words.size(usage.orphaned_bytes)} orphaned" if usage.orphaned_bytes else "",
            f"{words.size(usage.free_bytes)} free",
            state.place.path if state.place else "",
        ]
        self.border_title = Content(f"1 Disk ─ {' · '.join(part for part in parts if part)}")

    def respell(self) -> None:
        self.show(self._service.store.state)

    def show_pending(self, state: PendingDeletions) -> None:
        """Dim the models that are about to be deleted."""
        self._signs.take_pending(state)
        self.redraw()

    def cells(self, row: _Row) -> Sequence[Piece]:
        model = row.model
        assert model is not None
        is_leaving = model.name in self._signs.leaving
        dim = "dim" if is_leaving else ""
        return (
            LEAVING_SIGN if is_leaving else ("", ""),
            (fit_name(model.name, self.widths[_NAME]), dim),
            (words.size(model.unique_bytes), dim),
            (words.size(model.shared_bytes) if model.shared_bytes else words.UNKNOWN, "dim"),
        )

    def pieces(self, row: _Row, width: int) -> list[Piece]:
        item = row.leftover
        if item is not None:
            glyph, style = ("↓", "accent") if item.is_active else _GLYPHS[item.kind]
            text = words.leftover(item, self._service.now())
            return [(f"{glyph} ", style), (fit_text(text, max(0, width - 2)), style)]
        if row.model is not None and not row.model.unique_bytes + row.model.shared_bytes:
            keys = f"{named('disk.doctor')} says why, {named('disk.delete')} deletes it"
            text = f"{row.model.name}  cannot be read; {keys}"
            return [("✗ ", "bad"), (fit_text(text, max(0, width - 2)), "bad")]
        return super().pieces(row, width)

    def action_resume(self) -> None:
        """Pull the model of a partial download again, which goes on where it ended."""
        item = self._leftover
        if item is None:
            return
        if not item.model:
            self.notify(
                f"Nobody noted which model this belongs to. {named('app.pull')} pulls the model by "
                f"name, and goes on with what is there; {named('disk.discard')} discards it.",
                severity="warning",
            )
            return
        self._service.enqueue(item.model)
        self.notify(f"Queued {item.model}", markup=False, timeout=3)

    def action_discard(self) -> None:
        """Remove a leftover, after a question."""
        item = self._leftover
        if item is None:
            return
        if item.is_active:
            keys = f"{named('pane.downloads')}, {named('downloads.cancel')}"
            self.notify(f"It is being written now. Cancel the download first ({keys}).")
            return
        from ollm_tui.ui.screens.confirm import Choice, ConfirmScreen

        self.app.push_screen(
            ConfirmScreen(
                "Discard what is left over?",
                [words.leftover(item, self._service.now()), "", _consequence(item)],
                [Choice("y", "Discard", is_destructive=True)],
            ),
            lambda answer: self._discard(item) if answer == "y" else None,
        )

    def action_delete(self) -> None:
        """Delete the model, after a question that says what would be gone."""
        usage = self.item.model if self.item else None
        if usage is None:
            return
        model = next((one for one in self._service.models.models if one.name == usage.name), None)
        if model is None:
            self._delete_broken(usage.name)
            return

        def switch_default(name: str) -> None:
            self.post_message(InstalledPane.DefaultWanted(name))

        asking = deleting.ask(self, self._service, [model], switch_default=switch_default)
        work.run(self, asking, "ask delete", exclusive=True)

    def _delete_broken(self, name: str) -> None:
        """Ask about an entry that is in no list, so that nobody can tell what it is."""
        from ollm_tui.ui.screens.confirm import Choice, ConfirmScreen

        def answered(answer: str | None) -> None:
            if answer == "y":
                gone = [ModelInfo(name)]
                job = deleting.carry_out(self, self._service, gone, unload=False, force=False)
                work.run(self, job, "delete")

        told = ["It cannot be read, so what that frees is not known.", deleting.undo_words()]
        delete = Choice("y", "Delete", is_destructive=True)
        self.app.push_screen(ConfirmScreen(f"Delete {name}?", told, [delete]), answered)

    @property
    def _leftover(self) -> Leftover | None:
        return self.item.leftover if self.item else None

    def _discard(self, item: Leftover) -> None:
        async def discard() -> None:
            freed_bytes = await self._service.store.reclaim([item])
            told = f"Freed {words.size(freed_bytes)}" if freed_bytes else "It has changed; it stays"
            self.notify(told, timeout=4)

        work.run(self, discard(), "discard")


def _consequence(item: Leftover) -> str:
    match item.kind:
        case LeftoverKind.DOWNLOAD:
            return "The download would begin again from nothing."
        case LeftoverKind.SERVER_DOWNLOAD:
            return "A server that is at work on it would fail; without one it is of no use."
        case _:
            return "No model needs it."


def _empty(state: StoreState) -> list[Piece]:
    return list(_empty_lines(state))


def _empty_lines(state: StoreState) -> Iterator[Piece]:
    error = state.error
    if error is not None:
        yield (error.message, "warn")
        if error.cause:
            yield (error.cause, "")
        yield ("", "")
        for action in error.actions:
            yield (action, "dim")
        yield (f"{named('disk.view')} shows the installed models", "dim")
    elif state.usage is None:
        yield ("Measuring the store …", "dim")
    else:
        yield ("Nothing is in the store yet.", "")
        yield (f"{named('app.pull')} pulls a model by name", "dim")
