"""A provider on an empty store, and a registry that fails on demand."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from ollm_tui.providers.local.attempt import TransferPolicy
from ollm_tui.providers.local.provider import LocalProvider
from tests.faulty_registry import FaultyRegistry, faulty_registry

EAGER = TransferPolicy(
    connect_timeout_s=2, stall_s=0.2, tries=3, backoff_s=0, buffer_bytes=64 * 1024, sync_bytes=10**6
)
"""Waits for nothing longer than a test may."""


@pytest.fixture
def registry() -> Iterator[FaultyRegistry]:
    """The registry."""
    with faulty_registry() as running:
        yield running


@pytest.fixture
async def provider(tmp_path: Path) -> AsyncIterator[LocalProvider]:
    """The provider."""
    local = LocalProvider(tmp_path / "models", policy=EAGER)
    yield local
    await local.close()
