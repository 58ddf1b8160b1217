"""The store on disk behind a provider: what it takes, what is wrong with it, repairs, leftovers.

Asks only when told to: reading a store of hundreds of models takes a while, and few look at it.
What a store consists of is loaded then, too, since this module is there before the first frame.
"""

from __future__ import annotations  # most types are needed only once somebody looks

from contextlib import aclosing
from typing import TYPE_CHECKING

from ollm_tui.core.error import OllmError, StoreError, Unsupported
from ollm_tui.core.event import StoreState
from ollm_tui.core.progress import PullPhase, PullStep
from ollm_tui.providers.base import Provider, StoreAccess, StoreSupport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from ollm_tui.core.diagnosis import StoreReport
    from ollm_tui.core.store import DiskUsage, Leftover, StorePlace


class ModelStore:
    """The store of one provider.

    Args:
        provider: whose.
        on_change: told every new state.
        now: the wall clock, for the age of leftovers.
    """

    def __init__(
        self,
        provider: Provider,
        *,
        on_change: Callable[[StoreState], None],
        now: Callable[[], datetime],
    ) -> None:
        self._provider = provider
        self._on_change = on_change
        self._now = now
        self.state = StoreState()
        """The store as last seen; empty until `refresh`."""

    async def refresh(self) -> None:
        """Measure the store. What fails is published, not raised."""
        self._publish(self.state._replace(loading=True))
        try:
            access = await self._open()
            usage = await access.usage()
        except OllmError as error:
            self._publish(self.state._replace(loading=False, error=error))
        else:
            self._publish(StoreState(access.place, usage))

    async def inspect(
        self, *, verify: bool = False, on_progress: Callable[[int, int], None] | None = None
    ) -> StoreReport:
        """Look through the store.

        Args:
            verify: also hash every file, which reads all of them.
            on_progress: called meanwhile with the bytes done and all of them.

        Raises:
            Unsupported: the provider has no store within reach; with the reason.
            ProviderError: it does not answer, or the store cannot be read.
        """
        from ollm_tui.core.diagnosis import StoreReport

        access = await self._open()
        findings = await access.inspect(verify=verify, on_progress=on_progress)
        usage = await access.usage()
        self._publish(StoreState(access.place, usage))
        old = self._removable(access.place, usage)
        return StoreReport(access.place, usage, findings, old, is_verified=verify)

    async def repair(
        self, name: str, on_step: Callable[[PullStep], None] = lambda step: None
    ) -> None:
        """Hash every file of a model, and fetch again only those that are bad.

        Raises:
            ModelNotFound: it is not in the store.
            DownloadFailed: the registry refuses, does not answer, or sends something else.
            StoreError: it is still damaged.
        """
        access = await self._open()
        is_done = False
        async with aclosing(access.repair(name)) as steps:
            async for step in steps:
                is_done = step.phase is PullPhase.SUCCESS
                on_step(step)
        if not is_done:
            raise StoreError(f"The repair of {name} ended before it was done")

    async def reclaim(self, items: Sequence[Leftover]) -> int:
        """Remove leftovers that were shown and are still such; returns the bytes freed.

        Raises:
            Unsupported: a server owns the store and tidies up by itself.
            StoreError: the store cannot be written to.
        """
        freed_bytes = await (await self._open()).reclaim(items)
        await self.refresh()
        return freed_bytes

    async def _open(self) -> StoreAccess:
        if not isinstance(self._provider, StoreSupport):
            raise Unsupported(
                f"The {self._provider.kind} provider has no store on this machine",
                actions=("Ask for the one here with --provider local.",),
            )
        return await self._provider.open_store()

    def _removable(self, place: StorePlace, usage: DiskUsage) -> tuple[Leftover, ...]:
        """What can be reclaimed; of a server's store only what is ours."""
        from ollm_tui.core.store import LeftoverKind

        return tuple(
            item
            for item in usage.reclaimable(self._now())
            if not place.has_server or item.kind is LeftoverKind.DOWNLOAD
        )

    def _publish(self, state: StoreState) -> None:
        if state != self.state:
            self.state = state
            self._on_change(state)
