"""Several deletes, deletes that can be taken back, what they free, and unloading all."""

import asyncio
from datetime import timedelta

import pytest

from ollm_tui.core.error import ModelInUse, ModelNotFound, ProviderOffline, ProviderRefused
from ollm_tui.core.event import PendingDeletions
from ollm_tui.core.model import ModelInfo
from ollm_tui.core.name import name_key
from ollm_tui.routing.router import Router
from ollm_tui.routing.settings import RoutingConfig
from ollm_tui.service.freed import Freed, freed_bytes_at_most
from ollm_tui.service.service import ModelService
from tests.unit.service.fake import GIB, FakeClock, FakeProvider, Recorder, settle

BOTH = ("llama3.1:8b", "phi3:mini")


async def test_several_go_at_once_with_one_refresh(
    service: ModelService, provider: FakeProvider
) -> None:
    await service.list_models()
    assert await service.deletions.delete(BOTH) == {}
    assert service.models.models == ()
    assert provider.asked["list"] == 2


async def test_one_that_cannot_go_does_not_keep_the_others(
    service: ModelService, provider: FakeProvider
) -> None:
    provider.load_into_memory("llama3.1:8b")
    errors = await service.deletions.delete(["nowhere", *BOTH])
    assert {name: type(error) for name, error in errors.items()} == {
        "nowhere": ModelNotFound,
        "llama3.1:8b": ModelInUse,
    }
    assert [model.name for model in service.models.models] == ["llama3.1:8b"]


async def test_a_model_loaded_between_two_deletes_is_noticed(
    service: ModelService, provider: FakeProvider
) -> None:
    provider.hold("delete")
    deleting = asyncio.ensure_future(service.deletions.delete(BOTH))
    await settle()
    provider.load_into_memory("phi3:mini")
    await provider.release("delete")
    assert list(await deleting) == ["phi3:mini"]


async def test_a_delete_that_is_left_alone_still_asks_for_the_list(
    service: ModelService, provider: FakeProvider
) -> None:
    await service.list_models()
    provider.hold("delete")
    deleting = asyncio.ensure_future(service.delete_model("phi3:mini"))
    await settle()
    deleting.cancel()
    provider.models.popitem()  # the server did it all the same
    await settle()
    assert [model.name for model in service.models.models] == ["llama3.1:8b"]


async def test_a_delete_waits_and_is_then_done(
    service: ModelService, provider: FakeProvider, clock: FakeClock
) -> None:
    pending = await service.deletions.delete_later(BOTH, delay_s=5)
    assert (pending.names, service.deletions.pending) == (BOTH, (pending,))
    assert (pending.due_at - clock.wall()).total_seconds() == 5
    await clock.advance(4.9)
    assert provider.asked["delete"] == 0
    await clock.advance(0.2)
    assert await pending.wait() == {}
    assert (provider.models, service.deletions.pending) == ({}, ())
    assert not pending.undo()


async def test_a_delete_can_be_taken_back(
    service: ModelService, provider: FakeProvider, clock: FakeClock
) -> None:
    pending = await service.deletions.delete_later(BOTH)
    waiting = asyncio.ensure_future(pending.wait())
    await clock.advance(3)
    assert pending.undo()
    assert await waiting is None
    await clock.advance(60)
    assert (provider.asked["delete"], service.deletions.pending) == (0, ())


async def test_a_delete_that_has_begun_cannot_be_taken_back(
    service: ModelService, provider: FakeProvider, clock: FakeClock
) -> None:
    provider.hold("delete")
    pending = await service.deletions.delete_later(["phi3:mini"])
    await clock.advance(5)
    assert not pending.undo()
    await provider.release("delete")
    assert await pending.wait() == {}


async def test_one_that_is_held_waits_and_then_has_its_whole_time_again(
    service: ModelService, provider: FakeProvider, clock: FakeClock
) -> None:
    pending = await service.deletions.delete_later(BOTH, delay_s=5)
    service.deletions.hold()
    await clock.advance(60)
    assert [one.is_held for one in service.deletions.state.pending] == [True]
    assert provider.asked["delete"] == 0
    service.deletions.go_on()
    await settle()
    left = [(one.is_held, one.due_at - clock.wall()) for one in service.deletions.state.pending]
    assert left == [(False, timedelta(seconds=5))]
    await clock.advance(4.9)
    assert provider.asked["delete"] == 0
    await clock.advance(0.2)
    assert await pending.wait() == {}


