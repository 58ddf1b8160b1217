"""Listing, details, deletion and what is published, with a provider that answers when told."""

import asyncio
from collections.abc import Callable, Coroutine

import pytest

from ollm_tui.core.error import (
    DeleteFailed,
    InvalidName,
    ModelInUse,
    ModelNotFound,
    OllmError,
    ProviderGarbled,
    ProviderOffline,
    ProviderRefused,
    Unsupported,
)
from ollm_tui.core.event import ModelsState, RunningState, ServerHealth, ServerState
from ollm_tui.core.model import RunningModel
from ollm_tui.service.service import ModelService
from tests.unit.service.fake import FakeClock, FakeProvider, Recorder, make_service, model, settle

OFFLINE = ProviderOffline("No answer", cause="refused")
BROKEN = ProviderGarbled("Not Ollama", cause="a web page")


def names(service: ModelService) -> list[str]:
    return [model.name for model in service.models.models]


@pytest.mark.parametrize(("age_s", "questions"), [(0.0, 1), (59.9, 1), (60.1, 2)])
async def test_the_list_is_asked_for_once_a_minute(
    service: ModelService, provider: FakeProvider, clock: FakeClock, age_s: float, questions: int
) -> None:
    first = await service.list_models()
    clock.now_s += age_s
    assert await service.list_models() == first
    assert provider.asked["list"] == questions


@pytest.mark.parametrize(("age_s", "questions"), [(0.0, 1), (299.9, 1), (300.1, 2)])
async def test_details_are_asked_for_every_five_minutes(
    service: ModelService, provider: FakeProvider, clock: FakeClock, age_s: float, questions: int
) -> None:
    await service.show_model("phi3:mini")
    clock.now_s += age_s
    await service.show_model("PHI3:Mini")
    assert provider.asked["show"] == questions


async def test_a_thousand_list_calls_make_one_request(
    service: ModelService, provider: FakeProvider
) -> None:
    provider.hold("list")
    calls = [asyncio.ensure_future(service.list_models()) for _ in range(1000)]
    await settle()
    await provider.release("list")
    answers = await asyncio.gather(*calls)
    assert provider.asked["list"] == 1
    assert all(len(answer) == 2 for answer in answers)


async def test_listing_shows_that_it_is_loading_until_the_answer_is_there(
    service: ModelService, provider: FakeProvider, recorder: Recorder
) -> None:
    provider.hold("list")
    leaving = asyncio.ensure_future(service.list_models())
    await settle()
    leaving.cancel()  # the question goes on without it
    await settle()
    assert service.models.loading
    await provider.release("list")
    states = [event for event in recorder.events if isinstance(event, ModelsState)]
    assert [(state.loading, len(state.models)) for state in states] == [(True, 0), (False, 2)]
    assert service.server.health is ServerHealth.ONLINE


async def test_a_late_answer_from_before_a_change_is_not_shown(
    service: ModelService, provider: FakeProvider
) -> None:
    provider.hold("list")
    early = asyncio.ensure_future(service.list_models())
    await settle()
    deleting = asyncio.ensure_future(service.delete_model("phi3:mini"))
    await settle()
    await provider.release("list", 1)
    await deleting
    assert (names(service), service.models.loading) == (["llama3.1:8b"], True)
    await provider.release("list")
    assert [model.name for model in await early] == ["llama3.1:8b", "phi3:mini"]
    assert (names(service), service.models.loading) == (["llama3.1:8b"], False)
    assert [model.name for model in await service.list_models()] == ["llama3.1:8b"]


async def test_a_late_failure_from_before_a_change_is_not_shown(
    service: ModelService, provider: FakeProvider
) -> None:
    provider.hold("list")
    early = asyncio.ensure_future(service.list_models())
    await settle()
    service.clear_cache()
    later = asyncio.ensure_future(service.list_models())
    await settle()
    await provider.release("list", 1)
    await later
    provider.errors["list"] = BROKEN
    await provider.release("list")
    with pytest.raises(ProviderGarbled):
        await early
    assert (service.server.health, service.models.error) == (ServerHealth.ONLINE, None)


