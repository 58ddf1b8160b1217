"""A provider that is made on first use, so that reading configuration can wait for the screen."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import aclosing
from typing import TYPE_CHECKING

from ollm_tui.core.error import Unsupported
from ollm_tui.core.model import ModelDetails, ModelFile, ModelList, RunningModel
from ollm_tui.core.progress import PullStep
from ollm_tui.providers.base import (
    DiscardSupport,
    DiskSupport,
    FilesSupport,
    PlanSupport,
    Provider,
    RunningSupport,
    StoreAccess,
    StoreSupport,
)

if TYPE_CHECKING:
    from ollm_tui.core.plan import PullPlan


class DeferredProvider:
    """Stands for the provider that `make` returns, which is called once, in a thread.

    Every method may also raise what `make` raises: a `ConfigError`, above all.
    """

    def __init__(self, make: Callable[[], Provider]) -> None:
        self._make = make
        self._provider: Provider | None = None
        self._making = asyncio.Lock()

    @property
    def kind(self) -> str:
        """The provider's, once it is known."""
        return self._provider.kind if self._provider else ""

    @property
    def host(self) -> str:
        """The provider's, once it is known."""
        return self._provider.host if self._provider else ""

    async def version(self) -> str:
        return await (await self._made()).version()

    async def list_models(self) -> ModelList:
        return await (await self._made()).list_models()

    async def show(self, name: str) -> ModelDetails:
        return await (await self._made()).show(name)

    async def free_bytes(self) -> int | None:
        provider = await self._made()
        return await provider.free_bytes() if isinstance(provider, DiskSupport) else None

    async def files(self, name: str) -> tuple[ModelFile, ...]:
        provider = await self._made()
        if not isinstance(provider, FilesSupport):
            raise Unsupported(f"The {provider.kind} provider does not show its files")
        return await provider.files(name)

    async def pull(self, name: str) -> AsyncGenerator[PullStep, None]:
        async with aclosing((await self._made()).pull(name)) as steps:
            async for step in steps:
                yield step

    async def delete(self, name: str) -> None:
        await (await self._made()).delete(name)

    async def copy(self, source: str, destination: str) -> None:
        await (await self._made()).copy(source, destination)

    async def close(self) -> None:
        if self._provider is not None:
            await self._provider.close()

    async def running(self) -> tuple[RunningModel, ...]:
        return await (await self._runner()).running()

    async def load(self, name: str, keep_alive: str | float | None = None) -> None:
        await (await self._runner()).load(name, keep_alive)

    async def unload(self, name: str) -> None:
        await (await self._runner()).unload(name)

    async def plan(self, name: str) -> "PullPlan":
        provider = await self._made()
        if not isinstance(provider, PlanSupport):
            raise Unsupported(f"The {provider.kind} provider does not tell what a pull would fetch")
        return await provider.plan(name)

    async def freed_bytes(self, names: Collection[str]) -> int | None:
        provider = await self._made()
        return await provider.freed_bytes(names) if isinstance(provider, DiskSupport) else None

    def can_discard(self) -> bool:
        provider = self._provider
        if provider is None:
            return False
        return isinstance(provider, DiscardSupport) and provider.can_discard()

    async def discard(self, name: str) -> int:
        provider = await self._made()
        if not isinstance(provider, DiscardSupport):
            raise Unsupported(f"The {provider.kind} provider keeps what has arrived")
        return await provider.discard(name)

    async def stands_for(self) -> Provider:
        return await self._made()

    async def open_store(self) -> StoreAccess:
        provider = await self._made()
        if isinstance(provider, StoreSupport):
            return await provider.open_store()
        raise Unsupported(
            f"The {provider.kind} provider has no store on this machine",
            actions=("Ask for the one here with --provider local.",),
        )

    async def _runner(self) -> RunningSupport:
        provider = await self._made()
        if isinstance(provider, RunningSupport):
            return provider
        raise Unsupported(
            f"The {provider.kind} provider keeps no models in memory",
            actions=("Choose an Ollama server with --provider ollama.",),
        )

    async def _made(self) -> Provider:
        async with self._making:
            if self._provider is None:
                self._provider = await asyncio.to_thread(self._make)
            return self._provider
