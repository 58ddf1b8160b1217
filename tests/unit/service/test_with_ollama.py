"""The service on the real provider and a made-up server, over loopback."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from ollm_tui.core.error import (
    DeleteFailed,
    DownloadFailed,
    ModelInUse,
    ModelNotFound,
    ProviderGarbled,
)
from ollm_tui.core.event import ServerHealth
from ollm_tui.core.model import ModelStatus
from ollm_tui.core.progress import ProgressEvent, PullState
from ollm_tui.providers.ollama import OllamaProvider
from ollm_tui.sandbox.faults import PullMode
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.sandbox.timing import INSTANT
from ollm_tui.service.service import ModelService
from tests.unit.service.fake import Recorder

NEW = "qwen3:4b"
OLD = "llama3.2:3b"


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    with SandboxServer(timing=INSTANT) as server:
        yield server


@pytest.fixture
async def service(server: SandboxServer) -> AsyncIterator[ModelService]:
    service = ModelService(OllamaProvider(server.url))
    yield service
    await service.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_pull_is_told_listed_and_shown(
    server: SandboxServer, service: ModelService, recorder: Recorder
) -> None:
    assert await service.get_model_status(NEW) is ModelStatus.NOT_FOUND
    await service.pull_model(NEW, recorder.on_progress)
    assert await service.get_model_status(NEW) is ModelStatus.AVAILABLE
    details = await service.show_model(NEW)
    listed = {model.name: model for model in service.models.models}[NEW]
    assert (details.info.size_bytes, details.info.digest) == (listed.size_bytes, listed.digest)
    last = recorder.progress[-1]
    assert (last.status, last.percentage) == (PullState.COMPLETE, 100.0)
    assert last.downloaded_bytes == last.total_bytes > 0


@pytest.mark.parametrize(
    "mode",
    [
        PullMode.NO_BLOB_EVENTS,
        PullMode.BACKWARDS,
        PullMode.CACHED,
        PullMode.TENSOR,
        PullMode.JUNK_LINE,
        PullMode.SPLIT_UTF8,
        PullMode.NO_FINAL_NEWLINE,
    ],
)
async def test_odd_but_good_streams_complete_and_never_fall(
    server: SandboxServer, service: ModelService, recorder: Recorder, mode: PullMode
) -> None:
    server.faults.pull(mode, at_bytes=10**9)
    await service.pull_model(NEW, recorder.on_progress)
    percentages = [event.percentage for event in recorder.progress]
    assert percentages == sorted(percentages)
    assert recorder.finals == [PullState.COMPLETE]


async def test_a_pull_of_nothing_says_so(server: SandboxServer, service: ModelService) -> None:
    with pytest.raises(ModelNotFound):
        await service.pull_model("nowhere:1b")


async def test_a_full_disk_is_not_tried_again(server: SandboxServer, service: ModelService) -> None:
    server.faults.pull(PullMode.ERROR, text="write: no space left on device")
    with pytest.raises(DownloadFailed, match="no space left"):
        await service.pull_model(NEW)
    assert server.count("/api/pull") == 1


async def test_cancelling_closes_the_servers_stream_and_the_next_pull_goes_on(
    server: SandboxServer, service: ModelService
) -> None:
    gate = server.faults.hold_pull(NEW)
    gate.release(5)
    seen: asyncio.Queue[ProgressEvent] = asyncio.Queue()
    number = service.enqueue(NEW, seen.put_nowait)
    while (await seen.get()).downloaded_bytes == 0:
        pass
    await service.cancel(number)
    assert server.partial_bytes
    gate.open()
    await service.pull_model(NEW)
    assert await service.get_model_status(NEW) is ModelStatus.AVAILABLE


async def test_a_loaded_model_is_guarded_until_it_has_left(
    server: SandboxServer, service: ModelService
) -> None:
    await service.list_models()
    server.load(OLD)  # by somebody else
    with pytest.raises(ModelInUse):
        await service.delete_model(OLD)
    await service.unload(OLD)
    await service.delete_model(OLD)
    assert await service.get_model_status(OLD) is ModelStatus.NOT_FOUND


async def test_a_delete_that_fails_half_way_asks_for_the_list_anew(
    server: SandboxServer, service: ModelService
) -> None:
    await service.list_models()
    server.faults.set("/api/delete", "http500")
    server.clear()
    with pytest.raises(DeleteFailed):
        await service.delete_model(OLD)
    await service.list_models()
    assert server.count("/api/tags") == 1


async def test_a_login_page_is_broken_and_not_empty(
    server: SandboxServer, service: ModelService
) -> None:
    server.faults.set("*", "html")
    with pytest.raises(ProviderGarbled):
        await service.list_models()
    assert service.server.health is ServerHealth.BROKEN
    assert service.models.as_of is None


async def test_a_thousand_calls_over_the_wire_make_one_request(
    server: SandboxServer, service: ModelService
) -> None:
    await asyncio.gather(*(service.list_models() for _ in range(1000)))
    assert server.count("/api/tags") == 1


async def test_details_that_are_gone_do_not_take_back_the_list_of_after_a_delete(
    server: SandboxServer, service: ModelService
) -> None:
    await service.list_models()
    tags = server.faults.hold("/api/tags")
    deleting = asyncio.ensure_future(service.delete_model(OLD))
    assert await tags.arrived()  # the list of after the delete has been asked for
    with pytest.raises(ModelNotFound):
        await service.show_model(OLD)  # as the inspector does, whose cursor is still there
    server.faults.free("/api/tags")
    await deleting
    assert OLD not in {model.name for model in service.models.models}
    asked = server.count("/api/tags")
    assert OLD not in {model.name for model in await service.list_models()}
    assert server.count("/api/tags") == asked  # the list of after the delete is still good


async def test_an_outdated_list_is_asked_anew_when_details_turn_out_to_be_gone(
    server: SandboxServer, service: ModelService
) -> None:
    await service.list_models()
    server.store.remove(OLD)  # by somebody else
    with pytest.raises(ModelNotFound):
        await service.show_model(OLD)
    assert OLD not in {model.name for model in await service.list_models()}
