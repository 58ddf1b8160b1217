"""What could be deleted when the disk is full: not what anybody uses."""

import pytest

from ollm_tui.core.error import ConfigError, ProviderOffline
from ollm_tui.core.model import ModelCapabilities, ModelInfo
from ollm_tui.core.unused import UnusedModel
from ollm_tui.routing.router import Router
from ollm_tui.service.service import ModelService
from ollm_tui.service.unused import _largest
from tests.unit.service.fake import FakeClock, FakeProvider, make_service

CHAT = ModelCapabilities(streaming=True)


def made(name: str, size_bytes: int, *, digest: str = "", remote: bool = False) -> ModelInfo:
    return ModelInfo(
        name,
        digest=digest or f"digest of {name}",
        size_bytes=size_bytes,
        context_window=8192,
        capabilities=CHAT,
        parameters_billions=size_bytes / 10,
        remote=remote,
    )


async def found(service: ModelService) -> list[tuple[tuple[str, ...], int]]:
    """What is offered, as names and sizes."""
    return [(one.names, one.size_bytes) for one in await service._find_unused()]


def offering(clock: FakeClock, *models: ModelInfo) -> tuple[ModelService, FakeProvider]:
    """A service whose profiles all choose a model that is never to be offered."""
    provider = FakeProvider(made("chosen:1", 10**6), *models)
    return make_service(provider, clock), provider


@pytest.fixture(autouse=True)
def _all_profiles_choose_one(monkeypatch: pytest.MonkeyPatch) -> None:
    explain = Router.explain

    def choose(self: Router, profile: str, models: tuple[ModelInfo, ...]) -> object:
        return explain(self.pinned_to("CHOSEN:1"), profile, models)

    monkeypatch.setattr(Router, "explain", choose)


async def test_the_largest_come_first_and_a_few_only(clock: FakeClock) -> None:
    models = [made(f"m{size}:1", size) for size in (3, 5, 1, 4, 2)]
    service, _ = offering(clock, *models)
    assert await found(service) == [(("m5:1",), 5), (("m4:1",), 4), (("m3:1",), 3)]
    await service.close()


async def test_what_anybody_uses_is_not_offered(clock: FakeClock) -> None:
    service, provider = offering(
        clock,
        made("loaded:1", 9),
        made("alias:1", 8, digest="in memory"),
        made("pulled:1", 7),
        made("cloud:1", 6, remote=True),
        made("stub:1", 0),
        made("idle:1", 5),
    )
    provider.load_into_memory("Loaded:1")
    provider.load_into_memory("gone:1", digest="in memory")
    await service.list_models()
    service.enqueue("pulled:1")
    assert await found(service) == [(("idle:1",), 5)]
    await service.close()


async def test_two_names_of_one_are_offered_together_or_not_at_all(clock: FakeClock) -> None:
    service, provider = offering(
        clock, made("a:1", 9, digest="twin"), made("b:1", 9, digest="twin"), made("c:1", 5)
    )
    assert await found(service) == [(("a:1", "b:1"), 9), (("c:1",), 5)]
    provider.load_into_memory("b:1")
    assert await found(service) == [(("c:1",), 5)]
    await service.close()


async def test_what_cannot_be_asked_is_taken_as_last_seen(clock: FakeClock) -> None:
    service, provider = offering(clock, made("a:1", 9), made("b:1", 5))
    provider.load_into_memory("a:1")
    await service.refresh()
    clock.now_s += 100
    provider.errors["list"] = provider.errors["running"] = ProviderOffline("No answer")
    assert await found(service) == [(("b:1",), 5)]
    await service.close()


async def test_settings_that_cannot_be_read_leave_only_memory_to_go_by(
    service: ModelService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Router, *_: object) -> object:
        raise ConfigError("No such settings")

    monkeypatch.setattr(Router, "explain", refuse)
    assert len(await found(service)) == 2
    await service.close()


def test_names_are_safe_to_print() -> None:
    (one,) = _largest([made("x\x1b[2J", 5)], set())
    assert one == UnusedModel(("x\ufffd[2J",), 5)
