"""A provider that goes away: what is known stays, with its age, and is refreshed by itself."""

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest

from ollm_tui.core.error import (
    ModelNotFound,
    OllmError,
    ProviderGarbled,
    ProviderOffline,
    ProviderRefused,
)
from ollm_tui.core.event import ModelsState, ServerHealth, ServerState
from ollm_tui.core.model import ModelStatus
from ollm_tui.providers.ollama import OllamaProvider
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.sandbox.timing import INSTANT
from ollm_tui.service.service import ModelService
from tests.unit.service.fake import FakeClock, FakeProvider, Recorder, layer, model, settle

OFFLINE = ProviderOffline("No answer", cause="refused")
UNREACHABLE = [OFFLINE, *(ProviderRefused("no", status=status) for status in (502, 503, 504))]
SAYS_NO = [
    ProviderGarbled("a web page"),
    *(ProviderRefused("no", status=status) for status in (401, 403, 404, 500)),
]
KINDS = ("list", "show", "running", "version")


def go_away(provider: FakeProvider, error: OllmError = OFFLINE) -> None:
    provider.errors.update(dict.fromkeys(KINDS, error))


def come_back(provider: FakeProvider) -> None:
    provider.errors.clear()


@pytest.mark.parametrize("error", UNREACHABLE)
async def test_what_was_known_is_served_with_its_age(
    service: ModelService, provider: FakeProvider, clock: FakeClock, error: OllmError
) -> None:
    known = await service.list_models()
    as_of = clock.wall()
    clock.now_s += 180
    go_away(provider, error)
    assert await service.list_models() == known
    state = service.models
    assert (state.models, state.stale, state.as_of, state.error) == (known, True, as_of, error)
    assert service.server.health is ServerHealth.OFFLINE
    assert provider.asked["list"] == 2  # it was tried first


async def test_every_call_past_the_minute_tries_again(
    service: ModelService, provider: FakeProvider, clock: FakeClock
) -> None:
    await service.list_models()
    clock.now_s += 61
    go_away(provider)
    for _ in range(3):
        await service.list_models()
    assert provider.asked["list"] == 4
    come_back(provider)
    await service.list_models()
    assert (service.models.stale, service.models.error) == (False, None)


@pytest.mark.parametrize("error", SAYS_NO)
async def test_an_answer_that_says_no_is_an_error_and_not_stale_data(
    service: ModelService, provider: FakeProvider, clock: FakeClock, error: OllmError
) -> None:
    known = await service.list_models()
    go_away(provider, error)
    with pytest.raises(type(error)):
        await service.list_models(refresh=True)
    assert service.server.health is ServerHealth.BROKEN
    assert (service.models.models, service.models.stale) == (known, True)


async def test_without_anything_known_being_offline_is_an_error(
    service: ModelService, provider: FakeProvider
) -> None:
    go_away(provider)
    for question in (service.list_models(), service.get_model_status("phi3:mini")):
        with pytest.raises(ProviderOffline):
            await question
    assert service.models.as_of is None


async def test_an_empty_store_is_known_too(service: ModelService, provider: FakeProvider) -> None:
    provider.models.clear()
    assert await service.list_models() == ()
    go_away(provider)
    assert await service.list_models(refresh=True) == ()


async def test_status_and_details_are_those_last_known(
    service: ModelService, provider: FakeProvider, clock: FakeClock
) -> None:
    await service.list_models()
    details = await service.show_model("phi3:mini")
    clock.now_s += 3600
    go_away(provider)
    assert await service.show_model("phi3:mini") == details
    assert await service.get_model_status("phi3:mini") is ModelStatus.AVAILABLE
    assert await service.get_model_status("nowhere") is ModelStatus.NOT_FOUND
    with pytest.raises(ProviderOffline):
        await service.show_model("llama3.1:8b")  # never asked for before


async def test_a_model_that_has_gone_is_not_served_from_memory(
    service: ModelService, provider: FakeProvider, clock: FakeClock
) -> None:
    await service.show_model("phi3:mini")
    clock.now_s += 301
    provider.models.clear()
    with pytest.raises(ModelNotFound):
        await service.show_model("phi3:mini")


@pytest.mark.parametrize("kind", ["running", "version"])
async def test_any_question_notices_that_nobody_is_there(
    service: ModelService, provider: FakeProvider, kind: str
) -> None:
    await service.refresh()
    go_away(provider)
    with pytest.raises(ProviderOffline):
        await (service.refresh_running() if kind == "running" else service.version())
    assert (service.server.health, service.models.stale) == (ServerHealth.OFFLINE, True)


async def test_refresh_asks_nothing_more_of_a_server_that_is_away(
    service: ModelService, provider: FakeProvider
) -> None:
    await service.refresh()
    go_away(provider)
    assert not await service.refresh_models()
    await service.refresh()
    assert provider.asked["version"] == 1


async def test_the_probe_waits_longer_each_time_up_to_a_minute(
    service: ModelService, provider: FakeProvider, clock: FakeClock
) -> None:
    await service.start()
    go_away(provider)
    await service.refresh()
    asked_at_s = [clock.now_s]
    for _ in range(300):
        before = provider.asked["version"]
        await clock.advance(1.0)
        if provider.asked["version"] > before:
            asked_at_s.append(clock.now_s)
    waits = [after - before for before, after in pairwise(asked_at_s)]
    assert waits == [5, 10, 20, 40, 60, 60, 60]
    assert provider.asked["list"] == 1


