"""One process keeps the queue and downloads; others hand it their wishes, watch, and follow it."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from datetime import UTC
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ollm_tui.cli.deferred import DeferredProvider
from ollm_tui.core.error import ConfigError, DownloadFailed, ModelInUse, OllmError
from ollm_tui.core.event import QueueItem
from ollm_tui.core.model import ModelStatus
from ollm_tui.core.progress import LayerProgress, ProgressEvent, PullState
from ollm_tui.core.unused import UnusedModel
from ollm_tui.providers.base import Provider
from ollm_tui.service.queue_share import (
    Order,
    SharedQueue,
    Wish,
    load_shared,
    save_shared,
    save_wish,
    take_wishes,
)
from ollm_tui.service.service import ModelService
from ollm_tui.service.state import _SCHEMA
from tests.unit.service.fake import FakeClock, FakeProvider, Recorder, layer, model, settle

QUEUED, DOWNLOADING, COMPLETE = PullState.QUEUED, PullState.DOWNLOADING, PullState.COMPLETE
CANCELLED, ERROR, PAUSED = PullState.CANCELLED, PullState.ERROR, PullState.PAUSED


class World:
    """Several processes on one state file and one clock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = FakeClock()
        self.services: list[ModelService] = []

    def open(self, provider: Provider) -> ModelService:
        service = ModelService(
            provider,
            state_path=self.path,
            clock=self.clock,
            sleep=self.clock.sleep,
            now=self.clock.wall,
            dice=lambda: 0.5,
        )
        self.services.append(service)
        return service

    async def close(self, service: ModelService) -> None:
        self.services.remove(service)
        await service.close()

    async def until(self, is_so: Callable[[], bool], limit_s: int = 10) -> None:
        """Let seconds pass and threads work until something is so."""
        for _ in range(limit_s):
            if is_so():
                return
            await self.clock.advance(1)
            await self.written()
        assert is_so()

    async def pass_s(self, seconds: int) -> None:
        for _ in range(seconds):
            await self.clock.advance(1)
            await self.written()

    async def written(self) -> None:
        for _ in range(3):  # what one has written makes another read
            for service in self.services:
                assert service._memory is not None
                await service._memory._file.run(lambda _file: None, None)
                await settle()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path / "ollm" / "state.db")
    yield world
    for service in tuple(world.services):
        await world.close(service)


def states(service: ModelService) -> dict[str, PullState]:
    return {item.name.split(":")[0]: item.progress.status for item in service.queue.items}


def number(service: ModelService, name: str) -> int:
    return next(item.id for item in service.queue.items if item.name.startswith(name))


async def test_a_pull_is_handed_to_the_keeper_and_followed(world: World) -> None:
    ours, theirs = FakeProvider(), FakeProvider()
    keeper = world.open(theirs)
    await keeper.start()
    verb = world.open(ours)
    recorder = Recorder()
    pull = asyncio.create_task(verb.pull_model("a", recorder.on_progress))
    await world.until(lambda: bool(theirs.pulls))
    assert states(keeper) == {"a": DOWNLOADING}
    await theirs.pulls[0].report(layer("x", 30, 100))
    await world.until(lambda: any(event.percentage == 30 for event in recorder.progress))
    assert states(verb) == {"a": DOWNLOADING}
    assert verb.queue.items[0].layers == (LayerProgress("x", 100, 30),)
    assert await verb.get_model_status("a") is ModelStatus.DOWNLOADING
    await theirs.pulls[0].report(layer("x", 100, 100))
    await theirs.pulls[0].succeed()
    await world.until(pull.done)
    await pull
    assert recorder.states[0] is QUEUED
    assert recorder.finals == [COMPLETE]
    percentages = [event.percentage for event in recorder.progress]
    assert percentages == sorted(percentages)
    assert ours.pulls == []


async def test_who_downloads_is_asked_only_of_a_provider_that_is_known(world: World) -> None:
    """One that is made when it is first asked has no kind and no host before, and so no lock."""
    ours, theirs = FakeProvider(), FakeProvider()
    await world.open(theirs).start()
    verb = world.open(DeferredProvider(lambda: ours))
    pull = asyncio.create_task(verb.pull_model("a"))
    await world.until(lambda: bool(theirs.pulls))
    screen = world.open(DeferredProvider(lambda: ours))
    assert screen.enqueue("b") == 0
    await world.until(lambda: len(theirs.pulls) == 2)
    for running in theirs.pulls:
        await running.succeed()
    await world.until(pull.done)
    await pull
    assert ours.pulls == []