async def test_one_that_is_held_for_less_than_it_has_keeps_its_time(
    service: ModelService, provider: FakeProvider, clock: FakeClock
) -> None:
    pending = await service.deletions.delete_later(BOTH, delay_s=5)
    service.deletions.hold()
    await clock.advance(3)
    service.deletions.go_on()
    await clock.advance(2.1)
    assert await pending.wait() == {}


@pytest.mark.parametrize("held_s", [None, 1, 60])
async def test_what_is_pending_can_be_hurried_held_or_not(
    service: ModelService, provider: FakeProvider, clock: FakeClock, held_s: float | None
) -> None:
    await service.deletions.delete_later(BOTH, delay_s=5)
    if held_s is not None:
        service.deletions.hold()
        await clock.advance(held_s)
    assert await service.deletions.hurry()
    assert (provider.models, service.deletions.pending) == ({}, ())
    assert clock.sleepers == 0


async def test_a_hurried_delete_that_fails_says_so(
    service: ModelService, provider: FakeProvider
) -> None:
    await service.deletions.delete_later(BOTH)
    provider.load_into_memory("phi3:mini")
    assert not await service.deletions.hurry()


async def test_one_that_is_held_is_taken_back_by_quitting(
    service: ModelService, provider: FakeProvider, clock: FakeClock
) -> None:
    pending = await service.deletions.delete_later(BOTH)
    service.deletions.hold()
    await clock.advance(60)
    await service.close()
    assert await pending.wait() is None
    assert provider.asked["delete"] == 0


async def test_what_stands_against_it_is_said_at_once(
    service: ModelService, provider: FakeProvider
) -> None:
    provider.load_into_memory("phi3:mini")
    with pytest.raises(ModelInUse):
        await service.deletions.delete_later(BOTH)
    await service.deletions.delete_later(BOTH, force=True)
    assert len(service.deletions.pending) == 1


async def test_what_came_to_stand_against_it_meanwhile_is_said_in_the_end(
    service: ModelService, provider: FakeProvider, clock: FakeClock
) -> None:
    pending = await service.deletions.delete_later(BOTH)
    service.enqueue("phi3:mini")
    await clock.advance(5)
    errors = await pending.wait()
    assert errors is not None
    assert list(errors) == ["phi3:mini"]


async def test_quitting_takes_back_what_is_pending(
    service: ModelService, provider: FakeProvider, clock: FakeClock
) -> None:
    await service.deletions.delete_later(BOTH)
    await service.close()
    await clock.advance(60)
    assert provider.asked["delete"] == 0


async def test_quitting_waits_for_what_has_begun(
    service: ModelService, provider: FakeProvider, clock: FakeClock
) -> None:
    provider.hold("delete")
    pending = await service.deletions.delete_later(["phi3:mini"])
    await clock.advance(5)
    closing = asyncio.ensure_future(service.close())
    await settle()
    assert not closing.done()
    await provider.release("delete")
    await closing
    assert await pending.wait() == {}


def models(*facts: tuple[str, str, int]) -> list[ModelInfo]:
    return [ModelInfo(name, digest=digest, size_bytes=size) for name, digest, size in facts]


@pytest.mark.parametrize(
    ("names", "freed"),
    [
        (["a:1"], 10),
        (["A:1", "b:1"], 30),
        (["twin:1"], 0),  # its twin stays, and all layers with it
        (["twin:1", "twin:2"], 40),
        (["none:1", "none:2"], 11),  # no digest, so nobody's twin
        (["nowhere"], 0),
        ([], 0),
    ],
)
def test_one_digest_is_freed_once_and_only_with_its_last_name(names: list[str], freed: int) -> None:
    installed = models(
        ("a:1", "A", 10),
        ("b:1", "B", 20),
        ("twin:1", "T", 40),
        ("twin:2", "T", 40),
        ("none:1", "", 5),
        ("none:2", "", 6),
    )
    assert freed_bytes_at_most(names, installed) == freed


async def test_what_is_freed_is_told_of_the_models_known_now(service: ModelService) -> None:
    await service.list_models()
    assert await service.deletions.freed(["phi3:mini"]) == Freed(GIB, is_exact=False)


