"""Whom a run asks when nobody says: the server, or a store in its stead."""

import shutil
import socket
from pathlib import Path

import pytest

from ollm_tui.cli.arguments import parse_arguments
from ollm_tui.cli.provider_choice import make_provider
from ollm_tui.cli.setup import Setup
from ollm_tui.providers.local.provider import LocalProvider
from ollm_tui.providers.ollama import OllamaProvider
from tests.cli.conftest import Cli
from tests.store_builder import install, made_model


@pytest.fixture(autouse=True)
def _nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the usual port, whatever this machine runs."""

    def refuse(*address: object, **options: object) -> socket.socket:
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(shutil, "which", lambda name: None)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of the user's."""
    root = tmp_path / "models"
    install(root, "registry.ollama.ai/library/llama3/latest", made_model())
    monkeypatch.setenv("OLLAMA_MODELS", str(root))
    return root


def test_a_store_stands_in_for_a_server_that_nobody_named(cli: Cli, root: Path) -> None:
    answer = cli("list", "--json").json
    assert (answer["provider"], answer["host"]) == ("local", str(root))
    assert [model["name"] for model in answer["models"]] == ["llama3:latest"]


def test_without_any_ollama_a_store_is_begun(cli: Cli, tmp_path: Path) -> None:
    answer = cli("list", "--json").json
    assert answer["provider"] == "local"
    assert answer["models"] == []


def test_an_ollama_without_a_store_is_to_be_started(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/local/bin/ollama")
    result = cli("list")
    assert result.status == 3
    assert "ollama serve" in result.err


@pytest.mark.parametrize(
    "named", [("--host", "127.0.0.1:9"), ("--provider", "ollama")], ids=["host", "provider"]
)
def test_nothing_stands_in_for_a_server_that_was_named(
    cli: Cli, root: Path, named: tuple[str, ...]
) -> None:
    setup = Setup(parse_arguments(["list", *named]))
    assert isinstance(make_provider(setup, setup.connection()), OllamaProvider)


def test_the_bandwidth_limit_of_the_configuration_reaches_the_store(
    root: Path, tmp_path: Path
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("provider: local\ndownloads: {bandwidthLimit: 2M}\n")
    setup = Setup(parse_arguments(["list", "--config", str(config)]))
    provider = make_provider(setup, setup.connection())
    assert isinstance(provider, LocalProvider)
    assert provider.limit.bytes_per_s == 2_000_000
