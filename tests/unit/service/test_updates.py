"""Which models differ from their registry is found out a few at a time, and forgotten in time."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from ollm_tui.core.error import DownloadFailed, ModelNotFound, OllmError, Unsupported
from ollm_tui.core.event import UpdatesState, UpdateVerdict
from ollm_tui.core.plan import PullPlan
from ollm_tui.service.service import ModelService
from ollm_tui.service.updates import QUESTIONS_AT_ONCE
from tests.unit.service.fake import FakeClock, FakeProvider, Recorder, make_service, model, settle

CURRENT, OUTDATED = UpdateVerdict.CURRENT, UpdateVerdict.OUTDATED
SKIPPED, FAILED = UpdateVerdict.SKIPPED, UpdateVerdict.FAILED


class Registered(FakeProvider):
    """A provider with a registry: what it has anew, by name, and what goes wrong there."""

    def __init__(self, *names: str) -> None:
        super().__init__(*map(model, names))
        self.anew: dict[str, str] = {}
        self.failures: dict[str, OllmError] = {}
        self.references: list[str] = []

    async def plan(self, name: str) -> PullPlan:
        self.references.append(name)
        await self._asked("plan")
        if name in self.failures:
            raise self.failures[name]
        digest = self.anew.get(name, f"digest of {name}")
        return PullPlan(name, digest, False, 100, 40)


@pytest.fixture
def registered() -> Registered:
    return Registered("a:1b", "b:1b", "c:1b")


@pytest.fixture
async def updating(registered: Registered, clock: FakeClock) -> AsyncIterator[ModelService]:
    service = make_service(registered, clock)
    yield service
    await service.close()


async def test_each_model_gets_a_verdict_in_order(
    updating: ModelService, registered: Registered
) -> None:
    registered.anew["b:1b"] = "another"
    found = await updating.check_updates()
    assert [(one.name, one.verdict) for one in found] == [
        ("a:1b", CURRENT),
        ("b:1b", OUTDATED),
        ("c:1b", CURRENT),
    ]
    assert (found[1].registry_digest, found[1].total_bytes, found[1].missing_bytes) == (
        "another",
        100,
        40,
    )
    assert updating.updates.outdated == (found[1],)
    assert registered.pulls == []


async def test_named_models_are_asked_for_as_they_were_typed(
    updating: ModelService, registered: Registered
) -> None:
    registered.models["x"] = model("host:1/ns/m:tag")
    found = await updating.check_updates(["http://host:1/ns/m:tag", "A:1b"])
    assert [one.name for one in found] == ["a:1b", "host:1/ns/m:tag"]
    assert sorted(registered.references) == ["A:1b", "http://host:1/ns/m:tag"]
    with pytest.raises(ModelNotFound):
        await updating.check_updates(["nobody"])


async def test_what_cannot_be_compared_is_named_with_its_reason(
    updating: ModelService, registered: Registered
) -> None:
    registered.models["r"] = replace(model("r:cloud"), remote=True)
    registered.models["n"] = replace(model("n:1b"), digest="")
    registered.failures |= {
        "a:1b": ModelNotFound("no such model"),
        "b:1b": DownloadFailed("It gives nothing", cause="401", retryable=False),
    }
    found = {one.name: one for one in await updating.check_updates()}
    assert {name: one.verdict for name, one in found.items()} == {
        "a:1b": SKIPPED, "b:1b": FAILED, "c:1b": CURRENT, "r:cloud": SKIPPED, "n:1b": SKIPPED,
    }  # fmt: skip
    assert "made, copied or renamed here" in found["a:1b"].reason
    assert found["b:1b"].reason == "It gives nothing (401)"
    assert "another machine" in found["r:cloud"].reason
    assert "digest" in found["n:1b"].reason


async def test_a_registry_that_does_not_answer_is_not_asked_for_every_model(
    clock: FakeClock,
) -> None:
    names = [f"m{number}:1b" for number in range(50)]
    registered = Registered(*names, "other.example/ns/m:1b")
    registered.failures |= {name: DownloadFailed("No answer") for name in names}
    service = make_service(registered, clock)
    found = await service.check_updates()
    assert [one.verdict for one in found] == [FAILED] * 50 + [CURRENT]
    assert registered.asked["plan"] <= QUESTIONS_AT_ONCE + 1
    await service.close()


async def test_a_few_are_asked_at_once_and_the_rest_counted(clock: FakeClock) -> None:
    registered = Registered(*(f"m{number}:1b" for number in range(10)))
    service = make_service(registered, clock)
    recorder = Recorder()
    service.subscribe(recorder)
    registered.hold("plan")
    check = service._in_background(service.check_updates())
    await settle()
    assert registered.waiting("plan") == QUESTIONS_AT_ONCE
    assert service.updates.left == 10
    await registered.release("plan")
    assert registered.waiting("plan") == QUESTIONS_AT_ONCE
    assert service.updates.left == 9
    registered.free("plan")
    await check
    assert service.updates.left == 0
    states = [event for event in recorder.events if isinstance(event, UpdatesState)]
    assert [state.left for state in states] == list(range(10, -1, -1))
    await service.close()


async def test_a_check_that_is_left_counts_down(
    updating: ModelService, registered: Registered
) -> None:
    registered.hold("plan")
    check = updating._in_background(updating.check_updates())
    await settle()
    check.cancel()
    await settle()
    assert updating.updates == UpdatesState()


async def test_an_updated_model_is_no_longer_outdated(
    updating: ModelService, registered: Registered
) -> None:
    registered.anew |= {"a:1b": "another", "b:1b": "another"}
    await updating.check_updates()
    assert [one.name for one in updating.updates.outdated] == ["a:1b", "b:1b"]
    registered.install("a:1b", digest="another")
    await updating.list_models(refresh=True)
    assert [one.name for one in updating.updates.outdated] == ["b:1b"]


async def test_without_registries_it_says_so(
    service: ModelService, updating: ModelService, registered: Registered
) -> None:
    with pytest.raises(Unsupported):
        await service.check_updates()
    registered.errors["plan"] = Unsupported("Registries are not asked from here")
    with pytest.raises(Unsupported):
        await updating.check_updates()
    assert updating.updates == UpdatesState()
