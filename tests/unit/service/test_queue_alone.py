"""The download queue without a service around it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from ollm_tui.core.error import DownloadFailed
from ollm_tui.core.event import QueueState
from ollm_tui.core.progress import PullState
from ollm_tui.service.queue import DownloadQueue
from ollm_tui.service.queue_store import SavedDownload
from tests.unit.service.fake import FakeClock, FakeProvider, layer, settle


class _Alone:
    def __init__(self, provider: FakeProvider, clock: FakeClock) -> None:
        self.told: list[QueueState] = []
        self.queue = DownloadQueue(
            provider.pull,
            on_change=self.told.append,
            on_settled=lambda _: None,
            clock=clock,
            sleep=clock.sleep,
            now=clock.wall,
        )


@pytest.fixture
async def alone(provider: FakeProvider, clock: FakeClock) -> AsyncIterator[_Alone]:
    alone = _Alone(provider, clock)
    yield alone
    await alone.queue.close()


def _saved(name: str, state: PullState) -> SavedDownload:
    return SavedDownload(name, state, 10, 100)


def _states(alone: _Alone) -> list[PullState]:
    return [item.progress.status for item in alone.queue.state.items]


async def test_two_at_once_unless_told_otherwise(alone: _Alone, provider: FakeProvider) -> None:
    for name in "abc":
        alone.queue.add(name)
    await settle()
    assert [pull.name for pull in provider.pulls] == ["a", "b"]


async def test_what_is_restored_is_told_even_if_nothing_begins(alone: _Alone) -> None:
    alone.queue.restore([_saved("a", PullState.PAUSED)])
    assert [item.name for item in alone.told[-1].items] == ["a"]


async def test_what_is_restored_is_wanted_once(alone: _Alone) -> None:
    alone.queue.restore([_saved("a", PullState.PAUSED), _saved("b", PullState.PAUSED)])
    first, second = (item.id for item in alone.queue.state.items)
    alone.queue.add("a")  # a second one who wants it
    await alone.queue.leave(first)
    await alone.queue.leave(second)
    assert _states(alone) == [PullState.DOWNLOADING, PullState.CANCELLED]


async def test_the_unfinished_entry_of_a_model_comes_first_wherever_it_stands(
    alone: _Alone, provider: FakeProvider
) -> None:
    ended = alone.queue.add("a")
    await settle()
    await provider.pulls[0].succeed()
    unfinished = alone.queue.add("A:latest")
    assert alone.queue.number_of("a") == unfinished
    alone.queue.move(unfinished, -1)
    assert [item.id for item in alone.queue.state.items] == [unfinished, ended]
    assert alone.queue.number_of("a") == unfinished


async def test_what_is_tried_once_more_is_wanted_once(
    alone: _Alone, provider: FakeProvider
) -> None:
    number = alone.queue.add("a")
    await settle()
    await provider.pulls[0].fail(DownloadFailed("no", retryable=False))
    alone.queue.retry(number)
    alone.queue.add("a")  # a second one who wants it
    await alone.queue.leave(number)
    assert _states(alone) == [PullState.DOWNLOADING]


async def test_an_old_entry_goes_when_the_model_is_pulled_already(
    alone: _Alone, provider: FakeProvider
) -> None:
    broken = alone.queue.add("a")
    await settle()
    await provider.pulls[0].fail(DownloadFailed("no", retryable=False))
    again = alone.queue.add("a")
    alone.queue.retry(broken)
    assert [item.id for item in alone.told[-1].items] == [again]


async def test_what_has_ended_or_never_was_is_neither_paused_nor_taken_back(
    alone: _Alone, provider: FakeProvider
) -> None:
    number = alone.queue.add("a")
    await settle()
    await provider.pulls[0].succeed()
    for known in (number, number + 1):
        await alone.queue.pause(known)
        await alone.queue.leave(known)
    assert _states(alone) == [PullState.COMPLETE]


async def test_only_what_has_ended_is_forgotten(alone: _Alone, provider: FakeProvider) -> None:
    ended, runs = alone.queue.add("a"), alone.queue.add("b")
    await settle()
    await provider.pulls[0].succeed()
    for number in (ended, runs, runs + 1):
        alone.queue.forget(number)
    assert [item.id for item in alone.queue.state.items] == [runs]
    assert alone.told[-1] == alone.queue.state


async def test_with_one_try_only_bytes_give_another(alone: _Alone, provider: FakeProvider) -> None:
    alone.queue.set_tries(1)
    number = alone.queue.add("a")
    await settle()
    await provider.pulls[0].report(layer("x", 1, 10))
    await provider.pulls[0].fail(DownloadFailed("cut"))
    assert _states(alone) == [PullState.STALLED]
    alone.queue.retry(number)
    await settle()
    assert _states(alone) == [PullState.DOWNLOADING]  # at once
    await provider.pulls[1].fail(DownloadFailed("cut"))
    assert _states(alone) == [PullState.ERROR]


async def test_what_went_on_after_a_pause_is_cancelled_when_everything_is(alone: _Alone) -> None:
    number = alone.queue.add("a")
    await settle()
    await alone.queue.pause(number)
    alone.queue.resume(number)
    await settle()
    for task in asyncio.all_tasks() - {asyncio.current_task()}:  # as Ctrl+C does
        task.cancel()
    await settle()
    assert _states(alone) == [PullState.CANCELLED]
