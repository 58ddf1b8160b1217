"""The one way to run something slow from the screen: a named worker whose failure becomes a toast.

This is the worker border of the error tree: what is not one of ours is logged and shown as a bug.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import TypeVar

from textual.app import ScreenStackError
from textual.css.query import NoMatches
from textual.dom import DOMNode, NoScreen
from textual.worker import Worker

from ollm_tui.core.error import OllmError
from ollm_tui.service.subscriber import as_bug

_LOG = logging.getLogger(__name__)
TOAST_S = 8.0
T = TypeVar("T")


def run(
    node: DOMNode, job: Coroutine[object, object, None], group: str, *, exclusive: bool = False
) -> Worker[None]:
    """Start `job` on the app's event loop.

    Args:
        group: its concern; an exclusive job cancels the earlier ones of its group.
    """
    guarded = _guarded(node, job)
    worker = node.app.run_worker(guarded, group=group, exclusive=exclusive, exit_on_error=False)

    def close(_: object) -> None:
        guarded.close()
        job.close()

    # Cancelled before its first step, a worker never awaits what it was given.
    if worker._task is not None:
        worker._task.add_done_callback(close)
    return worker


async def in_thread(slow: Callable[[], T]) -> T:
    """Call something that reads files or loads libraries, without holding up the keys."""
    return await asyncio.to_thread(slow)


def report(node: DOMNode, error: OllmError) -> None:
    """Show an error as a toast: what failed, why, and what to do next."""
    _LOG.warning("%s", error)
    lines = [error.message, error.cause, *error.actions]
    node.app.notify(
        "\n".join(line for line in lines if line), severity="error", timeout=TOAST_S, markup=False
    )


async def _guarded(node: DOMNode, job: Coroutine[object, object, None]) -> None:
    try:
        await job
    except OllmError as error:
        report(node, error)
    except NoMatches as error:
        if not _is_left(node):
            _report_bug(node, error)
        # Else there is nothing any more to draw the answer on, and nobody waits for it.
    except Exception as error:
        _report_bug(node, error)


def _report_bug(node: DOMNode, error: Exception) -> None:
    _LOG.exception("a worker failed")
    report(node, as_bug(error))


def _is_left(node: DOMNode) -> bool:
    """Whether the screen that the work was for has been closed meanwhile."""
    try:
        return node.screen not in node.app.screen_stack
    except (NoScreen, ScreenStackError):
        return True
