"""A store and the server that owns it: which belongs to which, and who may do what."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ollm_tui.core.error import StoreError, Unsupported
from ollm_tui.core.model import ModelInfo, ModelList
from ollm_tui.core.progress import PullPhase, PullStep
from ollm_tui.core.store import FindingKind
from ollm_tui.providers.local import access
from ollm_tui.providers.local.access import LocalStoreAccess, server_store_access
from ollm_tui.providers.local.journal import claim
from ollm_tui.providers.local.location import StoreLocation, store_at
from ollm_tui.providers.local.provider import LocalProvider
from ollm_tui.providers.local.store import Store
from tests.store_builder import digest_of
from tests.unit.local.conftest import LLAMA

NAMES = ("llama3:latest", "hf.co/Some/Qwen:Q4")


class Server(LocalProvider):
    """A server of the store: lists what it is told to, and pulls as servers do."""

    def __init__(self, root: Path, *names: str) -> None:
        super().__init__(root)
        self.names = names
        self.pulled: list[str] = []

    async def list_models(self) -> ModelList:
        return ModelList(tuple(ModelInfo(name) for name in self.names))

    async def pull(self, name: str) -> AsyncGenerator[PullStep, None]:
        self.pulled.append(name)
        for digest, data in LLAMA.blobs.items():
            path = self.store.blob_path(digest)
            if not path.exists():  # one that is there is never looked into
                path.write_bytes(data)
        yield PullStep(PullPhase.SUCCESS, "success")


def located(root: Path, *, writable: bool = True) -> StoreLocation:
    return StoreLocation(root, "OLLAMA_MODELS", True, True, writable)


async def opened(server: Server, *, writable: bool = True) -> LocalStoreAccess:
    root = server.store.root
    return await server_store_access(server, lambda: located(root, writable=writable))


async def test_a_server_and_its_store_are_recognised_by_their_models(root: Path) -> None:
    store = await opened(Server(root, *NAMES))
    assert store.place.has_server
    assert {model.name for model in (await store.usage()).models} == set(NAMES)


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ((*NAMES, "phi3:mini"), "the server lists phi3:mini, which is not in it"),
        (NAMES[:1], "hf.co/Some/Qwen:Q4 is in it, which the server does not list"),
        ((), "which the server does not list"),
    ],
)
async def test_a_store_with_other_models_is_not_the_servers(
    root: Path, names: tuple[str, ...], why: str
) -> None:
    with pytest.raises(Unsupported, match="is not the one of the server") as caught:
        await opened(Server(root, *names))
    assert why in caught.value.cause
    assert "OLLAMA_MODELS" in caught.value.actions[0]


async def test_a_broken_entry_that_the_server_does_not_list_tells_nothing(root: Path) -> None:
    (root / "manifests/registry.ollama.ai/library/llama3/cut").write_bytes(b"{")
    store = await opened(Server(root, *NAMES))
    kinds = {found.kind for found in await store.inspect()}
    assert FindingKind.UNUSABLE_MANIFEST in kinds


async def test_a_store_that_is_not_there_is_out_of_reach(tmp_path: Path) -> None:
    gone = tmp_path / "none"
    with pytest.raises(Unsupported, match="cannot be read") as caught:
        await server_store_access(Server(gone), lambda: store_at(gone, "the default"))
    assert "is not there" in caught.value.cause


async def test_a_server_cannot_be_robbed_of_what_it_may_be_at_work_on(root: Path) -> None:
    part = root / "blobs" / ("sha256-" + "a" * 64 + "-partial")
    part.write_bytes(b"x" * 9000)
    staged = claim(Store(root), "sha256:" + "b" * 64, 2_000_000, "mistral:7b")
    assert staged is not None
    staged.prepare()
    staged.close()
    store = await opened(Server(root, *NAMES))
    usage = await store.usage()
    old = usage.reclaimable(datetime.now(UTC) + timedelta(hours=2))
    servers = [item for item in old if item.name == part.name]
    with pytest.raises(Unsupported, match="belongs to a running server"):
        await store.reclaim(servers)
    assert await store.reclaim(old) > 0  # our own download goes, the server's stays
    assert [item.name for item in (await store.usage()).leftovers] == [part.name]
    assert await store.reclaim([]) == 0


async def test_a_missing_file_is_fetched_by_the_server(root: Path) -> None:
    blob = root / "blobs" / digest_of(LLAMA.layers["license"]).replace(":", "-")
    blob.unlink()
    server = Server(root, *NAMES)
    steps = [step async for step in (await opened(server)).repair("llama3")]
    assert steps[-1].phase is PullPhase.SUCCESS
    assert server.pulled == ["llama3"]
    assert blob.read_bytes() == LLAMA.layers["license"]


async def test_a_server_is_asked_for_plain_http_where_the_repair_is(root: Path) -> None:
    blob = root / "blobs" / digest_of(LLAMA.layers["license"]).replace(":", "-")
    blob.write_bytes(b"?" * len(LLAMA.layers["license"]))
    server = Server(root, *NAMES)
    name = "http://hf.co/Some/Qwen:Q4"
    with pytest.raises(StoreError) as caught:
        [step async for step in (await opened(server, writable=False)).repair(name)]
    assert server.pulled == [name]
    assert f"--repair {name}`" in caught.value.actions[0]


async def test_an_altered_file_is_removed_first_since_servers_never_look_into_it(
    root: Path,
) -> None:
    blob = root / "blobs" / digest_of(LLAMA.layers["license"]).replace(":", "-")
    blob.write_bytes(b"?" * len(LLAMA.layers["license"]))
    steps = [step async for step in (await opened(Server(root, *NAMES))).repair("llama3")]
    assert steps[-1].phase is PullPhase.SUCCESS
    assert blob.read_bytes() == LLAMA.layers["license"]


async def test_an_altered_file_that_may_not_be_touched_is_named_with_a_way_out(
    root: Path,
) -> None:
    blob = root / "blobs" / digest_of(LLAMA.layers["license"]).replace(":", "-")
    blob.write_bytes(b"?" * len(LLAMA.layers["license"]))
    store = await opened(Server(root, *NAMES), writable=False)
    with pytest.raises(StoreError, match="llama3:latest is still damaged") as caught:
        [step async for step in store.repair("llama3")]
    assert "was altered" in caught.value.cause
    assert blob.read_bytes().startswith(b"?")


async def test_a_file_that_may_not_be_read_is_not_taken_for_altered(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the system would say to anybody but root."""
    blob = root / "blobs" / digest_of(LLAMA.layers["license"]).replace(":", "-")

    def refused(self: Store, digest: str) -> None:
        raise StoreError("Could not read it", cause="Permission denied")

    monkeypatch.setattr(Store, "open_blob", refused)
    store = await opened(Server(root, *NAMES))
    with pytest.raises(StoreError, match="Could not read"):
        [step async for step in store.repair("llama3")]
    assert blob.exists()
    reasons = [found.reason for found in await store.inspect(verify=True)]
    assert any("cannot be read: Permission denied" in reason for reason in reasons)


async def test_progress_comes_on_the_event_loop_and_ends_with_all(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "TELL_EVERY_S", 0.0)
    seen: list[tuple[int, int]] = []
    store = await LocalProvider(root).open_store()
    await store.inspect(verify=True, on_progress=lambda *at: seen.append(at))
    total = (await store.usage()).blob_bytes
    assert seen == sorted(seen)
    assert seen[-1] == (total, total)
