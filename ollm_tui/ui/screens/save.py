"""Saves settings: which file, exactly what changes in it, and only then the writing.

For whoever has changes to make: the configuration view, the router. Says why a file cannot be
written to, what wins over the change, and what is wrong with it; nothing is written before that.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from ollm_tui.core.error import ConfigError
from ollm_tui.core.text import clean_line
from ollm_tui.ui import format as words
from ollm_tui.ui import work
from ollm_tui.ui.screens.dialog import Dialog
from ollm_tui.ui.text_pane import Text, TextPane

if TYPE_CHECKING:
    from ollm_tui.config.change import Change
    from ollm_tui.config.problem import Origin
    from ollm_tui.config.resolve import Effective
    from ollm_tui.config.save import Plan
    from ollm_tui.config.target import Target

_SHOWN = 4  # changes that the head has room for
_READY = "enter saves   ← → other file   r reads the files again   esc leaves it"
_REFUSED = "← → other file   r reads the files again   esc leaves it"
_PATCH_STYLES = {"+": "good", "-": "bad", "@": "dim"}


class SettingsStore(Protocol):
    """Where settings are saved. Slow: it reads files and loads libraries."""

    def read(self) -> "Effective":
        """What is in force now; read again when a source has changed."""
        ...

    def targets(self) -> "Sequence[Target]":
        """The files that settings can be saved to, or why they cannot."""
        ...

    def plan(self, origin: "Origin", changes: "Sequence[Change]") -> "Plan":
        """Work out a change to one file; a ConfigError says what is wrong with it."""
        ...

    def apply(self, plan: "Plan") -> "Effective":
        """Make the change and read everything again; a ConfigError = nothing was written."""
        ...


class Saved(NamedTuple):
    """What came of it."""

    path: str
    """The file that was written, as people write it."""
    effective: "Effective"
    """What is in force now."""


class SaveScreen(Dialog[Saved | None]):
    """Answers with what was saved, or None when it was left.

    Args:
        changes: in the order in which to make them; at least one.
        store: where to save them.
        prefer: the kind of file to offer first, when it can be written to.
        consequences: what else it means, a sentence each.
    """

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", show=False),
        Binding("enter", "save", show=False),
        Binding("left,shift+tab", "target(-1)", show=False),
        Binding("right,tab", "target(1)", show=False),
        Binding("r", "read", show=False),
    ]

    def __init__(
        self,
        changes: "Sequence[Change]",
        store: SettingsStore,
        *,
        prefer: "Origin | None" = None,
        consequences: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self._consequences = consequences
        self._changes = changes
        self._store = store
        self._prefer = prefer
        self._targets: Sequence[Target] = ()
        self._at = -1
        self._plan: Plan | None = None
        self._is_saving = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = f"Save {words.count(len(self._changes), 'change')}"
            yield Static(Content("\n".join(_summary(self._changes))), id="changes")
            if self._consequences:
                shown = "\n".join(clean_line(line) for line in self._consequences[:_SHOWN])
                yield Static(Content.styled(shown, "$text-warning"), id="consequences")
            yield Static(id="targets")
            yield TextPane(id="patch")
            yield Static(classes="hint")

    def on_mount(self) -> None:
        self.query_one(TextPane).focus()
        work.run(self, self._look(), "save", exclusive=True)

    def action_leave(self) -> None:
        """Leave everything as it is."""
        if not self._is_saving:
            self.dismiss(None)

    def action_target(self, by: int) -> None:
        """Pick the next file, or the previous one."""
        if self._targets and not self._is_saving:
            self._at = (self._at + by) % len(self._targets)
            work.run(self, self._work_out(), "save", exclusive=True)

    def action_read(self) -> None:
        """Read the files again and work the change out anew."""
        if not self._is_saving:
            work.run(self, self._look(), "save", exclusive=True)

    def action_save(self) -> None:
        """Write what is shown."""
        plan = self._plan
        if plan is None or self._is_saving:
            return
        if plan.before == plan.after:
            self.dismiss(None)
            return
        self._is_saving = True
        work.run(self, self._write(plan), "save", exclusive=True)

    async def _look(self) -> None:
        """Find out which files there are, and show the change to one."""
        self._show_plan(None, ())
        await work.in_thread(self._store.read)
        self._targets = await work.in_thread(self._store.targets)
        if not 0 <= self._at < len(self._targets):
            self._at = self._first()
        await self._work_out()

    def _first(self) -> int:
        able = [index for index, target in enumerate(self._targets) if not target.refusal]
        wanted = [index for index in able if self._targets[index].file.origin is self._prefer]
        return (wanted or able or [0])[0]

    async def _work_out(self) -> None:
        self._show_plan(None, ())
        self.query_one("#targets", Static).update(_target_lines(self._targets, self._at))
        target = self._targets[self._at]
        if target.refusal:
            self._show_plan(None, [Text(f"Nothing can be saved there: {target.refusal}.", "warn")])
            return
        try:
            plan = await work.in_thread(lambda: self._store.plan(target.file.origin, self._changes))
        except ConfigError as error:
            self._show_plan(None, _error_text(error))
        else:
            self._show_plan(plan, _plan_text(plan, target.note))

    async def _write(self, plan: "Plan") -> None:
        target = self._targets[self._at]
        try:
            effective = await work.in_thread(lambda: self._store.apply(plan))
        except ConfigError as error:
            self._show_plan(None, _error_text(error))
        else:
            self.notify(f"Saved to {clean_line(target.shown_path)}.", markup=False)
            self.dismiss(Saved(target.shown_path, effective))
        finally:
            self._is_saving = False

    def _show_plan(self, plan: "Plan | None", text: "Sequence[Text]") -> None:
        self._plan = plan
        pane = self.query_one(TextPane)
        pane.set_text(text)
        pane.action_jump(0)
        self.query_one(".hint", Static).update(Content(_REFUSED if plan is None else _READY))


def _summary(changes: "Sequence[Change]") -> Iterator[str]:
    from ollm_tui.config.edit import inline_yaml
    from ollm_tui.config.node import dotted
    from ollm_tui.config.secret import masked

    for change in changes[:_SHOWN]:
        key = clean_line(dotted(change.path), 80)
        if change.value is None:
            yield f"unset {key}"
        else:
            value = inline_yaml(masked(change.path, change.value))
            yield f"{key} = {clean_line(value, 80)}"
    if more := len(changes) - _SHOWN:
        if more > 0:
            yield f"and {more:,} more"


def _target_lines(targets: "Sequence[Target]", at: int) -> Content:
    lines = []
    for index, target in enumerate(targets):
        is_picked = index == at
        style = "bold" if is_picked else "$text-muted"
        text = f"{'▸' if is_picked else ' '} {target.file.origin.value:<10}"
        path = clean_line(target.shown_path)
        lines.append(Content.styled(f"{text}{path}", style))
    return Content("\n").join(lines)


def _plan_text(plan: "Plan", note: str) -> list[Text]:
    text = [Text(f"! {clean_line(line)}", "warn") for line in (note, *plan.notes) if line]
    if plan.before == plan.after:
        return [*text, Text("Nothing changes: the file says so already.", "dim")]
    lines = plan.patch.split("\n")[2:]  # the file's name is shown above
    return text + [Text(clean_line(line), _PATCH_STYLES.get(line[:1], "")) for line in lines]


def _error_text(error: ConfigError) -> list[Text]:
    lines = (error.message, error.cause, *error.actions)
    return [
        Text(clean_line(line), "bad" if line is error.message else "") for line in lines if line
    ]
