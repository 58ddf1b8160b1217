"""What can be learnt about a server without asking it: from registries, and from its store.

The server neither announces how large a model is nor how much room its disk has. A registry's
manifest says the one; the disk of its store says the other, where the server is on this machine.
Everything blocks but `ServerSide`'s methods, which ask in threads.

Source: reference/ollama.md 3.2 and 4.4; rulings Z21 and Z25.
"""

import threading
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ollm_tui.core.error import OllmError, StoreError, Unsupported
from ollm_tui.core.model import ModelList
from ollm_tui.core.name import ModelName, name_key, parse_reference
from ollm_tui.core.plan import PullPlan
from ollm_tui.providers.local.thread import in_thread

if TYPE_CHECKING:
    from ollm_tui.providers.local.auth import Credentials
    from ollm_tui.providers.local.location import StoreLocation
    from ollm_tui.providers.local.manifest import Manifest
    from ollm_tui.providers.local.registry import Registry
    from ollm_tui.providers.local.stop import StopSignal
    from ollm_tui.providers.local.store import Store

CONNECT_TIMEOUT_S = 3.0
ANSWER_TIMEOUT_S = 10.0
TRIES = 2


class ServerSide:
    """Registries, and the disk of one server.

    Args:
        asks_registries: whether manifests may be read from here at all.
        locate_store: where the server's store would be; None = it is on another machine.
        ca_file: certificate authorities to trust beside the usual ones.
        credentials: of registries, by host or host:port.
    """

    def __init__(
        self,
        *,
        asks_registries: bool,
        locate_store: "Callable[[], StoreLocation] | None",
        ca_file: str | None,
        credentials: "Mapping[str, Credentials]",
    ) -> None:
        self._asks_registries = asks_registries
        self._locate_store = locate_store
        self._ca_file = ca_file
        self._credentials = credentials
        self._lock = threading.Lock()
        self._registry: Registry | None = None
        self._checked: tuple[ModelList | None, Store | None] = (None, None)

    async def plan(self, name: str, listed: ModelList | None) -> PullPlan:
        """What a pull would fetch.

        Args:
            listed: what the server said last.

        Raises:
            InvalidName, ModelNotFound, DownloadFailed, ProviderGarbled.
            Unsupported: registries are not asked from here.
        """
        reference = parse_reference(name)
        if not self._asks_registries:
            raise Unsupported(
                "Registries are not asked from here",
                cause="OLLM_NO_REGISTRY leaves them to the server, and the demo has none",
                actions=("Start it without OLLM_NO_REGISTRY and without --demo.",),
            )

        def read(stop: "StopSignal") -> PullPlan:
            manifest = self._open().manifest(reference, stop)
            return _plan(reference, manifest, self._store(listed), listed)

        return await in_thread(read)

    async def free_bytes(self, listed: ModelList | None) -> int | None:
        """What the disk of the server's store has left; None = it cannot be seen."""

        def look(_: "StopSignal") -> int | None:
            store = self._store(listed)
            try:
                return None if store is None else store.free_bytes
            except OSError:  # it has gone since
                return None

        return await in_thread(look)

    async def freed_bytes(self, names: Collection[str], listed: ModelList | None) -> int | None:
        """What deleting these models frees; None = the server's store cannot be read."""
        from ollm_tui.providers.local.removal import freed_bytes

        def look(_: "StopSignal") -> int | None:
            store = self._store(listed)
            try:
                return None if store is None else freed_bytes(store, names)
            except (OSError, StoreError):  # it has gone since
                return None

        return await in_thread(look)

    async def close(self) -> None:
        """Let go of every connection."""
        registry, self._registry = self._registry, None
        if registry is not None:
            await in_thread(lambda _: registry.close())

    # In a thread.

    def _open(self) -> "Registry":
        from ollm_tui.providers.local.attempt import TransferPolicy
        from ollm_tui.providers.local.registry import Registry

        with self._lock:
            if self._registry is None:
                policy = TransferPolicy(
                    connect_timeout_s=CONNECT_TIMEOUT_S, stall_s=ANSWER_TIMEOUT_S, tries=TRIES
                )
                self._registry = Registry(
                    policy, ca_file=self._ca_file, credentials=self._credentials
                )
            return self._registry

    def _store(self, listed: ModelList | None) -> "Store | None":
        """The server's store, if one is here that has what the server lists."""
        if self._locate_store is None or listed is None:
            return None
        with self._lock:
            if self._checked[0] is not listed:
                self._checked = (listed, _store_of(listed, self._locate_store().path))
            return self._checked[1]


def _store_of(listed: ModelList, path: Path) -> "Store | None":
    """The store at `path` if every model of the list is in it, one at least byte for byte.

    A server has its own environment, so a store that merely lies in the usual place may be
    another's.
    """
    from ollm_tui.providers.local.store import Store

    store = Store(path)
    digests = {name_key(model.name): model.digest for model in listed.models}
    try:
        found = {entry.name.key: entry.manifest for entry in store.scan().entries}
    except (OSError, OllmError):
        return None
    is_same = any(
        manifest is not None and manifest.digest == digests.get(key)
        for key, manifest in found.items()
    )
    return store if is_same and digests.keys() <= found.keys() else None


def _plan(
    name: ModelName, manifest: "Manifest", store: "Store | None", listed: ModelList | None
) -> PullPlan:
    models = listed.models if listed else ()
    local = next((model.digest for model in models if name_key(model.name) == name.key), "")
    missing = list(manifest.blobs)
    is_current = local == manifest.digest
    if store is not None:
        missing = [blob for blob in missing if store.blob_size(blob.digest) != blob.size_bytes]
        is_current = (is_current or _has_same_files(store, name, manifest)) and not missing
    return PullPlan(
        name=name.short,
        digest=manifest.digest,
        is_current=is_current,
        total_bytes=sum(blob.size_bytes for blob in manifest.blobs),
        missing_bytes=sum(blob.size_bytes for blob in missing),
    )


def _has_same_files(store: "Store", name: ModelName, manifest: "Manifest") -> bool:
    """Whether the model installed has the same files, whatever its manifest looks like.

    Servers before 0.19 wrote manifests anew, so that their digest is not the registry's.
    """
    try:
        entry = store.find(name.canonical)
    except (OSError, OllmError):
        return False
    own = entry.manifest.blobs if entry.manifest else ()
    return {blob.digest for blob in own} == {blob.digest for blob in manifest.blobs}
