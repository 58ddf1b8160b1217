"""The verb `update`, on a model store of its own and a registry in this process."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import faulty_registry as faults
from tests.cli.conftest import Cli
from tests.faulty_registry import FaultyRegistry
from tests.store_builder import install, made_model

OLD, NEW = made_model(b"GGUF old weights"), made_model(b"GGUF new and longer weights")
Have = Callable[..., str]


@pytest.fixture
def registry() -> Iterator[FaultyRegistry]:
    with faults.faulty_registry() as registry:
        yield registry


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "models"
    monkeypatch.setenv("OLLAMA_MODELS", str(root))
    return root


@pytest.fixture
def local(cli: Cli, store: Path) -> Cli:
    return lambda *arguments: cli(*arguments, "--provider", "local")


@pytest.fixture
def have(store: Path, registry: FaultyRegistry) -> Have:
    """Installs a model of the registry and returns the name to ask for it by."""

    def installed(tag: str = "tag") -> str:
        install(store, f"{registry.netloc}/ns/model/{tag}", OLD)
        return registry.name(f"ns/model:{tag}")

    return installed


def test_what_differs_is_said_and_then_pulled(
    local: Cli, have: Have, registry: FaultyRegistry
) -> None:
    name = have()
    registry.push(NEW)
    checked = local("update", "--check", name)
    assert checked.status == 0
    assert checked.out == f"{name.removeprefix('http://')}  27 B of {NEW.total_bytes} B to fetch\n"
    assert not registry.asked("/blobs/")
    pulled = local("update", name)
    assert pulled.status == 0
    assert "done" in pulled.err
    again = local("update", name)
    assert (again.status, again.out) == (0, "")
    assert "nothing to update, 1 model up to date" in again.err


def test_json_is_one_object(local: Cli, have: Have, registry: FaultyRegistry) -> None:
    name = have()
    registry.push(NEW)
    (one,) = local("update", "--check", "--json", name).json["models"]
    assert one == {
        "name": name.removeprefix("http://"),
        "state": "outdated",
        "digest": OLD.digest,
        "registry_digest": NEW.digest,
        "total_bytes": NEW.total_bytes,
        "missing_bytes": 27,
        "reason": None,
        "updated": False,
    }
    assert local("update", "--json", name).json["models"][0]["updated"] is True


def test_a_name_that_is_not_there_does_not_stop_the_others(
    local: Cli, have: Have, registry: FaultyRegistry
) -> None:
    name = have()
    registry.push(OLD)
    result = local("update", "nobody", name)
    assert result.status == 1
    assert "nobody is not installed" in result.err
    assert "1 model up to date" in result.err


def test_a_model_the_registry_does_not_have_is_skipped_with_the_reason(
    local: Cli, have: Have
) -> None:
    result = local("update", "--check", have())
    assert result.status == 1
    assert "skipped: " in result.err
    assert "made, copied or renamed here" in result.err


def test_a_registry_that_refuses_is_named(local: Cli, have: Have, registry: FaultyRegistry) -> None:
    registry.manifest_faults.append(faults.status(403))
    result = local("update", have(), "--json")
    assert result.status == 4
    (one,) = result.json["models"]
    assert one["state"] == "failed"
    assert "HTTP 403" in one["reason"]


def test_a_server_whose_registries_are_left_alone_says_so(ask: Cli) -> None:
    result = ask("update", "--check")
    assert result.status == 4
    assert "Registries are not asked from here" in result.err
