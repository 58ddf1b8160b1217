"""Another server without a restart: by name, by address, and with downloads under way."""

import gc
from collections.abc import Sequence
from threading import Event

import pytest

from ollm_tui.core.error import ConfigError
from ollm_tui.providers.ollama import OllamaProvider
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.sandbox.timing import INSTANT
from ollm_tui.service.service import ModelService
from ollm_tui.ui import garbage
from ollm_tui.ui.screens.servers import Server
from tests.ui.conftest import OpenApp
from tests.ui.screen import PATIENCE_S, Screen


class Source:
    """Two configured servers; any address but "bad"."""

    def __init__(self, *addresses: str) -> None:
        self.made: list[ModelService] = []
        self.may_read = Event()
        self.may_read.set()
        self.listed = [
            Server(f"box{number}", "ollama", address, "key of BOX_KEY")
            for number, address in enumerate(addresses)
        ]

    def servers(self) -> Sequence[Server]:
        assert self.may_read.wait(PATIENCE_S)
        return self.listed

    def typed(self, address: str) -> Server:
        if address == "bad":
            raise ConfigError("That is no address", cause="it is bad")
        return Server("", "ollama", address, typed=address)

    def make_service(self, server: Server) -> ModelService:
        service = ModelService(OllamaProvider(server.address))
        self.made.append(service)
        return service

    def memory_bytes(self, server: Server) -> int | None:
        return None


async def switch(screen: Screen, source: Source, *keys: str) -> None:
    screen.app.servers = source
    await screen.press("H")
    await screen.sees("Switch the server", "box1", "key of BOX_KEY")
    await screen.press(*keys, "enter")


async def test_a_configured_server_is_asked_from_then_on(
    open_app: OpenApp, server: SandboxServer
) -> None:
    with SandboxServer(models=5, timing=INSTANT) as other:
        async with open_app() as screen:
            before = screen.service
            await switch(screen, Source(server.host, other.host), "down")
            await screen.sees("5 of 5", "● ollama", "5 models")
            assert screen.service is not before
            await screen.press("j")
            await screen.sees(f"3 Inspector ─ {screen.names()[1]}")
            await screen.press("p")
            await screen.sees("Pull models")
            await screen.press("escape", "r")
            asked = server.count("/api/tags")
            await screen.press("r", "r")
            await screen.until(lambda: other.count("/api/tags") >= 2)
            assert server.count("/api/tags") == asked


