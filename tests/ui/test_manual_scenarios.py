"""The twelve manual scenarios of the design, in its order: on screen, and by verb where it has one.

Source: design, Manual Testing.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ollm_tui.cli.arguments import parse_arguments
from ollm_tui.cli.main import main
from ollm_tui.cli.screen import make_app
from ollm_tui.cli.setup import Setup
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.sandbox.timing import INSTANT
from tests.ui.screen import Screen

DIGEST = "sha256:" + "e" * 64

Verb = Callable[..., tuple[int, str, str]]


@pytest.fixture
def verb(capsys: pytest.CaptureFixture[str]) -> Verb:
    """Runs a verb; its exit status, what it prints, and what it says besides."""

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main(arguments)
        return status, *capsys.readouterr()

    return run


def answer(verb: Verb, *arguments: str) -> Any:
    """The JSON that a verb prints."""
    status, out, err = verb(*arguments, "--json")
    assert status == 0, err
    return json.loads(out)


def write_config(text: str) -> None:
    """As the user's own file."""
    folder = Path.home() / ".ollm"
    folder.mkdir(exist_ok=True)
    (folder / "config.yaml").write_text(text)


@asynccontextmanager
async def opened(*arguments: str) -> AsyncIterator[Screen]:
    """The screen as the command opens it, once the settings are in force."""
    options = parse_arguments(list(arguments))
    app = make_app(Setup(options), options)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        screen = Screen(app, pilot)
        await screen.until(lambda: app.settings.effective is not None)
        yield screen


def test_01_list_models_and_verify_output_format(verb: Verb, server: SandboxServer) -> None:
    status, out, _ = verb("list", "--host", server.host)
    head, *rows = out.splitlines()
    assert status == 0
    assert head.split() == "NAME FAMILY PARAMS QUANT CTX SIZE CAN MODIFIED".split()
    assert len(rows) == 31
    assert rows[1].split()[:7] == "qwen3:8b qwen 8.2B Q4_K_M 40k 5.0 GB".split()
    listed = answer(verb, "list", "--host", server.host)
    assert {"provider", "host", "stale", "as_of", "models", "problems"} <= set(listed)
    one = next(model for model in listed["models"] if model["name"] == "qwen3:8b")
    assert one["context_window"] == 40_960
    assert one["capabilities"]["tool_calling"] is True


async def test_02_pull_a_model_and_verify_progress_display(server: SandboxServer) -> None:
    def at(completed: int) -> dict[str, object]:
        return {"status": "pulling eee", "digest": DIGEST, "total": 1000, "completed": completed}

    script = server.faults.script_pull(
        "qwen3:14b",
        [at(0), at(300), {"status": "verifying sha256 digest"}, {"status": "success"}],
    )
    async with opened("--host", server.host) as screen:
        await screen.sees("31 of 31")
        await screen.press("p")
        await screen.type("qwen3:14b")
        await screen.press("enter")
        script.advance()
        await screen.sees("2 Downloads ─ 1 active", "0%")
        script.advance()
        await screen.sees("30%", "↓ ")
        script.advance()
        await screen.sees("verifying")
        script.advance()
        await screen.sees("done, ", "32 of 32")


async def test_03_delete_a_model_and_verify_removal(server: SandboxServer, verb: Verb) -> None:
    async with opened("--host", server.host) as screen:
        await screen.sees("31 of 31")
        await screen.press("j", "d")
        await screen.sees("Delete 1 model?", "qwen3:8b", "Frees up to 5.0 GB")
        await screen.press("y")
        await screen.sees("30 of 30")
        assert "qwen3:8b" not in screen.names()
    status, out, _ = await asyncio.to_thread(verb, "status", "qwen3:8b", "--host", server.host)
    assert (status, out.strip()) == (1, "not_found")


async def test_04_show_model_info_and_verify_details(server: SandboxServer, verb: Verb) -> None:
    async with opened("--host", server.host) as screen:
        await screen.sees("31 of 31")
        await screen.press("j", "enter")
        await screen.sees("3 Inspector ─ qwen3:8b", "40,960 trained", "tools ✓", "thinking ✓")
        await screen.press("right_square_bracket")
        await screen.sees("Parameters 2/6", "temperature")
    _, out, _ = await asyncio.to_thread(verb, "show", "qwen3:8b", "--host", server.host)
    assert "40,960" in out
    assert "Q4_K_M" in out


