"""A model store on this machine as a provider: no server, and downloads of its own.

Joins the parts beside it: what is in the store, what a registry has, and the transfers between.

Source: reference/ollama.md 4, 8.4; rulings Z1, Z19, Z21, Z25.
"""

import asyncio
import contextlib
import functools
import time
from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ollm_tui.core.error import DeleteFailed, DownloadFailed, ModelNotFound
from ollm_tui.core.model import ModelDetails, ModelFile, ModelList
from ollm_tui.core.name import ModelName, name_key, parse_name, parse_reference
from ollm_tui.core.plan import PullPlan
from ollm_tui.core.progress import PullPhase, PullStep
from ollm_tui.core.store import Leftover, LeftoverKind
from ollm_tui.providers.local.attempt import TransferPolicy
from ollm_tui.providers.local.auth import Credentials
from ollm_tui.providers.local.manifest import Blob, Config, Manifest, parse_config
from ollm_tui.providers.local.notice import notice
from ollm_tui.providers.local.pool import TransferPool
from ollm_tui.providers.local.publish import copy_model, publish_model
from ollm_tui.providers.local.rate import RateLimit
from ollm_tui.providers.local.reader import ModelReader, blob_damage
from ollm_tui.providers.local.removal import freed_bytes, remove_blob, remove_model
from ollm_tui.providers.local.stop import Stopped, StopSignal
from ollm_tui.providers.local.store import Store
from ollm_tui.providers.local.thread import in_store, in_thread, notify
from ollm_tui.providers.local.transfer import BlobSource, Transfer
from ollm_tui.providers.local.usage import leftovers, reclaim

if TYPE_CHECKING:
    from ollm_tui.providers.base import StoreAccess
    from ollm_tui.providers.local.registry import Registry

STEP_EVERY_S = 0.1
CLOSE_TIMEOUT_S = 1.0
_PUBLISH_TRIES = 3
_PLAN_TRIES = 2
_DISCARD_POLL_S = 0.05
_CONFIG_LIMIT_BYTES = 1024 * 1024

_Result = TypeVar("_Result")