async def test_a_provider_that_cannot_be_made_is_told_by_the_download(world: World) -> None:
    def make() -> Provider:
        raise ConfigError("No such host")

    screen = world.open(DeferredProvider(make))
    screen.enqueue("a")
    await world.until(lambda: states(screen) == {"a": ERROR})
    assert str(screen.queue.items[0].error) == "No such host"
    with pytest.raises(ConfigError):
        await world.open(DeferredProvider(make)).pull_model("b")


async def test_a_failure_reaches_the_watcher_with_what_to_do(world: World) -> None:
    theirs = FakeProvider()
    keeper = world.open(theirs)
    await keeper.start()
    verb = world.open(FakeProvider())
    pull = asyncio.create_task(verb.pull_model("a"))
    await world.until(lambda: bool(theirs.pulls))
    await theirs.pulls[0].fail(
        DownloadFailed("It broke", cause="oddly", actions=["Do this."], retryable=False)
    )
    await world.until(pull.done)
    with pytest.raises(DownloadFailed, match=r"It broke \(oddly\)") as caught:
        await pull
    assert caught.value.actions == ("Do this.",)


async def test_a_second_screen_shows_the_queue_and_its_keys_work(world: World) -> None:
    theirs = FakeProvider()
    keeper = world.open(theirs)
    keeper.set_concurrency(1)
    await keeper.start()
    for name in ("a", "b", "c"):
        keeper.enqueue(name)
    screen = world.open(FakeProvider())
    await screen.start()
    await world.until(lambda: states(screen) == states(keeper))
    assert states(screen) == {"a": DOWNLOADING, "b": QUEUED, "c": QUEUED}
    assert all(item.id < 0 for item in screen.queue.items)
    ids = [item.id for item in screen.queue.items]
    await screen.pause(number(screen, "a"))
    await world.until(lambda: states(keeper)["a"] is PAUSED)
    await screen.cancel(number(screen, "b"))
    await world.until(lambda: states(keeper)["b"] is CANCELLED)
    screen.move(number(screen, "c"), -2)
    await world.until(lambda: next(iter(states(keeper))) == "c")
    screen.resume(number(screen, "a"))
    await world.until(lambda: states(keeper)["a"] is QUEUED)
    screen.retry(number(screen, "b"))
    await world.until(lambda: states(keeper)["b"] is QUEUED)
    await screen.cancel(number(screen, "b"))
    await world.until(lambda: states(screen).get("b") is CANCELLED)
    screen.clear_finished()
    await world.until(lambda: "b" not in states(keeper))
    await world.until(lambda: states(screen) == states(keeper))
    assert {item.id for item in screen.queue.items} < set(ids)  # rows keep who they are


async def test_a_screen_that_adds_keeps_the_same_row(world: World) -> None:
    keeper = world.open(FakeProvider())
    await keeper.start()
    screen = world.open(FakeProvider())
    await screen.start()
    added = screen.enqueue("a")
    assert [item.id for item in screen.queue.items] == [added]
    await world.until(lambda: states(screen) == {"a": DOWNLOADING})
    assert [item.id for item in screen.queue.items] == [added]
    await screen.cancel(added)
    await world.until(lambda: states(screen) == {"a": CANCELLED})


@pytest.mark.parametrize("is_wanted_there", [False, True])
async def test_an_interrupted_verb_takes_its_pull_back(world: World, is_wanted_there: bool) -> None:
    theirs = FakeProvider()
    keeper = world.open(theirs)
    await keeper.start()
    if is_wanted_there:
        keeper.enqueue("a")
    verb = world.open(FakeProvider())
    recorder = Recorder()
    pull = asyncio.create_task(verb.pull_model("a", recorder.on_progress))
    await world.until(lambda: bool(theirs.pulls))
    await world.pass_s(2)
    pull.cancel()
    await settle()
    assert pull.cancelled()
    assert recorder.finals == [CANCELLED]
    await world.close(verb)
    await world.pass_s(2)
    assert states(keeper) == {"a": DOWNLOADING if is_wanted_there else CANCELLED}


