"""The verb `doctor`: what is wrong with server, store, configuration and terminal; and mending."""

import argparse
import asyncio
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace

from ollm_tui.cli import render, render_doctor
from ollm_tui.cli.changing import is_agreed
from ollm_tui.cli.compose import make_service, opened_setup
from ollm_tui.cli.exit_status import DONE, FAILED, NEGATIVE
from ollm_tui.cli.output import print_error, say, warn, write_error
from ollm_tui.cli.setup import Setup
from ollm_tui.core.diagnosis import Check, StoreReport
from ollm_tui.core.error import OllmError
from ollm_tui.core.name import parse_reference
from ollm_tui.core.progress import PullPhase, PullStep
from ollm_tui.service.doctor import check_no_store, check_server
from ollm_tui.service.service import ModelService
from ollm_tui.ui import format as words
from ollm_tui.ui.terminal_check import check_terminal


async def doctor(options: argparse.Namespace) -> int:
    """Look at everything, mend what was asked for, look again; 0 when nothing is wrong then.

    Raises:
        InvalidName: of a model to repair.
        ConfigError: to reclaim needs a yes, and there is no terminal to ask on.
    """
    for name in options.names:
        parse_reference(name)
    with opened_setup(options) as setup:
        checks = [await asyncio.to_thread(_check_configuration, setup), check_terminal()]
        service = make_service(setup)
        try:
            return await _examine(service, options, checks)
        finally:
            await service.close()


async def _examine(
    service: ModelService, options: argparse.Namespace, checks: Sequence[Check]
) -> int:
    checks = [await check_server(service), *checks]
    repairs: dict[str, OllmError | None] = {}
    freed_bytes: int | None = None
    try:
        report: StoreReport | None = await _look(service, options)
    except OllmError as error:
        report = None
        checks = [*checks, check_no_store(error, checks)]
    if report is not None and options.repair:
        for name in options.names or report.repairable:
            repairs[name] = await _repair(service, name)
        if repairs:
            report = await _look(service, options)
    if report is not None and options.reclaim:
        freed_bytes = await _reclaim(service, report, is_yes=options.yes)
        if freed_bytes:  # what was found by hashing still holds
            report = replace(await service.store.inspect(), findings=report.findings)
    if options.json:
        answer = render_doctor.as_object(checks, report, repairs, freed_bytes, service.now())
        say(render.as_json(answer))
    else:
        say(render_doctor.as_text(checks, report, service.now()))
    if any(repairs.values()) or ((options.repair or options.reclaim) and report is None):
        return FAILED
    is_healthy = all(check.is_healthy for check in checks) and (not report or report.is_healthy)
    return DONE if is_healthy else NEGATIVE


def _check_configuration(setup: Setup) -> Check:
    from ollm_tui.config.health import check_configuration  # loads YAML and pydantic

    return check_configuration(setup.effective)


async def _look(service: ModelService, options: argparse.Namespace) -> StoreReport:
    line = _Line()

    def tell(done_bytes: int, total_bytes: int) -> None:
        percentage = 100 * done_bytes / max(1, total_bytes)
        line.show(
            f"hashing {words.bar(percentage, 20)} {int(percentage)}% "
            f"{words.share(done_bytes, total_bytes)}"
        )

    try:
        return await service.store.inspect(verify=options.verify, on_progress=tell)
    finally:
        line.clear()


async def _repair(service: ModelService, name: str) -> OllmError | None:
    """Repair one model; returns what stood in the way, which is also told."""
    line = _Line()

    def tell(step: PullStep) -> None:
        got = words.share(step.completed_bytes, step.total_bytes)
        is_moving = step.phase is PullPhase.TRANSFERRING
        line.show(f"{name}: {step.detail} {got if is_moving else ''}".rstrip())

    try:
        await service.store.repair(name, tell)
    except OllmError as error:
        line.clear()
        print_error(error)
        return error
    line.clear()
    warn(f"{name} is whole")
    return None


async def _reclaim(service: ModelService, report: StoreReport, *, is_yes: bool) -> int:
    """Show what can go, ask, and remove it; returns the bytes freed."""
    items = report.reclaimable
    if not items:
        warn("nothing is left over that can be removed")
        return 0
    now = service.now()
    total = words.size(sum(item.size_bytes for item in items))
    write_error("".join(f"  {words.leftover(item, now)}\n" for item in items))
    question = f"Remove {words.count(len(items), 'file')} that no model needs, {total}?"
    if not is_yes and not await is_agreed(question, f"Not removed: {total}", "remove it"):
        return 0
    freed_bytes = await service.store.reclaim(items)
    warn(f"freed {words.size(freed_bytes)}")
    return freed_bytes


class _Line:
    """A line on the terminal that changes; nothing where stderr is none."""

    def __init__(self) -> None:
        self._is_live = sys.stderr is not None and sys.stderr.isatty()

    def show(self, text: str) -> None:
        if self._is_live:
            self.clear()
            write_error(text[: shutil.get_terminal_size().columns - 1])

    def clear(self) -> None:
        if self._is_live:
            write_error("\r\x1b[K")