async def test_a_new_digest_makes_details_stale(
    service: ModelService, provider: FakeProvider
) -> None:
    await service.list_models()
    assert (await service.show_model("phi3:mini")).info.digest == "digest of phi3:mini"
    provider.install("phi3:mini", digest="another")
    await service.list_models(refresh=True)
    assert (await service.show_model("phi3:mini")).info.digest == "another"
    await service.show_model("phi3:mini")
    assert provider.asked["show"] == 2


async def test_details_from_before_the_first_list_stay_good(
    service: ModelService, provider: FakeProvider
) -> None:
    assert (await service.show_model("phi3:mini")).info.size_bytes == 0
    await service.list_models()
    assert (await service.show_model("phi3:mini")).info.size_bytes > 0
    assert provider.asked["show"] == 1


async def test_a_pull_makes_list_and_details_stale(
    service: ModelService, provider: FakeProvider
) -> None:
    await service.list_models()
    await service.show_model("phi3:mini")
    service.enqueue("phi3:mini")
    await settle()
    await provider.pulls[0].succeed()
    await service.show_model("phi3:mini")
    assert (provider.asked["list"], provider.asked["show"]) == (2, 2)


async def test_a_pull_that_fails_late_makes_the_list_stale_too(
    service: ModelService, provider: FakeProvider
) -> None:
    await service.list_models()
    number = service.enqueue("new:1b")
    await settle()
    provider.install("new:1b")  # the manifest was written just before
    await service.cancel(number)
    await settle()
    assert "new:1b" in names(service)


async def test_a_name_not_found_suggests_near_ones_and_is_asked_again(
    service: ModelService, provider: FakeProvider
) -> None:
    await service.list_models()
    for _ in range(2):
        with pytest.raises(ModelNotFound) as caught:
            await service.show_model("lama3.1:8b")
        assert caught.value.actions[0] == "Did you mean llama3.1:8b?"
    assert provider.asked["show"] == 2


async def test_a_name_that_is_like_nothing_gets_no_suggestion(
    service: ModelService,
) -> None:
    await service.list_models()
    with pytest.raises(ModelNotFound) as caught:
        await service.show_model("zzzzzz")
    assert "mean" not in caught.value.actions[0]


async def test_a_model_that_has_gone_makes_the_list_be_asked_again(
    service: ModelService, provider: FakeProvider
) -> None:
    await service.list_models()
    provider.models.clear()  # in another shell
    with pytest.raises(ModelNotFound):
        await service.show_model("phi3:mini")
    assert await service.list_models() == ()


@pytest.mark.parametrize(
    ("error", "health"), [(OFFLINE, ServerHealth.OFFLINE), (BROKEN, ServerHealth.BROKEN)]
)
async def test_refresh_publishes_what_is_wrong_and_keeps_what_was_known(
    service: ModelService,
    provider: FakeProvider,
    recorder: Recorder,
    error: OllmError,
    health: ServerHealth,
) -> None:
    await service.refresh()
    as_of = service.models.as_of
    provider.errors["list"] = error
    await service.refresh()
    assert (service.server.health, service.server.error) == (health, error)
    state = service.models
    assert (state.stale, state.error, state.as_of, state.loading) == (True, error, as_of, False)
    assert len(state.models) == 2
    del provider.errors["list"]
    await service.refresh()
    assert (service.server.health, service.server.error) == (ServerHealth.ONLINE, None)
    assert (service.models.stale, service.models.error) == (False, None)
    assert [event.health for event in recorder.events if isinstance(event, ServerState)] == [
        ServerHealth.ONLINE,
        ServerHealth.ONLINE,  # with its version
        health,
        ServerHealth.ONLINE,
    ]