async def test_the_watcher_goes_on_when_the_keeper_leaves(world: World) -> None:
    ours, theirs = FakeProvider(), FakeProvider()
    keeper = world.open(theirs)
    await keeper.start()
    keeper.enqueue("other")
    verb = world.open(ours)
    recorder = Recorder()
    pull = asyncio.create_task(verb.pull_model("a", recorder.on_progress))
    await world.until(lambda: len(theirs.pulls) == 2)
    await theirs.pulls[1].report(layer("x", 60, 100))
    await world.until(lambda: any(event.percentage == 60 for event in recorder.progress))
    await world.close(keeper)
    await world.until(lambda: len(ours.pulls) == 2, limit_s=3)
    mine = next(pull for pull in ours.pulls if pull.name == "a:latest")
    await mine.report(layer("x", 70, 100))
    await mine.report(layer("x", 100, 100))
    await mine.succeed()
    await world.until(pull.done)
    await pull
    percentages = [event.percentage for event in recorder.progress]
    assert percentages == sorted(percentages)
    assert recorder.finals == [COMPLETE]
    assert states(verb) == {"other": DOWNLOADING, "a": COMPLETE}


async def test_what_the_keeper_finished_as_it_left_is_not_pulled_again(world: World) -> None:
    ours, theirs = FakeProvider(), FakeProvider()
    keeper = world.open(theirs)
    await keeper.start()
    verb = world.open(ours)
    pull = asyncio.create_task(verb.pull_model("a"))
    await world.until(lambda: bool(theirs.pulls))
    await theirs.pulls[0].succeed()
    await world.close(keeper)
    await world.until(pull.done)
    await pull
    assert ours.pulls == []


async def test_a_wish_that_the_keeper_never_took_is_not_lost(world: World) -> None:
    ours = FakeProvider()
    keeper = world.open(FakeProvider())
    await keeper.start()
    verb = world.open(ours)
    recorder = Recorder()
    pull = asyncio.create_task(verb.pull_model("a", recorder.on_progress))
    await settle()
    await world.close(keeper)  # before a second has passed
    await world.until(lambda: bool(ours.pulls))
    await ours.pulls[0].succeed()
    await world.until(pull.done)
    await pull
    assert len(ours.pulls) == 1
    assert recorder.finals == [COMPLETE]


@pytest.mark.parametrize("ending", ["complete", "cancelled", "error"])
async def test_how_it_ended_is_known_although_the_keeper_never_told(
    world: World, ending: str
) -> None:
    ours, theirs = FakeProvider(), FakeProvider()
    keeper = world.open(theirs)
    await keeper.start()
    verb = world.open(ours)
    recorder = Recorder()
    pull = asyncio.create_task(verb.pull_model("a", recorder.on_progress))
    await world.until(lambda: any(event.status is DOWNLOADING for event in recorder.progress))
    match ending:
        case "complete":
            await theirs.pulls[0].succeed()
        case "cancelled":
            await keeper.cancel(number(keeper, "a"))
        case _:
            await theirs.pulls[0].fail(DownloadFailed("It broke", retryable=False))
    keeper.clear_finished()  # as a kill in that very second would
    await world.until(pull.done)
    assert recorder.finals == [PullState(ending)]
    if ending == "complete":
        await pull
    else:
        with pytest.raises(DownloadFailed):
            await pull
    assert len(theirs.pulls) == 1


async def test_one_of_several_watchers_follows_the_keeper_and_serves_the_others(
    world: World,
) -> None:
    providers = [FakeProvider(), FakeProvider(), FakeProvider()]
    keeper = world.open(providers[0])
    await keeper.start()
    verbs = [world.open(provider) for provider in providers[1:]]
    pulls = [
        asyncio.create_task(verb.pull_model(name)) for verb, name in zip(verbs, "ab", strict=True)
    ]
    await world.until(lambda: len(providers[0].pulls) == 2)
    await world.close(keeper)
    await world.until(lambda: any(len(provider.pulls) == 2 for provider in providers[1:]))
    follower = next(provider for provider in providers[1:] if provider.pulls)
    for one in follower.pulls:
        await one.succeed()
    await world.until(lambda: all(pull.done() for pull in pulls))
    await asyncio.gather(*pulls)
    assert sum(len(provider.pulls) for provider in providers[1:]) == 2


