"""Rows for entries that the provider lists and nobody can use: named, never counted as models."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len

from ollm_tui.core.model import ModelInfo, Problem
from ollm_tui.ui.columns import Piece, fit_name, fit_text
from ollm_tui.ui.keymap import named
from ollm_tui.ui.text_pane import Text

if TYPE_CHECKING:
    from ollm_tui.core.filter import Filter


class Unread(NamedTuple):
    """One such entry."""

    problem: Problem
    name: str
    """What the cursor knows it by; no model can be named so."""

    @property
    def display_name(self) -> str:
        return self.problem.subject


def rows_of(problems: Sequence[Problem]) -> list[Unread]:
    """The rows of what could not be read, by name."""
    rows = [Unread(problem, f"✗ {problem.subject}: {problem.reason}") for problem in problems]
    return sorted(rows, key=lambda row: row.display_name.casefold())


def with_models(
    models: list[ModelInfo],
    unread: list[Unread],
    wanted: "Filter | None",
    *,
    by_name: bool,
    is_reversed: bool,
) -> Sequence[ModelInfo | Unread]:
    """The models, which match and are in order already, and among them what could not be read.

    By name it stands where its name belongs, in every other order after what has a value there.
    """
    if not unread:
        return models
    if wanted is not None:
        kept = set(wanted.among_problems([row.problem for row in unread]))
        unread = [row for row in unread if row.problem in kept]
    if by_name:
        rows: list[ModelInfo | Unread] = [*models, *unread]
        return sorted(rows, key=lambda row: row.display_name.casefold(), reverse=is_reversed)
    return [*reversed(unread), *models] if is_reversed else [*models, *unread]


def has_any(unread: list[Unread], wanted: "Filter") -> bool:
    """Whether a filter would leave one."""
    return bool(wanted.among_problems([row.problem for row in unread]))


def pieces(row: Unread, name_width: int, width: int, *, is_stale: bool) -> list[Piece]:
    """The sign, the name, and where other rows have their facts, the reason.

    Args:
        name_width: of the column of names; a long reason takes what a short name leaves of it.
    """
    subject, reason = row.problem.subject, row.problem.reason
    wanted = width - len("✗ ") - 1 - cell_len(reason)
    name_width = min(name_width, max(wanted, cell_len(subject)))
    rest = max(0, width - len("✗ ") - name_width - 1)
    style = "dim" if is_stale else ""
    return [
        ("✗ ", style or "bad"),
        (fit_name(subject, name_width) + " ", style),
        (fit_text(reason, rest), style or "warn"),
    ]


def about(problem: Problem) -> Iterator[Text]:
    """What the inspector says of it."""
    yield Text(problem.subject, "accent")
    yield Text("✗ cannot be read as a model", "bad")
    yield Text("")
    yield Text(problem.reason, label="why")
    yield Text("It is in no count, and no profile chooses it.", label="so")
    yield Text("")
    yield Text(f"{named('app.refresh')} asks again", "dim")
    delete, doctor = named("disk.delete"), named("disk.doctor")
    there = f"{delete} there deletes, {doctor} says what is wrong"
    yield Text(f"{named('installed.view')} twice shows the disk: {there}", "dim")
