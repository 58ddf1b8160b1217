"""Each pane and state as text, compared with `snapshots/`.

`pytest tests/ui/test_snapshots.py --write-snapshots` draws them anew; look at the difference
before committing it.
"""

import asyncio
import difflib
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ollm_tui.core.error import DownloadFailed, NotEnoughSpace
from ollm_tui.core.event import QueueItem, QueueState
from ollm_tui.core.progress import ProgressEvent, PullState
from ollm_tui.providers.ollama import OllamaProvider
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.sandbox.timing import INSTANT
from ollm_tui.service.service import ModelService
from ollm_tui.ui.app import OllmApp
from ollm_tui.ui.panes.downloads import DownloadsPane
from ollm_tui.ui.panes.router import RouterPane
from tests.ui.screen import PATIENCE_S, Screen

FOLDER = Path(__file__).parent / "snapshots"
NOW = datetime(2026, 11, 20, 14, 2, tzinfo=UTC)
WIDE, NARROW, TINY, HUGE = (120, 40), (80, 24), (60, 20), (200, 60)
GB = 10**9
# Ports have five digits here; hosts stay as wide as they are.
_PORT = re.compile(r"(?<=127\.0\.0\.1:)\d{5}")
_QUIET_S = 0.4


def empty(server: SandboxServer) -> None:
    for name in [entry.model.name for entry in server.store.installed()]:
        server.store.remove(name)


def wrong(server: SandboxServer) -> None:
    server.faults.set("/api/tags", "html")


def away(server: SandboxServer) -> None:
    server.stop()


def downloads(screen: Screen) -> None:
    """One download in each state, as the service would publish them."""
    pane = screen.app.screen_stack[0].query_one(DownloadsPane)
    pane.show(QueueState(tuple(_every_download())))


def download_below(screen: Screen) -> None:
    """As `downloads`, with the first of them large below the list."""
    downloads(screen)
    screen.app._show_details_below()


def download_in_full(screen: Screen) -> None:
    """As `downloads`, with the first of them in its dialog."""
    downloads(screen)
    screen.app.screen_stack[0].query_one(DownloadsPane).action_details()


def _every_download() -> list[QueueItem]:
    def item(number: int, name: str, status: PullState, done: float, **more: Any) -> QueueItem:
        total = 9 * GB
        progress = ProgressEvent(
            name,
            status,
            done,
            int(total * done / 100),
            total,
            21e6 if status is PullState.DOWNLOADING else 0.0,
            NOW,
            eta_s=168.0 if status is PullState.DOWNLOADING else None,
        )
        return QueueItem(number, name, name, progress)._replace(**more)

    return [
        item(1, "qwen3:14b", PullState.DOWNLOADING, 62, speeds=(9e6, 12e6, 21e6, 18e6, 21e6)),
        item(2, "phi4:latest", PullState.VERIFYING, 99),
        item(3, "gemma3:27b", PullState.QUEUED, 0, needed_bytes=17 * GB, free_bytes=31 * GB),
        item(
            4,
            "llama3.3:70b",
            PullState.QUEUED,
            0,
            needed_bytes=43 * GB,
            free_bytes=31 * GB,
        ),
        item(5, "mistral:7b", PullState.PAUSED, 41),
        item(6, "hf.co/bartowski/Llama-3.2-1B-Instruct-GGUF:Q4_K_M", PullState.STALLED, 17),
        item(
            7,
            "codellama:34b",
            PullState.STALLED,
            5,
            failed_tries=2,
            next_try_at=NOW + timedelta(seconds=8),
            detail="the connection was closed",
        ),
        item(8, "phi3:mini", PullState.COMPLETE, 100),
        item(9, "llava:7b", PullState.CANCELLED, 37),
        item(
            10,
            "nobody:1b",
            PullState.ERROR,
            0,
            error=DownloadFailed("The registry has no model nobody:1b"),
        ),
        item(
            11,
            "mixtral:8x22b",
            PullState.ERROR,
            12,
            error=NotEnoughSpace("The disk is full", needed_bytes=70 * GB, free_bytes=GB),
        ),
    ]


class Scene(NamedTuple):
    """One state of the screen, and how to get there."""

    name: str
    size: tuple[int, int] = WIDE
    keys: str = ""
    """Pressed one by one; between blanks, a key by its name."""
    setup: Callable[[SandboxServer], None] | None = None
    typed: str = ""
    then: Callable[[Screen], None] | None = None
    after: str = ""
    """Pressed after what was typed."""