async def test_what_was_closed_before_is_still_let_go_of(
    open_app: OpenApp, server: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(garbage, "SETTLED_S", 3600.0)
    with SandboxServer(models=5, timing=INSTANT) as other:
        async with open_app() as screen:
            frozen = gc.get_freeze_count()
            await switch(screen, Source(server.host, other.host), "down")
            await screen.sees("5 of 5", "● ollama", "5 models")
            assert gc.get_freeze_count() <= frozen  # what is frozen is not looked through


async def test_a_typed_address_is_asked_and_how_to_keep_it_is_told(
    open_app: OpenApp, server: SandboxServer
) -> None:
    with SandboxServer(models=5, timing=INSTANT) as other:
        async with open_app() as screen:
            screen.app.servers = Source(server.host, server.host)
            await screen.press("H")
            await screen.sees("box1")
            await screen.type("bad")
            await screen.press("enter")
            await screen.sees("That is no address: it is bad")
            await screen.press("backspace", "backspace", "backspace")
            await screen.type(other.host)
            await screen.press("enter")
            await screen.sees("5 of 5")
            await screen.sees("To keep it, write")
            await switch(screen, Source(server.host, server.host))
            await screen.sees("31 of 31")
            await screen.misses("To keep it, write")  # which is no longer asked


async def test_a_typed_name_is_that_of_the_server_in_the_table(
    open_app: OpenApp, server: SandboxServer
) -> None:
    with SandboxServer(models=5, timing=INSTANT) as other:
        async with open_app() as screen:
            screen.app.servers = Source(server.host, other.host)
            await screen.press("H")
            await screen.sees("box1")
            await screen.type("BOX1")
            await screen.sees(f"enter switches to box1, {other.host}; for a host of that name")
            await screen.press("enter")
            await screen.sees("5 of 5")
            assert screen.service.server.host == other.host


async def test_a_host_of_the_name_of_a_server_is_asked_with_its_port(
    open_app: OpenApp, server: SandboxServer
) -> None:
    async with open_app() as screen:
        source = screen.app.servers = Source(server.host, server.host)
        await screen.press("H")
        await screen.sees("box1")
        await screen.type("box1:1")
        await screen.sees("enter switches; type a name")
        await screen.press("enter")
        await screen.until(lambda: bool(source.made))
        assert source.made[0].server.host.endswith("box1:1")


@pytest.mark.parametrize(
    ("asked", "other"), [("box10", "box1"), ("box", "gpu.box"), ("box", "a:1")]
)
async def test_a_whole_name_comes_before_its_beginning_and_before_an_address(
    open_app: OpenApp, server: SandboxServer, asked: str, other: str
) -> None:
    with SandboxServer(models=5, timing=INSTANT) as box:
        async with open_app() as screen:
            source = screen.app.servers = Source()
            source.listed = [
                Server(asked, "ollama", server.host),
                Server(other, "ollama", box.host),
            ]
            await screen.press("H")
            await screen.sees(asked)
            await screen.type(other)
            await screen.sees(f"enter switches to {other}")
            assert ("for a host of that name" in screen.text) is (":" not in other)
            await screen.press("enter")
            await screen.sees("5 of 5")


@pytest.mark.parametrize("is_early", [True, False])
async def test_a_name_is_known_although_it_was_typed_before_the_table_was_there(
    open_app: OpenApp, server: SandboxServer, is_early: bool
) -> None:
    with SandboxServer(models=5, timing=INSTANT) as other:
        async with open_app() as screen:
            source = screen.app.servers = Source(server.host, other.host)
            source.may_read.clear()
            await screen.press("H")
            await screen.type("box1")
            await screen.sees("▊  box1")
            if is_early:
                await screen.press("enter")
                await screen.settle()
                await screen.sees("Reading the configuration")
            source.may_read.set()
            if not is_early:
                await screen.sees("enter switches to box1")
                await screen.press("enter")
            await screen.sees("5 of 5")


async def test_an_address_that_is_entered_before_the_table_is_there_is_asked_then(
    open_app: OpenApp, server: SandboxServer
) -> None:
    async with open_app() as screen:
        source = screen.app.servers = Source(server.host)
        source.may_read.clear()
        await screen.press("H")
        await screen.type("elsewhere:1")
        await screen.sees("elsewhere:1")
        await screen.press("enter")
        source.may_read.set()
        await screen.until(lambda: bool(source.made))
        assert source.made[0].server.host.endswith("elsewhere:1")


@pytest.mark.parametrize("is_clicked", [True, False])
async def test_what_is_picked_after_a_name_was_typed_is_what_enter_takes(
    open_app: OpenApp, server: SandboxServer, is_clicked: bool
) -> None:
    with SandboxServer(models=5, timing=INSTANT) as other:
        async with open_app() as screen:
            screen.app.servers = Source(server.host, other.host, server.host)
            await screen.press("H")
            await screen.sees("box2")
            await screen.type("box2")
            await screen.sees("enter switches to box2")
            if is_clicked:
                await screen.pilot.click("ServerList", offset=(4, 2))
            else:
                await screen.press("up")
            await screen.sees("enter switches; type a name")
            await screen.press("enter")
            await screen.sees("5 of 5")


async def test_an_arrow_picks_whatever_is_typed(open_app: OpenApp, server: SandboxServer) -> None:
    with SandboxServer(models=5, timing=INSTANT) as other:
        async with open_app() as screen:
            screen.app.servers = Source(server.host, other.host)
            await screen.press("H")
            await screen.sees("box1")
            await screen.type("nowhere")
            await screen.press("down", "enter")
            await screen.sees("5 of 5")


async def test_downloads_stay_with_the_server_that_they_began_on(
    open_app: OpenApp, server: SandboxServer
) -> None:
    script = server.faults.script_pull(
        "qwen3:14b", [{"status": "pulling manifest"}, {"status": "success"}]
    )
    with SandboxServer(models=5, timing=INSTANT) as other:
        async with open_app() as screen:
            before = screen.service
            before.enqueue("qwen3:14b")
            await screen.sees("1 active")
            await switch(screen, Source(server.host, other.host), "down")
            await screen.sees("5 of 5", "1 download of", "go on unseen")
            assert screen.app.left == [before]
            await screen.press("q")
            await screen.sees("Quit and stop 1 download?")
            await screen.press("escape")
            script.advance(2)
            await screen.sees("All downloads of")
            assert screen.app.left == []
            assert other.count("/api/pull") == 0


async def test_a_delete_that_could_be_taken_back_is_none_once_another_server_is_asked(
    open_app: OpenApp, server: SandboxServer
) -> None:
    with SandboxServer(models=5, timing=INSTANT) as other:
        async with open_app() as screen:
            before = screen.service
            await before.deletions.delete_later(["qwen3:8b"], delay_s=60)
            await switch(screen, Source(server.host, other.host), "down")
            await screen.sees("5 of 5", "Not deleted, since another server", "qwen3:8b")
            assert before.deletions.pending == ()
            assert server.count("/api/delete") == 0


async def test_a_server_that_does_not_answer_says_so_and_one_can_go_back(
    open_app: OpenApp, server: SandboxServer
) -> None:
    async with open_app() as screen:
        source = Source("127.0.0.1:9", server.host)
        await switch(screen, source, "up")
        await screen.sees("offline", "No answer from")
        await switch(screen, source, "down")
        await screen.sees("31 of 31")


async def test_keys_of_the_configuration_hold_after_it(
    open_app: OpenApp, server: SandboxServer
) -> None:
    async with open_app() as screen:
        screen.app.rebind({"installed.mark": "f6"}, screen.app._show_footer)
        await switch(screen, Source(server.host, server.host), "down")
        await screen.sees("31 of 31", " f6 mark ")
        await screen.press("f6")
        await screen.sees("1 marked")


async def test_leaving_the_dialog_changes_nothing(open_app: OpenApp, server: SandboxServer) -> None:
    async with open_app() as screen:
        before = screen.service
        screen.app.servers = Source(server.host, server.host)
        await screen.press("H")
        await screen.sees("box1")
        await screen.press("escape")
        await screen.misses("Switch the server")
        assert screen.service is before


async def test_without_other_servers_the_key_says_so(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.press("H")
        await screen.sees("The demo asks its own server only")


async def test_the_server_that_is_asked_is_marked_and_under_the_cursor(
    open_app: OpenApp, server: SandboxServer
) -> None:
    async with open_app() as screen:
        screen.app.servers = Source("http://127.0.0.1:1", server.host, "http://127.0.0.1:2")
        await screen.press("H")
        await screen.sees("▸● box1")
        (marked,) = [line for line in screen.text.splitlines() if "● box" in line]
        assert server.host.removeprefix("http://") in marked
        await screen.press("down")
        await screen.sees("▸  box2")
