"""Failure never looks like success: every way a server can be wrong has its own words."""

import pytest

from ollm_tui.core.event import ServerHealth
from ollm_tui.providers import ollama_api
from ollm_tui.sandbox.faults import WRONG_SHAPES
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.sandbox.timing import INSTANT
from tests.ui.conftest import OpenApp


async def test_nobody_there_names_the_next_step(open_app: OpenApp, server: SandboxServer) -> None:
    server.stop()
    async with open_app(wait=False) as screen:
        text = await screen.sees("offline", "No answer from", "ollama serve", "r asks again")
        assert "No models yet" not in text
        server.start()
        await screen.press("r")
        await screen.sees("31 of 31")


@pytest.mark.parametrize("fault", ["offline", "broken"])
async def test_every_pane_that_needs_models_says_what_is_the_matter_and_what_to_do(
    open_app: OpenApp, server: SandboxServer, fault: str
) -> None:
    if fault == "offline":
        server.stop()
        message, action = "No answer from", "ollama serve"
    else:
        server.faults.set("/api/tags", "html")
        message, action = "does not answer as Ollama", "Check the address"
    async with open_app(wait=False, size=(80, 24)) as screen:
        for pane, words in (
            ("1", ""),
            ("3", "No models to inspect."),
            ("4", "No models to choose"),
        ):
            await screen.tap(pane)
            text = await screen.sees(message, action, "r asks again, H switches the server", words)
            assert "Waiting for" not in text


async def test_the_inspector_of_a_known_model_names_the_ways_on(
    open_app: OpenApp, server: SandboxServer
) -> None:
    async with open_app() as screen:
        await screen.sees("31 of 31")
        server.stop()
        await screen.press("r")
        await screen.sees("offline", "as of")
        await screen.press("j", "3", "z")
        await screen.sees("No answer from", "r asks again, H switches the server")


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("html", "a web page"),
        ("garbage", "not JSON"),
        ("http500", "HTTP 500"),
        ("http503", "503"),
        ("drop", "closed the connection"),
    ],
)
async def test_a_wrong_answer_is_told_as_what_it_is(
    open_app: OpenApp, server: SandboxServer, mode: str, words: str
) -> None:
    server.faults.set("/api/tags", mode)
    async with open_app(wait=False) as screen:
        text = await screen.sees(words, "r asks again")
        assert "No models yet" not in text


@pytest.mark.parametrize("variant", range(len(WRONG_SHAPES)))
async def test_no_wrong_shape_looks_like_an_empty_store(
    open_app: OpenApp, server: SandboxServer, variant: int
) -> None:
    server.faults.set("/api/tags", "wrong_shape", variant=variant)
    async with open_app(wait=False) as screen:
        await screen.until(lambda: screen.service.server.health is not ServerHealth.CONNECTING)
        state = screen.service.models
        assert state.error or state.problems or state.models
        assert "No models yet" not in screen.text or state.problems


async def test_a_hanging_server_is_given_up_and_keys_work_meanwhile(
    open_app: OpenApp, server: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ollama_api, "FIRST_TIMEOUT_S", 0.05)
    server.faults.set("/api/tags", "hang")
    async with open_app(wait=False, read_timeout_s=1.0) as screen:
        await screen.sees("Asking the server")
        await screen.press("question_mark")
        await screen.sees("Show all keys")
        await screen.press("escape")
        await screen.sees("did not finish answering", "r asks again")


async def test_an_empty_store_teaches_how_to_get_a_model(open_app: OpenApp) -> None:
    with SandboxServer(models=0, timing=INSTANT) as empty:
        async with open_app(host=empty.host) as screen:
            await screen.sees("No models yet", "p pulls one", "0 models")


async def test_what_was_known_stays_when_the_server_goes(
    open_app: OpenApp, server: SandboxServer
) -> None:
    async with open_app() as screen:
        await screen.sees("31 of 31")
        server.stop()
        await screen.press("r")
        text = await screen.sees("offline", "as of")
        assert "llama3.2:3b" in text


async def test_a_failing_detail_leaves_the_rest_alone(
    open_app: OpenApp, server: SandboxServer
) -> None:
    server.faults.set("/api/show", "http500")
    async with open_app() as screen:
        await screen.sees("31 of 31", "HTTP 500")


async def test_a_server_without_memory_or_version_still_lists(
    open_app: OpenApp, server: SandboxServer
) -> None:
    server.faults.set("/api/ps", "http404")
    server.faults.set("/api/version", "http404")
    async with open_app() as screen:
        await screen.sees("31 of 31", "● ollama ")


async def test_a_thousand_models_are_all_there(open_app: OpenApp) -> None:
    with SandboxServer(models=1000, timing=INSTANT) as big:
        async with open_app(host=big.host) as screen:
            await screen.sees("1,000 of 1,000")
            await screen.press("G")
            await screen.until(lambda: screen.names()[-1] in screen.text)


async def test_an_old_server_without_facts_is_filled_from_the_database(open_app: OpenApp) -> None:
    with SandboxServer(version="0.5", timing=INSTANT) as old:
        async with open_app(host=old.host) as screen:
            text = await screen.sees("ollama 0.5", "30 of 30")
            assert any("128k" in line for line in text.splitlines() if "llama3.1:8b" in line)


async def test_entries_that_cannot_be_read_are_named_beside_the_models(open_app: OpenApp) -> None:
    with SandboxServer(hostile=True, timing=INSTANT) as hostile:
        async with open_app(host=hostile.host) as screen:
            text = await screen.sees("31 of 31", "unreadable", "Cannot be read as models: 20")
            assert "and 17 more" in text
            assert "\x1b" not in text
