"""The order of the installed models: by what a column says, one way round or the other. Pure."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from ollm_tui.core.fit import estimate_memory
from ollm_tui.core.model import UNKNOWN_FAMILY, ModelInfo
from ollm_tui.ui import format as words
from ollm_tui.ui.columns import Column
from ollm_tui.ui.fit_words import USUAL_CONTEXT_TOKENS
from ollm_tui.ui.look import Look

_BIG = float("inf")


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
    "CAPS": words.capabilities,
    "FIT": lambda model: -estimate_memory(model, USUAL_CONTEXT_TOKENS).total_bytes,
    "MODIFIED": _age,
}


class Order(NamedTuple):
    """By which column rows are sorted."""

    column: str = "MODIFIED"
    """Its title."""
    is_reversed: bool = False

    @classmethod
    def of_look(cls, look: Look) -> "Order":
        """The one of last time; a column that there is not is the usual one."""
        column = look.sort if look.sort in _SORTS else cls().column
        return cls(column, look.is_reversed)

    def of(self, models: Iterable[ModelInfo]) -> list[ModelInfo]:
        """The models in this order, those that are alike in it by their names."""
        ordered = sorted(models, key=_SORTS["NAME"])  # type: ignore[arg-type]  # they do compare
        if self.column != "NAME":
            ordered.sort(key=_SORTS[self.column])  # type: ignore[arg-type]  # they do compare
        if self.is_reversed:
            ordered.reverse()
        return ordered

    def picked(self, column: str) -> "Order":
        """By a column that was picked; picked once more, it is the other way round."""
        return self.turned() if column == self.column else self._replace(column=column)

    def next_of(self, columns: Sequence[str]) -> "Order":
        """By the column after this one, the usual way round; after the last comes the first."""
        at = columns.index(self.column) if self.column in columns else -1
        return Order(columns[(at + 1) % len(columns)])

    def turned(self) -> "Order":
        """The other way round."""
        return self._replace(is_reversed=not self.is_reversed)

    def header(self, column: Column) -> str:
        """The title of a column; an arrow takes the last cell of the one that is sorted by."""
        if column.title != self.column:
            return column.title
        arrow = "▲" if self.is_reversed else "▼"
        return column.title[: column.width - 1] + arrow
