"""A service on a provider and a clock that the test moves; nothing of it is left at the end."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from ollm_tui.service.service import ModelService
from tests.unit.service.fake import FakeClock, FakeProvider, Recorder, make_service, model


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider(model("llama3.1:8b"), model("phi3:mini"))


@pytest.fixture
async def service(provider: FakeProvider, clock: FakeClock) -> AsyncIterator[ModelService]:
    service = make_service(provider, clock)
    yield service
    await service.close()
    assert provider.is_closed
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.fixture
def recorder(service: ModelService) -> Recorder:
    recorder = Recorder()
    service.subscribe(recorder)
    return recorder
