"""Every setting in force, who set it, and what it hides; problems first."""

import os
import shlex
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from ollm_tui.core.text import clean_line
from ollm_tui.ui import work
from ollm_tui.ui.rows import Column, Piece, RowList

if TYPE_CHECKING:
    from ollm_tui.config.problem import ConfigProblem
    from ollm_tui.config.resolve import Effective, Setting

_PROBLEM_STYLES = {"error": "bad", "warning": "warn", "notice": "dim"}
_HINT = "e edits at the line   r reads again   t trusts the workspace file   esc closes"


class SettingsSource(Protocol):
    """Where the screen has the settings from. Slow: it reads files and loads libraries."""

    def read(self) -> "Effective":
        """What is in force now; read again when a source has changed."""
        ...

    def memory_bytes(self) -> int | None:
        """The memory of the machine that runs the models; None = nobody knows."""
        ...

    def trust_workspace(self) -> bool:
        """Allow the workspace's file to name servers; False = there is none that asks to."""
        ...


class _Row(NamedTuple):
    """One line: a problem or a setting."""

    number: int
    problem: "ConfigProblem | None" = None
    setting: "Setting | None" = None


class SettingsList(RowList[_Row]):
    """Problems, then settings in the order of the reference."""

    COLUMNS = (
        Column("KEY", 30, flexible=True),
        Column("VALUE", 22),
        Column("ORIGIN", 9),
    )

    def __init__(self) -> None:
        super().__init__(id="settings", key=lambda row: row.number, classes="")

    def cells(self, row: _Row) -> Sequence[Piece]:
        setting = row.setting
        assert setting is not None
        is_default = setting.origin.value == "default"
        style = "dim" if is_default else ""
        value = "unset" if setting.value is None else clean_line(str(setting.value))
        return (
            (setting.key, style),
            (value, style),
            (setting.origin.value, "dim" if is_default else "accent"),
        )

    def pieces(self, row: _Row, width: int) -> list[Piece]:
        problem = row.problem
        if problem is None:
            return super().pieces(row, width)
        style = _PROBLEM_STYLES[problem.severity.value]
        return [(f"{problem.severity.value}: ", style), (problem.message, style)]


class ConfigScreen(ModalScreen[None]):
    """The configuration, to be looked at and to be taken to the editor.

    Args:
        effective: what is in force.
        source: where to read it again.
        on_change: told when it has been read again.
    """

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,c", "dismiss", show=False),
        Binding("e,enter", "edit", show=False),
        Binding("r", "read", show=False),
        Binding("t", "trust", show=False),
    ]

    def __init__(
        self,
        effective: "Effective",
        source: SettingsSource,
        on_change: Callable[["Effective"], None],
    ) -> None:
        super().__init__()
        self._effective = effective
        self._source = source
        self._on_change = on_change

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Configuration"
            yield SettingsList()
            yield Static(id="setting", markup=False)
            yield Static(Content(_HINT), classes="hint", markup=False)

    def on_mount(self) -> None:
        self._show(self._effective)
        self.query_one(SettingsList).focus()

    @on(RowList.Moved, "#settings")
    def _moved(self) -> None:
        row = self.query_one(SettingsList).item
        self.query_one("#setting", Static).update(Content("\n".join(_about(row))))

    def action_edit(self) -> None:
        """Open the editor where the setting, or the problem, was written."""
        row = self.query_one(SettingsList).item
        written = None if row is None else row.problem or row.setting
        place = None if written is None else written.place
        if place is None or not place.line:
            self.notify("This one is written in no file; `ollm-tui config init` makes one.")
            return
        path = Path(place.source).expanduser()
        editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
        command = [*shlex.split(editor), f"+{place.line}", str(path)]
        try:
            with self.app.suspend():
                subprocess.run(command, check=False)
        except OSError as error:
            self.notify(f"{editor} cannot be started: {error}; set EDITOR", severity="error")
            return
        self.action_read()

    def action_read(self) -> None:
        """Read the sources again, without a restart."""
        work.run(self, self._read(), "config", exclusive=True)

    def action_trust(self) -> None:
        """Allow the workspace's file to name servers and credentials."""
        if self._source.trust_workspace():
            self.notify("Trusted as it is now; a change of the file asks again.")
            self.action_read()
        else:
            self.notify("No workspace file asks for trust here.")

    async def _read(self) -> None:
        effective = await work.in_thread(self._source.read)
        self._show(effective)
        self._on_change(effective)

    def _show(self, effective: "Effective") -> None:
        self._effective = effective
        entries: list[_Row] = [_Row(0, problem=problem) for problem in effective.problems]
        entries += [_Row(0, setting=setting) for setting in effective.settings.values()]
        rows = [row._replace(number=number) for number, row in enumerate(entries)]
        self.query_one(SettingsList).set_items(rows)
        self._moved()


def _about(row: _Row | None) -> list[str]:
    if row is None:
        return []
    if row.problem is not None:
        return [row.problem.message, *row.problem.snippet]
    setting = row.setting
    assert setting is not None
    lines = [f"{setting.key} = {setting.value}", f"set by {setting.place}"]
    for shadow in setting.shadows:
        lines.append(f"hides {shadow.value} of {shadow.place}")
    return [clean_line(line) for line in lines]
