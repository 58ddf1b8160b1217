"""The question before leaving: what is interrupted by it, and what survives."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ollm_tui.core.event import QueueItem
from ollm_tui.service.service import ModelService
from ollm_tui.ui import format as words

if TYPE_CHECKING:
    from ollm_tui.ui.screens.confirm import ConfirmScreen

_LISTED = 5


def interrupted(service: ModelService) -> list[QueueItem]:
    """The downloads that leaving would stop: not those of another process."""
    return [
        item for item in service.queue.items if item.id > 0 and not item.progress.status.is_final
    ]


def question(services: Sequence[ModelService]) -> "ConfirmScreen":
    """The dialog, which is answered with `q` or not at all.

    Args:
        services: the one on screen, then those left before whose downloads go on.
    """
    from ollm_tui.ui.screens.confirm import Choice, ConfirmScreen

    items = [item for service in services for item in interrupted(service)]
    service = services[0]
    lines = [item.display_name for item in items[:_LISTED]]
    if (more := len(items) - _LISTED) > 0:
        lines.append(f"and {more:,} more")
    arrived = sum(item.progress.downloaded_bytes for item in items)
    where = "here" if service.downloads.can_discard else "on the server"
    lines.append("")
    if arrived:
        lines.append(f"What has arrived, {words.size(arrived)}, stays {where}.")
    if service.downloads.is_kept:
        lines.append(
            "The queue is kept: the next start goes on with it, and what is paused stays so."
        )
    else:
        lines.append("The queue is not kept; pulling again goes on from there.")
    if service.deletions.pending:
        lines.append("The delete that is still waiting is dropped.")
    return ConfirmScreen(
        f"Quit and stop {words.count(len(items), 'download')}?",
        lines,
        [Choice("q", "Quit", is_destructive=True)],
        stay="Stay",
    )
