"""Every setting in force, who set it, and what it hides; problems first."""

import os
import shlex
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

from textual import on
from textual.app import ComposeResult, SuspendNotSupported
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from ollm_tui.core.error import ConfigError
from ollm_tui.core.text import clean_line
from ollm_tui.ui import work
from ollm_tui.ui.rows import RowList
from ollm_tui.ui.screens.built_in import PROFILES, names
from ollm_tui.ui.screens.dialog import Dialog
from ollm_tui.ui.screens.save import Saved, SaveScreen, SettingsStore
from ollm_tui.ui.screens.settings_list import SettingsList, SettingsRow, shown_value

if TYPE_CHECKING:
    from ollm_tui.config.change import Change
    from ollm_tui.config.problem import Origin
    from ollm_tui.config.resolve import Effective, Setting

_HINT = "enter change  u unset  / filter  e edit  r reread  t trust  esc close"
_SHORT_HINT = "enter change  u unset  / filter  e edit  esc close"
_SHORT_BELOW = 80  # columns; each hint is one line from its width on
_FILTER_HINT = "words of a key, a value or where it is from"
_NO_SETTING = "There is no setting under the cursor."
_PROBLEM = "This is a problem, not a setting; enter opens the editor where it was written."
_BUILT_IN = " What is built in is always there; enter has a file say otherwise."
_EDITING = "enter goes on to saving; esc leaves it"
_GOTO = ("code", "code-insiders", "codium", "cursor")
_WITH_COLON = ("hx", "helix", "subl", "zed")
"""Editors that would take `+7` for a file; the others know it since vi."""
_LAYERS = ("file", "workspace", "user")


class SettingsSource(SettingsStore, Protocol):
    """Where the screen has the settings from, and puts them."""

    def example(self) -> tuple[str, str]:
        """The path and the text that `create_example` would write; a ConfigError says why not."""
        ...

    def create_example(self) -> str:
        """Write a commented example where there is no file of the user's; returns its path."""
        ...

    def memory_bytes(self) -> int | None:
        """The memory of the machine that runs the models; None = nobody knows."""
        ...

    def trust_workspace(self) -> bool:
        """Allow the workspace's file to name servers; False = there is none that asks to."""
        ...


