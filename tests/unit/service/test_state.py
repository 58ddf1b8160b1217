"""What one run leaves for the next: the last list, the queue, the history, whatever happens."""

import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ollm_tui.cli.deferred import DeferredProvider
from ollm_tui.core.error import DownloadFailed, ModelNotFound, ProviderOffline
from ollm_tui.core.event import Notice
from ollm_tui.core.model import ModelCapabilities, ModelInfo, ModelList, ModelStatus, Problem
from ollm_tui.core.progress import PullState
from ollm_tui.providers.base import Provider
from ollm_tui.service.heartbeat import PUBLISH_EVERY_S
from ollm_tui.service.list_store import KnownList, load_list, save_list
from ollm_tui.service.lock import ProcessLock
from ollm_tui.service.memory import KEEP_LIST_AFTER_S
from ollm_tui.service.queue_store import load_history
from ollm_tui.service.service import ModelService
from ollm_tui.service.state import _SCHEMA, StateFile
from tests.unit.service.fake import FakeClock, FakeProvider, Recorder, layer, model, settle

OFFLINE = ProviderOffline("No answer", cause="refused")
QUEUED, PAUSED, DOWNLOADING = PullState.QUEUED, PullState.PAUSED, PullState.DOWNLOADING


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ollm" / "state.db"


@asynccontextmanager
async def running(
    path: Path, provider: Provider | None = None, clock: FakeClock | None = None
) -> AsyncIterator[ModelService]:
    """A run of the program, closed in order."""
    clock = clock or FakeClock()
    service = ModelService(
        provider or FakeProvider(),
        state_path=path,
        clock=clock,
        sleep=clock.sleep,
        now=clock.wall,
        dice=lambda: 0.5,
    )
    try:
        yield service
    finally:
        await service.close()


async def is_written(service: ModelService) -> None:
    """Wait until everything asked for is in the file."""
    assert service._memory is not None
    await service._memory._file.run(lambda _file: None, None)
    await settle()


def rows(path: Path) -> list[tuple[str, str]]:
    """The queue in the file, in order."""
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT name, state FROM queue ORDER BY place").fetchall()
    connection.close()
    return found


def lists(path: Path) -> list[str]:
    """The last known lists in the file."""
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT list FROM lists").fetchall()
    connection.close()
    return [text for (text,) in found]


def listing(path: Path) -> list[str]:
    return [entry.name for entry in path.iterdir()]


def states(service: ModelService) -> dict[str, PullState]:
    return {item.name: item.progress.status for item in service.queue.items}


# The list.


async def test_without_a_path_nothing_is_written(tmp_path: Path, service: ModelService) -> None:
    await service.start()
    await service.list_models()
    service.enqueue("a")
    assert await service.downloads.history() == ()
    assert listing(tmp_path) == ["home"]


async def test_a_start_shows_the_last_list_before_anyone_is_asked(path: Path) -> None:
    clock, provider = FakeClock(), FakeProvider(model("llama3.1:8b"))
    async with running(path, provider, clock) as service:
        await service.list_models()
    as_of = clock.wall()
    clock.now_s += 3600
    later = FakeProvider(model("new:1b"))
    async with running(path, later, clock) as service:
        recorder = Recorder()
        service.subscribe(recorder)
        await service.recall()
        assert [item.name for item in service.models.models] == ["llama3.1:8b"]
        assert recorder.events == [service.models]  # enough for a first frame
        await service.start()
        state = service.models
        assert state.models[0].context_window == 128000  # looked up anew
        assert (state.stale, state.as_of, state.error) == (True, as_of, None)
        assert not later.asked
        await service.refresh()
        assert [item.name for item in service.models.models] == ["new:1b"]
        assert not service.models.stale


async def test_a_list_is_written_once_the_start_is_over(path: Path) -> None:
    clock = FakeClock()
    async with running(path, FakeProvider(model("llama3.1:8b")), clock) as service:
        await service.list_models()
        await service.list_models(refresh=True)
        await is_written(service)
        assert lists(path) == []
        await clock.advance(KEEP_LIST_AFTER_S)
        await is_written(service)
        (kept,) = lists(path)
        assert "llama3.1:8b" in kept