@pytest.mark.parametrize("kind", ["running", "version"])
async def test_a_server_without_memory_or_version_is_still_usable(
    service: ModelService, provider: FakeProvider, kind: str
) -> None:
    provider.errors[kind] = Unsupported("too old")
    await service.refresh()
    assert service.server.health is ServerHealth.ONLINE
    assert len(service.models.models) == 2


async def test_memory_marks_the_models_that_are_loaded(
    service: ModelService, provider: FakeProvider, recorder: Recorder
) -> None:
    await service.refresh()
    await service.load("phi3:mini")
    assert [model.loaded for model in service.models.models] == [False, True]
    assert service.models.models[1].served_context_tokens == 4096
    assert [model.loaded for model in await service.list_models(refresh=True)] == [False, True]
    assert (await service.show_model("phi3:mini")).info.loaded
    await service.unload("Phi3:mini")
    assert [model.loaded for model in service.models.models] == [False, False]
    assert len([event for event in recorder.events if isinstance(event, RunningState)]) == 2


async def test_a_late_answer_about_memory_is_not_shown(
    service: ModelService, provider: FakeProvider
) -> None:
    provider.hold("running")
    early = asyncio.ensure_future(service.refresh_running())
    await settle()
    loading = asyncio.ensure_future(service.load("phi3:mini"))
    await settle()
    provider.free("running")
    await asyncio.gather(early, loading)
    assert [model.name for model in service.running.models] == ["phi3:mini"]


async def test_loading_succeeds_although_memory_cannot_be_seen(
    service: ModelService, provider: FakeProvider
) -> None:
    provider.errors["running"] = Unsupported("too old")
    await service.load("phi3:mini")
    await service.unload("phi3:mini")
    assert provider.asked["load"] == provider.asked["unload"] == 1


async def test_deleting_asks_memory_first_and_lists_anew(
    service: ModelService, provider: FakeProvider
) -> None:
    await service.list_models()
    await service.delete_model("phi3:mini")
    assert provider.asked["running"] >= 1
    assert names(service) == ["llama3.1:8b"]
    with pytest.raises(ModelNotFound):
        await service.show_model("phi3:mini")


@pytest.mark.parametrize("spelling", ["phi3:mini", "library/PHI3:mini"])
async def test_a_loaded_model_is_not_deleted(
    service: ModelService, provider: FakeProvider, spelling: str
) -> None:
    await service.refresh()  # nothing was loaded then
    provider.load_into_memory("phi3:mini")
    with pytest.raises(ModelInUse) as caught:
        await service.delete_model(spelling)
    assert "ollm-tui stop phi3:mini" in caught.value.actions[0]
    assert provider.asked["delete"] == 0
    assert service.running.models  # and what was seen is shown


async def test_a_model_loaded_under_another_name_is_not_deleted(
    service: ModelService, provider: FakeProvider
) -> None:
    await service.list_models()
    provider.load_into_memory("my-copy:latest", digest="digest of phi3:mini")
    with pytest.raises(ModelInUse, match="as my-copy:latest") as caught:
        await service.delete_model("phi3:mini")
    assert "ollm-tui stop my-copy:latest" in caught.value.actions[0]


async def test_models_without_a_digest_are_not_taken_for_each_other(
    service: ModelService, provider: FakeProvider
) -> None:
    provider.in_memory.append(RunningModel("llama3.1:8b", "llama3.1:8b", digest=""))
    await service.delete_model("phi3:mini")  # no list was asked for, so no digest is known
    assert provider.asked["delete"] == 1


async def test_force_deletes_a_loaded_model(service: ModelService, provider: FakeProvider) -> None:
    provider.load_into_memory("phi3:mini")
    await service.delete_model("phi3:mini", force=True)
    assert "phi3:mini" not in names(service)


@pytest.mark.parametrize("force", [True, False])
@pytest.mark.parametrize("place", [0, 2])
async def test_a_model_that_is_coming_is_not_deleted_not_even_by_force(
    service: ModelService, provider: FakeProvider, place: int, force: bool
) -> None:
    pulls = ["a", "b"]
    pulls.insert(place, "phi3:mini")
    for name in pulls:
        service.enqueue(name)
    await settle()
    with pytest.raises(ModelInUse, match="downloaded"):
        await service.delete_model("Phi3:mini", force=force)
    assert provider.asked["delete"] == 0


