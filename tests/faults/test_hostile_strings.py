"""Hostile strings in every field of every answer, and in the configuration, over every screen."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
import pytest_asyncio
from textual import events
from textual.worker import WorkerCancelled

from ollm_tui.cli.arguments import parse_arguments
from ollm_tui.cli.log import log_to
from ollm_tui.cli.main import main
from ollm_tui.cli.screen import make_app
from ollm_tui.cli.setup import Setup
from ollm_tui.service import deletion, retry
from ollm_tui.ui.panes.inspector import InspectorPane
from ollm_tui.ui.panes.installed import InstalledPane
from tests.hostile import MARK, on_screen, strings, unsafe
from tests.provider.loopback import Exchange, LoopbackServer, lines, whole
from tests.ui.screen import Screen

BATCH = 25
SHORT, FULL = 21, 500
DIGEST = "sha256:" + "d" * 64


@pytest_asyncio.fixture
async def loopback() -> AsyncIterator[LoopbackServer]:
    server = LoopbackServer()
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    yield server
    listener.close()


def be_hostile(server: LoopbackServer, texts: Sequence[str]) -> None:
    """Answer everything with these texts wherever the protocol has room for text."""

    def details(text: str) -> dict[str, object]:
        return {
            "family": text,
            "families": [text],
            "parameter_size": text,
            "quantization_level": text,
            "parent_model": text,
            "format": text,
        }

    def entry(name: str, text: str) -> dict[str, object]:
        return {
            "name": name,
            "model": name,
            "size": 5_000_000_000,
            "digest": text,
            "modified_at": "2026-01-01T00:00:00Z",
            "details": details(text),
            "capabilities": ["completion", "tools", text],
            "remote_host": "",
        }

    by_name = {f"m{number}:7b": text for number, text in enumerate(texts)}

    async def show(exchange: Exchange) -> None:
        asked = exchange.request.json()
        assert isinstance(asked, dict)
        text = by_name.get(asked["model"], texts[0])
        await whole(
            {
                "license": [text, text],
                "modelfile": text,
                "template": text,
                "system": text,
                "parameters": f"stop {text}\nnum_ctx 4096\n{text}",
                "details": details(text),
                "model_info": {
                    "general.architecture": text,
                    f"{text}.context_length": 8192,
                    text: text,
                    "general.tags": [text],
                    "nested": {text: text},
                },
                "capabilities": ["completion", "tools", text],
                "messages": [{"role": text, "content": text}],
                "tensors": [{"name": text, "type": text, "shape": [1]}],
            }
        )(exchange)

    rows = [entry(name, text) for name, text in by_name.items()]
    bad = [entry(text, text) for text in texts]
    server.answers |= {
        "/api/version": whole({"version": texts[0]}),
        "/api/tags": whole({"models": rows + bad}),
        "/api/ps": whole(
            {
                "models": [
                    entry("m0:7b", texts[0])
                    | {"expires_at": "2099-01-01T00:00:00Z", "size_vram": 1, "context_length": 4096}
                ]
            }
        ),
        "/api/show": show,
        "/api/pull": lines(
            *({"status": text, "digest": DIGEST, "total": 9, "completed": 1} for text in texts),
            {"status": f"pulling {texts[1]}", "digest": texts[1], "total": 10, "completed": 1},
            {"error": "".join(texts)[:3000]},
        ),
        "/api/chat": lines(
            *({"message": {"role": "assistant", "content": text}} for text in texts),
            *({"message": {"role": "assistant", "thinking": text}} for text in texts[:3]),
            {"error": texts[2]},
        ),
        "/api/generate": whole({"error": texts[1]}, "500 Internal Server Error"),
        "/api/delete": whole({"error": texts[3]}, "500 Internal Server Error"),
        "/": whole(texts[0].encode("utf-8", "replace"), content_type="text/plain"),
    }


def configuration(texts: Sequence[str]) -> str:
    """Settings with these texts as names and as values, right ones and wrong ones."""
    # Halves of a surrogate pair are no character, and a file cannot hold them.
    whole = [text.encode("utf-8", "ignore").decode()[:280] for text in texts]
    named = [_quoted(f"{text}{number}") for number, text in enumerate(whole)]
    profiles = "".join(
        f"      {text}:\n"
        f"        preferredFamilies: [{text}, llama]\n"
        "        minContextWindow: 4096\n"
        "        requiredCapabilities: [streaming]\n"
        for text in named
    )
    return (
        f"model:\n  routing:\n    profiles:\n{profiles}    overrides: {{{named[0]}: 'm1:7b'}}\n"
        f"ui: {{theme: {named[1]}}}\n{named[2]}: {named[3]}\n"
    )


def _quoted(text: str) -> str:
    """As YAML writes it between double quotes, each character but the plainest by its number."""
    inner = "".join(
        letter if letter.isascii() and letter.isalnum() else f"\\U{ord(letter):08x}"
        for letter in text
    )
    return f'"{inner}"'


class Tour:
    """Goes everywhere, and looks at every frame for what should not be there."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.seen = 0
        self.copied: list[str] = []

    async def go(self, *keys: str) -> None:
        """Press keys one by one, with a look after each."""
        for key in keys:
            await self.screen.tap(key)
            self.look(key)

    async def fill(self, text: str) -> None:
        """Paste a text into the field that has the focus."""
        self.screen.app.post_message(events.Paste(text))
        await self.screen.settle()
        self.look("a field")

    async def inspect(self, index: int) -> None:
        """Put the cursor on a row, and have the inspector ask for the rest if it is a model."""
        main = self.screen.app.screen
        pane = main.query_one(InstalledPane)
        pane.move_to(index)
        if pane.model is not None:
            await main.query_one(InspectorPane).load(pane.model)
        await self.screen.settle()
        self.look("inspecting")

    async def rest(self) -> None:
        """Let work in the background come to an end, with a look at what it draws."""
        for worker in list(self.screen.app.workers):
            with suppress(WorkerCancelled):  # a newer question of its group took its place
                await worker.wait()
        await self.screen.settle()
        self.look("rest")

    async def back(self) -> None:
        """Leave whatever is open."""
        for _ in range(4):
            if len(self.screen.app.screen_stack) == 1:
                return
            await self.go("escape")
        raise AssertionError(f"a dialog stays open:\n{self.screen.text}")

    def look(self, after: str) -> None:
        wrong = list(on_screen(self.screen.app))
        assert not wrong, (after, wrong[:5])
        self.seen += MARK in self.screen.text


