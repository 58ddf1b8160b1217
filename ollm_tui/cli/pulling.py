"""The verb `pull`: progress as a bar on a terminal, as lines elsewhere, as NDJSON with --json."""

import argparse
import asyncio
import shutil
import sys

from ollm_tui.cli import render
from ollm_tui.cli.main import DONE, exit_status, print_error
from ollm_tui.core.error import OllmError
from ollm_tui.core.name import parse_reference
from ollm_tui.core.progress import ProgressEvent, PullState
from ollm_tui.service.service import ModelService
from ollm_tui.ui import format as words


async def pull(service: ModelService, options: argparse.Namespace) -> int:
    """Download every name; one that fails does not stop the others, the worst status counts."""
    for name in options.names:
        parse_reference(name)  # all names are right before the first byte is asked for
    report = _json_line if options.json else _Bar()

    async def one(name: str) -> int:
        try:
            await service.pull_model(name, report)
        except OllmError as error:
            print_error(error)
            return exit_status(error)
        return DONE

    statuses = await asyncio.gather(*(one(name) for name in dict.fromkeys(options.names)))
    return max(statuses)


def _json_line(event: ProgressEvent) -> None:
    sys.stdout.write(render.as_json(render.progress_json(event)) + "\n")
    sys.stdout.flush()


class _Bar:
    """Progress on stderr: one line that changes on a terminal, a line per change of state else."""

    def __init__(self) -> None:
        self._is_live = sys.stderr.isatty()
        self._states: dict[str, PullState] = {}
        self._latest: dict[str, ProgressEvent] = {}

    def __call__(self, event: ProgressEvent) -> None:
        is_news = self._states.get(event.model) is not event.status
        self._states[event.model] = event.status
        self._latest[event.model] = event
        if event.status.is_final:
            del self._latest[event.model]
        if is_news and (not self._is_live or event.status.is_final):
            self._line(f"{event.model}: {_sentence(event)}\n")
        if self._is_live and self._latest:
            self._line("   ".join(_short(shown) for shown in self._latest.values()))

    def _line(self, text: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        clear = "\r\x1b[K" if self._is_live else ""
        body = text if text.endswith("\n") else text[:width]
        sys.stderr.write(clear + body)
        sys.stderr.flush()


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
