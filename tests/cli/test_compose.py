"""How the parts are put together."""

import os
import sys
from pathlib import Path

import pytest

from ollm_tui.catalogue.catalogue import search
from ollm_tui.cli.arguments import parse_arguments
from ollm_tui.cli.compose import names_to_pull, opened_service
from ollm_tui.cli.demo import demo_server
from ollm_tui.cli.setup import Setup
from ollm_tui.sandbox.roster import catalogue_models
from ollm_tui.sandbox.server import SandboxServer
from tests.cli.conftest import Cli


def test_the_demo_is_a_server_of_its_own(cli: Cli) -> None:
    answer = cli("list", "--demo", "--json", "--host", "127.0.0.1:1").json
    assert len(answer["models"]) == 31
    assert not answer["host"].endswith(":1")


def test_everything_that_search_finds_can_be_pulled_in_the_demo(cli: Cli) -> None:
    names = [model["name"] for model in cli("search", "--json").json["models"]]
    world = demo_server().world
    assert [name for name in names if world.on_offer(name) is None] == []


def test_the_demo_without_its_packages_says_what_to_install(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("ollm_tui.cli.demo", "ollm_tui.sandbox.server"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    result = cli("list", "--demo")
    assert (result.status, result.out) == (2, "")
    assert "uvicorn is not installed" in result.err
    assert "pip install 'ollm-tui[demo]'" in result.err


def test_the_memory_of_this_machine_counts_only_for_a_server_on_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Decision R16."""
    monkeypatch.setattr(
        os, "sysconf", lambda name: {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 1_000_000}[name]
    )
    assert budget_bytes("localhost") == 3_072_000_000
    assert budget_bytes("192.168.1.5:11434") is None


def test_a_system_that_does_not_tell_its_memory_sets_no_budget(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(_: str) -> int:
        raise ValueError("unrecognized configuration name")

    monkeypatch.setattr(os, "sysconf", unknown)
    assert budget_bytes("localhost") is None


def test_the_demo_runs_on_the_same_made_up_machine_everywhere() -> None:
    setup = Setup(parse_arguments(["--demo"]), "127.0.0.1:1")
    assert setup.make_router(setup.make_database()).config.memory_budget_bytes == 18_000_000_000


def budget_bytes(host: str) -> int | None:
    """The memory that the router lets models take."""
    setup = Setup(parse_arguments(["--no-config", "--host", host]))
    return setup.make_router(setup.make_database()).config.memory_budget_bytes


async def test_names_to_pull_are_what_search_finds_without_what_is_there(
    server: SandboxServer,
) -> None:
    async with opened_service(parse_arguments(["--host", server.host])) as service:
        await service.list_models()
        names = [name for name, _ in names_to_pull(service, "Code")]
    assert "codellama:13b" in names
    assert "codellama:7b" not in names
    found = [model.name for model in search("code")]
    assert [name for name in found if name in names] == names
    named = ["code" in name for name in names]
    assert named == sorted(named, reverse=True)
    assert {True, False} == set(named)  # a name without it does what its description says


async def test_the_configured_number_of_downloads_run_at_once(
    server: SandboxServer, tmp_path: Path
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("downloads: {concurrency: 3}\n")
    gates = [server.faults.hold_pull(model.name) for model in catalogue_models()[:4]]
    flags = ["--host", server.host, "--config", str(config)]
    async with opened_service(parse_arguments(flags)) as service:
        for model in catalogue_models()[:4]:
            service.enqueue(model.name)
        for gate in gates[:3]:
            assert await gate.arrived()
        states = [item.progress.status.value for item in service.queue.items]
    assert states == ["downloading"] * 3 + ["queued"]
