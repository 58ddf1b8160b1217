"""The verb `pull`."""

import json
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest

from ollm_tui.core.plan import PullPlan
from ollm_tui.providers.ollama import OllamaProvider
from ollm_tui.sandbox.faults import CUT, PULL_ERRORS, EndpointMode, PullMode
from ollm_tui.sandbox.roster import catalogue_models
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.service import preflight
from tests.cli.conftest import Cli

NAME = catalogue_models()[0].name
OTHER = catalogue_models()[1].name
FINAL = ("complete", "cancelled", "error")


def events(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def is_installed(server: SandboxServer, name: str) -> bool:
    return server.store.find(name) is not None


def test_pull_json_is_one_event_a_line(ask: Cli, server: SandboxServer) -> None:
    result = ask("pull", NAME, "--json")
    assert (result.status, result.err) == (0, "")
    told = events(result.out)
    for event in told:
        assert list(event) == [
            "model", "status", "percentage", "downloaded_bytes", "total_bytes",
            "download_speed", "eta_s", "timestamp", "error",
        ]  # fmt: skip
        assert event["model"] == NAME
        assert datetime.fromisoformat(event["timestamp"]).tzinfo is not None
        assert event["timestamp"].endswith("Z")
    assert told[0]["percentage"] == 0
    assert told[0]["status"] == "queued"
    assert all(a["percentage"] <= b["percentage"] for a, b in pairwise(told))
    assert all(a["downloaded_bytes"] <= b["downloaded_bytes"] for a, b in pairwise(told))
    assert [event["status"] for event in told if event["status"] in FINAL] == ["complete"]
    last = told[-1]
    assert (last["percentage"], last["error"]) == (100, None)
    assert last["downloaded_bytes"] == last["total_bytes"] > 0
    assert is_installed(server, NAME)


def test_pull_writes_its_progress_to_stderr_and_no_data(ask: Cli) -> None:
    result = ask("pull", NAME)
    assert (result.status, result.out) == (0, "")
    lines = result.err.splitlines()
    assert lines[0] == f"{NAME}: queued"
    assert lines[-1].startswith(f"{NAME}: done, ")
    assert "\x1b" not in result.err


def test_one_that_fails_does_not_stop_the_others(ask: Cli, server: SandboxServer) -> None:
    result = ask("pull", "nothing:1b", NAME, "--json", OTHER)
    assert result.status == 1
    assert "nothing:1b" in result.err
    assert "  try: " in result.err
    final = {e["model"]: e["status"] for e in events(result.out) if e["status"] in FINAL}
    assert final == {"nothing:1b": "error", NAME: "complete", OTHER: "complete"}
    assert is_installed(server, OTHER)


def test_one_model_by_two_names_is_pulled_and_reported_once(
    ask: Cli, server: SandboxServer
) -> None:
    result = ask("pull", "--json", NAME, NAME.upper(), NAME)
    assert result.status == 0
    assert server.count("/api/pull") == 1
    told = events(result.out)
    assert len([event for event in told if event["status"] in FINAL]) == 1
    assert {event["model"] for event in told} == {NAME}


def test_a_name_that_cannot_be_is_told_before_the_first_byte(
    ask: Cli, server: SandboxServer
) -> None:
    result = ask("pull", NAME, "a b", "--json")
    assert (result.status, result.out) == (2, "")
    assert server.requests == []


@pytest.mark.parametrize(
    ("text", "status"), [("disk_full", 4), ("no_such_host", 4), ("not_found", 1), ("eof", 4)]
)
def test_what_the_server_says_of_a_failure_is_the_last_event(
    ask: Cli, server: SandboxServer, text: str, status: int
) -> None:
    server.faults.pull(PullMode.ERROR, NAME, text=PULL_ERRORS[text])
    result = ask("pull", NAME, "--json")
    assert result.status == status
    last = events(result.out)[-1]
    assert last["status"] == "error"
    assert last["error"]
    assert last["percentage"] < 100
    assert result.err.startswith("ollm-tui: ")
    assert "  try: " in result.err


@pytest.mark.parametrize(
    ("mode", "status"),
    [
        (PullMode.CUT, 3),
        (PullMode.NO_SUCCESS, 4),
        (PullMode.JUNK_LINE, 0),
        (PullMode.BACKWARDS, 0),
        (PullMode.NO_FINAL_NEWLINE, 0),
    ],
)
def test_a_stream_that_misbehaves_ends_in_exactly_one_event(
    ask: Cli, server: SandboxServer, mode: PullMode, status: int
) -> None:
    server.faults.pull(mode, NAME)
    result = ask("pull", NAME, "--json")
    told = events(result.out)
    assert [e["status"] in FINAL for e in told] == [False] * (len(told) - 1) + [True]
    assert all(a["percentage"] <= b["percentage"] for a, b in pairwise(told))
    assert result.status == status
    assert (told[-1]["status"] == "complete") == (status == 0)


@pytest.mark.parametrize(
    ("mode", "status"),
    [
        (EndpointMode.HTML, 4),
        (EndpointMode.HTTP_500, 4),
        (EndpointMode.EMPTY, 4),
        (EndpointMode.DROP, 3),
    ],
)
def test_a_pull_from_what_is_no_ollama_server(
    ask: Cli, server: SandboxServer, mode: EndpointMode, status: int
) -> None:
    server.faults.set("/api/pull", mode)
    result = ask("pull", NAME)
    assert (result.status, result.out) == (status, "")
    assert f"{NAME}: failed" in result.err
    assert "  because: " in result.err
    assert "  try: " in result.err


def test_a_script_of_the_server_is_told_as_it_happens(ask: Cli, server: SandboxServer) -> None:
    digest = f"sha256:{'0' * 64}"
    script = server.faults.script_pull(
        NAME,
        [
            {"status": "pulling manifest"},
            {"status": "pulling", "digest": digest, "total": 200, "completed": 50},
            CUT,
        ],
    )
    script.gate.open()
    result = ask("pull", NAME, "--json")
    last = events(result.out)[-1]
    assert (last["status"], last["percentage"], last["total_bytes"]) == ("error", 25, 200)


def test_a_full_disk_names_what_could_be_deleted_and_how(ask: Cli, server: SandboxServer) -> None:
    server.faults.pull("error", NAME, text=PULL_ERRORS["disk_full"])
    result = ask("pull", NAME)
    assert (result.status, result.out) == (4, "")
    told = result.err.splitlines()
    (what,) = (line for line in told if "not in use, and no profile's choice: " in line)
    (how,) = (line for line in told if "ollm-tui rm " in line)
    largest = max(
        (one.model for one in server.store.installed() if one.model.name in what),
        key=lambda model: model.size_bytes,
    )
    assert f"{largest.name} (" in what.partition("choice: ")[2].partition(",")[0]
    for name in how.partition("ollm-tui rm ")[2].split():
        assert name in what
        assert is_installed(server, name)
        assert name not in ("llama3.2:3b", "phi3:mini")  # which are in memory
        assert name not in {line.split()[-1] for line in ask("route", "--all").out.splitlines()}


def test_a_pull_that_waits_for_room_says_so_and_what_could_be_deleted(
    ask: Cli, server: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter([10**9] * 20)

    async def plan(self: object, name: str) -> PullPlan:
        return PullPlan(name, "f" * 64, False, 17 * 10**9, 17 * 10**9)

    async def free_bytes(self: object) -> int:
        return next(looks, 10**12)

    monkeypatch.setattr(OllamaProvider, "plan", plan)
    monkeypatch.setattr(OllamaProvider, "free_bytes", free_bytes)
    monkeypatch.setattr(preflight, "LOOK_EVERY_S", 0.02)
    result = ask("pull", NAME)
    assert result.status == 0
    waits = f"ollm-tui: {NAME} waits for room: it needs 17.0 GB, 1.0 GB free; ctrl-c ends that"
    assert result.err.splitlines().count(waits) == 1
    assert "not in use, and no profile's choice: " in result.err
    assert "ollm-tui rm " in result.err