class LocalProvider:
    """One model store. Implements Provider and every optional part but those of a server.

    Args:
        root: the store's directory; it need not exist yet.
        source: why this one, for people.
        ca_file: certificate authorities to trust beside the usual ones.
        credentials: of registries, by host or host:port.
        server_version: of the Ollama that will run the models; empty if there is none.
        bytes_per_s: all downloads together; None = no limit.
    """

    def __init__(
        self,
        root: Path,
        *,
        source: str = "the setting",
        ca_file: str | None = None,
        credentials: Mapping[str, Credentials] | None = None,
        server_version: str = "",
        bytes_per_s: float | None = None,
        policy: TransferPolicy | None = None,
    ) -> None:
        self._policy = policy or TransferPolicy()
        self._why_here = source
        self._ca_file = ca_file
        self._credentials = credentials
        self._server_version = server_version
        self.store = Store(root)
        self.limit = RateLimit(bytes_per_s)
        self._reader = ModelReader(self.store)
        self._pool = TransferPool(self.store, self._policy, self.limit)
        self._opened: Registry | None = None
        self._fetched: dict[str, frozenset[str]] = {}  # digests, of pulls that did not succeed

    @property
    def kind(self) -> str:
        """Always "local"."""
        return "local"

    @property
    def host(self) -> str:
        """The store's directory, for people."""
        return self.store.display

    async def version(self) -> str:
        """Always empty: there is no server that could have one."""
        return ""

    async def list_models(self) -> ModelList:
        """The models in the store, newest first."""
        return await self._in_store(self._reader.list_models)

    async def show(self, name: str) -> ModelDetails:
        """All about one model.

        Raises:
            ModelNotFound: it is not in the store.
            StoreError: it is, and is damaged.
        """
        return await self._in_store(lambda: self._reader.details(name))

    async def files(self, name: str) -> tuple[ModelFile, ...]:
        """The files of a model, the largest first, and who shares them.

        Raises:
            ModelNotFound: it is not in the store.
            StoreError: its manifest is damaged.
        """
        return await self._in_store(lambda: self._reader.files(name))

    async def delete(self, name: str) -> None:
        """Remove a model and the files that were its alone.

        Raises:
            ModelNotFound: it is not in the store.
            DeleteFailed: it is not listed any more, but its files stay.
        """
        removal = await self._in_store(lambda: remove_model(self.store, name))
        if removal.kept_because:
            raise DeleteFailed(
                f"{name} is not listed any more, but its files stay",
                cause=removal.kept_because,
                actions=("Repair or delete the broken entry, then reclaim the space.",),
            )

    async def copy(self, source: str, destination: str) -> None:
        """Give a model a second name; one that has it already is replaced.

        Raises:
            ModelNotFound: `source` is not in the store.
            InvalidName: `destination` cannot be a name.
        """
        target = parse_name(destination)
        await self._in_store(lambda: copy_model(self.store, source, target))

    async def plan(self, name: str) -> PullPlan:
        """What a pull of `name` would fetch; asks the registry for the manifest only.

        Raises:
            ModelNotFound: the registry has no such model.
            DownloadFailed: the registry refuses or does not answer.
        """
        reference = parse_reference(name)
        registry = await self._registry()
        manifest = await in_thread(
            lambda stop: registry.manifest(reference, stop, tries=_PLAN_TRIES)
        )
        return await self._in_store(lambda: self._plan(reference, manifest))

    async def free_bytes(self) -> int | None:
        """How much more can be written; what is set aside and not written yet counts as free."""
        return await self._in_store(lambda: self.store.free_bytes + self._pool.set_aside_bytes)

    async def freed_bytes(self, names: Collection[str]) -> int | None:
        """What deleting all these models frees; None while a manifest cannot be read."""
        return await self._in_store(lambda: freed_bytes(self.store, names))

    async def pull(self, name: str) -> AsyncGenerator[PullStep, None]:
        """Download a model; the last step is SUCCESS or the iterator raises.

        Closing or cancelling ends it at once; what has arrived stays for the next time. A model
        that is here already is checked by size only: `repair` also hashes.

        Raises:
            ModelNotFound: the registry has no such model.
            NotEnoughSpace: the disk is too full.
            DownloadFailed: the registry refuses, does not answer, or sends something else.
        """
        reference = parse_reference(name)
        yield PullStep(PullPhase.RESOLVING, f"asking {reference.host}")
        manifest = await self._manifest(reference)
        async with contextlib.aclosing(self._bring(reference, manifest)) as steps:
            async for step in steps:
                yield step

    def can_discard(self) -> bool:
        """Always: what has arrived is ours."""
        return True

    async def discard(self, name: str) -> int:
        """Remove what has arrived of a model that is not complete; returns the bytes freed.

        Files that have arrived whole go, too, if a pull of this run fetched them and no other
        needs them. A transfer that is just being ended is waited for.
        """
        key = parse_reference(name).key
        own = self._fetched.pop(key, frozenset()) - self._pool.wanted_digests

        def is_mine(item: Leftover) -> bool:
            is_part = item.kind is LeftoverKind.DOWNLOAD
            return (is_part and name_key(item.model) == key) or (
                (is_part or item.kind is LeftoverKind.ORPHAN) and item.digest in own
            )

        def remove(stop: StopSignal) -> int:
            end_s = time.monotonic() + CLOSE_TIMEOUT_S
            while True:
                mine = [item for item in leftovers(self.store) if is_mine(item)]
                if time.monotonic() > end_s or not any(item.is_active for item in mine):
                    return reclaim(self.store, mine)
                stop.wait(_DISCARD_POLL_S)

        return await in_thread(remove)

    async def repair(self, name: str) -> AsyncGenerator[PullStep, None]:
        """Hash every file of a model in the store, and fetch again only those that are bad.

        Nothing is removed before the registry has said that it has the model.

        Raises:
            ModelNotFound: it is not in the store.
            DownloadFailed: as `pull`.
        """
        from ollm_tui.providers.local.inspection import is_altered

        entry = await self._in_store(lambda: self.store.find(name))
        manifest = entry.manifest or await self._manifest(entry.name)
        altered = []
        for blob in manifest.blobs:
            yield PullStep(PullPhase.VERIFYING, f"checking {blob.short_digest}")
            if await in_store(self.store, functools.partial(is_altered, self.store, blob)):
                altered.append(blob.digest)
        if altered and entry.manifest:
            yield PullStep(PullPhase.RESOLVING, f"asking {entry.name.host}")
            await self._manifest(entry.name)
        for digest in altered:
            await self._in_store(functools.partial(remove_blob, self.store, digest))
        async with contextlib.aclosing(self._bring(entry.name, manifest)) as steps:
            async for step in steps:
                yield step

    async def open_store(self) -> "StoreAccess":
        """The store, which is this provider's own."""
        from ollm_tui.providers.local.access import store_access

        return await self._in_store(lambda: store_access(self.store, self._why_here, self.repair))

    async def close(self) -> None:
        """End every transfer, and let go of every connection; what has arrived stays."""
        registry, self._opened = self._opened, None

        def end(_: StopSignal) -> None:
            self._pool.stop(CLOSE_TIMEOUT_S)
            if registry is not None:
                registry.close()

        await in_thread(end)

    async def _bring(self, name: ModelName, manifest: Manifest) -> AsyncGenerator[PullStep, None]:
        """Have every file of a manifest, then list it."""
        reservation = object()
        self._fetched[name.key] = frozenset(blob.digest for blob in manifest.blobs)
        try:
            await self._in_store(lambda: self._pool.reserve(reservation, manifest.blobs))
            total_bytes = sum(blob.size_bytes for blob in manifest.blobs)
            words = f"{len(manifest.blobs)} files"
            yield PullStep(PullPhase.RESOLVING, words, total_bytes=total_bytes)
            missing: tuple[Blob, ...] = manifest.blobs
            for _ in range(_PUBLISH_TRIES):
                for blob in missing:
                    async with contextlib.aclosing(self._fetch(name, blob)) as steps:
                        async for step in steps:
                            yield step
                    if blob == manifest.config:
                        config = await self._in_store(lambda: self._config(manifest))
                        if told := notice(name, manifest, config, self._server_version):
                            yield PullStep(PullPhase.RESOLVING, told)
                yield PullStep(PullPhase.VERIFYING, "checking that every file is here")
                yield PullStep(PullPhase.FINISHING, "listing the model")
                missing = await self._in_store(lambda: publish_model(self.store, name, manifest))
                if not missing:
                    self._fetched.pop(name.key, None)
                    yield PullStep(PullPhase.SUCCESS, "success")
                    return
        finally:
            self._pool.release(reservation)
        raise DownloadFailed(
            f"Could not download {name.short}",
            cause=f"somebody removes its {missing[0].kind} from the store again and again",
        )

    async def _fetch(self, name: ModelName, blob: Blob) -> AsyncGenerator[PullStep, None]:
        """Have one blob, and tell how it goes."""

        def step(completed_bytes: int, note: str = "") -> PullStep:
            detail = f"{blob.kind or 'file'} {blob.short_digest}"
            return PullStep(
                PullPhase.TRANSFERRING,
                f"{detail}: {note}" if note else detail,
                layer=blob.digest,
                total_bytes=blob.size_bytes,
                completed_bytes=completed_bytes,
            )

        if not await self._in_store(lambda: blob_damage(self.store, blob)):
            yield step(blob.size_bytes)
            return
        source = await self._source(name)
        again = f"http://{name.canonical}" if name.is_plain_http else name.short
        transfer = self._pool.join(blob, source, again)
        try:
            async for _ in _until_done(transfer):
                yield step(min(transfer.completed_bytes, blob.size_bytes), transfer.note)
        finally:
            self._pool.leave(transfer)
        if isinstance(transfer.error, Stopped):
            raise DownloadFailed(f"Could not download {name.short}", cause="it was stopped")
        if transfer.error is not None:
            raise transfer.error
        yield step(blob.size_bytes)

    async def _manifest(self, name: ModelName) -> Manifest:
        registry = await self._registry()
        return await in_thread(lambda stop: registry.manifest(name, stop))

    async def _source(self, name: ModelName) -> BlobSource:
        registry = await self._registry()

        return functools.partial(registry.open_blob, name)

    async def _registry(self) -> "Registry":
        if self._opened is None:
            self._opened = await in_thread(lambda _: self._open_registry())
        return self._opened

    def _open_registry(self) -> "Registry":
        from ollm_tui.providers.local.registry import Registry

        return Registry(self._policy, ca_file=self._ca_file, credentials=self._credentials)

    def _plan(self, name: ModelName, manifest: Manifest) -> PullPlan:
        missing = [blob for blob in manifest.blobs if blob_damage(self.store, blob)]
        listed = ""
        with contextlib.suppress(ModelNotFound):
            entry = self.store.find(name.canonical)
            listed = entry.manifest.digest if entry.manifest else ""
        return PullPlan(
            name=name.short,
            digest=manifest.digest,
            is_current=listed == manifest.digest and not missing,
            total_bytes=sum(blob.size_bytes for blob in manifest.blobs),
            missing_bytes=sum(blob.size_bytes for blob in missing),
        )

    def _config(self, manifest: Manifest) -> Config:
        return parse_config(self.store.read_blob(manifest.config.digest, _CONFIG_LIMIT_BYTES))

    async def _in_store(self, work: Callable[[], _Result]) -> _Result:
        return await in_store(self.store, lambda _: work())


async def _until_done(transfer: Transfer) -> AsyncGenerator[None, None]:
    """Yield about ten times a second until a transfer has ended."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    transfer.when_done(lambda: notify(loop, done))
    while not transfer.is_done:
        yield
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STEP_EVERY_S):
                await done.wait()