async def test_a_start_knows_the_last_list_of_a_provider_that_is_yet_to_be_made(path: Path) -> None:
    clock, provider = FakeClock(), FakeProvider(model("llama3.1:8b"))
    async with running(path, provider, clock) as service:
        await service.list_models()
    later = FakeProvider(model("new:1b"))
    async with running(path, DeferredProvider(lambda: later), clock) as service:
        await service.start()
        assert [item.name for item in service.models.models] == ["llama3.1:8b"]
        assert not later.asked


async def test_a_verb_that_finds_nobody_is_told_what_the_last_run_knew(path: Path) -> None:
    async with running(path, FakeProvider(model("llama3.1:8b"))) as service:
        await service.list_models()
    provider = FakeProvider()
    provider.errors["list"] = OFFLINE
    async with running(path, provider) as service:
        assert [item.name for item in await service.list_models()] == ["llama3.1:8b"]
        assert (service.models.stale, service.models.error) == (True, OFFLINE)
        assert await service.get_model_status("llama3.1:8b") is ModelStatus.AVAILABLE


async def test_each_server_has_its_own_list(path: Path) -> None:
    async with running(path, FakeProvider(model("llama3.1:8b"))) as service:
        await service.list_models()
    other = FakeProvider()
    other.host = "127.0.0.1:2"
    other.errors["list"] = OFFLINE
    async with running(path, other) as service:
        with pytest.raises(ProviderOffline):
            await service.list_models()


async def test_a_newer_answer_is_not_overwritten_by_what_was_remembered(path: Path) -> None:
    async with running(path, FakeProvider(model("old:1b"))) as service:
        await service.list_models()
    async with running(path, FakeProvider(model("new:1b"))) as service:
        await asyncio.gather(service.start(), service.refresh())
        assert [item.name for item in service.models.models] == ["new:1b"]


FULL = ModelInfo(
    "hf.co/X/Y:Q4",
    size_bytes=4_900_000_000,
    digest="0" * 64,
    modified_at=datetime(2026, 2, 1, 8, 30, 0, 5, tzinfo=UTC),
    family="llama",
    architecture="llama",
    parameters_billions=8.03,
    quantization="Q4_K_M",
    context_window=131072,
    max_output_tokens=4096,
    capabilities=ModelCapabilities(streaming=True, tool_calling=True),
    remote=True,
    embedding_only=True,
    base_model=True,
    served_context_tokens=8192,
    sources={"family": "/api/tags"},
    metadata={"block_count": 32, "heads": [1, 2], "licence": "MIT"},
)


@pytest.fixture
def file() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.executescript(_SCHEMA)
    return connection


@pytest.mark.parametrize(
    "item", [FULL, ModelInfo("a:b"), replace(ModelInfo("c:d"), capabilities=ModelCapabilities())]
)
def test_a_list_comes_back_as_it_was(file: sqlite3.Connection, item: ModelInfo) -> None:
    known = KnownList(ModelList((item,), (Problem("odd", "no name"),)), datetime.now(UTC))
    save_list(file, "p", "h", known)
    loaded = load_list(file, "p", "h")
    assert loaded == known
    assert loaded is not None
    assert loaded.models.models[0].sources == item.sources
    assert loaded.models.models[0].metadata == item.metadata
    file.close()


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"name": 5},
        {"name": ""},
        {"name": "a:b", "size_bytes": -1},
        {"name": "a:b", "size_bytes": True},
        {"name": "a:b", "modified_at": "yesterday"},
        {"name": "a:b", "modified_at": "2026-01-01T00:00:00"},
        {"name": "a:b", "capabilities": ["telepathy"]},
        {"name": "a:b", "capabilities": [[]]},
        {"name": "a:b", "parameters_billions": float("nan")},
        {"name": "a:b", "remote": 1},
        {"name": "a:b", "from": 1},
        {"name": "a:b", "from": -1},
        {"name": "a:b", "from": True},
        {"name": "a:b", "metadata": 1},
        None,
        [],
        "a:b",
        {"name": "a:b", "size_bytes": 10**400},
        {"name": "a:b", "modified_at": "0001-01-01T00:00:00+23:59"},
    ],
)
def test_a_model_that_makes_no_sense_is_left_out(file: sqlite3.Connection, bad: object) -> None:
    content = {"models": [bad, {"name": "good:1b", "from": 0}], "problems": [bad, ["a", 1]]}
    text = json.dumps({"sources": [{"size_bytes": "/api/tags"}], **content})
    file.execute("INSERT INTO lists VALUES ('p', 'h', '2026-01-01T00:00:00+00:00', ?)", (text,))
    loaded = load_list(file, "p", "h")
    assert loaded is not None
    assert [item.name for item in loaded.models.models] == ["good:1b"]
    assert loaded.models.problems == ()
    file.close()