SCENES = (
    Scene("installed"),
    Scene("installed-narrow", NARROW, "j"),
    Scene("installed-60x20", TINY),
    Scene("installed-200x60", HUGE),
    Scene("marked", NARROW, "space space j space"),
    Scene("sorted", NARROW, "s s s S"),
    Scene("filtered", WIDE, "slash", typed="cap:tools size<10G", after="enter"),
    Scene("filter-open", NARROW, "slash", typed="coder"),
    Scene("filter-wrong", NARROW, "slash", typed="cap:tols"),
    Scene("filter-without-match", NARROW, "slash", typed="zzz"),
    Scene("empty", WIDE, setup=empty),
    Scene("empty-narrow", NARROW, setup=empty),
    Scene("offline", WIDE, setup=away),
    Scene("offline-narrow", NARROW, setup=away),
    Scene("broken-server", WIDE, setup=wrong),
    Scene("running", NARROW, "v"),
    Scene("disk-elsewhere", NARROW, "v v"),
    Scene("no-downloads", NARROW, "2"),
    Scene("downloads", WIDE, "2", then=downloads),
    Scene("downloads-narrow", NARROW, "2", then=downloads),
    Scene("downloads-60x20", TINY, "2", then=downloads),
    Scene("downloads-zoomed", WIDE, "2 z", then=download_below),
    Scene("download", NARROW, "2", then=download_in_full),
    *(
        Scene(f"inspector-{number}", NARROW, " ".join(("j 3", *["]"] * (number - 1))))
        for number in range(1, 7)
    ),
    Scene("inspector-zoomed", WIDE, "j 3 z"),
    Scene("router", NARROW, "4"),
    Scene("router-zoomed", WIDE, "4 right z"),
    *(
        Scene(f"router-{name}", size, f"4 {key}")
        for key, name in (
            ("e", "explained"),
            ("f", "fixes"),
            ("w", "what-if"),
            ("m", "matrix"),
            ("b", "breakpoints"),
            ("d", "difference"),
            ("i", "lint"),
        )
        for size in (WIDE,)
    ),
    Scene("router-what-if-narrow", NARROW, "4 w"),
    Scene("router-matrix-narrow", NARROW, "4 m"),
    Scene("router-explained-narrow", NARROW, "4 e"),
    Scene("pull", NARROW, "p", typed="qwen"),
    Scene("delete", NARROW, "d"),
    Scene("help", NARROW, "?"),
    Scene("log", NARROW, "ctrl+l"),
    Scene("try-prompt", NARROW, "4 t"),
)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
async def test_it_looks_as_it_did(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    is_writing = request.config.getoption("--write-snapshots", default=False)
    path = FOLDER / f"{scene.name}.txt"
    wanted = "" if is_writing else path.read_text("utf-8")
    assert is_writing or wanted.strip()
    with SandboxServer(timing=INSTANT, loaded=("llama3.2:3b",), clock=lambda: NOW) as server:
        if scene.setup is not None:
            scene.setup(server)
        service = ModelService(OllamaProvider(server.host), now=lambda: NOW)
        app = OllmApp(service, suggest=lambda word: [("qwen3:14b", "~9.3 GB")])
        async with app.run_test(size=scene.size, notifications=True) as pilot:
            screen = Screen(app, pilot)
            await _play(scene, screen)
            if is_writing:
                path.write_text(await _settled(screen), "utf-8")
                return
            end_s = time.monotonic() + PATIENCE_S
            while (drawn := _drawn(screen)) != wanted:
                if time.monotonic() > end_s:
                    lines = difflib.unified_diff(
                        wanted.splitlines(), drawn.splitlines(), "was", "is"
                    )
                    pytest.fail("\n".join(lines))
                await asyncio.sleep(0.005)


async def _play(scene: Scene, screen: Screen) -> None:
    if scene.setup is None:
        await screen.sees(
            "31 of 31", "1 loaded", "4 Router ─ general →" if scene.size in (WIDE, HUGE) else ""
        )
        router = screen.app.screen_stack[0].query_one(RouterPane)
        await screen.until(lambda: router.scene is not None)
    for key in scene.keys.split():
        await screen.tap(key)
    if scene.typed:
        await screen.type(scene.typed)
    for key in scene.after.split():
        await screen.tap(key)
    if scene.then is not None:
        scene.then(screen)


def _drawn(screen: Screen) -> str:
    """What is on screen; of a dialog, itself: what shines through from below is not its matter."""
    lines = screen.text.splitlines()
    for dialog in screen.app.screen.query(".dialog"):
        x, y, width, height = dialog.region
        lines = [line[x : x + width].rstrip() for line in lines[y : y + height]]
    return _PORT.sub("#####", "\n".join(lines)) + "\n"


async def _settled(screen: Screen) -> str:
    """The screen once nothing changes any more."""
    before, since_s = "", time.monotonic()
    while time.monotonic() < since_s + _QUIET_S:
        if (now := _drawn(screen)) != before:
            before, since_s = now, time.monotonic()
        await asyncio.sleep(0.02)
    return before
