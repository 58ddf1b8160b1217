"""The installed models: a table with cursor, marks, sort and filter. Keeps no other truth."""

from collections.abc import Callable, Sequence

from textual.content import Content

from ollm_tui.core.event import ModelsState, PendingDeletions, QueueState, UpdatesState
from ollm_tui.core.filter import Filter
from ollm_tui.core.model import UNKNOWN_FAMILY, ModelInfo
from ollm_tui.core.name import name_key
from ollm_tui.service.service import ModelService
from ollm_tui.ui import format as words
from ollm_tui.ui import keymap, work
from ollm_tui.ui.rows import Column, Piece, RowList, fit_name

_BIG = float("inf")
_NAME = 1  # which column the name is in


def _age(model: ModelInfo) -> float:
    return -model.modified_at.timestamp() if model.modified_at else _BIG


# What sorting by each column compares; the first key press puts what one looks for on top.
_SORTS: dict[str, Callable[[ModelInfo], object]] = {
    "NAME": lambda model: model.display_name.casefold(),
    "FAMILY": lambda model: (model.family == UNKNOWN_FAMILY, model.family),
    "PARAMS": lambda model: -(model.parameters_billions or 0),
    "QUANT": lambda model: model.quantization or "~",
    "CTX": lambda model: -(model.context_window or 0),
    "SIZE": lambda model: -model.size_bytes,
    "CAPS": lambda model: _caps(model).replace("·", "~"),
    "MODIFIED": _age,
}