async def _everywhere(tour: Tour, texts: Sequence[str], is_full: bool) -> None:
    go, screen = tour.go, tour.screen
    await go("3")
    for index, _ in enumerate(texts):  # every model in every section of the inspector, or in one
        await tour.inspect(index)
        await go(*["right_square_bracket"] * (6 if is_full else 1))
    await go("1")
    for index, _ in enumerate(texts, len(texts)):  # what cannot be read as a model
        await tour.inspect(index)
        await go("space")  # which says that it cannot be marked
    await go("g", "s", "S", "s", "space", "a", "a", "v", "v", "v", "y", "l", "U")
    await tour.rest()
    for text in texts if is_full else texts[:2]:
        await go("slash")
        await tour.fill(text)
        await go("escape", "escape", "p")
        await tour.fill(text)
        await go("enter")
        await tour.back()
    screen.service.enqueue("m0:7b")
    await tour.rest()
    await go("2", "enter")
    await tour.back()
    await go("z", "z", "R", "space", "x", "4")
    for _ in texts if is_full else texts[:2]:
        await go("right")
        await tour.rest()
    for view in ("e", "f", "w", "m", "b", "d", "i", "T"):
        await go(view)
        await tour.rest()
        await go("down", "down", "enter")
        await tour.rest()
        await tour.back()
        await go("escape", "4")
    for form in ("y", "j", "m"):
        await go("P", form)
        await tour.back()
    await go("y", "R")
    await tour.rest()
    await go("t")
    await screen.type("hi")
    await go("ctrl+s", "enter", "ctrl+j")
    await tour.rest()
    await tour.back()
    await go("1", "g", "o")
    await tour.rest()
    await tour.back()
    await go("d")
    await tour.rest()
    await go("y")
    await tour.back()
    await go("c")
    await tour.rest()
    await go(*["down"] * 12, "G", "up", "up")
    await tour.back()
    for key in ("H", "ctrl+l", "question_mark", "ctrl+p"):
        await go(key)
        await tour.rest()
        await go("down")
        await tour.back()
    screen.app.action_doctor()
    await tour.rest()
    await go("down")
    await tour.back()


