"""What a download is doing, in one sentence for its row. Pure text."""

from datetime import datetime

from ollm_tui.core.error import NotEnoughSpace
from ollm_tui.core.event import QueueItem
from ollm_tui.core.progress import PullState
from ollm_tui.ui import format as words
from ollm_tui.ui.columns import Piece
from ollm_tui.ui.keymap import named


def sentence(item: QueueItem, now: datetime) -> Piece:
    """What it is doing and which key helps, with a style."""
    progress = item.progress
    got = words.share(progress.downloaded_bytes, progress.total_bytes)
    at = f"{int(progress.percentage)}%" + (f", {got}" if got else "")
    match progress.status:
        case PullState.QUEUED:
            return _queued(item)
        case PullState.DOWNLOADING:
            return (item.detail or "starting …", "dim")
        case PullState.VERIFYING:
            return (f"{item.detail or 'verifying'} … {int(progress.percentage)}% {got}", "accent")
        case PullState.STALLED if item.next_try_at is not None:
            left = words.duration((item.next_try_at - now).total_seconds())
            tries = f"try {min(item.failed_tries + 1, item.tries)} of {item.tries}, next in {left}"
            return (f"{tries} ({named('downloads.retry')} now): {item.detail}; {at} kept", "warn")
        case PullState.STALLED:
            retry, cancel = named("downloads.retry"), named("downloads.cancel")
            return (f"stalled at {at}; {retry} tries again, {cancel} cancels", "warn")
        case PullState.PAUSED:
            return (f"paused at {at}; {named('downloads.pause')} goes on", "warn")
        case PullState.COMPLETE:
            return (f"done, {words.size(progress.total_bytes)}", "good")
        case PullState.CANCELLED:
            kept = f" at {at} kept" if got else ""
            return (f"cancelled{kept}; {named('downloads.retry')} resumes", "dim")
        case PullState.ERROR:
            kept = f"; {got} kept" if progress.downloaded_bytes else ""
            return (f"failed, {named('downloads.retry')} retries: {_reason(item)}{kept}", "bad")


def is_waiting(item: QueueItem) -> bool:
    """Whether it has yet to begin or to go on: the order of the queue is for those."""
    status = item.progress.status
    return not status.is_active and not status.is_final


def choice(item: QueueItem, *, can_discard: bool) -> str:
    """What pausing keeps of it, and what cancelling; empty once it has ended."""
    status = item.progress.status
    if status.is_final:
        return ""
    pause, cancel = named("downloads.pause"), named("downloads.cancel")
    if status is PullState.PAUSED:
        pauses = f"{pause} goes on"
    else:
        pauses = f"{pause} pauses: place and bytes stay"
    kept = "you choose what stays" if can_discard else "only bytes stay"
    return f"{pauses}   {cancel} cancels: {kept}"


def _reason(item: QueueItem) -> str:
    error = item.error
    if isinstance(error, NotEnoughSpace):
        # A server's own words are long, and name a file; the details have them.
        what = "the disk is full" if error.reason else error.message
        if error.needed_bytes:
            what += f" ({words.room_missing(error.needed_bytes, error.free_bytes)})"
        return f"{what}{_could_delete(item)}"
    return str(error)


def _queued(item: QueueItem) -> Piece:
    if item.needed_bytes is None:
        return (f"queued{f', {item.detail}' if item.detail else ''}", "dim")
    missing = words.room_missing(item.needed_bytes, item.free_bytes)
    if item.is_held:
        return (f"waits for room: {missing}{_could_delete(item)}", "warn")
    return (f"queued, {missing}", "dim")


def _could_delete(item: QueueItem) -> str:
    """The largest model that nobody uses; the details name more of them."""
    return f"; unused: {words.unused(item.unused[:1])}" if item.unused else ""