async def test_a_screen_beside_a_verb_has_it_go_on_with_what_was_left(world: World) -> None:
    before = world.open(FakeProvider())
    await before.start()
    before.enqueue("old")
    await world.written()
    await world.close(before)
    theirs = FakeProvider()
    verb = world.open(theirs)
    pull = asyncio.create_task(verb.pull_model("a"))
    await settle()
    assert states(verb) == {"a": DOWNLOADING}  # a verb alone leaves the rest alone
    screen = world.open(FakeProvider())
    await screen.start()
    await world.until(lambda: states(screen) == {"a": DOWNLOADING, "old": DOWNLOADING})
    pull.cancel()
    await settle()


async def test_a_model_that_another_process_downloads_is_not_deleted(world: World) -> None:
    keeper = world.open(FakeProvider())
    await keeper.start()
    keeper.enqueue("a")
    screen = world.open(FakeProvider(model("a")))
    await screen.start()
    await world.until(lambda: states(screen) == {"a": DOWNLOADING})
    with pytest.raises(ModelInUse):
        await screen.delete_model("a", force=True)


async def test_nothing_is_written_for_watchers_while_there_are_none(world: World) -> None:
    theirs = FakeProvider()
    keeper = world.open(theirs)
    await keeper.start()
    keeper.enqueue("a")
    await world.pass_s(5)
    connection = sqlite3.connect(world.path)
    assert connection.execute("SELECT count(*) FROM shared").fetchone() == (0,)
    screen = world.open(FakeProvider())
    await screen.start()
    await world.until(lambda: states(screen) == {"a": DOWNLOADING})
    assert connection.execute("SELECT count(*) FROM shared").fetchone() == (1,)
    connection.close()


async def test_what_was_shared_long_ago_is_not_shown(world: World) -> None:
    theirs = FakeProvider()
    keeper = world.open(theirs)
    await keeper.start()
    first = world.open(FakeProvider())
    await first.start()
    keeper.enqueue("a")
    await world.until(lambda: states(first) == {"a": DOWNLOADING})
    await world.close(first)
    await theirs.pulls[0].succeed()
    keeper.clear_finished()
    await world.pass_s(2)
    second = world.open(FakeProvider())
    await second.start()
    await world.written()
    assert states(second) == {}
    await world.pass_s(3)
    assert states(second) == {}


async def test_where_no_lock_can_be_each_process_downloads_for_itself(
    tmp_path: Path, world: World
) -> None:
    world.path = tmp_path / "a file" / "state.db"
    (tmp_path / "a file").write_text("")
    ours = FakeProvider()
    service = world.open(ours)
    await service.start()
    service.enqueue("a")
    await settle()
    assert len(ours.pulls) == 1


# What is in the file.


@pytest.fixture
def file() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.executescript(_SCHEMA)
    return connection


sizes = st.integers(0, 2**60)
_UNUSED = st.builds(UnusedModel, st.lists(st.just("x:1"), min_size=1, max_size=2).map(tuple), sizes)
texts = st.text("aü \x1b[", max_size=8)
moments = st.datetimes().map(lambda moment: moment.replace(tzinfo=UTC))


@st.composite
def items(draw: st.DrawFn) -> QueueItem:
    name = draw(st.sampled_from(["a:1b", "http://host:1/ns/b:tag", "hf.co/x/y:latest"]))
    error = draw(st.none() | st.builds(DownloadFailed, texts, cause=texts))
    return QueueItem(
        draw(st.integers(1, 100)),
        name,
        name,
        ProgressEvent(
            name,
            draw(st.sampled_from(PullState)),
            draw(st.floats(0, 100)),
            draw(sizes),
            draw(sizes),
            draw(st.floats(0, 1e12)),
            draw(moments),
            draw(st.none() | st.floats(0, 1e9)),
            str(error) if error else None,
        ),
        layers=tuple(draw(st.lists(st.builds(LayerProgress, st.just("x"), sizes, sizes)))),
        error=error,
        speeds=tuple(draw(st.lists(st.floats(0, 1e12)))),
        failed_tries=draw(st.integers(0, 5)),
        next_try_at=draw(st.none() | moments),
        needed_bytes=draw(st.none() | sizes),
        free_bytes=draw(st.none() | sizes),
        unused=draw(st.none() | st.lists(_UNUSED, max_size=3).map(tuple)),
    )


