"""`make screenshots`: draws the pictures of the README from the sandbox, the same each time."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import resvg_py
from textual.pilot import Pilot

from ollm_tui.providers.ollama import OllamaProvider
from ollm_tui.sandbox.roster import DEMO_LOADED
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.service.service import ModelService
from ollm_tui.ui.app import OllmApp

FOLDER = Path(__file__).parent.parent / "screenshots"
NOW = datetime(2026, 11, 20, 14, 2, tzinfo=UTC)
PORT = 11434
# Textual's pictures load a font from elsewhere; these name only what may be installed.
_FOREIGN = re.compile(r"@font-face\s*\{[^}]*\}|<!--.*?-->", re.DOTALL)


class Scene(NamedTuple):
    """One picture."""

    name: str
    size: tuple[int, int]
    play: Callable[[Pilot[None]], Awaitable[None]]


async def main() -> None:
    """Draw every scene, as SVG and as PNG."""
    for scene in SCENES:
        with SandboxServer(port=PORT, loaded=DEMO_LOADED, clock=lambda: NOW) as server:
            await _draw(scene, server.host)


async def _draw(scene: Scene, host: str) -> None:
    service = ModelService(OllamaProvider(host), now=lambda: NOW)
    app = OllmApp(service, is_demo=True)
    async with app.run_test(size=scene.size) as pilot:
        await until(pilot, lambda: service.models.as_of is not None)
        await scene.play(pilot)
        await pilot.pause(0.2)
        svg = _FOREIGN.sub("", app.export_screenshot(title="ollm-tui"))
    path = FOLDER / f"{scene.name}.svg"
    path.write_text(re.sub(r"[ \t]+\n", "\n", svg))
    png = resvg_py.svg_to_bytes(svg_string=svg, zoom=1, font_family="Fira Code")
    path.with_suffix(".png").write_bytes(bytes(png))


async def until(pilot: Pilot[None], is_done: Callable[[], bool]) -> None:
    """Let the app run until something is so."""
    for _ in range(500):
        if is_done():
            await pilot.pause()
            return
        await asyncio.sleep(0.02)
    raise TimeoutError


async def _overview(pilot: Pilot[None]) -> None:
    app = pilot.app
    assert isinstance(app, OllmApp)
    app.service.enqueue("qwen3:14b")
    app.service.enqueue("phi3:mini")
    await until(pilot, lambda: any(i.progress.percentage > 8 for i in app.service.queue.items))
    await pilot.press("down", "down", "down", "4", "right", "1")


async def _keys(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)


SCENES = (
    Scene("overview", (120, 40), _overview),
    Scene("narrow", (80, 24), lambda pilot: _keys(pilot, "down")),
    Scene("router", (100, 30), lambda pilot: _keys(pilot, "4", "z", "right")),
)

if __name__ == "__main__":
    asyncio.run(main())
