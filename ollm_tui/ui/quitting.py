"""The question before leaving: what is interrupted by it, and what survives.

A delete that can still be taken back is dropped by leaving, unless one chooses otherwise: what is
deleted is gone, and what is kept can be deleted later. Source: ruling Z14.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ollm_tui.core.event import QueueItem
from ollm_tui.core.text import clean_line
from ollm_tui.service.service import ModelService
from ollm_tui.ui import format as words
from ollm_tui.ui import work
from ollm_tui.ui.keymap import named

if TYPE_CHECKING:
    from textual.app import App

    from ollm_tui.ui.screens.confirm import ConfirmScreen

_LISTED = 5
_LISTED_BESIDE_OTHERS = 2  # both lists have to fit on a small terminal

QUIT = "q"
DELETE_AND_QUIT = "d"


def interrupted(service: ModelService) -> list[QueueItem]:
    """The downloads that leaving would stop: not those of another process."""
    return [
        item for item in service.queue.items if item.id > 0 and not item.progress.status.is_final
    ]


def leave(app: "App[None]", services: Sequence[ModelService]) -> None:
    """Leave the program; asks when that would interrupt downloads, or drop a delete.

    Args:
        services: the one on screen, then those left before whose downloads go on.
    """
    if not any(interrupted(service) or service.deletions.pending for service in services):
        app.exit()
        return

    def answered(answer: str | None) -> None:
        if answer == QUIT:
            app.exit()
        elif answer == DELETE_AND_QUIT:
            work.run(app, _delete_and_leave(app, services), "quit", exclusive=True)
        else:
            for service in services:
                service.deletions.go_on()

    for service in services:
        service.deletions.hold()  # else it would be done while the question is read
    app.push_screen(question(services), answered)


async def _delete_and_leave(app: "App[None]", services: Sequence[ModelService]) -> None:
    """Leave once all is deleted; what went wrong is told, and then one had better stay."""
    if all([await service.deletions.hurry() for service in services]):
        app.exit()


def question(services: Sequence[ModelService]) -> "ConfirmScreen":
    """The dialog, which is answered with QUIT, DELETE_AND_QUIT or not at all."""
    from ollm_tui.ui.screens.confirm import Choice, ConfirmScreen

    items = [item for service in services for item in interrupted(service)]
    going = [
        clean_line(name)
        for service in services
        for pending in service.deletions.pending
        for name in pending.names
    ]
    limit = _LISTED_BESIDE_OTHERS if going and items else _LISTED
    between = [""] if going and items else []
    lines = [*_of_deletes(going, limit), *between, *_of_downloads(services, limit)]
    it = "it" if len(going) == 1 else "them"
    choices = [Choice(QUIT, f"Quit, keep {it}" if going else "Quit", is_destructive=bool(items))]
    if going:
        choices.append(Choice(DELETE_AND_QUIT, "Delete, quit", is_destructive=True))
    what = going[0] if len(going) == 1 else words.count(len(going), "model")
    if items:
        asked = f"Quit and stop {words.count(len(items), 'download')}?"
    else:
        asked = f"Quit before {what} {'is' if len(going) == 1 else 'are'} deleted?"
    return ConfirmScreen(asked, lines, choices, stay="Stay")


def _of_deletes(names: Sequence[str], limit: int) -> Iterator[str]:
    if not names:
        return
    it, stays = ("it", "It stays") if len(names) == 1 else ("them", "They stay")
    yield f"Not deleted yet, for {named('app.undo')} can still take it back:"
    yield from _listed(names, limit)
    yield f"{stays} installed if you quit (q); d deletes {it} now and quits."
    yield "Nothing is deleted while this is asked."


def _of_downloads(services: Sequence[ModelService], limit: int) -> Iterator[str]:
    items = [item for service in services for item in interrupted(service)]
    if not items:
        return
    service = services[0]
    yield from _listed([item.display_name for item in items], limit)
    yield ""
    if arrived := sum(item.progress.downloaded_bytes for item in items):
        where = "here" if service.downloads.can_discard else "on the server"
        yield f"What has arrived, {words.size(arrived)}, stays {where}."
    if service.downloads.is_kept:
        yield "The queue is kept: the next start goes on with it, and what is paused stays so."
    else:
        yield "The queue is not kept; pulling again goes on from there."


def _listed(names: Sequence[str], limit: int) -> Iterator[str]:
    yield from names[:limit]
    if (more := len(names) - limit) > 0:
        yield f"and {more:,} more"
