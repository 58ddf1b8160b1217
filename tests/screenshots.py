"""`make screenshots`: draws the pictures of the README from the sandbox, the same each time."""

import asyncio
import os
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

import resvg_py
from textual.pilot import Pilot

from ollm_tui.cli.arguments import parse_arguments
from ollm_tui.cli.setup import Setup
from ollm_tui.providers.ollama import OllamaProvider
from ollm_tui.sandbox.roster import DEMO_LOADED
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.sandbox.timing import INSTANT
from ollm_tui.service.service import ModelService
from ollm_tui.ui.app import OllmApp
from ollm_tui.ui.panes.installed import InstalledPane
from tests.painted import painted

FOLDER = Path(__file__).parent.parent / "screenshots"
NOW = datetime(2026, 11, 20, 14, 2, tzinfo=UTC)
PORT = 11434
FONTS = ("Fira Code", "DejaVu Sans Mono", "Liberation Mono", "Menlo", "Consolas")
"""The first of them that is installed draws the letters of the PNGs."""
DIGEST = "sha256:" + "dde5aa3fc5ff" + "0" * 52
# Textual's pictures load a font from elsewhere; these name only what may be installed.
_FOREIGN = re.compile(r"@font-face\s*\{[^}]*\}|<!--.*?-->", re.DOTALL)


class Scene(NamedTuple):
    """One picture."""

    name: str
    size: tuple[int, int]
    play: "Callable[[Stage], Awaitable[None]]"
    models: int | None = None
    """How many models the server has; None = the usual ones."""


class Stage:
    """A running app, its server, and a clock that only a scene moves."""

    def __init__(self, server: SandboxServer) -> None:
        self.server = server
        self.now_s = 0.0
        self.service = ModelService(
            OllamaProvider(server.host), now=lambda: NOW, clock=lambda: self.now_s
        )
        setup = Setup(parse_arguments(["--demo"]), server.host)
        self.app = OllmApp(
            self.service, is_demo=True, settings=setup, scenarios=setup.scenario_book
        )
        self.pilot: Pilot[None]

    async def press(self, *keys: str) -> None:
        """Press keys, and let the app answer."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Let the app run until something is so."""
        for _ in range(500):
            if is_so():
                await self.pilot.pause()
                return
            await asyncio.sleep(0.02)
        raise TimeoutError(self.text)

    async def sees(self, *texts: str) -> None:
        """Let the app run until all texts are on screen."""
        await self.until(lambda: all(text in self.text for text in texts))

    @property
    def text(self) -> str:
        """Everything on screen."""
        return "\n".join(strip.text for strip in painted(self.app))

    async def pull(self, name: str, total: int, *completed: int) -> None:
        """Have a download stand where the last number says, a second after each of the others."""
        steps: list[dict[str, object]] = [{"status": "pulling manifest"}]
        steps += [
            {"status": "pulling dde5aa3fc5ff", "digest": DIGEST, "total": total, "completed": done}
            for done in completed
        ]
        # One more than is ever let go, so that the stream stays open.
        script = self.server.faults.script_pull(name, [*steps, {"status": "pulling"}])
        number = self.service.enqueue(name)
        script.gate.release()
        for done in completed:
            self.now_s += 1.0
            script.gate.release()
            await self.until(lambda done=done: self._downloaded(number) == done)  # type: ignore[misc]

    def _downloaded(self, number: int) -> int:
        items = {item.id: item for item in self.service.queue.items}
        return items[number].progress.downloaded_bytes


async def main() -> None:
    """Draw every scene, as SVG and as PNG."""
    os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", LANG="C.UTF-8")
    os.environ.pop("NO_COLOR", None)
    for scene in SCENES:
        with SandboxServer(
            port=PORT,
            models=scene.models,
            loaded=() if scene.models == 0 else DEMO_LOADED,
            clock=lambda: NOW,
            timing=INSTANT,
        ) as server:
            await _draw(scene, Stage(server))


async def _draw(scene: Scene, stage: Stage) -> None:
    async with stage.app.run_test(size=scene.size) as pilot:
        stage.pilot = pilot
        await stage.until(lambda: stage.service.models.as_of is not None)
        await stage.until(lambda: stage.app.settings.effective is not None)
        # Not only known but drawn: a key on a list that is still empty would move nothing.
        rows = stage.app.screen_stack[0].query_one(InstalledPane)
        await stage.until(lambda: len(rows.items) == len(stage.service.models.models))
        await scene.play(stage)
        await pilot.pause(0.3)
        svg = _FOREIGN.sub("", stage.app.export_screenshot(title="ollm-tui"))
    path = FOLDER / f"{scene.name}.svg"
    path.write_text(re.sub(r"[ \t]+\n", "\n", svg))
    path.with_suffix(".png").write_bytes(_as_png(svg.replace(FONTS[0], _font()), _font()))


def _as_png(svg: str, font: str) -> bytes:
    return bytes(
        resvg_py.svg_to_bytes(svg_string=svg, zoom=1, font_family=font, monospace_family=font)
    )


@cache
def _font() -> str:
    """A font that draws letters here: without one, they would be left out without a word."""
    empty = _sample("", FONTS[0])
    for font in FONTS:
        if _sample("ollm", font) != empty:
            return font
    raise SystemExit(f"The pictures need one of these fonts: {', '.join(FONTS)}")


def _sample(text: str, font: str) -> bytes:
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="30">'
        f'<text x="5" y="20" font-family="{font}">{text}</text></svg>'
    )
    return _as_png(svg, font)


async def _overview(stage: Stage) -> None:
    await stage.pull("phi3:mini", 2_200_000_000, 0, 40_000_000, 80_000_000, 120_000_000)
    await stage.pull("qwen3:14b", 9_300_000_000, 0, *range(90_000_000, 5_800_000_000, 600_000_000))
    stage.service.enqueue("gemma3:27b")
    await stage.press("down", "down", "down", "4", "right", "1")
    await stage.sees("code → codellama:7b", "2 active")


async def _downloads(stage: Stage) -> None:
    await _overview(stage)
    await stage.press("2", "z")
    await stage.sees("2 active")


async def _inspector(stage: Stage) -> None:
    await stage.press("down", "3", "z")
    await stage.sees("Q4_K_M", "trained")


async def _router(stage: Stage) -> None:
    await stage.sees("4 Router ─ general →")
    await stage.press("4", "right", "e")
    await stage.sees("explained", "SETTLED BY")


async def _what_if(stage: Stage) -> None:
    await stage.sees("4 Router ─ general →")
    await stage.press("4", "right", "w", "plus")
    await stage.sees("what if: 1 change")


async def _matrix(stage: Stage) -> None:
    await stage.sees("4 Router ─ general →")
    await stage.press("4", "m")
    await stage.sees("CHOSEN BY", "orphan")


async def _narrow(stage: Stage) -> None:
    await stage.press("down")


async def _offline(stage: Stage) -> None:
    stage.server.stop()
    await stage.press("r")
    await stage.sees("offline", "as of")


async def _first_run(stage: Stage) -> None:
    await stage.sees("No models yet")


SCENES = (
    Scene("overview", (120, 40), _overview),
    Scene("downloads", (120, 30), _downloads),
    Scene("inspector", (100, 30), _inspector),
    Scene("router", (110, 30), _router),
    Scene("what-if", (110, 32), _what_if),
    Scene("matrix", (100, 30), _matrix),
    Scene("narrow", (80, 24), _narrow),
    Scene("offline", (120, 40), _offline),
    Scene("first-run", (120, 40), _first_run, models=0),
)

if __name__ == "__main__":
    asyncio.run(main())
