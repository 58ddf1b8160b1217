"""What a test does with the app and sees of it."""

import asyncio
import time
from collections.abc import Callable

from textual import events
from textual.pilot import Pilot

from ollm_tui.service.service import ModelService
from ollm_tui.ui.app import OllmApp
from ollm_tui.ui.rows import RowList
from tests.painted import painted

PATIENCE_S = 10.0
_KEYS = {" ": "space", "/": "slash", "?": "question_mark", "@": "at", ":": "colon"}
_LETTERS = {name: letter for letter, name in _KEYS.items()}


class Screen:
    """Keys in, text out."""

    def __init__(self, app: OllmApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def service(self) -> ModelService:
        """What the app asks."""
        return self.app.service

    @property
    def text(self) -> str:
        """Everything on screen, line by line."""
        width = self.app.size.width
        return "\n".join(strip.text[:width].rstrip() for strip in painted(self.app))

    def lines(self, part: str) -> list[str]:
        """The lines that have `part` in them."""
        return [line for line in self.text.splitlines() if part in line]

    async def press(self, *keys: str) -> None:
        """Press keys and let the app answer."""
        await self.pilot.press(*keys)

    async def tap(self, key: str) -> None:
        """As `press` with one key, but only until every widget has seen it: a tenth of the time."""
        letter = _LETTERS.get(key, key if len(key) == 1 else None)
        self.app.post_message(events.Key(_KEYS.get(key, key), letter))
        await self.settle()

    async def settle(self) -> None:
        """Let every widget see what it has been sent so far."""
        await self.pilot._wait_for_screen()

    async def type(self, text: str) -> None:
        """Type a text into the field that has the focus."""
        for letter in text:
            self.app.post_message(events.Key(_KEYS.get(letter, letter), letter))

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Let the app run until something is so."""
        end_s = time.monotonic() + PATIENCE_S
        while not is_so():
            assert time.monotonic() < end_s, self.text
            await asyncio.sleep(0.005)

    async def sees(self, *texts: str) -> str:
        """Let the app run until all texts are on screen; returns the screen."""
        await self.until(lambda: all(text in self.text for text in texts))
        return self.text

    async def misses(self, *texts: str) -> str:
        """Let the app run until none of the texts is on screen; returns the screen."""
        await self.until(lambda: not any(text in self.text for text in texts))
        return self.text

    def names(self) -> list[str]:
        """The installed models shown, in order."""
        return self.names_of(self.app)

    @staticmethod
    def names_of(app: OllmApp) -> list[str]:
        """The installed models that an app shows, in order."""
        rows = app.screen_stack[0].query_one("#installed", RowList)
        return [model.name for model in rows.items]
