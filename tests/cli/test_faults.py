"""Verbs against servers that are absent, hang, or are none: a status, a cause, a next step."""

import functools
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from ollm_tui.cli import compose
from ollm_tui.cli.setup import Setup
from ollm_tui.config.connection import Connection
from ollm_tui.providers import ollama_api
from ollm_tui.sandbox.faults import WRONG_SHAPES, EndpointMode
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.service.service import ModelService
from tests.cli.conftest import Cli, Result

VERBS = (
    ("list",),
    ("list", "--json"),
    ("show", "phi3:mini"),
    ("ps",),
    ("status", "phi3:mini"),
    ("load", "phi3:mini"),
    ("stop", "phi3:mini"),
    ("cp", "phi3:mini", "mine"),
    ("rm", "phi3:mini", "--yes"),
    ("route", "--all", "--explain"),
    ("run", "Hello"),
)


def assert_failed(result: Result, *statuses: int) -> None:
    """There is no data, and the error has a cause and a next step."""
    assert result.status in statuses
    assert result.out == ""
    message, *more = result.err.splitlines()
    assert message.startswith("ollm-tui: ")
    assert any(line.startswith("  because: ") for line in more)
    assert any(line.startswith("  try: ") for line in more)
    assert "Traceback" not in result.err


@pytest.fixture
def free_port() -> Iterator[int]:
    """A port that is ours and on which nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def test_nobody_there_is_status_3(cli: Cli, free_port: int) -> None:
    for arguments in VERBS:
        result = cli(*arguments, "--host", f"127.0.0.1:{free_port}")
        assert_failed(result, 3)
        assert "connection refused" in result.err
        assert "ollama serve" in result.err


def test_nobody_there_to_pull_is_status_3(cli: Cli, free_port: int) -> None:
    result = cli("pull", "phi3:mini", "--host", f"127.0.0.1:{free_port}")
    assert (result.status, result.out) == (3, "")
    assert "connection refused" in result.err


def test_a_server_that_hangs_is_status_3(
    ask: Cli, server: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasty = functools.partial(Connection, timeout_s=0.02)
    monkeypatch.setattr("ollm_tui.config.start.Connection", hasty)
    monkeypatch.setattr(ollama_api, "FIRST_TIMEOUT_S", 0.02)
    server.faults.set("*", EndpointMode.HANG)
    for arguments in VERBS:
        result = ask(*arguments)
        assert_failed(result, 3)
        assert "within 0.02 s" in result.err


@pytest.mark.parametrize(
    ("mode", "status"),
    [
        (EndpointMode.HTML, 4),
        (EndpointMode.HTTP_500, 4),
        (EndpointMode.HTTP_401, 4),
        (EndpointMode.HTTP_403, 4),
        (EndpointMode.HTTP_404, 4),
        (EndpointMode.HTTP_503, 4),
        (EndpointMode.EMPTY, 4),
        (EndpointMode.GARBAGE, 4),
        (EndpointMode.DROP, 3),
        (EndpointMode.CUT, 3),
    ],
)
def test_what_is_no_ollama_server_is_status_3_or_4(
    ask: Cli, server: SandboxServer, mode: EndpointMode, status: int
) -> None:
    server.faults.set("*", mode)
    for arguments in VERBS:
        if (arguments[0], mode) != ("ps", EndpointMode.HTTP_404):  # that is an old server's answer
            assert_failed(ask(*arguments), status)


@pytest.mark.parametrize("status", [502, 504])
def test_a_gateway_with_nobody_behind_it_is_status_3(cli: Cli, status: int) -> None:
    class Gateway(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(status)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Gateway) as gateway:
        thread = threading.Thread(target=gateway.serve_forever, args=(0.01,))
        thread.start()
        try:
            result = cli("list", "--host", f"127.0.0.1:{gateway.server_port}")
        finally:
            gateway.shutdown()
            thread.join()
    assert_failed(result, 3)
    assert str(status) in result.err


class FileServer(BaseHTTPRequestHandler):
    """A web server that knows no such file, and no such method."""

    server_version, sys_version = "Files/1.0", ""

    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        pass


class Dashboard(FileServer):
    """A program with a page for whatever is asked."""

    def do_GET(self) -> None:
        self.answer(b"<!doctype html><title>Dashboard</title>", "text/html")

    def do_POST(self) -> None:
        self.do_GET()

    def answer(self, body: bytes, content_type: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class OtherModels(Dashboard):
    """A server of models that speaks another API, and says no with "200 OK"."""

    def do_GET(self) -> None:
        self.answer(b'{"error":"Unexpected endpoint or method. (GET)"}', "application/json")


@pytest.mark.parametrize(
    ("handler", "because"),
    [
        (FileServer, ("there is no Ollama API at this address", "calls itself Files/1.0")),
        (Dashboard, ("a web page", "the page is titled Dashboard", "calls itself Files/1.0")),
        (OtherModels, ("no list of models", "Unexpected endpoint", "calls itself Files/1.0")),
    ],
)
def test_another_program_is_named_and_the_next_steps_are_the_address_and_ollama_serve(
    cli: Cli, handler: type[BaseHTTPRequestHandler], because: tuple[str, ...]
) -> None:
    with HTTPServer(("127.0.0.1", 0), handler) as other:
        thread = threading.Thread(target=other.serve_forever, args=(0.01,))
        thread.start()
        try:
            host = f"127.0.0.1:{other.server_port}"
            results = [cli(*arguments, "--host", host) for arguments in VERBS]
            pulled = cli("pull", "phi3:mini", "--host", host)
        finally:
            other.shutdown()
            thread.join()
    for arguments, result in zip(VERBS, results, strict=True):
        assert_failed(result, 4)
        assert host in result.err
        for words in (*because, "--host", "OLLAMA_HOST", "ollama serve"):
            assert words in result.err, (arguments, result.err)
    assert pulled.status == 4
    if handler is OtherModels:  # a server of models may well fail to pull in its own words
        assert "Unexpected endpoint" in pulled.err
    else:
        assert "calls itself Files/1.0" in pulled.err
        assert "ollama serve" in pulled.err


GOOD = WRONG_SHAPES.index(
    b'{"models":[{"name":"a:b","size":-1,"modified_at":"yesterday","details":null}]}'
)
"""Of this one a name can be read, and that is a model."""


@pytest.mark.parametrize("variant", [n for n in range(len(WRONG_SHAPES)) if n != GOOD])
def test_json_of_another_shape_is_status_4(ask: Cli, server: SandboxServer, variant: int) -> None:
    server.faults.set("*", EndpointMode.WRONG_SHAPE, variant=variant)
    for arguments in (("list", "--json"), ("show", "a"), ("status", "a"), ("cp", "a", "b")):
        assert_failed(ask(*arguments), 4)


def test_a_model_of_which_only_the_name_can_be_read_is_listed(
    ask: Cli, server: SandboxServer
) -> None:
    server.faults.set("/api/tags", EndpointMode.WRONG_SHAPE, variant=GOOD)
    (model,) = ask("list", "--json").json["models"]
    assert (model["name"], model["modified_at"], model["digest"]) == ("a:b", None, None)


@pytest.mark.parametrize("variant", range(6))
def test_memory_of_another_shape_is_status_4(ask: Cli, server: SandboxServer, variant: int) -> None:
    server.faults.set("/api/ps", EndpointMode.WRONG_SHAPE, variant=variant)
    assert_failed(ask("ps", "--json"), 4)


def test_an_address_that_cannot_be_is_wrong_usage(cli: Cli) -> None:
    assert_failed(cli("list", "--host", "not a host"), 2)


def test_the_address_comes_from_the_flag_then_the_variables(
    cli: Cli, server: SandboxServer, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = f"127.0.0.1:{free_port}"
    monkeypatch.setenv("OLLAMA_HOST", server.host)
    assert cli("list").status == 0
    monkeypatch.setenv("OLLM_HOST", dead)
    assert cli("list").status == 3
    assert cli("list", "--host", server.host).status == 0


@pytest.mark.parametrize(
    "arguments", [("list",), ("list", "--json"), ("status", "phi3:mini"), ("route", "--json")]
)
def test_z15_what_was_known_before_is_shown_with_a_warning_while_nobody_answers(
    ask: Cli,
    server: SandboxServer,
    arguments: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ruling Z15; here the last known list is that of the moment before."""
    make_service = compose.make_service

    def made_before(setup: Setup, *, connection: Connection) -> ModelService:
        service = make_service(setup, connection=connection)
        ask_server = service.list_models

        async def list_models(*, refresh: bool = False) -> object:
            if service.models.as_of is None:
                await ask_server()
                service.clear_cache()
                server.faults.set("*", EndpointMode.DROP)
            return await ask_server(refresh=refresh)

        monkeypatch.setattr(service, "list_models", list_models)
        return service

    monkeypatch.setattr(compose, "make_service", made_before)
    result = ask(*arguments)
    assert result.status == 0
    assert f"what was there at {datetime.now(UTC).astimezone():%Y-%m-%d}" in result.err
    if arguments == ("list", "--json"):
        assert result.json["stale"] is True
        assert len(result.json["models"]) == 31
        assert {model["loaded"] for model in result.json["models"]} == {None}