class InstalledPane(RowList[ModelInfo]):
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
        Column("MODIFIED", 8, drop=1),
    )

    def __init__(self, service: ModelService) -> None:
        super().__init__(id="installed", key=lambda model: model.name, classes="pane")
        self._service = service
        self._state = ModelsState(loading=True)
        self._filter = Filter.parse("")
        self._sort = "MODIFIED"
        self._is_reversed = False
        self._marked: set[str] = set()
        self._arriving: frozenset[str] = frozenset()
        self._outdated: frozenset[str] = frozenset()
        self._leaving: frozenset[str] = frozenset()
        self._comparing = 0
        self._now = service.now()

    def on_mount(self) -> None:
        self._rebuild()

    @property
    def selection(self) -> list[ModelInfo]:
        """The marked models, else the one under the cursor, in the order shown."""
        marked = [model for model in self._state.models if model.name in self._marked]
        if marked or self.item is None:
            return marked
        return [self.item]

    @property
    def filter_text(self) -> str:
        return self._filter.text

    def show(self, state: ModelsState) -> None:
        """Draw what the service knows."""
        is_same = state.models is self._state.models and bool(self.items)
        self._state = state
        self._marked &= {model.name for model in state.models}
        self._now = self._service.now()
        if is_same:
            self._retitle()
        else:
            self._rebuild()

    def show_queue(self, state: QueueState) -> None:
        """Mark the models that are being downloaded."""
        arriving = frozenset(
            name_key(item.name) for item in state.items if item.progress.status.is_active
        )
        if arriving != self._arriving:
            self._arriving = arriving
            self.redraw()

    def show_updates(self, state: UpdatesState) -> None:
        """Mark the models that their registry has anew."""
        self._outdated = frozenset(one.name for one in state.outdated)
        self._comparing = state.left
        self.redraw()
        self._retitle()

    def show_pending(self, state: PendingDeletions) -> None:
        """Dim the models that are about to be deleted."""
        self._leaving = frozenset(name for one in state.pending for name in one.names)
        self._marked -= self._leaving
        self.redraw()
        self._retitle()

    def filter_by(self, text: str) -> None:
        """Show only what matches."""
        self._filter = Filter.parse(text)
        self._rebuild()

    def cells(self, model: ModelInfo) -> Sequence[Piece]:
        dim = "dim" if self._state.stale or model.name in self._leaving else ""
        return (
            self._mark(model),
            (
                fit_name(model.display_name, self.widths[_NAME]),
                dim or ("accent" if model.name in self._marked else ""),
            ),
            ("–" if model.family == UNKNOWN_FAMILY else model.family, "dim"),
            (words.parameters(model.parameters_billions), dim),
            (model.quantization or words.UNKNOWN, "dim"),
            (words.context(model.context_window), dim),
            ("remote" if model.remote else words.size(model.size_bytes), dim),
            (_caps(model), "dim"),
            (words.age(model.modified_at, self._now), "dim"),
        )

    def header(self, column: Column) -> str:
        if column.title != self._sort:
            return column.title
        arrow = "▲" if self._is_reversed else "▼"
        return column.title[: column.width - 1] + arrow

    def header_clicked(self, x: int) -> None:
        at = 1
        for column, width in zip(self.COLUMNS, self.widths, strict=True):
            if width and at <= x <= at + width and column.title:
                if self._sort == column.title:
                    self._is_reversed = not self._is_reversed
                self._sort = column.title
                self._rebuild()
                return
            at += width + 1 if width else 0

    def action_sort(self) -> None:
        shown = [
            column.title
            for column, width in zip(self.COLUMNS, self.widths, strict=True)
            if width and column.title
        ]
        at = shown.index(self._sort) if self._sort in shown else -1
        self._sort = shown[(at + 1) % len(shown)]
        self._is_reversed = False
        self._rebuild()

    def action_reverse(self) -> None:
        self._is_reversed = not self._is_reversed
        self._rebuild()

    def action_mark(self) -> None:
        if self.item is None:
            return
        self._marked ^= {self.item.name}
        self.redraw()
        self._retitle()
        self.action_move(1)

    def action_inspect(self) -> None:
        if self.item is not None:
            self.app.query_one("#inspector").focus()

    def action_copy_name(self) -> None:
        if self.item is not None:
            self.app.copy_to_clipboard(self.item.display_name)
            self.notify(f"Copied {self.item.display_name}", markup=False, timeout=2)

    def action_load(self) -> None:
        model = self.item
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

        work.run(self, deleting.ask(self, self._service, models), "ask delete", exclusive=True)

    def action_updates(self) -> None:
        """Compare every model with its registry, and offer to pull what is newer there."""
        from ollm_tui.ui import updating

        self.notify("Asking the registries …", timeout=2)
        marked = frozenset(self._marked)
        work.run(self, updating.check(self, self._service, marked), "updates", exclusive=True)

    def action_mark_all(self) -> None:
        shown = {model.name for model in self.items}
        self._marked = set() if shown <= self._marked else self._marked | shown
        self.redraw()
        self._retitle()

    def unmark(self, names: Sequence[str]) -> None:
        """Take marks away, for models that have just been dealt with."""
        self._marked -= set(names)
        self.redraw()
        self._retitle()

    def _mark(self, model: ModelInfo) -> Piece:
        if model.name in self._marked:
            return ("*", "accent")
        if name_key(model.name) in self._arriving:
            return ("↓", "accent")
        if model.name in self._leaving:
            return ("–", "bad")
        if model.name in self._outdated:
            return ("↑", "warn")
        if model.loaded:
            return ("●", "good")
        if model.remote:
            return ("☁", "dim")
        return (" ", "")

    def _rebuild(self) -> None:
        matching = [model for model in self._state.models if self._filter.matches(model)]
        matching.sort(key=_SORTS["NAME"])  # type: ignore[arg-type]  # the values do compare
        if self._sort != "NAME":
            matching.sort(key=_SORTS[self._sort])  # type: ignore[arg-type]
        if self._is_reversed:
            matching.reverse()
        self.set_items(matching, self._empty_state())
        self._retitle()

    def _retitle(self) -> None:
        total = len(self._state.models)
        shown_bytes = sum(model.size_bytes for model in self.items)
        parts = [f"{len(self.items):,} of {total:,}", words.size(shown_bytes)]
        if self._filter.text:
            parts.append(f"/{self._filter.text}")
        if self._marked:
            marked = sum(m.size_bytes for m in self._state.models if m.name in self._marked)
            parts.append(f"{len(self._marked)} marked, {words.size(marked)}")
        if self._comparing:
            parts.append(f"{self._comparing} to compare")
        elif self._outdated:
            parts.append(f"{words.count(len(self._outdated), 'update')}")
        if self._state.problems:
            parts.append(f"{len(self._state.problems)} unreadable")
        if self._state.stale and self._state.as_of:
            parts.append(f"as of {self._state.as_of.astimezone():%H:%M}, offline")
        if not total and (self._state.loading or self._state.error):
            parts = ["asking …" if self._state.loading else "no answer"]
        self.border_title = Content(f"1 Installed ─ {' · '.join(parts)}")

    def _empty_state(self) -> list[Piece]:
        state = self._state
        if state.models:
            return [
                (f"Nothing matches “{self._filter.text}”.", ""),
                ("esc clears the filter, / changes it", "dim"),
            ]
        if state.loading:
            return [("Asking the server …", "dim")]
        if state.error is not None:
            lines: list[Piece] = [(state.error.message, "bad")]
            if state.error.cause:
                lines.append((state.error.cause, ""))
            lines.append(("", ""))
            lines.extend((action, "dim") for action in state.error.actions)
            return [*lines, ("r asks again", "dim")]
        lines = [("No models yet.", ""), ("p pulls one, for example llama3.2:3b", "dim")]
        lines.extend((f"{p.subject}: {p.reason}", "warn") for p in state.problems)
        return lines


def _caps(model: ModelInfo) -> str:
    """Capabilities in four cells: Tools, Vision, Reasoning, Streaming; E for embedding only."""
    can = model.capabilities
    if can is None:
        return "?"
    if model.embedding_only:
        return "E"
    letters = (("T", can.tool_calling), ("V", can.vision), ("R", can.thinking))
    return "".join(letter for letter, has in letters if has) + ("S" if can.streaming else "")