@pytest.mark.timeout(3600)  # in full, a minute for each of twenty tours, and longer beside others
async def test_no_string_gets_through(
    loopback: LoopbackServer,
    is_full: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(deletion, "UNDO_S", 0.01)
    monkeypatch.setattr(retry, "FIRST_WAIT_S", 0.001)
    monkeypatch.setattr(retry, "LONGEST_WAIT_S", 0.002)
    every = strings(FULL if is_full else SHORT)
    for start in range(0, len(every), BATCH):
        size = (120, 40) if start // BATCH % 2 == 0 else (80, 24)
        home = tmp_path / f"home{start}"
        home.mkdir()
        monkeypatch.setenv("OLLM_HOME", str(home))
        texts = every[start : start + BATCH]
        be_hostile(loopback, texts)
        await _one_tour(loopback.address, home, texts, size, monkeypatch, is_full=is_full)
        await _verbs(loopback.address, capsys)


async def _one_tour(
    address: str,
    home: Path,
    texts: Sequence[str],
    size: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_full: bool,
) -> None:
    log = home / "log.txt"
    options = parse_arguments(["--host", address, "--log-file", str(log)])
    (home / "config.yaml").write_text(configuration(texts))
    log_to(str(log))
    app = make_app(Setup(options), options)
    called: list[str] = []
    app.action_hostile = lambda: called.append("hostile")  # type: ignore[attr-defined]
    async with app.run_test(size=size, notifications=True) as pilot:
        tour = Tour(Screen(app, pilot))
        monkeypatch.setattr(app, "copy_to_clipboard", tour.copied.append)
        await tour.screen.until(lambda: app.service.models.as_of is not None)
        pane = app.screen.query_one(InstalledPane)
        await tour.screen.until(lambda: len(pane.items) == 2 * len(texts))
        await tour.screen.until(lambda: app.settings.effective is not None)
        assert app.settings.effective is not None
        assert len(app.settings.effective.problems) >= len(texts)  # each is told of, as no name
        await tour.rest()
        await _everywhere(tour, texts, is_full)
        assert app.is_running
        assert app.crash is None
    log_to(None)
    assert not called
    assert tour.seen > 50, "hardly anything hostile was shown, so hardly anything was tried"
    assert len(tour.copied) >= 5
    for text in tour.copied:
        assert not unsafe(text, allowed="\n"), text[:200]
    logged = log.read_text("utf-8")
    assert MARK in logged
    assert not unsafe(logged, allowed="\n")
    assert "Traceback" not in logged, logged[-3000:]


async def _verbs(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The same facts as plain text and as JSON."""
    capsys.readouterr()
    for verb in (
        ["list"],
        ["list", "--json"],
        ["ps"],
        ["show", "m0:7b"],
        ["show", "m1:7b", "--json"],
        ["route", "--all"],
        ["route", "--explain"],
        ["route", "--all", "--json"],
        ["pull", "m0:7b", "--json"],
        ["rm", "m0:7b", "--yes", "--force"],
        ["config", "show", "--origin"],
        ["config", "show", "--json"],
        ["config", "check"],
        ["doctor"],
    ):
        await asyncio.to_thread(main, [*verb, "--host", address])
        out, err = capsys.readouterr()
        assert not unsafe(out, allowed="\n"), (verb, unsafe(out, allowed="\n")[:3])
        assert not unsafe(err, allowed="\n"), (verb, unsafe(err, allowed="\n")[:3])
