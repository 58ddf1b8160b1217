"""What is learnt beside a server: its registry's manifests, and the disk of its store."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from ollm_tui.core.error import DownloadFailed, ModelNotFound, Unsupported
from ollm_tui.providers.base import DiskSupport, PlanSupport
from ollm_tui.providers.local.location import locate_store
from ollm_tui.providers.local.store import Store
from ollm_tui.providers.ollama import OllamaProvider
from tests import faulty_registry as faults
from tests.faulty_registry import FaultyRegistry
from tests.provider.loopback import LoopbackServer, whole
from tests.store_builder import MadeModel, install, made_model

MODEL = made_model(b"GGUF weights of the first")
OTHER = made_model(b"GGUF weights of another one")


@pytest.fixture
def registry() -> Iterator[FaultyRegistry]:
    with faults.faulty_registry() as registry:
        yield registry


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
async def beside(server: LoopbackServer, root: Path) -> AsyncIterator[OllamaProvider]:
    place = locate_store(home=root, setting=str(root))
    provider = OllamaProvider(server.address, asks_registries=True, locate_store=lambda: place)
    yield provider
    await provider.close()


def lists(server: LoopbackServer, **models: MadeModel) -> None:
    """Let the server list these."""
    entries = [
        {"name": f"{name}:latest", "model": f"{name}:latest", "digest": made.digest, "size": 1}
        for name, made in models.items()
    ]
    server.answers["/api/tags"] = whole({"models": entries})


async def test_a_plan_comes_from_the_manifest_alone(
    beside: OllamaProvider, registry: FaultyRegistry
) -> None:
    assert isinstance(beside, PlanSupport)
    assert isinstance(beside, DiskSupport)
    registry.push(MODEL)
    plan = await beside.plan(registry.name())
    assert (plan.digest, plan.is_current) == (MODEL.digest, False)
    assert plan.total_bytes == plan.missing_bytes == MODEL.total_bytes
    assert [request.path for request in registry.requests] == ["/v2/ns/model/manifests/tag"]


async def test_a_plan_that_cannot_be_made_says_why(
    beside: OllamaProvider, registry: FaultyRegistry
) -> None:
    with pytest.raises(ModelNotFound):
        await beside.plan(registry.name("ns/nothing:tag"))
    registry.manifest_faults.extend([faults.status(403)])
    with pytest.raises(DownloadFailed):
        await beside.plan(registry.name())


async def test_registries_are_asked_only_when_that_is_allowed(
    provider: OllamaProvider, registry: FaultyRegistry
) -> None:
    with pytest.raises(Unsupported):
        await provider.plan(registry.name())
    assert registry.requests == []
    assert await provider.free_bytes() is None
    assert await provider.freed_bytes(["a"]) is None


async def test_a_store_that_has_what_the_server_lists_is_its_own(
    beside: OllamaProvider, server: LoopbackServer, root: Path
) -> None:
    install(root, "registry.ollama.ai/library/a/latest", MODEL)
    install(root, "registry.ollama.ai/library/b/latest", OTHER)
    assert await beside.free_bytes() is None  # nobody has said yet what the server has
    lists(server, a=MODEL, b=OTHER)
    await beside.list_models()
    free = await beside.free_bytes()
    assert free is not None
    assert abs(free - Store(root).free_bytes) < 2**30
    alone = set(MODEL.blobs) - set(OTHER.blobs)
    assert await beside.freed_bytes(["A"]) == sum(len(MODEL.blobs[digest]) for digest in alone)
    everything = MODEL.blobs | OTHER.blobs
    assert await beside.freed_bytes(["a", "b"]) == sum(map(len, everything.values()))


@pytest.mark.parametrize("case", ["another digest", "a model that is not here", "no store"])
async def test_a_store_that_merely_lies_in_the_usual_place_is_not_looked_at(
    beside: OllamaProvider, server: LoopbackServer, root: Path, case: str
) -> None:
    if case != "no store":
        install(root, "registry.ollama.ai/library/a/latest", MODEL)
    if case == "another digest":
        lists(server, a=OTHER)
    elif case == "no store":
        lists(server, a=MODEL)
    else:
        lists(server, a=MODEL, b=OTHER)
    await beside.list_models()
    assert await beside.free_bytes() is None
    assert await beside.freed_bytes(["a"]) is None


async def test_in_a_store_that_can_be_seen_a_plan_knows_what_is_here(
    beside: OllamaProvider, server: LoopbackServer, registry: FaultyRegistry, root: Path
) -> None:
    registry.push(MODEL)
    rewritten = MadeModel(MODEL.layers, MODEL.config)
    manifest = install(root, f"{registry.netloc}/ns/model/tag", rewritten)
    install(root, "registry.ollama.ai/library/b/latest", OTHER)
    # As servers before 0.19 kept it: the same files, and a manifest of their own.
    manifest.write_bytes(MODEL.manifest.replace(b"\n", b""))
    name = f"{registry.netloc}/ns/model:tag"
    entries = [
        {"name": name, "model": name, "digest": "0" * 64},
        {"name": "b:latest", "model": "b:latest", "digest": OTHER.digest},
    ]
    server.answers["/api/tags"] = whole({"models": entries})
    await beside.list_models()
    plan = await beside.plan(registry.name())
    assert (plan.is_current, plan.missing_bytes) == (True, 0)
    registry.push(OTHER)
    plan = await beside.plan(registry.name())
    assert not plan.is_current
    assert plan.missing_bytes == 0  # all of it is here, under another name