class ValueLine(Input):
    """The line in which a value is typed, with what is wrong with it in the hint below.

    Args:
        setting: whose value it is.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False)]

    class Left(Message):
        """Nothing is to be changed."""

    def __init__(self, setting: "Setting") -> None:
        from ollm_tui.config.edit import inline_yaml
        from ollm_tui.config.secret import MASK, is_secret

        is_set = setting.value is not None
        text = clean_line(inline_yaml(setting.value)) if is_set else ""
        super().__init__(
            "" if MASK in text else text,
            placeholder=f"{setting.key} = …",
            password=is_secret(setting.path),
            compact=True,
            id="value",
        )
        self.setting = setting

    def typed(self) -> object:
        """What the text stands for.

        Raises:
            ConfigError: it is not allowed there.
        """
        from ollm_tui.config.typed import typed_value

        return typed_value(self.setting.path, self.value)

    def action_leave(self) -> None:
        """Change nothing."""
        self.post_message(self.Left())


class ConfigScreen(Dialog[None]):
    """The configuration, to be looked at, changed, and taken to the editor.

    Args:
        effective: what is in force.
        source: where to read it again.
        on_change: told when it has been read again.
    """

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,c", "dismiss", show=False),
        Binding("enter", "change", show=False),
        Binding("slash", "filter", show=False),
        Binding("u,delete", "unset", show=False),
        Binding("e", "edit", show=False),
        Binding("r", "read", show=False),
        Binding("t", "trust", show=False),
        Binding("i", "init", show=False),
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
            yield Static(id="keys", classes="hint", markup=False)

    def on_mount(self) -> None:
        self._show(self._effective)
        self._stop_typing()

    @on(RowList.Moved, "#settings")
    def _moved(self) -> None:
        row = self.query_one(SettingsList).item
        self.query_one("#setting", Static).update(Content("\n".join(_about(row))))

    async def action_filter(self) -> None:
        """Ask for a filter in a line of its own."""
        from ollm_tui.ui.filter_line import FilterLine

        if shown := self.query(FilterLine):
            shown.only_one(FilterLine).take_focus()
            return
        rows = self.query_one(SettingsList)
        line = FilterLine(rows, self._filter_as, _FILTER_HINT)
        await self.query_one(".dialog").mount(line, before="#keys")

    def _filter_as(self, text: str) -> str:
        self.query_one(SettingsList).filter_as(text)
        self._retitle()
        return ""

    # Changing a value.

    @on(RowList.Chosen, "#settings")
    def action_change(self) -> None:
        """Type another value for the setting; a problem is taken to the editor."""
        row = self.query_one(SettingsList).item
        if row is None or row.setting is None:
            self.action_edit()
            return
        self.query(ValueLine).remove()
        line = ValueLine(row.setting)
        self.mount(line, before=self.query_one("#keys"))
        line.focus()
        self._say(_EDITING)

    @on(Input.Changed, "#value")
    def _typed(self, event: Input.Changed) -> None:
        line = event.input
        assert isinstance(line, ValueLine)
        if not line.value.strip():
            self._say(_EDITING)
            return
        try:
            line.typed()
        except ConfigError as error:
            self._say(_sentences(error), is_error=True)
        else:
            self._say(_EDITING)

    @on(Input.Submitted, "#value")
    def _submitted(self, event: Input.Submitted) -> None:
        from ollm_tui.config.change import Change

        line = event.input
        assert isinstance(line, ValueLine)
        try:
            value = line.typed()
        except ConfigError as error:
            self._say(_sentences(error), is_error=True)
            return
        setting = line.setting
        self._save([Change(setting.path, value)], setting.origin)

    @on(ValueLine.Left)
    def _stop_typing(self) -> None:
        self.query(ValueLine).remove()
        self.query_one(SettingsList).focus()
        self._say(self._keys)

    @property
    def _keys(self) -> str:
        return _HINT if self.app.size.width >= _SHORT_BELOW else _SHORT_HINT

    def on_resize(self) -> None:
        if not self.query(ValueLine):  # else the hint is about what is typed
            self._say(self._keys)

    def action_unset(self) -> None:
        """Take the setting out of the strongest file that says it."""
        from ollm_tui.config.change import Change

        row = self.query_one(SettingsList).item
        setting = None if row is None else row.setting
        if setting is None:
            self.notify(_NO_SETTING if row is None else _PROBLEM)
            return
        origins = (setting.origin, *(shadow.origin for shadow in setting.shadows))
        written = [origin for origin in origins if origin.value in _LAYERS]
        if written:
            self._save([Change(setting.path, None)], written[0])
        else:
            text = f"No file sets it: it is set by {setting.place}."
            if setting.path[: len(PROFILES)] == PROFILES:
                text += _BUILT_IN
            self.notify(text, markup=False)

    def _save(self, changes: "Sequence[Change]", prefer: "Origin") -> None:
        def saved(result: Saved | None) -> None:
            if result is not None:
                self._stop_typing()
                self._show(result.effective)
                self._on_change(result.effective)

        self.app.push_screen(SaveScreen(changes, self._source, prefer=prefer), saved)

    def _say(self, text: str, *, is_error: bool = False) -> None:
        hint = self.query_one("#keys", Static)
        hint.update(Content(text))
        hint.set_class(is_error, "-error")

    # Taking it elsewhere.

    def action_edit(self) -> None:
        """Open the editor where the setting, or the problem, was written."""
        row = self.query_one(SettingsList).item
        written = None if row is None else row.problem or row.setting
        place = None if written is None else written.place
        if place is None or not place.line:
            text = "This one is written in no file: enter changes it, i writes an example file."
            self.notify(text)
            return
        path = Path(place.source).expanduser()
        editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
        try:
            command = editor_command(editor, path, place.line)
            with self.app.suspend():
                subprocess.run(command, check=False)
        except (OSError, ValueError) as error:
            text = f"{editor} cannot be started: {error}; set EDITOR"
            self.notify(clean_line(text), severity="error", markup=False)
            return
        except SuspendNotSupported:
            text = f"This terminal cannot be handed to an editor; open {place} yourself."
            self.notify(clean_line(text), severity="error", markup=False)
            return
        self.action_read()

    def action_read(self) -> None:
        """Read the sources again, without a restart."""
        work.run(self, self._read(), "config", exclusive=True)

    def action_init(self) -> None:
        """Show the commented example and where it would be, and write it when that is agreed to."""
        from ollm_tui.ui.screens.example import ExampleScreen

        async def create() -> None:
            path = await work.in_thread(self._source.create_example)
            self.notify(f"{path} is there now; every key in it is explained.", markup=False)
            await self._read()

        def answered(is_wanted: bool | None) -> None:
            if is_wanted:
                work.run(self, create(), "config", exclusive=True)

        async def ask() -> None:
            path, text = await work.in_thread(self._source.example)
            if self.is_current:
                self.app.push_screen(ExampleScreen(path, text), answered)

        work.run(self, ask(), "config", exclusive=True)

    def action_trust(self) -> None:
        """Allow the workspace's file to name servers and credentials."""
        if self._source.trust_workspace():
            self.notify("Trusted as it is now; a change of the file asks again.")
            self.action_read()
        else:
            self.notify("No workspace file asks for trust here.")

    async def _read(self) -> None:
        effective = await work.in_thread(self._source.read)
        self._on_change(effective)
        if self.is_attached:  # else it was left meanwhile; what was read counts all the same
            self._show(effective)

    def _show(self, effective: "Effective") -> None:
        self._effective = effective
        self.query_one(SettingsList).show(effective)
        self._retitle()
        self._moved()

    def _retitle(self) -> None:
        effective, rows = self._effective, self.query_one(SettingsList)
        title = "Configuration"
        if effective.is_last_good:
            title += " as it last was without errors"
        elif not any(file.exists for file in effective.files):
            title += ": no file yet, i writes an example"
        if rows.filter_text:
            title += f" ─ {rows.count_text} · /{clean_line(rows.filter_text)}"
        self.query_one(".dialog").border_title = Content(title)


