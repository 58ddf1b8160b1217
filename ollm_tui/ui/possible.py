"""Why a key cannot act just now, in words: from what there is to act on, by the binding's id.

Footer, help and palette dim by it. Knows no widget and no key but its id.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from ollm_tui.core.progress import PullState
from ollm_tui.ui.keymap import named


class OnDisk(StrEnum):
    """What the cursor of the view of the disk is on."""

    NOTHING = "nothing"
    MODEL = "model"
    LEFTOVER = "leftover"


class Situation(NamedTuple):
    """What there is to act on just now. The defaults stand in nobody's way."""

    has_model: bool = True
    """Whether the cursor of Installed is on a model."""
    unread: str = ""
    """What it is on that could not be read as a model; empty = nothing of that kind."""
    has_models: bool = True
    """Whether Installed shows any model."""
    has_marks: bool = False
    is_leaving: bool = False
    """Whether the model is about to be deleted."""
    has_pending: bool = True
    """Whether a delete can still be taken back."""
    is_inspecting: bool = True
    """Whether the inspector has a model to show, of whichever view."""
    on_disk: OnDisk | None = None
    """What the cursor of Disk is on; None = nobody has looked."""
    is_leaving_disk: bool = False
    """Whether the model that it is on is about to be deleted."""
    has_loaded: bool = True
    is_online: bool = True
    can_run: bool = True
    """Whether the provider keeps models in memory."""
    has_download: bool = True
    download: PullState | None = None
    """Where the one under the cursor of Downloads stands; None = nobody has looked."""
    is_first_download: bool = False
    """Whether none that waits is above it."""
    is_last_download: bool = False
    """Whether none that waits is below it."""
    has_ended: bool = True
    """Whether a download has ended."""
    has_config: bool = True
    no_decision: str = ""
    """Why the router has decided nothing yet, in words; empty = it has."""
    has_servers: bool = True
    """Whether there is anything to switch to."""


def _leaving() -> str:
    return f"It is about to be deleted; {named('app.undo')} takes that back."


# Why a key cannot act just now; empty = it can.


def _on_model(now: Situation) -> str:
    if now.unread and not now.has_model:
        return f"{now.unread} cannot be read as a model; enter says why."
    return "" if now.has_model else "There is no model under the cursor."


def _on_entry(now: Situation) -> str:
    return "" if now.unread else _on_model(now)


def _on_models(now: Situation) -> str:
    return "" if now.has_models else _on_model(now)


def _on_staying(now: Situation) -> str:
    return _leaving() if now.is_leaving else _on_model(now)


def _on_leftover(now: Situation) -> str:
    if now.on_disk is OnDisk.MODEL:
        return "It is for what is left over, above the models."
    return "Nothing is left over." if now.on_disk is OnDisk.NOTHING else ""


def _on_stored(now: Situation) -> str:
    if now.on_disk is OnDisk.LEFTOVER:
        return f"This is no model; {named('disk.discard')} discards what is left over."
    if now.is_leaving_disk:
        return _leaving()
    return "There is no model under the cursor." if now.on_disk is OnDisk.NOTHING else ""


def _on_marked(now: Situation) -> str:
    return "" if now.has_marks else _on_staying(now)


def _on_pending(now: Situation) -> str:
    return "" if now.has_pending else "There is nothing to take back."


def _on_inspected(now: Situation) -> str:
    return "" if now.is_inspecting else "There is no model to inspect."


def _on_runnable(now: Situation) -> str:
    if not now.can_run:
        return "This provider keeps no models in memory; an Ollama server does."
    if not now.is_online:
        return "The server does not answer."
    return _on_model(now)


def _on_loaded(now: Situation) -> str:
    if now.has_loaded:
        return ""
    return _on_runnable(now._replace(has_model=True)) or "No model is in memory."


def _on_download(now: Situation) -> str:
    return "" if now.has_download else "Nothing is being downloaded."


def _on_unfinished(now: Situation) -> str:
    if now.download is None or not now.download.is_final:
        return _on_download(now)
    if now.download is PullState.COMPLETE:
        return f"It is done; {named('downloads.clear')} clears what has ended."
    retry, clear = named("downloads.retry"), named("downloads.clear")
    return f"It has ended; {retry} tries again, {clear} clears what has ended."


def _on_retryable(now: Situation) -> str:
    match now.download:
        case PullState.QUEUED:
            return "It is in the queue, and begins by itself."
        case PullState.DOWNLOADING | PullState.VERIFYING:
            return "It is being downloaded."
        case PullState.COMPLETE:
            return f"It is done; {named('app.pull')} pulls it anew."
    return _on_download(now)


def _on_waiting(now: Situation) -> str:
    state = now.download
    if state is not None and state.is_active:
        return "It is being downloaded: only what waits has a place to move to."
    if state is not None and state.is_final:
        return "It has ended: only what waits has a place to move to."
    return _on_download(now)


def _on_not_first(now: Situation) -> str:
    is_next = now.is_first_download and now.has_download
    return _on_waiting(now) or ("None that waits is above it." if is_next else "")


def _on_not_last(now: Situation) -> str:
    is_last = now.is_last_download and now.has_download
    return _on_waiting(now) or ("None that waits is below it." if is_last else "")


def _on_ended(now: Situation) -> str:
    return "" if now.has_ended else "No download has ended yet."


def _on_config(now: Situation) -> str:
    return "" if now.has_config else "The configuration is still being read."


_NO_SERVERS = "The demo asks its own server only; ollm-tui without --demo can switch."


def _on_servers(now: Situation) -> str:
    return "" if now.has_servers else _NO_SERVERS


def _on_decision(now: Situation) -> str:
    return now.no_decision


def _on_override(now: Situation) -> str:
    return _on_model(now) or _on_decision(now)


REASONS: dict[str, Callable[[Situation], str]] = {
    "app.config": _on_config,
    "app.server": _on_servers,
    "app.undo": _on_pending,
    "installed.sort": _on_models,
    "installed.reverse": _on_models,
    "installed.inspect": _on_entry,
    "installed.mark": _on_staying,
    "installed.mark_all": _on_models,
    "installed.delete": _on_marked,
    "installed.load": _on_runnable,
    "installed.unload_all": _on_loaded,
    "installed.copy": _on_entry,
    "installed.override": _on_override,
    "running.unload": _on_loaded,
    "running.unload_all": _on_loaded,
    "running.keep": _on_loaded,
    "disk.resume": _on_leftover,
    "disk.discard": _on_leftover,
    "disk.delete": _on_stored,
    "downloads.details": _on_download,
    "downloads.pause": _on_unfinished,
    "downloads.cancel": _on_unfinished,
    "downloads.retry": _on_retryable,
    "downloads.up": _on_not_first,
    "downloads.down": _on_not_last,
    "downloads.clear": _on_ended,
    "inspector.previous": _on_inspected,
    "inspector.next": _on_inspected,
    **dict.fromkeys(
        (
            "router.previous",
            "router.next",
            "router.choose",
            "router.explain",
            "router.fixes",
            "router.what_if",
            "router.matrix",
            "router.apply",
            "router.breakpoints",
            "router.difference",
            "router.lint",
            "router.scenarios",
            "router.record",
            "router.copy",
        ),
        _on_decision,
    ),
}
"""By binding id; what is not here is always possible."""


def why_not(key_id: str, now: Situation) -> str:
    """Why a key cannot act just now, one sentence; empty = it can."""
    reason = REASONS.get(key_id)
    return reason(now) if reason else ""
