"""The verb `pull`: progress as a bar on a terminal, as lines elsewhere, as NDJSON with --json."""

import argparse
import asyncio
import shutil
import sys
from collections.abc import Callable, Sequence

from ollm_tui.cli import render
from ollm_tui.cli.exit_status import DONE, exit_status
from ollm_tui.cli.output import print_error, say, warn, write_error
from ollm_tui.core.error import OllmError
from ollm_tui.core.event import Event, QueueItem, QueueState
from ollm_tui.core.name import name_key, parse_reference
from ollm_tui.core.progress import ProgressEvent, PullState
from ollm_tui.service.service import ModelService
from ollm_tui.ui import format as words


async def pull(service: ModelService, options: argparse.Namespace) -> int:
    """Download every name; one that fails does not stop the others, the worst status counts."""
    # All names are right, and each model is there once, before the first byte is asked for.
    names = {parse_reference(name).key: name for name in reversed(options.names)}
    statuses = await pull_all(service, list(reversed(names.values())), as_json=options.json)
    return max(statuses.values())


async def pull_all(
    service: ModelService, names: Sequence[str], *, as_json: bool = False
) -> dict[str, int]:
    """Download models, and tell how it goes; returns the exit status of each.

    Args:
        as_json: tell it on stdout as NDJSON, instead of on stderr.
    """
    report = _Lines() if as_json else _Bar()
    if service.downloads.is_elsewhere:
        warn("another ollm-tui keeps the queue; it downloads, and this follows it")

    async def one(name: str) -> int:
        try:
            await service.pull_model(name, report)
        except OllmError as error:
            report.clear()
            print_error(error)
            return exit_status(error)
        return DONE

    tell_room = _Room({parse_reference(name).key for name in names}, report.clear)
    unsubscribe = service.subscribe(tell_room)
    try:
        statuses = await asyncio.gather(*map(one, names))
    except asyncio.CancelledError:
        report.raise_failure()
        raise
    finally:
        unsubscribe()
    return dict(zip(names, statuses, strict=True))


class _Lines:
    """Progress on stdout, one JSON object a line."""

    def __init__(self) -> None:
        self._task = asyncio.current_task()
        self._failure: OllmError | None = None

    def __call__(self, event: ProgressEvent) -> None:
        if self._failure is not None:
            return
        try:
            say(render.as_json(render.progress_json(event)))
        except BrokenPipeError:
            self._stop(OllmError("The download was stopped", cause="its progress is not read"))
        except OllmError as error:
            self._stop(error)

    def clear(self) -> None:
        """Nothing stands in the way of other words: they go elsewhere."""

    def raise_failure(self) -> None:
        """Raise what stopped the downloads, if it was the output."""
        if self._failure is not None:
            raise self._failure

    def _stop(self, error: OllmError) -> None:
        self._failure = error
        if self._task is not None:
            self._task.cancel()


class _Room:
    """Tells once of each download that it waits because the disk is too full, and what helps.

    Args:
        keys: of the models that are asked for.
        clear: takes away what stands in the way of the words.
    """

    def __init__(self, keys: set[str], clear: Callable[[], None]) -> None:
        self._keys = keys
        self._clear = clear

    def __call__(self, event: Event) -> None:
        if not isinstance(event, QueueState):
            return
        for item in event.items:
            key = name_key(item.name)
            # Before anybody has looked for what could be deleted, the next step is not known.
            if key in self._keys and item.is_held and item.unused is not None:
                self._keys.remove(key)
                self._tell(item)

    def _tell(self, item: QueueItem) -> None:
        missing = words.room_missing(item.needed_bytes or 0, item.free_bytes)
        self._clear()
        warn(f"{item.display_name} waits for room: it {missing}; ctrl-c ends that")
        if item.unused:
            names = " ".join(name for one in item.unused for name in one.names)
            warn(words.not_in_use(item.unused))
            warn(f"to delete what you do not need of them: ollm-tui rm {names}")
        else:
            warn("every installed model is in use or some profile's choice")


class _Bar:
    """Progress on stderr: one line that changes on a terminal, a line per change of state else."""

    def __init__(self) -> None:
        self._is_live = sys.stderr is not None and sys.stderr.isatty()
        self._states: dict[str, PullState] = {}
        self._latest: dict[str, ProgressEvent] = {}

    def __call__(self, event: ProgressEvent) -> None:
        is_news = self._states.get(event.model) is not event.status
        self._states[event.model] = event.status
        self._latest[event.model] = event
        if event.status.is_final:
            del self._latest[event.model]
        if is_news and (not self._is_live or event.status.is_final):
            self.clear()
            write_error(f"{event.model}: {_sentence(event)}\n")
        if self._is_live and self._latest:
            width = shutil.get_terminal_size().columns - 1
            self.clear()
            write_error("   ".join(_short(shown) for shown in self._latest.values())[:width])

    def clear(self) -> None:
        """Take the bar away, so that other words can stand in its line."""
        if self._is_live:
            write_error("\r\x1b[K")

    def raise_failure(self) -> None:
        """Nothing that this does can fail."""


def _short(event: ProgressEvent) -> str:
    if event.status is not PullState.DOWNLOADING or not event.total_bytes:
        return f"{event.model} {event.status.value} …"
    left = "" if event.eta_s is None else f" {words.duration(event.eta_s)}"
    return (
        f"{event.model} {words.bar(event.percentage, 20)} {int(event.percentage)}% "
        f"{words.share(event.downloaded_bytes, event.total_bytes)} "
        f"{words.speed(event.download_speed)}{left}"
    )


def _sentence(event: ProgressEvent) -> str:
    got = words.share(event.downloaded_bytes, event.total_bytes)
    match event.status:
        case PullState.COMPLETE:
            return f"done, {words.size(event.total_bytes)}"
        case PullState.CANCELLED:
            return f"cancelled, {got or 'nothing'} kept for the next try"
        case PullState.ERROR:
            return "failed"
        case _:
            return event.status.value
