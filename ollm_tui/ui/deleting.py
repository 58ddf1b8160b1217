"""Deleting models from the screen: the question with its consequences, and what became of it."""

from collections.abc import Callable, Mapping, Sequence

from rich.cells import cell_len
from textual.dom import DOMNode

from ollm_tui.core.error import OllmError
from ollm_tui.core.model import ModelInfo
from ollm_tui.core.text import clean_line
from ollm_tui.service import deletion
from ollm_tui.service.consequences import Consequences, RoutingConsequences
from ollm_tui.service.service import ModelService
from ollm_tui.ui import format as words
from ollm_tui.ui import work
from ollm_tui.ui.columns import fit_name
from ollm_tui.ui.keymap import named
from ollm_tui.ui.screens.confirm import Choice, ConfirmScreen

_LISTED = 8
_REROUTED = 5
RESULT_S = 10.0
_TOLD_S = 2.0  # the status line counts on, and longer it would promise what is no longer so


async def ask(
    node: DOMNode,
    service: ModelService,
    models: Sequence[ModelInfo],
    *,
    hidden: int = 0,
    switch_default: Callable[[str], object],
) -> None:
    """Ask whether to delete these models, and see to it when that is agreed to.

    Args:
        hidden: how many of them a filter leaves out of the list.
        switch_default: has the configuration name another default model; nothing is deleted then.
    """
    told = await service.consequences([model.name for model in models])
    used = [model for model in models if model.name in told.in_use]
    others = [model for model in models if model.name not in told.in_use]
    choices = []
    if used:
        choices.append(Choice("u", "Unload and delete", is_destructive=True))
    if others:
        label = f"Delete the other {len(others):,}" if used else "Delete"
        choices.append(Choice("y", label, is_destructive=True))
    if successor := _successor(told, has_room=len(choices) == 1):
        choices.append(Choice("s", "Switch default"))

    def answered(answer: str | None) -> None:
        if answer == "s":
            switch_default(successor)
        elif answer is not None:
            agreed = others if answer == "y" else models
            deleting = carry_out(
                node, service, agreed, unload=answer == "u", force=not told.is_memory_known
            )
            work.run(node, deleting, "delete")

    question = f"Delete {words.count(len(models), 'model')}?"
    lines = _lines(service, models, told, successor)
    if hidden:
        lines.insert(0, f"Marked, {hidden:,} of them hidden by the filter:")
    node.app.push_screen(ConfirmScreen(question, lines, choices), answered)


async def carry_out(
    node: DOMNode,
    service: ModelService,
    models: Sequence[ModelInfo],
    *,
    unload: bool,
    force: bool,
) -> None:
    """Delete after the time to take it back, and say what became of it.

    Args:
        unload: take those that are in memory out of it first.
        force: delete without asking what is in memory, since nobody can say.
    """
    names = [model.name for model in models]
    freed = await service.deletions.freed(names)
    pending = await service.deletions.delete_later(names, unload=unload, force=force)
    what = models[0].display_name if len(models) == 1 else words.count(len(models), "model")
    node.app.notify(
        f"Deleting {what} in {deletion.UNDO_S:.0f} s; {named('app.undo')} takes it back",
        timeout=min(_TOLD_S, max(1.0, deletion.UNDO_S)),
        markup=False,
    )
    errors = await pending.wait()
    if errors is None:
        verb = "stays" if len(models) == 1 else "stay"
        node.app.notify(f"Taken back: {what} {verb}", timeout=4, markup=False)
    elif len(errors) == len(models) == 1:
        raise next(iter(errors.values()))
    elif errors:
        title, lines = failure_words(models, errors)
        node.app.notify(
            "\n".join(lines), title=title, severity="warning", timeout=RESULT_S, markup=False
        )
    else:
        at_most = "" if freed.is_exact else "up to "
        room = f", {at_most}{words.size(freed.size_bytes)} freed" if freed.size_bytes else ""
        node.app.notify(f"Deleted {what}{room}", timeout=4, markup=False)


def failure_words(
    models: Sequence[ModelInfo], errors: Mapping[str, OllmError]
) -> tuple[str, list[str]]:
    """A title and the lines for deletes of which some failed."""
    failed = [model for model in models if model.name in errors]
    done = len(models) - len(failed)
    title = f"Deleted {done:,} of {words.count(len(models), 'model')}"
    lines = []
    for model in failed[:_LISTED]:
        lines.append(f"{model.display_name} stays: {errors[model.name].in_words}")
    if (more := len(failed) - _LISTED) > 0:
        lines.append(f"and {more:,} more stay; they are still in the list")
    return title, lines


def _successor(told: Consequences, *, has_room: bool) -> str:
    """What the default can be switched to, or empty.

    Args:
        has_room: whether one more button fits into the narrowest dialog.
    """
    return told.routing.successor if told.routing.default and has_room else ""


def _lines(
    service: ModelService, models: Sequence[ModelInfo], told: Consequences, successor: str
) -> list[str]:
    lines = [f"{m.display_name}  {words.size(m.size_bytes)}" for m in models[:_LISTED]]
    if len(models) > _LISTED:
        lines.append(f"and {len(models) - _LISTED:,} more")
    lines.append("")
    lines.append(words.frees(told.freed))
    lines += _routing_lines(told.routing, successor)
    now = service.now()
    for running in told.loaded[:_REROUTED]:
        until = ""
        if running.expires_at is not None:
            until = f", leaves in {words.duration((running.expires_at - now).total_seconds())}"
        lines.append(f"In memory now: {running.display_name}{until}.")
    if not told.is_memory_known:
        lines.append("Whether it is in memory cannot be known now.")
    lines.append(undo_words())
    return lines


def undo_words() -> str:
    """How long a delete can be taken back."""
    return f"For {deletion.UNDO_S:.0f} s {named('app.undo')} takes it back."


def _routing_lines(told: RoutingConsequences, successor: str) -> list[str]:
    lines = list(told.rerouted[:_REROUTED])
    if (more := len(told.rerouted) - _REROUTED) > 0:
        lines.append(f"So would {more:,} more profiles.")
    if told.default:
        named = f"model.default names {clean_line(told.default)}"
        instead = clean_line(successor)
        lines.append(f"{named}; s has it name {instead}." if instead else f"{named}.")
    if told.overridden:
        profiles = ", ".join(map(clean_line, told.overridden[:_REROUTED]))
        what = "override" if len(told.overridden) == 1 else "overrides"
        lines.append(f"The {what} of {profiles} would name what is not installed.")
    return lines


def countdown(service: ModelService, room: int) -> str:
    """What the status line says of deletes that can still be taken back; empty without any.

    Args:
        room: cells that it may take; a long name is cut for it.
    """
    pending = service.deletions.state.pending
    if not pending:
        return ""
    left_s = max(0.0, (pending[-1].due_at - service.now()).total_seconds())
    when = (
        "once you have answered"
        if pending[-1].is_held
        else f"in {left_s:.0f} s, {named('app.undo')} undoes"
    )
    names = [clean_line(name) for one in pending for name in one.names]
    what = names[0] if len(names) == 1 else words.count(len(names), "model")
    rest = f" {when}"
    told = f"deleting {what}{rest}"
    if cell_len(told) <= room:
        return told
    return f"deleting {fit_name(what, max(8, room - len('deleting ') - len(rest)))}{rest}"