async def test_recovery_is_noticed_without_anybody_asking(
    service: ModelService, provider: FakeProvider, clock: FakeClock, recorder: Recorder
) -> None:
    await service.start()
    go_away(provider)
    await service.refresh()
    await clock.advance(20)
    come_back(provider)
    recorder.events.clear()
    await clock.advance(60)
    assert service.server.health is ServerHealth.ONLINE
    assert service.server.version == "1.2.3"
    assert (len(service.models.models), service.models.stale) == (2, False)
    assert any(isinstance(event, ModelsState) for event in recorder.events)
    questions = provider.asked.copy()
    await clock.advance(3600)
    assert provider.asked == questions  # idle again


async def test_the_probe_starts_over_after_a_recovery_in_another_way(
    service: ModelService, provider: FakeProvider, clock: FakeClock
) -> None:
    await service.start()
    go_away(provider)
    await service.refresh()
    await clock.advance(36)  # the next probe is due 39 s later
    come_back(provider)
    await service.refresh()
    go_away(provider)
    await service.refresh()
    come_back(provider)
    await clock.advance(5)
    assert service.server.health is ServerHealth.ONLINE


async def test_a_server_that_returns_for_a_moment_only_is_still_probed(
    service: ModelService, provider: FakeProvider, clock: FakeClock
) -> None:
    await service.start()
    go_away(provider)
    await service.refresh()
    await clock.advance(1)
    service._server.answered(None)
    service._server.answered(OFFLINE)
    come_back(provider)
    await clock.advance(5)
    assert service.server.health is ServerHealth.ONLINE


async def test_a_broken_server_is_probed_too(
    service: ModelService, provider: FakeProvider, clock: FakeClock, recorder: Recorder
) -> None:
    await service.start()
    provider.errors["list"] = ProviderGarbled("a login page")
    await service.refresh()
    await clock.advance(5)
    come_back(provider)
    await clock.advance(10)
    healths = [event.health for event in recorder.events if isinstance(event, ServerState)]
    assert healths[0] is ServerHealth.BROKEN
    assert healths[-1] is ServerHealth.ONLINE


async def test_a_server_that_was_away_before_the_start_is_probed(
    service: ModelService, provider: FakeProvider, clock: FakeClock
) -> None:
    go_away(provider)
    await service.refresh()
    await clock.advance(100)
    assert provider.asked["version"] == 0  # verbs do not probe
    await service.start()
    come_back(provider)
    await clock.advance(5)
    assert service.server.health is ServerHealth.ONLINE


async def test_an_online_server_is_never_probed(
    service: ModelService, provider: FakeProvider, clock: FakeClock
) -> None:
    await service.start()
    await service.refresh()
    questions = provider.asked.copy()
    await clock.advance(600)
    assert provider.asked == questions


async def test_closing_ends_the_probe_asleep_or_asking(
    service: ModelService, provider: FakeProvider, clock: FakeClock
) -> None:
    await service.start()
    go_away(provider)
    await service.refresh()
    provider.hold("version")
    await clock.advance(5)
    assert provider.waiting("version") == 1
    # The fixture closes the service and finds no task left.


async def test_a_stopped_server_and_its_return_over_the_wire(clock: FakeClock) -> None:
    recorder = Recorder()
    with SandboxServer(timing=INSTANT) as server:
        service = ModelService(OllamaProvider(server.url), sleep=clock.sleep)
        service.subscribe(recorder)
        await service.start()
        known = await service.list_models()
        server.stop()
        assert await service.list_models(refresh=True) == known
        assert service.server.health is ServerHealth.OFFLINE
        server.start()
        heard = asyncio.Event()
        service.subscribe(lambda event: heard.set() if _is_online(event) else None)
        await clock.advance(5)
        await heard.wait()
        await service.close()


def _is_online(event: object) -> bool:
    return isinstance(event, ServerState) and event.health is ServerHealth.ONLINE


async def test_an_idle_hour_asks_for_nothing(tmp_path: Path, clock: FakeClock) -> None:
    provider = FakeProvider(model("a:1b"))
    service = ModelService(
        provider,
        state_path=tmp_path / "state.db",
        clock=clock,
        sleep=clock.sleep,
        now=clock.wall,
    )
    await service.start()
    await service.list_models()
    before = provider.asked.copy()
    await clock.advance(3600)
    assert provider.asked == before  # where one list a minute would be allowed
    await service.close()


async def test_a_broken_download_has_the_server_looked_at(
    service: ModelService, provider: FakeProvider
) -> None:
    await service.refresh()
    service.enqueue("a")
    await settle()
    await provider.pulls[0].report(layer("x", 1, 2))
    asked = provider.asked["version"]
    await provider.pulls[0].fail(OFFLINE)
    assert provider.asked["version"] == asked + 1
    assert service.server.health is ServerHealth.ONLINE  # only the stream had gone


async def test_a_server_that_went_during_a_download_is_seen_to_be_away(
    service: ModelService, provider: FakeProvider
) -> None:
    await service.refresh()
    service.enqueue("a")
    await settle()
    await provider.pulls[0].report(layer("x", 1, 2))
    provider.errors["version"] = OFFLINE
    await provider.pulls[0].fail(OFFLINE)
    assert service.server.health is ServerHealth.OFFLINE
