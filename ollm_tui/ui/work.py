"""The one way to run something slow from the screen: a named worker whose failure becomes a toast.

This is the worker border of the error tree: what is not one of ours is logged and shown as a bug.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TypeVar

from textual.dom import DOMNode
from textual.worker import Worker

from ollm_tui.core.error import OllmError
from ollm_tui.service.subscriber import as_bug

_LOG = logging.getLogger(__name__)
TOAST_S = 8.0
T = TypeVar("T")
Job = Coroutine[object, object, None] | Callable[[], Coroutine[object, object, None]]


def run(node: DOMNode, job: Job, group: str, *, exclusive: bool = False) -> Worker[None]:
    """Start `job` on the app's event loop.

    Args:
        job: a function where it may be cancelled before it begins, since a coroutine that is
            never awaited is a warning.
        group: its concern; an exclusive job cancels the earlier ones of its group.
    """
    return node.app.run_worker(
        partial(_guarded, node, job), group=group, exclusive=exclusive, exit_on_error=False
    )


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


async def _guarded(node: DOMNode, job: Job) -> None:
    try:
        await (job() if callable(job) else job)
    except OllmError as error:
        report(node, error)
    except Exception as error:
        _LOG.exception("a worker failed")
        report(node, as_bug(error))
