"""Downloads on screen: what each row says, its details, and what leaving or cancelling means."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ollm_tui.core.error import DownloadFailed, NotEnoughSpace
from ollm_tui.core.event import QueueItem, QueueState
from ollm_tui.core.progress import LayerProgress, ProgressEvent, PullState
from ollm_tui.core.unused import UnusedModel
from ollm_tui.providers.local.provider import LocalProvider
from ollm_tui.sandbox.faults import PULL_ERRORS
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.service.service import ModelService
from ollm_tui.ui.app import OllmApp
from ollm_tui.ui.download_details import layer_lines
from ollm_tui.ui.download_words import sentence
from ollm_tui.ui.format import room_lines
from ollm_tui.ui.panes.downloads import DownloadsPane
from tests import faulty_registry as faults
from tests.store_builder import made_model
from tests.ui.conftest import OpenApp
from tests.ui.screen import Screen

DIGEST = "sha256:" + "a" * 64
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
GB = 10**9
STATES = PullState
_WORDS = ("queued", "queued", "paused at")
UNUSED = (UnusedModel(("big:70b",), 43 * GB), UnusedModel(("a:1", "b:1"), 9 * GB))


def item(status: PullState, *, done: int = 0, total: int = 0, **facts: object) -> QueueItem:
    percentage = 100.0 * done / total if total else 0.0
    progress = ProgressEvent("m", status, percentage, done, total, 0.0, NOW)
    return QueueItem(1, "m", "m", progress)._replace(**facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (item(STATES.QUEUED), "queued"),
        (item(STATES.QUEUED, needed_bytes=17 * GB), "queued, needs 17.0 GB"),
        (
            item(STATES.QUEUED, needed_bytes=17 * GB, free_bytes=31 * GB),
            "queued, needs 17.0 GB, 31.0 GB free",
        ),
        (
            item(STATES.QUEUED, needed_bytes=17 * GB, free_bytes=9 * GB),
            "waits for room: needs 17.0 GB, 9.0 GB free",
        ),
        (item(STATES.DOWNLOADING), "starting …"),
        (
            item(STATES.VERIFYING, done=GB, total=GB, detail="verifying"),
            "verifying … 100% 1.0/1.0 GB",
        ),
        (
            item(
                STATES.STALLED,
                done=GB,
                total=4 * GB,
                failed_tries=1,
                detail="It broke",
                next_try_at=NOW + timedelta(seconds=8),
            ),
            "try 2 of 5, next in 8s (R now): It broke; 25%, 1.0/4.0 GB kept",
        ),
        (
            item(STATES.STALLED, done=GB, total=4 * GB),
            "stalled at 25%, 1.0/4.0 GB; R tries again, x cancels",
        ),
        (item(STATES.PAUSED, done=GB, total=4 * GB), "paused at 25%, 1.0/4.0 GB; space goes on"),
        (item(STATES.COMPLETE, done=GB, total=GB), "done, 1.0 GB"),
        (item(STATES.CANCELLED), "cancelled; R resumes"),
        (
            item(STATES.CANCELLED, done=GB, total=4 * GB),
            "cancelled at 25%, 1.0/4.0 GB kept; R resumes",
        ),
        (
            item(STATES.ERROR, done=GB, total=4 * GB, error=DownloadFailed("No", cause="why")),
            "failed, R retries: No (why); 1.0/4.0 GB kept",
        ),
        (
            item(
                STATES.ERROR,
                error=NotEnoughSpace("Full", needed_bytes=41 * GB // 10, free_bytes=9 * GB // 10),
            ),
            "failed, R retries: Full (needs 4.1 GB, 900.0 MB free)",
        ),
        (
            item(STATES.ERROR, error=NotEnoughSpace("Full", cause="no space"), unused=UNUSED),
            "failed, R retries: the disk is full; unused: big:70b (43.0 GB)",
        ),
        (
            item(STATES.QUEUED, needed_bytes=17 * GB, free_bytes=9 * GB, unused=UNUSED),
            "waits for room: needs 17.0 GB, 9.0 GB free; unused: big:70b (43.0 GB)",
        ),
    ],
)
def test_a_row_says_what_is_going_on_and_which_key_helps(shown: QueueItem, text: str) -> None:
    assert sentence(shown, NOW)[0] == text


def test_the_details_name_all_that_could_be_deleted_and_the_keys() -> None:
    assert room_lines(None) == room_lines(()) == []
    what, how = room_lines(UNUSED)
    assert "big:70b (43.0 GB), a:1 with b:1 (9.0 GB)" in what
    assert "d deletes" in how


async def test_a_download_that_finds_no_room_says_what_could_be_deleted(
    open_app: OpenApp, server: SandboxServer
) -> None:
    server.faults.pull("error", "qwen3:14b", text=PULL_ERRORS["disk_full"])
    async with open_app(size=(160, 40)) as screen:
        screen.service.enqueue("qwen3:14b")
        await screen.sees("failed, R retries", "unused: ")
        await screen.press("2", "enter")
        await screen.sees("Download ─", "Not in use, and no profile's choice: ", "d deletes")
        (found, *_) = screen.service.queue.items[0].unused or ()
        assert "llama3.2:3b" not in found.names  # which is in memory


def test_layers_are_told_one_by_one() -> None:
    assert layer_lines(item(STATES.QUEUED)) == ["no layer has been reported yet"]
    (line,) = layer_lines(item(STATES.DOWNLOADING, layers=(LayerProgress(DIGEST, 4 * GB, 3 * GB),)))
    assert line.split() == ["sha256:aaaaaaaaaaaa", "███████████████─────", "75%", "3.0/4.0", "GB"]


async def test_enter_shows_a_download_in_full_and_its_keys_work(
    open_app: OpenApp, server: SandboxServer
) -> None:
    script = server.faults.script_pull(
        "qwen3:14b",
        [
            {"status": "pulling aaa", "digest": DIGEST, "total": 1000, "completed": 250},
            {"status": "pulling aaa", "digest": DIGEST, "total": 1000, "completed": 750},
            {"status": "success"},
        ],
    )
    async with open_app() as screen:
        screen.service.enqueue("qwen3:14b")
        script.advance()
        await screen.sees("25%")
        await screen.press("2", "enter")
        await screen.sees("Download ─", "sha256:aaaaaaaaaaaa", "25%  0.2/1.0 kB", "pulling aaa")
        script.advance()
        await screen.sees("75%  0.8/1.0 kB")
        await screen.press("space")
        await screen.sees("paused at 75%")
        await screen.press("x")
        await screen.sees("cancelled at 75%")
        await screen.press("escape")
        await screen.misses("esc leaves")
        await screen.press("enter")
        await screen.sees("esc leaves")
        screen.service.clear_finished()
        await screen.misses("esc leaves")


async def test_the_zoomed_pane_shows_the_one_under_the_cursor_in_full(
    open_app: OpenApp, server: SandboxServer
) -> None:
    for name in ("qwen3:14b", "gemma3:27b"):
        script = server.faults.script_pull(name, [{"status": f"hello from {name}"}, {}])
        script.advance()
    async with open_app() as screen:
        for name in ("qwen3:14b", "gemma3:27b"):
            screen.service.enqueue(name)
        await screen.press("2", "z")
        await screen.sees("no layer has been reported yet", "hello from qwen3:14b")
        await screen.press("j")
        await screen.until(lambda: screen.text.count("hello from gemma3:27b") == 3)
        await screen.press("z")
        await screen.misses("no layer has been reported yet")


async def test_cancelling_asks_where_what_is_there_can_be_discarded(tmp_path: Path) -> None:
    model = made_model(b"GGUF" + bytes(400_000))
    weights = max(model.blobs, key=lambda digest: len(model.blobs[digest]))
    with faults.faulty_registry() as registry:
        registry.push(model)
        registry.fail(weights, faults.stall_after(300_000))
        service = ModelService(LocalProvider(tmp_path / "models"))
        app = OllmApp(service)
        async with app.run_test(size=(120, 40)) as pilot:
            screen = Screen(app, pilot)
            service.enqueue(registry.name())
            await screen.until(
                lambda: any(one.progress.downloaded_bytes > 300 for one in service.queue.items)
            )
            await screen.press("2", "x")
            await screen.sees("Cancel the download of", "Cancel and discard (d)")
            await screen.press("escape")
            await screen.misses("Cancel and discard (d)")
            assert service.queue.items[0].progress.status.is_active
            await screen.press("x")
            await screen.sees("Cancel and discard (d)")
            await screen.press("d")
            await screen.sees("Nothing is being downloaded")
            await screen.until(lambda: not list((tmp_path / "models").rglob("*.part")))


async def test_the_title_counts_what_runs_waits_rests_and_has_ended(open_app: OpenApp) -> None:
    async with open_app() as screen:
        items = [
            item(STATES.DOWNLOADING),
            item(STATES.QUEUED),
            item(STATES.QUEUED, needed_bytes=2, free_bytes=1),
            item(STATES.PAUSED),
            item(STATES.ERROR),
        ]
        pane = screen.app.screen_stack[0].query_one("#downloads", DownloadsPane)
        pane.show(QueueState(tuple(one._replace(id=-n) for n, one in enumerate(items, 1))))
        await screen.press("2", "z")
        await screen.sees(
            "1 active · 1 queued · 1 without room · 1 paused · 1 ended · by another ollm-tui"
        )


async def test_the_details_of_a_paused_download_are_there_at_once(
    open_app: OpenApp, server: SandboxServer
) -> None:
    step = {"status": "pulling aaa", "digest": DIGEST, "total": 1000, "completed": 250}
    script = server.faults.script_pull("qwen3:14b", [step, step, step])
    async with open_app() as screen:
        number = screen.service.enqueue("qwen3:14b")
        script.gate.release()
        await screen.sees("25%")
        await screen.service.pause(number)
        await screen.sees("paused")
        await screen.press("2", "z")
        await screen.sees("sha256:aaaaaaaaaaaa", "0.2/1.0 kB")


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40), (200, 60)])
async def test_what_a_row_says_begins_in_one_column_however_long_the_name_is(
    open_app: OpenApp, size: tuple[int, int]
) -> None:
    long = "hf.co/bartowski/Llama-3.2-1B-Instruct-GGUF:Q4_K_M"
    shown = [
        item(STATES.QUEUED, id=1, display_name="m:1b"),
        item(STATES.QUEUED, id=2, display_name=long),
        item(STATES.PAUSED, done=GB, total=4 * GB, id=3, display_name=long),
    ]
    async with open_app(size=size) as screen:
        await screen.press("2")
        pane = screen.app.screen_stack[0].query_one(DownloadsPane)
        pane.show(QueueState(tuple(shown)))
        text = await screen.sees("paused at")
        lines = text.splitlines()
        at = next(row for row, line in enumerate(lines) if " m:1b " in line)
        rows = lines[at : at + 3]
        assert [row[2] for row in rows] == ["·", "·", "="]
        assert len({row.index(word) for row, word in zip(rows, _WORDS, strict=True)}) == 1


async def test_the_trend_has_room_at_the_usual_size(open_app: OpenApp) -> None:
    moving = item(STATES.DOWNLOADING, done=GB, total=4 * GB, speeds=(1e6, 2e6, 4e6))
    async with open_app() as screen:
        pane = screen.app.screen_stack[0].query_one(DownloadsPane)
        pane.show(QueueState((moving,)))
        await screen.sees("▃▅█")


@pytest.mark.parametrize(
    ("state", "key", "reason"),
    [
        (STATES.COMPLETE, "x", "It is done; C clears what has ended."),
        (STATES.COMPLETE, "space", "It is done; C clears what has ended."),
        (STATES.CANCELLED, "x", "It has ended; R tries again, C clears"),
        (STATES.COMPLETE, "R", "It is done; p pulls it anew."),
        (STATES.DOWNLOADING, "R", "It is being downloaded."),
        (STATES.QUEUED, "R", "It is in the queue, and begins by itself."),
        (STATES.QUEUED, "C", "No download has ended yet."),
    ],
)
async def test_a_key_that_can_do_nothing_for_a_download_says_why(
    open_app: OpenApp, state: STATES, key: str, reason: str
) -> None:
    async with open_app() as screen:
        await screen.press("2")
        screen.app._main.query_one(DownloadsPane).show(QueueState((item(state),)))
        await screen.press(key)
        await screen.sees(reason)


async def test_in_the_details_a_key_that_can_do_nothing_says_why_too(
    open_app: OpenApp, server: SandboxServer
) -> None:
    server.faults.pull("error", "qwen3:14b", text=PULL_ERRORS["disk_full"])
    async with open_app() as screen:
        screen.service.enqueue("qwen3:14b")
        await screen.sees("failed, R retries")
        await screen.press("2", "enter")
        await screen.sees("esc leaves")
        await screen.press("x")
        await screen.sees("It has ended; R tries again")


async def test_without_a_download_its_keys_say_so(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.press("2")
        for key in ("enter", "space", "x", "R", "J", "K"):
            await screen.press(key)
            await screen.until(lambda: screen.text.count("Nothing is being downloaded.") == 2)
            screen.app.clear_notifications()


async def test_moving_follows_the_row_and_the_footer_tells_what_acts_on_it(
    open_app: OpenApp, server: SandboxServer
) -> None:
    names = ["qwen3:14b", "gemma3:27b", "phi4:14b", "llama4:scout"]
    for name in names[:2]:
        server.faults.script_pull(name, [{"status": "on its way"}, {}]).advance()
    async with open_app() as screen:

        def order() -> list[str]:
            drawn = [one.name for one in screen.app._main.query_one(DownloadsPane).items]
            known = [one.name for one in screen.service.queue.items]
            return known if drawn == known else []

        for name in names:
            screen.service.enqueue(name)
        await screen.sees("2 active · 2 queued")
        await screen.press("2", "J")
        await screen.sees("It is being downloaded: only what waits")
        await screen.press("j", "j", "K")
        await screen.sees("None that waits is above it.")
        assert order() == names
        await screen.press("G", "J")
        await screen.sees("None that waits is below it.")
        await screen.press("K")
        await screen.until(lambda: order() == [*names[:2], names[3], names[2]])
        pane = screen.app._main.query_one(DownloadsPane)
        assert pane.item is not None
        assert pane.item.name == names[3]
        await screen.press("J")
        await screen.until(lambda: order() == names)
        assert screen.app._situation is not None
        assert screen.app._situation.is_last_download
        await screen.press("k")
        assert screen.app._situation.is_first_download
        number = screen.service.queue.items[1].id
        screen.service.move(number, 9)  # what runs may stand anywhere, as after a restart
        await screen.until(lambda: order() == [names[0], names[2], names[3], names[1]])
        screen.service.move(number, -1)
        await screen.until(lambda: order() == [names[0], names[2], names[1], names[3]])
        await screen.press("G", "K")
        await screen.until(lambda: order() == [names[0], names[3], names[2], names[1]])


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_what_pausing_and_cancelling_keep_is_told_before_the_key_is_pressed(
    open_app: OpenApp, size: tuple[int, int]
) -> None:
    async with open_app(size=size) as screen:
        await screen.press("2")
        pane = screen.app.screen_stack[0].query_one(DownloadsPane)
        shown = [
            item(STATES.DOWNLOADING, done=GB, total=4 * GB, id=1),
            item(STATES.PAUSED, done=GB, total=4 * GB, id=2),
            item(STATES.COMPLETE, done=GB, total=GB, id=3),
        ]
        pane.show(QueueState(tuple(shown)))
        await screen.sees("space pauses: place and bytes stay   x cancels: only bytes stay")
        pane.move_to(1)
        await screen.sees("space goes on   x cancels: only bytes stay")
        pane.move_to(2)
        await screen.misses("x cancels")
        keys = {"downloads.cancel": "f6"}
        screen.app.rebind(keys, screen.app._show_footer)
        pane.move_to(0)
        await screen.sees("f6 cancels: only bytes stay")


async def test_the_speed_is_told_before_the_version_of_the_server_where_room_is_scarce(
    open_app: OpenApp, server: SandboxServer
) -> None:
    step = {"status": "pulling aaa", "digest": DIGEST, "total": 1000, "completed": 250}
    script = server.faults.script_pull("qwen3:14b", [step, step])
    async with open_app(size=(42, 20)) as screen:
        await screen.sees("● ollama 0.33.0   31 models")
        screen.service.enqueue("qwen3:14b")
        script.advance()
        await screen.sees("● ollama   31 models   ↓ ")


async def test_after_a_pull_the_keys_are_for_what_was_just_pulled(
    open_app: OpenApp, server: SandboxServer
) -> None:
    gates = [server.faults.hold_pull(name) for name in ("qwen3:14b", "phi3:mini")]
    async with open_app() as screen:
        await screen.press("p")
        await screen.type("zzz:1b")
        await screen.press("enter")
        await screen.sees("▸✗ zzz:1b")
        await screen.press("p")
        await screen.type("qwen3:14b phi3:mini")
        await screen.press("enter")
        await screen.sees("▸↓ qwen3:14b")
        await screen.press("space")
        await screen.sees("paused")
        for gate in gates:
            gate.open()
