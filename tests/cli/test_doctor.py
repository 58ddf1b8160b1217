"""The verb `doctor`: every part in a line, the store's troubles with their remedy, and mending."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ollm_tui.sandbox.server import SandboxServer
from tests.cli.conftest import Cli
from tests.faulty_registry import FaultyRegistry, faulty_registry
from tests.store_builder import digest_of, install, made_model

MODEL = made_model()
LICENCE = MODEL.layers["license"]
LIBRARY = "registry.ollama.ai/library"
PART = "sha256-" + "a" * 64 + "-partial"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with one model, which the program takes for the user's."""
    root = tmp_path / "models"
    install(root, f"{LIBRARY}/llama3/latest", MODEL)
    monkeypatch.setenv("OLLAMA_MODELS", str(root))
    monkeypatch.setenv("OLLM_PROVIDER", "local")
    return root


def blob(root: Path, data: bytes) -> Path:
    return root / "blobs" / digest_of(data).replace(":", "-")


def leave_over(root: Path, hours: float) -> Path:
    path = root / "blobs" / PART
    path.write_bytes(b"x" * 8192)
    os.utime(path, (time.time() - 3600 * hours,) * 2)
    return path


def test_everything_in_order_is_a_line_each_and_status_0(cli: Cli, root: Path) -> None:
    result = cli("doctor")
    assert (result.status, result.err) == (0, "")
    lines = result.out.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["✓", part] for part in ("server", "configuration", "terminal", "store")
    ]
    assert f"{root} (OLLAMA_MODELS), 1 model" in lines[3]


def test_the_answer_for_scripts_has_the_promised_shape(cli: Cli, root: Path) -> None:
    leave_over(root, hours=2)
    result = cli("doctor", "--json")
    assert result.status == 1
    answer = result.json
    assert set(answer) == {"healthy", "checks", "store", "repairs", "freed_bytes"}
    assert answer["healthy"] is False
    assert [check["area"] for check in answer["checks"]] == ["server", "configuration", "terminal"]
    store = answer["store"]
    assert (store["path"], store["source"]) == (str(root), "OLLAMA_MODELS")
    assert (store["writable"], store["has_server"], store["verified"]) == (True, False, False)
    assert store["models"] == [
        {"name": "llama3:latest", "unique_bytes": MODEL.total_bytes, "shared_bytes": 0}
    ]
    (left,) = store["leftovers"]
    assert (left["kind"], left["name"], left["reclaimable"]) == ("server download", PART, True)
    assert left["age_s"] == pytest.approx(7200, abs=60)
    assert left["modified_at"].endswith("Z")
    assert (answer["repairs"], answer["freed_bytes"]) == ([], None)


def test_each_trouble_comes_with_what_to_do(cli: Cli, root: Path) -> None:
    blob(root, LICENCE).unlink()
    (root / "manifests" / LIBRARY / "llama3/.DS_Store").write_bytes(b"")
    result = cli("doctor")
    assert result.status == 1
    assert "its license" in result.out
    assert "→ Repair llama3:latest: only this file is fetched again." in result.out
    assert ".DS_Store" in result.out
    assert "because of it a server tidies up nothing" in result.out


def test_only_hashing_finds_an_altered_file(cli: Cli, root: Path) -> None:
    blob(root, LICENCE).write_bytes(LICENCE[::-1])
    assert cli("doctor").status == 0
    result = cli("doctor", "--verify", "--json")
    assert result.status == 1
    (found,) = result.json["store"]["findings"]
    assert (found["kind"], found["model"]) == ("damaged file", "llama3:latest")
    assert "was altered" in found["reason"]


@pytest.fixture
def registry(root: Path) -> Iterator[FaultyRegistry]:
    """A registry with a model that the store has from it, with one file altered."""
    with faulty_registry() as running:
        running.push(MODEL)
        host, _, path = running.name().removeprefix("http://").partition("/")
        install(root, f"{host}/{path.replace(':', '/')}", MODEL)
        blob(root, LICENCE).write_bytes(LICENCE[::-1])
        yield running