def test_what_is_read_back_is_sanitised(file: sqlite3.Connection) -> None:
    item = {
        "name": "a\x1b:b",
        "family": "x\x1b[2J",
        "metadata": {"k\x07": "v\x1b", "deep": {}, "n": 10**400},
        "from": 0,
    }
    file.execute(
        "INSERT INTO lists VALUES ('p', 'h', '2026-01-01T00:00:00+00:00', ?)",
        (json.dumps({"models": [item], "sources": [{"family\x07": "a\x1b"}]}),),
    )
    loaded = load_list(file, "p", "h")
    assert loaded is not None
    (read,) = loaded.models.models
    assert read.name == "a\x1b:b"  # the key for requests
    assert "\x1b" not in f"{read.display_name}{read.family}{read.metadata}{read.sources}"
    assert dict(read.sources) == {"family\ufffd": "a\ufffd"}
    assert not {"deep", "n"} & set(read.metadata)
    file.close()


@pytest.mark.parametrize("bad", [5, "ab", [5], [{"x": 1}]])
def test_a_list_whose_sources_make_no_sense_is_not_known(
    file: sqlite3.Connection, bad: object
) -> None:
    text = json.dumps({"models": [{"name": "a:b"}], "sources": bad})
    file.execute("INSERT INTO lists VALUES ('p', 'h', '2026-01-01T00:00:00+00:00', ?)", (text,))
    assert load_list(file, "p", "h") is None
    file.close()


@given(st.text() | st.binary() | st.integers() | st.none(), st.text() | st.none())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_content_of_the_file_stops_a_start(text: object, as_of: object) -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE lists (provider, host, as_of, list)")
    try:
        connection.execute("INSERT INTO lists VALUES ('p', 'h', ?, ?)", (as_of, text))
    except (UnicodeEncodeError, OverflowError):
        connection.close()
        return
    assert load_list(connection, "p", "h") is None
    connection.close()


class LateProvider(FakeProvider):
    """One that is made only when it is first asked, and has no name before."""

    @property
    def kind(self) -> str:  # type: ignore[override]
        return "fake" if self.asked else ""


@pytest.mark.parametrize("is_offline", [True, False])
async def test_a_provider_that_is_made_late_has_the_memory_of_its_name(
    path: Path, is_offline: bool
) -> None:
    async with running(path, FakeProvider(model("old:1b"))) as service:
        await service.start()
        await service.list_models()
        service.enqueue("a")
        await settle()
    late = LateProvider(model("new:1b"))
    if is_offline:
        late.errors["list"] = OFFLINE
    async with running(path, late) as service:
        await service.start()
        assert (service.models.models, service.queue.items) == ((), ())
        await service.refresh_models()
        await is_written(service)
        assert [item.name for item in service.models.models] == [
            "old:1b" if is_offline else "new:1b"
        ]
        assert list(states(service)) == ["a:latest"]
    assert [name for name, _ in rows(path)] == ["a:latest"]


# The queue.


async def test_downloads_are_written_at_each_change(path: Path) -> None:
    provider = FakeProvider()
    async with running(path, provider) as service:
        await service.start()
        numbers = [service.enqueue(name) for name in ("a", "b", "c")]
        await settle()
        await is_written(service)
        assert rows(path) == [
            ("a:latest", "downloading"),
            ("b:latest", "downloading"),
            ("c:latest", "queued"),
        ]
        await service.pause(numbers[0])
        service.move(numbers[0], 2)
        await service.cancel(numbers[1])
        await is_written(service)
        assert rows(path) == [("c:latest", "downloading"), ("a:latest", "paused")]
        await provider.pulls[-1].succeed()
        await is_written(service)
        assert rows(path) == [("a:latest", "paused")]


async def test_progress_alone_writes_nothing(path: Path) -> None:
    provider, clock = FakeProvider(), FakeClock()
    async with running(path, provider, clock) as service:
        await service.start()
        service.enqueue("a")
        await settle()
        await is_written(service)
        written = path.with_name("state.db-wal").stat().st_size
        for completed in range(50):
            await provider.pulls[0].report(layer("x", completed, 100))
            await clock.advance(0.2)
        await is_written(service)
        assert path.with_name("state.db-wal").stat().st_size == written


