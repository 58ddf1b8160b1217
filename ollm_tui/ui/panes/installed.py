"""The installed models: a table with cursor, marks, order and filter. Keeps no other truth."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content
from textual.message import Message

from ollm_tui.core.event import ModelsState, PendingDeletions, QueueState, UpdatesState
from ollm_tui.core.model import UNKNOWN_FAMILY, ModelInfo, Problem
from ollm_tui.service.service import ModelService
from ollm_tui.ui import format as words
from ollm_tui.ui import keymap, work
from ollm_tui.ui.columns import Column, Piece, fit_name
from ollm_tui.ui.fit_words import fit_cell
from ollm_tui.ui.keymap import named
from ollm_tui.ui.look import Look
from ollm_tui.ui.model_order import Order
from ollm_tui.ui.no_answer import no_answer
from ollm_tui.ui.panes import unread
from ollm_tui.ui.panes.signs import Signs
from ollm_tui.ui.panes.unread import Unread
from ollm_tui.ui.rows import RowList

if TYPE_CHECKING:
    from ollm_tui.core.filter import Filter

_FIRST = -1  # to leave when room gets scarce
_NAME = 1  # which column the name is in
_NO_LOOK = Look()


class InstalledPane(RowList[ModelInfo | Unread]):
    """Pane 1."""

    BINDINGS = keymap.bindings(keymap.INSTALLED)
    COLUMNS = (
        Column("", 1),
        Column("NAME", 17, flexible=True),
        Column("FAMILY", 9, drop=3),
        Column("PARAMS", 6, right=True, drop=4),
        Column("QUANT", 7, drop=2),
        Column("CTX", 5, right=True),
        Column("SIZE", 8, right=True),
        Column("CAPS", 4, drop=5),
        Column("MODIFIED", 9, drop=1),
    )
    _WITH_FIT = (*COLUMNS[:-1], Column("FIT", 5, drop=_FIRST), COLUMNS[-1])

    class OverrideWanted(Message):
        """A model is to be the override of the profile that the router shows.

        Attributes:
            model: its raw name.
        """

        def __init__(self, model: str) -> None:
            super().__init__()
            self.model = model

    class DefaultWanted(Message):
        """A model is to be the one that `model.default` names.

        Attributes:
            model: its raw name.
        """

        def __init__(self, model: str) -> None:
            super().__init__()
            self.model = model

    class Sorted(Message):
        """The list is in another order."""

        def __init__(self, order: Order) -> None:
            super().__init__()
            self.order = order

    def __init__(self, service: ModelService, look: Look = _NO_LOOK) -> None:
        super().__init__(id="installed", key=lambda model: model.name, classes="pane")
        self._service = service
        self._state = ModelsState(loading=True)
        self._filter: Filter | None = None
        self._sorted: list[ModelInfo] = []
        self._shown: list[ModelInfo] = []  # those of them that the filter lets through
        self._unread: list[Unread] = []
        self._order = Order.of_look(look)
        self._marked: set[str] = set()
        self._marks_leaving: set[str] = set()
        self._signs = Signs()
        self._comparing = 0
        self._now = service.now()
        self._memory_bytes: int | None = None

    def on_mount(self) -> None:
        self._rebuild()

    @property
    def model(self) -> ModelInfo | None:
        """The model under the cursor; None also on what could not be read."""
        item = self.item
        return item if isinstance(item, ModelInfo) else None

    @property
    def problem(self) -> Problem | None:
        """What could not be read and is under the cursor."""
        item = self.item
        return item.problem if isinstance(item, Unread) else None

    @property
    def is_leaving(self) -> bool:
        """Whether the model under the cursor is about to be deleted."""
        return self.model is not None and self.model.name in self._signs.leaving

    @property
    def has_marks(self) -> bool:
        return bool(self._marked)

    @property
    def has_models(self) -> bool:
        """Whether any model is shown."""
        return bool(self._shown)

    @property
    def selection(self) -> list[ModelInfo]:
        """The marked models, else the one under the cursor, in the order shown."""
        marked = [model for model in self._state.models if model.name in self._marked]
        if marked or self.model is None:
            return marked
        return [self.model]

    @property
    def filter_text(self) -> str:
        return self._filter.text if self._filter else ""

    @property
    def count_text(self) -> str:
        """How many models are shown, and how large they are."""
        total = len(self._state.models)
        size = words.size(sum(model.size_bytes for model in self._shown))
        return f"{len(self._shown):,} of {total:,} · {size}"

    def show(self, state: ModelsState) -> None:
        """Draw what the service knows."""
        is_same = state.models is self._state.models and bool(self.items)
        if state.problems != self._state.problems:
            self._unread = unread.rows_of(state.problems)
            is_same = False
        self._state = state
        present = {model.name for model in state.models}
        self._marked &= present
        self._marks_leaving &= present
        self._now = self._service.now()
        if is_same:
            self._retitle()
        else:
            self._sort_anew()

    def show_queue(self, state: QueueState) -> None:
        """Mark the models that are being downloaded."""
        if self._signs.take_queue(state):
            self.redraw()

    def know_memory(self, memory_bytes: int | None) -> None:
        """Learn how much memory there is where the models run, and say whether each fits."""
        if memory_bytes == self._memory_bytes:
            return
        self._memory_bytes = memory_bytes
        self.show_columns(type(self).COLUMNS if memory_bytes is None else self._WITH_FIT)

    def show_updates(self, state: UpdatesState) -> None:
        """Mark the models that their registry has anew."""
        self._signs.take_updates(state)
        self._comparing = state.left
        self.redraw()
        self._retitle()

    def show_pending(self, state: PendingDeletions) -> None:
        """Dim the models that are about to be deleted."""
        self._signs.take_pending(state)
        leaving = self._signs.leaving
        # A delete that is taken back gives the marks back.
        marks = self._marked | self._marks_leaving
        self._marked, self._marks_leaving = marks - leaving, marks & leaving
        self.redraw()
        self._retitle()

    def respell(self) -> None:
        self._rebuild()

    def filter_by(self, wanted: "Filter | None") -> None:
        """Show only what matches; None = everything."""
        self._filter = wanted
        self._rebuild()

    def has_any(self, wanted: "Filter") -> bool:
        """Whether a filter would leave a row."""
        # Model by model: most words are in one of the first few.
        is_in_one = any(wanted.matches(model, self._marked) for model in self._sorted)
        return is_in_one or unread.has_any(self._unread, wanted)

    def pieces(self, item: ModelInfo | Unread, width: int) -> list[Piece]:
        if isinstance(item, Unread):
            return unread.pieces(item, self.widths[_NAME], width, is_stale=self._state.stale)
        pieces = super().pieces(item, width)
        if item.name in self._marked:
            # In the gap before the name, so that the sign stays and no column has to go.
            sign, style = pieces[0]
            pieces[:1] = [(sign[:-1], style), ("*", "accent")]
        return pieces

    def cells(self, model: ModelInfo | Unread) -> Sequence[Piece]:
        assert isinstance(model, ModelInfo)  # the others are one piece
        dim = "dim" if self._state.stale or model.name in self._signs.leaving else ""
        fit = () if self._memory_bytes is None else (fit_cell(model, self._memory_bytes),)
        return (
            self._signs.of(model),
            (
                fit_name(model.display_name, self.widths[_NAME]),
                dim or ("accent" if model.name in self._marked else ""),
            ),
            ("–" if model.family == UNKNOWN_FAMILY else model.family, "dim"),
            (words.parameters(model.parameters_billions), dim),
            (model.quantization or words.UNKNOWN, "dim"),
            (words.context(model.context_window), dim),
            ("remote" if model.remote else words.size(model.size_bytes), dim),
            (words.capabilities(model), "dim"),
            *fit,
            (words.age(model.modified_at, self._now), "dim"),
        )

    def header(self, column: Column) -> str:
        return self._order.header(column)

    def header_clicked(self, x: int) -> None:
        at = 1
        for column, width in zip(self.COLUMNS, self.widths, strict=True):
            if width and at <= x <= at + width and column.title:
                self._reorder(self._order.picked(column.title))
                return
            at += width + 1 if width else 0

    def action_sort(self) -> None:
        shown = [
            column.title
            for column, width in zip(self.COLUMNS, self.widths, strict=True)
            if width and column.title
        ]
        self._reorder(self._order.next_of(shown))

    def action_reverse(self) -> None:
        self._reorder(self._order.turned())

    def action_mark(self) -> None:
        if self.model is None:
            return
        self._marked ^= {self.model.name}
        self.action_move(1)
        self._marks_changed()

    def action_inspect(self) -> None:
        if self.item is not None:
            self.post_message(self.Chosen(self))  # as a second click does

    def action_copy_name(self) -> None:
        if self.item is not None:
            self.app.copy_to_clipboard(self.item.display_name)
            self.notify(f"Copied {self.item.display_name}", markup=False, timeout=2)

    def action_override(self) -> None:
        """Offer to make the model the override of the profile that the router shows."""
        model = self.model
        if model is None:
            return
        if model.embedding_only:
            text = f"{model.display_name} is for embeddings and answers no prompts."
            self.notify(text, severity="warning", markup=False)
            return
        self.post_message(self.OverrideWanted(model.name))

    def action_load(self) -> None:
        model = self.model
        if model is None:
            return
        if model.loaded:
            work.run(self, self._service.unload(model.name), f"memory {model.name}")
        else:
            self.notify(f"Loading {model.display_name} …", markup=False, timeout=2)
            work.run(self, self._service.load(model.name), f"memory {model.name}")

    def action_unload_all(self) -> None:
        for model in self._service.running.models:
            work.run(self, self._service.unload(model.name), f"memory {model.name}")

    def action_delete(self) -> None:
        """Delete what is marked, after a question that says what would be gone."""
        models = self.selection
        if not models:
            return
        from ollm_tui.ui import deleting

        shown = {model.name for model in self._shown}
        hidden = sum(model.name not in shown for model in models)

        def switch_default(name: str) -> None:
            self.post_message(self.DefaultWanted(name))

        asking = deleting.ask(
            self, self._service, models, hidden=hidden, switch_default=switch_default
        )
        work.run(self, asking, "ask delete", exclusive=True)

    def action_updates(self) -> None:
        """Compare every model with its registry, and offer to pull what is newer there."""
        from ollm_tui.ui import updating

        self.notify("Asking the registries …", timeout=2)
        marked = frozenset(self._marked)
        work.run(self, updating.check(self, self._service, marked), "updates", exclusive=True)

    def action_mark_all(self) -> None:
        shown = {model.name for model in self._shown} - self._signs.leaving
        self._marked = set() if shown <= self._marked else self._marked | shown
        self._marks_changed()

    def action_clear_filter(self) -> None:
        """Show all models again."""
        self.filter_by(None)

    def unmark(self, names: Sequence[str]) -> None:
        """Take marks away, for models that have just been dealt with."""
        self._marked -= set(names)
        self._marks_changed()

    def _reorder(self, order: Order) -> None:
        self._order = order
        self._sort_anew()
        self.post_message(self.Sorted(order))

    def _sort_anew(self) -> None:
        # Kept in order, so that a letter more of a filter costs no sorting.
        self._sorted = self._order.of(self._state.models)
        self._rebuild()

    def _rebuild(self) -> None:
        wanted, marked = self._filter, self._marked
        shown = self._sorted if wanted is None else list(wanted.among(self._sorted, marked))
        self._shown = shown
        rows = unread.with_models(
            shown,
            self._unread,
            wanted,
            by_name=self._order.column == "NAME",
            is_reversed=self._order.is_reversed,
        )
        self.set_items(rows, self._empty_state())
        self._retitle()

    def _marks_changed(self) -> None:
        if self._filter is not None and self._filter.asks_marks:
            self._rebuild()
        else:
            self.redraw()
            self._retitle()

    def _retitle(self) -> None:
        total = len(self._state.models)
        parts = [self.count_text]
        if self.filter_text:
            parts.append(f"/{self.filter_text}")
        if self._marked:
            marked = sum(m.size_bytes for m in self._state.models if m.name in self._marked)
            parts.append(f"{len(self._marked)} marked, {words.size(marked)}")
        if self._comparing:
            parts.append(f"{self._comparing} to compare")
        elif self._signs.outdated:
            parts.append(f"{words.count(len(self._signs.outdated), 'update')}")
        if self._state.problems:
            parts.append(f"{len(self._state.problems)} unreadable")
        if self._state.stale and self._state.as_of:
            parts.append(f"as of {self._state.as_of.astimezone():%H:%M}, offline")
        if not total and (self._state.loading or self._state.error):
            parts = ["asking …" if self._state.loading else "no answer"]
        self.border_title = Content(f"1 Installed ─ {' · '.join(parts)}")

    def _empty_state(self) -> list[Piece]:
        state = self._state
        if state.models or state.problems:
            return [
                (f"Nothing matches “{self.filter_text}”.", ""),
                (f"esc clears the filter, {named('app.filter')} changes it", "dim"),
            ]
        if state.loading:
            return [("Asking the server …", "dim")]
        if state.error is not None:
            return list(no_answer(state.error))
        return [
            ("No models yet.", ""),
            (f"{named('app.pull')} pulls one, for example llama3.2:3b", "dim"),
        ]