async def test_memory_that_cannot_be_asked_stops_a_delete(
    service: ModelService, provider: FakeProvider
) -> None:
    provider.errors["running"] = ProviderRefused("no", status=500)
    with pytest.raises(ProviderRefused):
        await service.delete_model("phi3:mini")
    assert provider.asked["delete"] == 0


async def test_a_server_too_old_to_tell_of_memory_still_deletes(
    service: ModelService, provider: FakeProvider
) -> None:
    provider.errors["running"] = Unsupported("too old")
    await service.delete_model("phi3:mini")
    assert provider.asked["delete"] == 1


async def test_a_failed_delete_is_raised_and_the_list_asked_anew(
    service: ModelService, provider: FakeProvider
) -> None:
    await service.list_models()
    provider.errors["delete"] = DeleteFailed("half gone")
    del provider.models[next(key for key in provider.models if "phi3" in key)]
    with pytest.raises(DeleteFailed):
        await service.delete_model("phi3:mini")
    assert [model.name for model in await service.list_models()] == ["llama3.1:8b"]


async def test_copying_shows_the_copy(service: ModelService, provider: FakeProvider) -> None:
    await service.list_models()
    await service.copy("phi3:mini", "mine")
    assert "mine:latest" in names(service)
    with pytest.raises(InvalidName):
        await service.copy("phi3:mini", "not a name")


async def test_clearing_the_cache_asks_anew(service: ModelService, provider: FakeProvider) -> None:
    await service.list_models()
    await service.show_model("phi3:mini")
    service.clear_cache()
    await service.list_models()
    await service.show_model("phi3:mini")
    assert (provider.asked["list"], provider.asked["show"]) == (2, 2)


async def test_a_subscriber_hears_until_it_leaves_and_may_leave_twice(
    service: ModelService,
) -> None:
    recorder = Recorder()
    unsubscribe = service.subscribe(recorder)
    await service.list_models()
    heard = len(recorder.events)
    unsubscribe()
    unsubscribe()
    await service.list_models(refresh=True)
    assert (heard > 0, len(recorder.events)) == (True, heard)


async def test_models_are_enriched_for_routing(service: ModelService) -> None:
    await service.list_models()
    assert service.explain("general").model == "llama3.1:8b"
    assert service.models.models[0].context_window == 128000


@pytest.mark.parametrize("kind", ["list", "show", "running"])
async def test_closing_ends_questions_under_way(clock: FakeClock, kind: str) -> None:
    provider = FakeProvider()
    service = make_service(provider, clock)
    provider.hold(kind)
    asking: dict[str, Callable[[], Coroutine[object, object, object]]] = {
        "list": service.list_models,
        "show": lambda: service.show_model("x"),
        "running": service.refresh_running,
    }
    question = asyncio.create_task(asking[kind]())
    await settle()
    await service.close()
    await asyncio.gather(question, return_exceptions=True)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_long_list_is_shown_by_name_before_it_is_looked_up(clock: FakeClock) -> None:
    provider = FakeProvider(*(model(f"qwen{number}:8b") for number in range(300)))
    service, recorder = make_service(provider, clock), Recorder()
    service.subscribe(recorder)
    await service.list_models()
    await service.list_models(refresh=True)
    states = [event for event in recorder.events if isinstance(event, ModelsState)]
    seen = [(state.loading, len(state.models), _is_looked_up(state)) for state in states]
    assert seen == [
        (True, 0, False),
        (True, 300, False),
        (False, 300, True),
        (True, 300, True),
        (False, 300, True),
    ]
    await service.close()


def _is_looked_up(state: ModelsState) -> bool:
    return bool(state.models) and all(item.context_window for item in state.models)