def test_a_repair_fetches_the_bad_file_only_and_looks_again(
    cli: Cli, root: Path, registry: FaultyRegistry
) -> None:
    name = registry.name()
    result = cli("doctor", "--verify", "--repair", name, "--json")
    assert result.status == 0, result.out
    assert result.json["repairs"] == [{"model": name, "repaired": True, "error": None}]
    fetched = [request.path for request in registry.requests if "/blobs/" in request.path]
    assert [path.rpartition("/")[2] for path in fetched] == [digest_of(LICENCE)]
    assert blob(root, LICENCE).read_bytes() == LICENCE


def test_a_repair_that_fails_says_why_and_removes_nothing(
    cli: Cli, root: Path, registry: FaultyRegistry
) -> None:
    registry.manifests.clear()
    result = cli("doctor", "--repair", registry.name())
    assert result.status == 4
    assert "try:" in result.err
    assert blob(root, LICENCE).read_bytes() == LICENCE[::-1]


def test_reclaiming_shows_what_goes_and_needs_a_yes(cli: Cli, root: Path) -> None:
    part = leave_over(root, hours=2)
    refused = cli("doctor", "--reclaim")
    assert refused.status == 2
    assert "server download" in refused.err
    assert "--yes" in refused.err
    assert part.exists()
    result = cli("doctor", "--reclaim", "--yes", "--json")
    assert (result.status, result.json["freed_bytes"]) == (0, 8192)
    assert not part.exists()


def test_what_may_still_be_in_use_is_no_trouble_and_stays(cli: Cli, root: Path) -> None:
    part = leave_over(root, hours=0.5)
    result = cli("doctor", "--reclaim", "--yes")
    assert result.status == 0
    assert "nothing is left over that can be removed" in result.err
    assert part.exists()


def test_names_without_a_repair_are_wrong_usage(cli: Cli) -> None:
    assert cli("doctor", "llama3").status == 2


def test_a_broken_configuration_is_a_finding_and_no_reason_to_stop(
    cli: Cli, root: Path, tmp_path: Path
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("options: {temperature: hot}\n")
    result = cli("doctor", "--config", str(config))
    assert result.status == 1
    assert "✗ configuration" in result.out
    assert "✓ store" in result.out


def test_a_server_that_does_not_answer_is_a_finding(cli: Cli, root: Path) -> None:
    result = cli("doctor", "--provider", "ollama", "--host", "127.0.0.1:9")
    assert result.status == 1
    assert "✗ server" in result.out
    assert "ollama serve" in result.out


def test_the_store_of_a_server_here_is_looked_through_by_its_models(
    cli: Cli, root: Path, server: SandboxServer
) -> None:
    ask = ("doctor", "--provider", "ollama", "--host", server.host)
    result = cli(*ask)
    assert result.status == 0
    assert "is not the one of the server" in result.out
    for name in cli("list", "--json", "--provider", "ollama", "--host", server.host).json["models"]:
        model, _, tag = name["name"].partition(":")
        host = "" if model.count("/") > 1 else "registry.ollama.ai/"
        host += "" if "/" in model else "library/"
        install(root, f"{host}{model}/{tag}", MODEL)
    (root / "manifests" / LIBRARY / "llama3/latest").unlink(missing_ok=True)
    store = cli(*ask, "--json").json["store"]
    assert store["has_server"] is True
    assert len(store["models"]) == 31


def test_a_broken_entry_can_be_deleted_by_its_name(cli: Cli, root: Path) -> None:
    broken = root / "manifests" / LIBRARY / "llama3/cut"
    broken.write_bytes(b"{")
    result = cli("rm", "--yes", "llama3:cut")
    assert result.status == 0, result.err
    assert not broken.exists()