async def test_the_next_start_goes_on_in_order_and_what_is_paused_stays_so(path: Path) -> None:
    provider = FakeProvider()
    async with running(path, provider) as service:
        await service.start()
        numbers = [service.enqueue(name) for name in ("a", "b", "c")]
        await settle()
        await provider.pulls[0].report(layer("x", 37, 100))
        await service.pause(numbers[0])
        await settle()
    later = FakeProvider()
    async with running(path, later) as service:
        await service.start()
        assert states(service) == {
            "a:latest": PAUSED,
            "b:latest": DOWNLOADING,
            "c:latest": DOWNLOADING,
        }
        assert service.queue.items[0].progress.percentage == 37
        await settle()
        assert [pull.name for pull in later.pulls] == ["b:latest", "c:latest"]
        service.resume(service.queue.items[0].id)
        await later.pulls[0].succeed()
        assert later.pulls[-1].name == "a:latest"


async def test_quitting_keeps_what_is_under_way_with_its_bytes(path: Path) -> None:
    provider, clock = FakeProvider(), FakeClock()
    async with running(path, provider, clock) as service:
        await service.start()
        service.enqueue("a")
        await settle()
        await provider.pulls[0].report(layer("x", 40, 100))
        await clock.advance(PUBLISH_EVERY_S)
    async with running(path) as service:
        await service.start()
        assert [item.progress.downloaded_bytes for item in service.queue.items] == [40]


async def test_what_has_ended_is_not_gone_on_with_but_what_broke_is(path: Path) -> None:
    provider, clock = FakeProvider(), FakeClock()
    async with running(path, provider, clock) as service:
        await service.start()
        service.set_concurrency(9)
        numbers = [service.enqueue(name) for name in ("done", "left", "absent", "full", "cut")]
        await settle()
        await provider.pulls[0].succeed()
        await service.cancel(numbers[1])
        await provider.pulls[2].fail(ModelNotFound("no"))
        await provider.pulls[3].fail(DownloadFailed("no", retryable=False))
        for number in range(5):
            await provider.pulls[-1].fail(DownloadFailed("cut"))
            await clock.advance(30)
            assert (states(service)["cut:latest"] is PullState.ERROR) == (number == 4)
        assert await service.downloads.history() != ()
        ended = {entry.name: entry.state for entry in await service.downloads.history()}
        assert ended == states(service)
    async with running(path) as service:
        await service.start()
        assert states(service) == {"cut:latest": DOWNLOADING}


async def test_clearing_forgets_what_broke(path: Path) -> None:
    provider, clock = FakeProvider(), FakeClock()
    async with running(path, provider, clock) as service:
        await service.start()
        service.enqueue("cut")
        await settle()
        for _ in range(5):
            await provider.pulls[-1].fail(DownloadFailed("cut"))
            await clock.advance(30)
        service.clear_finished()
    assert rows(path) == []


async def test_a_verb_leaves_the_queue_when_it_is_interrupted(path: Path) -> None:
    async with running(path) as service:
        pulling = asyncio.ensure_future(service.pull_model("a"))
        await settle()
        await is_written(service)
        assert rows(path) == [("a:latest", "downloading")]
        pulling.cancel()
        await asyncio.gather(pulling, return_exceptions=True)
    assert rows(path) == []


async def test_a_verb_leaves_the_downloads_of_the_screen_alone(path: Path) -> None:
    async with running(path) as service:
        await service.start()
        service.enqueue("of-the-screen")
        await settle()
    provider = FakeProvider()
    async with running(path, provider) as service:
        pulling = asyncio.ensure_future(service.pull_model("of-a-verb"))
        await settle()
        await provider.pulls[0].succeed()
        await pulling
        assert len(provider.pulls) == 1
    assert [name for name, _ in rows(path)] == ["of-the-screen:latest"]


async def test_a_server_that_starts_late_is_waited_for(path: Path) -> None:
    async with running(path) as service:
        await service.start()
        service.enqueue("a")
        await settle()
    provider, clock = FakeProvider(), FakeClock()
    provider.errors["pull"] = OFFLINE
    async with running(path, provider, clock) as service:
        await service.start()
        await settle()
        assert states(service) == {"a:latest": PullState.STALLED}
        provider.errors.clear()
        await clock.advance(1)
        assert states(service) == {"a:latest": DOWNLOADING}