def editor_command(editor: str, path: Path, line: int) -> list[str]:
    """How an editor is started at a line.

    Args:
        editor: as in EDITOR, with its own arguments.

    Raises:
        ValueError: its quotes do not match.
    """
    words = shlex.split(editor)
    name = Path(words[0]).name if words else ""
    if name in _GOTO:
        return [*words, "--goto", f"{path}:{line}"]
    if name in _WITH_COLON:
        return [*words, f"{path}:{line}"]
    return [*words, f"+{line}", str(path)]


def _sentences(error: ConfigError) -> str:
    parts = (error.message, error.cause, *error.actions)
    return " ".join(f"{part.rstrip('.')}." for part in parts if part)


def _about(row: SettingsRow | None) -> list[str]:
    if row is None:
        return []
    if row.problem is not None:
        return [row.problem.message, *row.problem.snippet]
    from ollm_tui.config.reference import doc_at

    setting = row.setting
    assert setting is not None
    lines = [f"{setting.key} = {shown_value(setting.value)}", f"set by {setting.place}"]
    for shadow in setting.shadows:
        lines.append(f"hides {shown_value(shadow.value)} of {shadow.place}")
    lines.append(doc_at(setting.path))
    if setting.path == PROFILES:
        lines.append(f"{', '.join(names())} are built in: the last lines of this list.")
    return [clean_line(line) for line in lines]
