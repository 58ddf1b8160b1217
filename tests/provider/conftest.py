"""A loopback server and a provider that talks to it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from ollm_tui.providers.ollama import OllamaProvider
from tests.provider.loopback import LoopbackServer


@pytest.fixture
async def server() -> AsyncIterator[LoopbackServer]:
    """A server on a free port of this machine."""
    loopback = LoopbackServer()
    connections: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        await loopback.serve(reader, writer)

    listener = await asyncio.start_server(connected, "127.0.0.1", 0)
    loopback.port = listener.sockets[0].getsockname()[1]
    yield loopback
    listener.close()
    for task in connections:
        task.cancel()
    await asyncio.gather(*connections, return_exceptions=True)
    await listener.wait_closed()


@pytest.fixture
async def provider(server: LoopbackServer) -> AsyncIterator[OllamaProvider]:
    """A provider that talks to the server."""
    ollama = OllamaProvider(server.address)
    yield ollama
    await ollama.close()
