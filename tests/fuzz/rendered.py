"""What was read, as people and scripts see it: a number can be read, and then be no text."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NoReturn

from ollm_tui.cli import render, render_decision
from ollm_tui.core.event import QueueItem
from ollm_tui.core.model import ModelDetails, ModelInfo, RunningModel
from ollm_tui.routing.decision import Decision
from ollm_tui.service.queue_store import EndedDownload
from ollm_tui.ui import format as words
from ollm_tui.ui.download_details import layer_lines
from tests.fuzz.invariants import assert_lines, unsafe

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_LONGEST = 200_000
"""Of a text about inputs of a few KB."""


def assert_models(models: Sequence[ModelInfo]) -> None:
    """A list of models."""
    _assert_text(render.model_table(models, _NOW))
    for model in models:
        _assert_json(render.model_json(model))


def assert_details(details: ModelDetails) -> None:
    """One model."""
    _assert_text(render.details_text(details))
    _assert_json(render.details_json(details))


def assert_running(models: Sequence[RunningModel]) -> None:
    """The models in memory."""
    _assert_text(render.running_table(models, _NOW))
    for model in models:
        _assert_json(render.running_json(model))


def assert_decision(decision: Decision) -> None:
    """What the router decided, and why."""
    _assert_text(render_decision.explanation(decision))
    _assert_text(render_decision.decision_table([decision]))


def assert_download(item: QueueItem) -> None:
    """A download of the queue."""
    progress = item.progress
    told = [
        *layer_lines(item),
        words.share(progress.downloaded_bytes, progress.total_bytes),
        words.speed(progress.download_speed),
        words.bar(progress.percentage, 20),
        words.sparkline(item.speeds, 20),
        *words.room_lines(item.unused),
        *(words.size(count) for count in (item.needed_bytes, item.free_bytes) if count is not None),
    ]
    if progress.eta_s is not None:
        told.append(words.duration(progress.eta_s))
    if item.next_try_at is not None:
        told.append(words.leaves_in(item.next_try_at, _NOW))
    assert_lines(told)
    assert max(map(len, told)) < _LONGEST
    _assert_json(render.progress_json(progress))


def assert_ended(ended: EndedDownload) -> None:
    """A download of the history."""
    assert_lines((words.ago(ended.ended_at, _NOW), words.size(ended.downloaded_bytes)))


def _assert_text(text: str) -> None:
    assert not unsafe(text, "\n"), unsafe(text, "\n")
    assert len(text) < _LONGEST


def _assert_json(value: object) -> None:
    """It is JSON as every parser reads it, which knows no NaN."""
    json.loads(render.as_json(value), parse_constant=_no_constant)


def _no_constant(text: str) -> NoReturn:
    raise AssertionError(f"{text} is no JSON")