async def test_unloading_all_asks_for_each_and_looks_once(
    service: ModelService, provider: FakeProvider, recorder: Recorder
) -> None:
    for name in BOTH:
        provider.load_into_memory(name)
    await service.unload_all()
    assert service.running.models == ()
    assert (provider.asked["unload"], provider.asked["running"]) == (2, 2)


async def test_one_that_does_not_unload_does_not_keep_the_others(
    service: ModelService, provider: FakeProvider
) -> None:
    for name in BOTH:
        provider.load_into_memory(name)
    provider.errors["unload"] = ProviderRefused("no", status=500)
    with pytest.raises(ProviderRefused):
        await service.unload_all()
    assert provider.asked["unload"] == 2
    provider.errors["running"] = ProviderOffline("no")
    with pytest.raises(ProviderOffline):
        await service.unload_all()


async def test_what_can_be_taken_back_is_published(
    service: ModelService, clock: FakeClock, recorder: Recorder
) -> None:
    await service.deletions.delete_later(["phi3:mini"])
    await service.deletions.delete_later(["llama3.1:8b"])
    assert service.deletions.undo() == ("llama3.1:8b",)
    await settle()
    assert [pending.names for pending in service.deletions.state.pending] == [("phi3:mini",)]
    assert service.deletions.undo() == ("phi3:mini",)
    assert service.deletions.undo() == ()
    await settle()
    told = [event for event in recorder.events if isinstance(event, PendingDeletions)]
    assert [len(event.pending) for event in told] == [1, 2, 1, 0]


async def test_what_is_loaded_is_unloaded_when_its_time_has_come(
    service: ModelService, provider: FakeProvider, clock: FakeClock
) -> None:
    provider.install("copy", digest="digest of phi3:mini")
    provider.load_into_memory("copy", digest="digest of phi3:mini")
    await service.list_models()
    pending = await service.deletions.delete_later(BOTH, unload=True)
    await clock.advance(4.9)
    assert provider.asked["unload"] == 0
    await clock.advance(0.2)
    assert await pending.wait() == {}
    assert (provider.asked["unload"], provider.in_memory) == (1, [])
    assert list(provider.models) == [name_key("copy")]


async def test_consequences_are_bytes_memory_and_profiles(
    service: ModelService, provider: FakeProvider
) -> None:
    provider.install("copy", digest="digest of phi3:mini")
    provider.load_into_memory("phi3:mini", digest="digest of phi3:mini")
    await service.list_models()
    told = await service.consequences(["phi3:mini", "copy"])
    assert told.freed == Freed(GIB, is_exact=False)
    assert [model.name for model in told.loaded] == ["phi3:mini"]
    assert told.in_use == {"phi3:mini", "copy"}
    assert "fast would choose llama3.1:8b instead of phi3:mini." in told.routing.rerouted
    told = await service.consequences(["phi3:mini"])
    assert told.freed.size_bytes == 0  # the copy keeps its files
    everything = await service.consequences(["phi3:mini", "copy", "llama3.1:8b"])
    assert all("would choose no model" in sentence for sentence in everything.routing.rerouted)
    assert len(everything.routing.rerouted) == 4


async def test_consequences_are_told_also_of_a_server_that_does_not_answer(
    service: ModelService, provider: FakeProvider
) -> None:
    await service.list_models()
    provider.errors["running"] = ProviderOffline("No answer")
    told = await service.consequences(["phi3:mini"])
    assert (told.freed.size_bytes, told.loaded, told.is_memory_known) == (GIB, (), False)


async def test_consequences_name_the_settings_that_would_name_nothing(
    provider: FakeProvider, clock: FakeClock
) -> None:
    config = RoutingConfig(
        enabled=False, default_model="PHI3:mini", overrides={"Code": "phi3:mini", "fast": "other"}
    )
    service = ModelService(
        provider,
        make_router=lambda database: Router(config=config, database=database),
        clock=clock,
        sleep=clock.sleep,
        now=clock.wall,
    )
    await service.list_models()
    told = (await service.consequences(["phi3:mini"])).routing
    assert (told.default, told.successor) == ("PHI3:mini", "llama3.1:8b")
    assert told.overridden == ("Code",)
    told = (await service.consequences(["llama3.1:8b"])).routing
    assert (told.default, told.overridden) == ("", ())
    told = (await service.consequences(BOTH)).routing
    assert (told.default, told.successor) == ("PHI3:mini", "")
    await service.close()