async def test_only_one_process_keeps_the_queue_and_another_may_follow(path: Path) -> None:
    first = FakeProvider()
    second = FakeProvider()
    async with running(path, second) as follower:
        async with running(path, first) as keeper:
            await keeper.start()
            keeper.enqueue("a")
            await settle()
            await is_written(keeper)
            await follower.start()
            assert follower.queue.items == ()
            assert await follower.get_model_status("a") is ModelStatus.DOWNLOADING
            assert await follower.get_model_status("b") is ModelStatus.NOT_FOUND
            follower.enqueue("b")
            await settle()
            await is_written(follower)
            assert rows(path) == [("a:latest", "downloading")]
        follower.enqueue("c")
        await is_written(follower)
        await is_written(follower)
        assert set(states(follower)) == {"a:latest", "b:latest", "c:latest"}
        assert {name for name, _ in rows(path)} == {"a:latest", "b:latest", "c:latest"}


@pytest.mark.parametrize(
    "row",
    [
        ("key", 0, "not a name", "queued", 0, 0),
        ("a@sha256:0", 0, "a@sha256:0", "queued", 0, 0),
        ("key", 0, "good:1b", "queued", 0, 0),
        ("good", 0, "good:1b", "dancing", 0, 0),
        ("good", 0, None, "queued", 0, 0),
        ("good", 0, b"good:1b", "queued", 0, 0),
        ("good", 0, "good:1b", "queued", 5, 1),
        ("good", 0, "good:1b", "queued", -5, 1),
        ("good", 0, "good:1b", "queued", "many", 1),
    ],
)
async def test_a_row_that_makes_no_sense_never_stops_a_start(path: Path, row: object) -> None:
    async with running(path) as service:
        await service.start()
        service.enqueue("fine")
        await settle()
    connection = sqlite3.connect(path)
    with connection:
        assert isinstance(row, tuple)
        connection.execute(
            "INSERT INTO queue VALUES ('fake', '127.0.0.1:1', ?, ?, ?, ?, ?, ?)", row
        )
    connection.close()
    async with running(path) as service:
        await service.start()
        assert list(states(service)) == ["fine:latest"]
    assert [name for name, _ in rows(path)] == ["fine:latest"]


@pytest.mark.parametrize(
    "row",
    [
        ("a", "complete", 1, "2026-01-01T00:00:00", ""),  # of no time zone
        ("a", "complete", float("inf"), "2026-01-01T00:00:00Z", ""),
        ("a", "ended", 1, "2026-01-01T00:00:00Z", ""),
        ("a", "complete", 1, "yesterday", ""),
        ("a", "complete", 1, "9999-12-31T23:59:59-23:59", ""),
        (b"a", "complete", 1, "2026-01-01T00:00:00Z", ""),
    ],
)
def test_a_row_of_the_history_that_makes_no_sense_is_left_out(
    file: sqlite3.Connection, row: tuple[object, ...]
) -> None:
    add = (
        "INSERT INTO history (provider, host, name, state, downloaded_bytes, ended_at, error) "
        "VALUES ('p', 'h', ?, ?, ?, ?, ?)"
    )
    file.execute(add, row)
    file.execute(add, ("b:1b", "error", 5, "2026-01-01T00:00:00Z", "no\x1b[2J"))
    (ended,) = load_history(file, "p", "h", 10)
    assert (ended.name, ended.downloaded_bytes) == ("b:1b", 5)
    assert "\x1b" not in ended.error
    file.close()