async def test_05_use_a_routing_profile_and_verify_model_selection(
    server: SandboxServer, verb: Verb
) -> None:
    async with opened("--host", server.host) as screen:
        await screen.sees("4 Router ─ general →")
        await screen.press("4", "right")
        await screen.sees("4 Router ─ code → codellama:7b", "≥ 16,384 tokens")
    decision = await asyncio.to_thread(answer, verb, "route", "code", "--host", server.host)
    assert (decision["model"], decision["via"]) == ("codellama:7b", "profile")


async def test_06_override_a_profile_with_configuration(server: SandboxServer, verb: Verb) -> None:
    write_config("model: {routing: {overrides: {code: qwen3:8b}}}\n")
    async with opened("--host", server.host, "--profile", "code") as screen:
        await screen.sees("4 Router ─ code → qwen3:8b", "an override")
    decision = await asyncio.to_thread(answer, verb, "route", "code", "--host", server.host)
    assert (decision["model"], decision["via"]) == ("qwen3:8b", "override")


async def test_07_offline_mode_with_cached_data(verb: Verb) -> None:
    with SandboxServer(timing=INSTANT) as server:
        host = server.host
        async with opened("--host", host) as screen:
            await screen.sees("31 of 31")
    async with opened("--host", host) as screen:
        await screen.sees("31 of 31", "offline", "as of ", "llama3.2:3b")
    status, out, err = await asyncio.to_thread(verb, "list", "--json", "--host", host)
    assert status == 0
    assert json.loads(out)["stale"] is True
    assert "ollm-tui: " in err


async def test_08_invalid_configuration_is_rejected(server: SandboxServer, verb: Verb) -> None:
    write_config("options:\n  temperature: hot\n")
    status, out, err = await asyncio.to_thread(verb, "run", "hi", "--host", server.host)
    assert (status, out) == (2, "")
    assert "config.yaml:2:16" in err
    status, _, err = await asyncio.to_thread(verb, "config", "check")
    assert status == 2
    assert "Temperature must be between 0.0 and 2.0" in err
    async with opened("--host", server.host) as screen:
        await screen.sees("31 of 31", "config ✗ 1 problem, c", "config.yaml:2:16")
        await screen.press("c")
        await screen.sees("options.temperature", "hot")


def test_09_environment_variable_overrides(
    server: SandboxServer, verb: Verb, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_config("options: {temperature: 0.1}\nproviders: {ollama: {host: 127.0.0.1:1}}\n")
    monkeypatch.setenv("OLLM_TEMPERATURE", "0.9")
    monkeypatch.setenv("OLLM_HOST", server.host)
    assert len(answer(verb, "list")["models"]) == 31
    assert origin(verb, "options.temperature") == (0.9, "env")


def test_10_command_line_flags_come_first(
    server: SandboxServer, verb: Verb, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_config("options: {temperature: 0.1}\nmodel: {default: phi4:latest}\n")
    monkeypatch.setenv("OLLM_TEMPERATURE", "0.9")
    monkeypatch.setenv("OLLM_HOST", "127.0.0.1:1")
    assert len(answer(verb, "list", "--host", server.host)["models"]) == 31
    assert origin(verb, "options.temperature", "--temperature", "0.5") == (0.5, "flag")
    decision = answer(verb, "route", "--model", "mistral:7b", "--host", server.host)
    assert (decision["model"], decision["via"]) == ("mistral:7b", "pinned")


def origin(verb: Verb, key: str, *flags: str) -> tuple[object, str]:
    """A setting's value and where it is from."""
    settings = answer(verb, "config", "show", "--origin", *flags)
    found = next(setting for setting in settings if setting["key"] == key)
    return found["value"], found["origin"]


def test_11_model_family_detection(server: SandboxServer, verb: Verb) -> None:
    models = answer(verb, "list", "--host", server.host)["models"]
    families = {model["name"]: model["family"] for model in models}
    assert families["codellama:7b"] == "codellama"
    assert families["deepseek-coder:6.7b"] == "deepseek-coder"
    assert families["llama3.1:8b"] == "llama"
    assert families["nomic-embed-text:latest"] == "embedding"


async def test_12_capability_based_filtering(server: SandboxServer, verb: Verb) -> None:
    listed = await asyncio.to_thread(answer, verb, "list", "cap:vision", "--host", server.host)
    names = {model["name"] for model in listed["models"]}
    assert names
    assert all(model["capabilities"]["vision"] for model in listed["models"])
    async with opened("--host", server.host) as screen:
        await screen.sees("31 of 31")
        await screen.press("slash")
        await screen.type("cap:vision")
        await screen.sees(f"{len(names)} of 31")
        assert set(screen.names()) == names