def essence(item: QueueItem) -> tuple[object, ...]:
    error = item.error
    told = (error.message, error.cause, error.actions) if isinstance(error, OllmError) else None
    return (*item._replace(error=None), told)


@given(st.lists(items(), max_size=4), st.integers(0, 10))
def test_the_queue_comes_back_as_it_was(shown: list[QueueItem], taken: int) -> None:
    connection = sqlite3.connect(":memory:")
    connection.executescript(_SCHEMA)
    save_shared(connection, "p", "h", SharedQueue(tuple(shown), taken))
    back = load_shared(connection, "p", "h")
    assert list(map(essence, back.items)) == list(map(essence, shown))
    assert back.taken == taken
    assert load_shared(connection, "p", "other") == SharedQueue()
    connection.close()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)


@given(st.text(max_size=20) | st.binary(max_size=5) | st.none() | json_values.map(json.dumps))
def test_no_content_of_the_file_stops_a_watcher(text: object) -> None:
    connection = sqlite3.connect(":memory:")
    connection.executescript(_SCHEMA)
    if not isinstance(text, str | bytes):
        text = str(text)
    connection.execute("INSERT INTO shared VALUES ('p', 'h', ?, 'many')", (text,))
    assert load_shared(connection, "p", "h") == SharedQueue()
    connection.close()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ["a:1b"]),
        ("id", True),
        ("detail", ["pulling"]),
        ("log", [["a line"]]),
        ("layers", [[[], 1, 1]]),
        ("layers", [["x", 1, 2**63]]),
        ("total", 2**63),
        ("downloaded", -1),
        ("needed", "1"),
        ("at", "0001-01-01T00:00:00+23:59"),  # before the first moment in UTC
        ("next_try_at", 1),
    ],
)
@settings(max_examples=10)
@given(shown=items())
def test_a_download_of_the_file_that_makes_no_sense_is_left_out(
    field: str, value: object, shown: QueueItem
) -> None:
    connection = sqlite3.connect(":memory:")
    connection.executescript(_SCHEMA)
    save_shared(connection, "p", "h", SharedQueue((shown, shown), 3))
    (text,) = connection.execute("SELECT items FROM shared").fetchone()
    first, second = json.loads(text)
    altered = json.dumps([first | {field: value}, second])
    connection.execute("UPDATE shared SET items = ?", (altered,))
    back = load_shared(connection, "p", "h")
    assert list(map(essence, back.items)) == [essence(shown)]
    connection.close()


def test_wishes_are_taken_once_in_order_and_pulls_become_rows(file: sqlite3.Connection) -> None:
    wishes = [Wish(Order.PULL, "a:1b"), Wish(Order.MOVE, "a:1b", -2), Wish(Order.CLEAR)]
    numbers = [save_wish(file, "p", "h", wish) for wish in wishes]
    save_wish(file, "p", "other", Wish(Order.PULL, "b:1b"))
    file.execute("INSERT INTO wishes VALUES (90, 'p', 'h', 'dance', 'a', 0)")
    file.execute("INSERT INTO wishes VALUES (91, 'p', 'h', 'pull', 'not a name', 0)")
    file.execute("INSERT INTO wishes VALUES (92, 'p', 'h', 'pull', NULL, NULL)")
    file.execute("INSERT INTO wishes VALUES (93, 'p', 'h', 'pull', '', 0)")
    taken = take_wishes(file, "p", "h")
    assert [wish._replace(number=0) for wish in taken] == wishes
    assert [wish.number for wish in taken] == numbers
    assert take_wishes(file, "p", "h") == ()
    assert file.execute("SELECT name, state FROM queue").fetchall() == [("a:1b", "queued")]


def test_an_older_number_never_counts_again(file: sqlite3.Connection) -> None:
    save_shared(file, "p", "h", SharedQueue((), 7))
    save_shared(file, "p", "h", SharedQueue((), 0))  # another process, which took none
    assert load_shared(file, "p", "h").taken == 7
