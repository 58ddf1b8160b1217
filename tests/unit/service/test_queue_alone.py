"""The download queue without a service around it."""

from collections.abc import AsyncIterator

import pytest

from ollm_tui.core.event import QueueState
from ollm_tui.core.progress import PullState
from ollm_tui.service.queue import DownloadQueue
from ollm_tui.service.queue_store import SavedDownload
from tests.unit.service.fake import FakeClock, FakeProvider, settle


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
    assert [item.progress.status for item in alone.queue.state.items] == [
        PullState.DOWNLOADING,
        PullState.CANCELLED,
    ]


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
