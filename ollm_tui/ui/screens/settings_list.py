"""The settings in force as a list: problems first, then every key with its value and its origin."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ollm_tui.core.text import clean_line
from ollm_tui.ui.columns import Column, Piece
from ollm_tui.ui.rows import RowList
from ollm_tui.ui.screens.built_in import PROFILES, names, with_built_in

if TYPE_CHECKING:
    from ollm_tui.config.problem import ConfigProblem
    from ollm_tui.config.resolve import Effective, Setting

_PROBLEM_STYLES = {"error": "bad", "warning": "warn", "notice": "dim"}
_BUILT_IN = "built in"
_SEVERITIES = tuple(_PROBLEM_STYLES)


class SettingsRow(NamedTuple):
    """One line: a problem or a setting."""

    number: int
    problem: "ConfigProblem | None" = None
    setting: "Setting | None" = None
    is_built_in: bool = False
    """Whether the setting is a built-in profile's own, which no file has."""

    @property
    def origin(self) -> str:
        """Where the setting is from, in a word."""
        assert self.setting is not None
        return _BUILT_IN if self.is_built_in else self.setting.origin.value

    @property
    def text(self) -> str:
        """What a filter looks at: all that the line says."""
        if self.problem is not None:
            return f"{self.problem.severity.value}: {self.problem.message}"
        assert self.setting is not None
        setting = self.setting
        return f"{setting.key} {shown_value(setting.value)} {self.origin}"


class SettingsList(RowList[SettingsRow]):
    """Problems, then settings in the order of the reference; all of them, or what a filter lets."""

    COLUMNS = (
        Column("KEY", 30, flexible=True),
        Column("VALUE", 22),
        Column("ORIGIN", 9, drop=1),  # which is told below the list as well
    )

    def __init__(self) -> None:
        super().__init__(id="settings", key=lambda row: row.number, classes="")
        self._rows: Sequence[SettingsRow] = ()
        self._words: Sequence[str] = ()

    @property
    def filter_text(self) -> str:
        """The filter in force; empty = everything is shown."""
        return " ".join(self._words)

    @property
    def count_text(self) -> str:
        """How many lines are shown."""
        return f"{len(self.items):,} of {len(self._rows):,}"

    def show(self, effective: "Effective") -> None:
        """Draw what is in force."""
        worst_first = sorted(
            effective.problems, key=lambda problem: _SEVERITIES.index(problem.severity.value)
        )
        entries = [SettingsRow(0, problem=problem) for problem in worst_first]
        entries += [
            SettingsRow(0, None, setting, is_built_in)
            for setting, is_built_in in with_built_in(effective.settings)
        ]
        self._rows = [row._replace(number=number) for number, row in enumerate(entries)]
        self._rebuild()

    def filter_as(self, text: str) -> None:
        """Show the lines that have every word of a text in them, and none with a `-` before it."""
        self._words = text.split()
        self._rebuild()

    def cells(self, row: SettingsRow) -> Sequence[Piece]:
        setting = row.setting
        assert setting is not None
        is_default = setting.origin.value == "default"
        style = "dim" if is_default else ""
        value = shown_value(setting.value)
        if setting.path == PROFILES:  # {} would read as if there were none
            value = f"{len(names())} built in, at the end"
        return (
            (clean_line(setting.key), style),
            (value, style),
            (row.origin, "dim" if is_default else "accent"),
        )

    def pieces(self, row: SettingsRow, width: int) -> list[Piece]:
        problem = row.problem
        if problem is None:
            return super().pieces(row, width)
        style = _PROBLEM_STYLES[problem.severity.value]
        return [(f"{problem.severity.value}: ", style), (problem.message, style)]

    def _rebuild(self) -> None:
        rows = list(self._matching()) if self._words else self._rows
        nothing = f"Nothing matches “{clean_line(self.filter_text)}”."
        self.set_items(rows, [(nothing, ""), ("/ changes the filter", "dim")])

    def _matching(self) -> Iterator[SettingsRow]:
        # Not letters in order, as for names: nearly every key has most words in it that way.
        terms = [(word.lstrip("-!"), word[0] in "-!") for word in self._words]
        wanted = [(word.casefold(), is_turned) for word, is_turned in terms if word]
        for row in self._rows:
            text = row.text.casefold()
            if all((word in text) != is_turned for word, is_turned in wanted):
                yield row


def shown_value(value: object) -> str:
    """A value as it would stand in the file."""
    from ollm_tui.config.edit import inline_yaml

    return "unset" if value is None else clean_line(inline_yaml(value))
