"""A model store for those who look after it: measured, inspected, repaired and tidied up.

The same for a store of our own and for one that a server on this machine owns. The latter is only
read, but for a file that is proven bad: a server never looks into files that it already has.

Source: reference/ollama.md 4.1, 4.4, 4.5 and 4.6.
"""

import asyncio
import functools
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress
from typing import TypeVar

from ollm_tui.core.error import StoreError, Unsupported
from ollm_tui.core.model import ModelList
from ollm_tui.core.name import name_key
from ollm_tui.core.progress import PullPhase, PullStep
from ollm_tui.core.store import DiskUsage, Finding, Leftover, LeftoverKind, StorePlace
from ollm_tui.core.text import clean_line
from ollm_tui.providers.base import Provider
from ollm_tui.providers.local.inspection import drop_altered, inspect_store, is_altered
from ollm_tui.providers.local.location import StoreLocation, store_at
from ollm_tui.providers.local.reader import damage
from ollm_tui.providers.local.stop import StopSignal
from ollm_tui.providers.local.store import Store
from ollm_tui.providers.local.thread import in_store
from ollm_tui.providers.local.usage import disk_usage, reclaim

Repair = Callable[[str], AsyncGenerator[PullStep, None]]

TELL_EVERY_S = 0.1
_NAME_IT = "Name the server's store with OLLAMA_MODELS, then ask again."
_Result = TypeVar("_Result")


class LocalStoreAccess:
    """One model store. Implements StoreAccess.

    Args:
        repair: makes a model whole.
    """

    def __init__(self, store: Store, place: StorePlace, repair: Repair) -> None:
        self._store = store
        self._place = place
        self._repair = repair

    @property
    def place(self) -> StorePlace:
        """Which store it is."""
        return self._place

    async def usage(self) -> DiskUsage:
        """What it takes on disk, and what in it is part of no model."""
        return await in_store(self._store, lambda _: disk_usage(self._store))

    async def inspect(
        self, *, verify: bool = False, on_progress: Callable[[int, int], None] | None = None
    ) -> tuple[Finding, ...]:
        """Everything that is wrong with it; see StoreAccess."""
        tell = _from_thread(on_progress) if on_progress else _nobody

        def work(stop: StopSignal) -> tuple[Finding, ...]:
            return inspect_store(
                self._store,
                verify=verify,
                needs_write=not self._place.has_server,
                on_progress=tell,
                stop=stop,
            )

        return await in_store(self._store, work)

    async def repair(self, name: str) -> AsyncGenerator[PullStep, None]:
        """Hash every file of a model and fetch only those that are bad."""
        async with aclosing(self._repair(name)) as steps:
            async for step in steps:
                yield step

    async def reclaim(self, items: Sequence[Leftover]) -> int:
        """Remove leftovers; of a server's store our own downloads only."""
        if self._place.has_server:
            own = [item for item in items if item.kind is LeftoverKind.DOWNLOAD]
            if items and not own:
                raise Unsupported(
                    f"The store {self._place.path} belongs to a running server",
                    cause="only the server knows what it is at work on",
                    actions=(
                        "Restart the server: it removes what is left over for an hour or more, "
                        "unless a broken manifest or a stray file keeps it from that.",
                    ),
                )
            items = own
        return await in_store(self._store, lambda _: reclaim(self._store, items))


def store_access(store: Store, source: str, repair: Repair) -> LocalStoreAccess:
    """The store of a provider that has it for itself; blocks."""
    return LocalStoreAccess(store, _place(store_at(store.root, source)), repair)


async def server_store_access(
    server: Provider, locate: Callable[[], StoreLocation]
) -> LocalStoreAccess:
    """The store of a server on this machine.

    Raises:
        Unsupported: there is none that can be read, or it is another's.
        ProviderError: the server does not say what it has.
    """
    listed = await server.list_models()
    location = await asyncio.to_thread(locate)
    path = clean_line(str(location.path))
    if not location.is_readable:
        raise Unsupported(
            f"The store of the server at {server.host} cannot be read",
            cause=f"{path} ({location.source}) "
            + ("may not be entered" if location.exists else "is not there"),
            actions=(_NAME_IT, "Run this as a user who may read the store."),
        )
    store = Store(location.path)
    if reason := await in_store(store, lambda _: _differs(store, listed)):
        raise Unsupported(
            f"The store {path} is not the one of the server at {server.host}",
            cause=reason,
            actions=(_NAME_IT, "`--provider local` looks after this store without a server."),
        )
    return LocalStoreAccess(
        store,
        _place(location, has_server=True),
        functools.partial(_repair_by_server, server, store, location),
    )


async def _repair_by_server(
    server: Provider, store: Store, location: StoreLocation, name: str
) -> AsyncGenerator[PullStep, None]:
    """Take away what is proven bad, if we may, and have the server fetch what is missing."""
    entry = await in_store(store, lambda _: store.find(name))
    stuck = ""
    for blob in entry.manifest.blobs if entry.manifest else ():
        yield PullStep(PullPhase.VERIFYING, f"checking {blob.short_digest}")
        judge = drop_altered if location.is_writable else is_altered
        is_bad = await in_store(store, functools.partial(judge, store, blob))
        if is_bad and not location.is_writable:
            stuck = f"its {blob.kind or 'file'} {blob.short_digest} was altered"
    async with aclosing(server.pull(name)) as steps:
        async for step in steps:
            if step.phase is not PullPhase.SUCCESS:
                yield step
    left = stuck or await in_store(store, lambda _: damage(store, store.find(name)))
    if left:
        again = f"http://{entry.name.short}" if entry.name.is_plain_http else entry.name.short
        raise StoreError(
            f"{entry.name.short} is still damaged",
            cause=f"{left}; the server never looks into files that it already has",
            actions=(
                f"Run `ollm-tui doctor --repair {again}` as a user who may write to "
                f"{store.display}.",
                "Or remove that file there by hand, then pull the model again.",
            ),
        )
    yield PullStep(PullPhase.SUCCESS, "success")


def _differs(store: Store, listed: ModelList) -> str:
    """Why a store cannot be the one that a server lists; empty if it is."""
    scan = store.scan()
    there = {entry.name.key for entry in scan.entries}
    whole = {entry.name.key: entry.name.short for entry in scan.entries if not damage(store, entry)}
    served = {name_key(model.name): model.display_name for model in listed.models}
    for key, name in served.items():
        if key not in there:
            return f"the server lists {name}, which is not in it"
    for key, name in whole.items():
        if key not in served and not listed.problems:
            return f"{name} is in it, which the server does not list"
    return ""


def _place(location: StoreLocation, *, has_server: bool = False) -> StorePlace:
    return StorePlace(
        path=clean_line(str(location.path)),
        source=location.source,
        exists=location.exists,
        is_writable=location.is_writable,
        has_server=has_server,
    )


def _nobody(done_bytes: int, total_bytes: int) -> None:
    """Told and forgotten."""


def _from_thread(on_progress: Callable[[int, int], None]) -> Callable[[int, int], None]:
    """Have a listener of the event loop called from another thread, not more often than needed."""
    loop = asyncio.get_running_loop()
    last_s = 0.0

    def tell(done_bytes: int, total_bytes: int) -> None:
        nonlocal last_s
        now_s = time.monotonic()
        if now_s - last_s >= TELL_EVERY_S or done_bytes >= total_bytes:
            last_s = now_s
            with suppress(RuntimeError):  # the loop has ended: nobody waits any more
                loop.call_soon_threadsafe(on_progress, done_bytes, total_bytes)

    return tell