async def test_history_forgets_the_oldest(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ollm_tui.service.queue_store.HISTORY_ROWS", 3)
    provider = FakeProvider()
    async with running(path, provider) as service:
        for number in range(5):
            pulling = asyncio.ensure_future(service.pull_model(f"m{number}"))
            await settle()
            await provider.pulls[-1].report(layer("x", 7, 7))
            await provider.pulls[-1].succeed()
            await pulling
        ended = await service.downloads.history()
    assert [entry.name for entry in ended] == ["m4:latest", "m3:latest", "m2:latest"]
    assert (ended[0].state, ended[0].downloaded_bytes) == (PullState.COMPLETE, 7)
    assert ended[0].ended_at == FakeClock().wall()


# The file.


def garbage(path: Path) -> None:
    path.write_bytes(b"this is no database " * 500)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def scrambled(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[200:4096] = bytes(len(content[200:4096]))
    path.write_bytes(content)


def without_tables(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript("DROP TABLE lists; CREATE TABLE lists (something_else)")
    connection.close()


@pytest.mark.parametrize("damage", [garbage, cut_short, scrambled, without_tables])
async def test_a_corrupt_file_is_set_aside_once_and_begun_anew(
    path: Path, damage: Callable[[Path], None]
) -> None:
    async with running(path, FakeProvider(model("a:1b"))) as service:
        await service.list_models()
        service.enqueue("b")
        await settle()
    path.with_name("state.db-wal").unlink(missing_ok=True)
    damage(path)
    recorder = Recorder()
    async with running(path, FakeProvider(model("a:1b"))) as service:
        service.subscribe(recorder)
        await service.start()
        await service.refresh()
        await is_written(service)
    notices = [event for event in recorder.events if isinstance(event, Notice)]
    assert len(notices) == 1
    assert "state.db.bad" in notices[0].text
    assert path.with_name("state.db.bad").exists()
    provider = FakeProvider()
    provider.errors["list"] = OFFLINE
    async with running(path, provider) as service:
        assert [item.name for item in await service.list_models()] == ["a:1b"]


async def test_a_place_that_cannot_be_written_is_told_of_once_and_stops_nothing(
    tmp_path: Path,
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    recorder = Recorder()
    async with running(blocked / "state.db", FakeProvider(model("a:1b"))) as service:
        service.subscribe(recorder)
        await service.start()
        await service.refresh()
        service.enqueue("b")
        await is_written(service)
        assert len(await service.list_models()) == 1
    assert len([event for event in recorder.events if isinstance(event, Notice)]) == 1


async def test_the_file_of_a_newer_version_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    recorder = Recorder()
    async with running(path) as service:
        service.subscribe(recorder)
        await service.start()
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    connection.close()
    assert "newer" in str(recorder.events)


async def test_a_file_that_another_process_holds_is_given_up_for_this_time_only(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ollm_tui.service.state.BUSY_TIMEOUT_S", 0.01)
    notices: list[Notice] = []
    file = StateFile(path, notices.append)

    def write(connection: sqlite3.Connection) -> str:
        connection.execute("INSERT INTO lists VALUES ('p', 'h', '', '')")
        return "written"

    assert await file.run(lambda _: "read", "default") == "read"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert await file.run(write, "default") == "default"
    other.execute("COMMIT")
    other.close()
    assert await file.run(write, "default") == "written"
    assert notices == []
    await file.close()


def test_a_lock_is_held_by_one_and_passed_on(tmp_path: Path) -> None:
    locks = [ProcessLock(tmp_path / "new" / "lock") for _ in range(2)]
    assert [lock.acquire() for lock in locks] == [True, False]
    assert locks[0].acquire()
    assert [lock.is_held for lock in locks] == [True, False]
    locks[0].release()
    locks[0].release()
    assert locks[1].acquire()
    locks[1].release()


def test_a_lock_that_cannot_be_is_held_by_nobody(tmp_path: Path) -> None:
    lock = ProcessLock(tmp_path)  # a directory
    assert [lock.acquire(), lock.acquire(), lock.is_held] == [False, False, False]


KILLED = """
import asyncio, sys
from pathlib import Path
from tests.unit.service.fake import FakeProvider, settle
from ollm_tui.service.service import ModelService

async def main():
    service = ModelService(FakeProvider(), state_path=Path(sys.argv[1]))
    await service.start()
    for name in ("a", "b", "c"):
        service.enqueue(name)
    await settle()
    await service._memory._file.run(lambda file: None, None)
    print("ready", flush=True)
    await asyncio.sleep(3600)

asyncio.run(main())
"""


async def test_a_killed_process_leaves_its_queue_and_its_lock_to_the_next(path: Path) -> None:
    process = subprocess.Popen(  # noqa: ASYNC220 - nothing else happens meanwhile
        [sys.executable, "-c", KILLED, str(path)],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    async with running(path) as service:
        await service.start()
        assert service.queue.items == ()  # its keeper lives
        process.send_signal(signal.SIGKILL)
        process.communicate()
        await service.start()
        assert list(states(service)) == ["a:latest", "b:latest", "c:latest"]
