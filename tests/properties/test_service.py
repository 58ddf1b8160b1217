"""The design's properties of the service, over worlds that nobody thought of."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import fields
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ollm_tui.core.error import (
    DeleteFailed,
    DownloadFailed,
    ModelNotFound,
    OllmError,
    ProviderGarbled,
    ProviderOffline,
    ProviderRefused,
)
from ollm_tui.core.model import ModelCapabilities, ModelInfo, ModelStatus
from ollm_tui.core.name import name_key
from ollm_tui.core.progress import ProgressEvent, PullPhase, PullState, PullStep
from ollm_tui.core.text import clean_line
from ollm_tui.service.service import ModelService
from tests.unit.service.fake import SUCCESS, FakeClock, FakeProvider, Recorder, make_service, settle

some = settings(max_examples=max(100, settings().max_examples // 2))
World = Callable[[ModelService, FakeProvider, FakeClock], Coroutine[object, object, None]]

names = st.builds(
    "{}:{}".format,
    st.sampled_from(["llama3.1", "qwen3", "phi3", "user/own", "tiny-embed", "h.x:5000/a/b"]),
    st.from_regex(r"[a-z0-9_][a-z0-9_.-]{0,5}", fullmatch=True),
)
models = st.builds(
    ModelInfo,
    names,
    size_bytes=st.integers(0, 2**45),
    digest=st.sampled_from(["", "0" * 64, "1" * 64]),
    context_window=st.none() | st.integers(-5, 2**31),
    capabilities=st.none() | st.builds(ModelCapabilities, streaming=st.booleans()),
    remote=st.booleans(),
)
model_lists = st.lists(models, max_size=6, unique_by=lambda model: name_key(model.name))
errors = st.builds(
    lambda kind, message, cause: (
        kind(message, status=500, cause=cause)
        if kind is ProviderRefused
        else kind(message, cause=cause)
    ),
    st.sampled_from(
        [ProviderOffline, ProviderRefused, ProviderGarbled, ModelNotFound, DeleteFailed]
    ),
    st.text(min_size=1),
    st.text(min_size=1),
)
counts = st.integers(0, 2**50)
steps = st.builds(
    PullStep,
    st.sampled_from(list(PullPhase)[:-1]),
    st.sampled_from(["", "words"]),
    st.sampled_from(["", "a", "b", "c"]),
    counts,
    counts,
)


_runners: list[asyncio.Runner] = []


@pytest.fixture(scope="module", autouse=True)
def _one_loop_for_all() -> Iterator[None]:
    """A loop of its own takes longer than most examples."""
    with asyncio.Runner() as runner:
        _runners.append(runner)
        yield
        _runners.clear()


def live(listed: list[ModelInfo], world: World) -> None:
    """Play one example with a service of its own, and leave nothing behind."""

    async def play() -> None:
        provider, clock = FakeProvider(*listed), FakeClock()
        service = make_service(provider, clock)
        try:
            await world(service, provider, clock)
        finally:
            await service.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    _runners[-1].run(play())


@some
@given(model_lists, st.booleans())
def test_a_list_holds_models_with_every_required_field(
    listed: list[ModelInfo], refresh: bool
) -> None:
    """Feature: stage-07-model-management, Property 1: Model List Return Type.

    For any model list request, the returned value should be an array containing only ModelInfo
    objects with all required fields (name, size, family, modifiedAt, contextWindow,
    capabilities).
    """

    async def world(service: ModelService, provider: FakeProvider, clock: FakeClock) -> None:
        answer = await service.list_models(refresh=refresh)
        assert isinstance(answer, tuple)
        assert [model.name for model in answer] == [model.name for model in listed]
        for model in answer:
            assert type(model) is ModelInfo
            assert model.name
            assert model.family
            assert model.size_bytes >= 0
            assert model.modified_at is None or model.modified_at.tzinfo is not None
            assert model.context_window is not None
            assert model.context_window > 0
            assert isinstance(model.capabilities, ModelCapabilities)

    live(listed, world)


@some
@given(st.lists(st.floats(0, 130), max_size=12))
def test_within_a_minute_the_provider_is_not_asked_again_and_after_it_is(
    waits_s: list[float],
) -> None:
    """Feature: stage-07-model-management, Property 2: Model List Caching.

    For any model list retrieval, subsequent requests within 60 seconds should return cached data
    without querying the provider.

    Feature: stage-07-model-management, Property 21: Cache Expiration Behavior.

    For any cached data past its TTL, the next request should fetch fresh data from the provider.
    """

    async def world(service: ModelService, provider: FakeProvider, clock: FakeClock) -> None:
        answer = await service.list_models()
        fetched_at_s, questions = clock.now_s, 1
        for number, wait_s in enumerate(waits_s):
            clock.now_s += wait_s
            provider.install(f"new{number}:1b")
            before, answer = answer, await service.list_models()
            if clock.now_s - fetched_at_s < 60:
                assert answer == before
            else:
                fetched_at_s, questions = clock.now_s, questions + 1
                assert len(answer) == 1 + number
            assert provider.asked["list"] == questions

    live([], world)


@some
@given(errors, st.sampled_from(["list", "show", "delete", "pull", "running", "copy", "load"]))
def test_every_failure_says_why_and_what_to_do(error: OllmError, kind: str) -> None:
    """Feature: stage-07-model-management, Property 3: Descriptive Error Messages.

    For any operation that fails, the error message should be non-empty and include information
    about the failure cause and suggested recovery actions.
    """

    async def world(service: ModelService, provider: FakeProvider, clock: FakeClock) -> None:
        if kind == "pull":
            error_of_pull = DownloadFailed(error.message, cause=error.cause, retryable=False)
            provider.errors["pull"] = error_of_pull
        else:
            provider.errors[kind] = error
        operations: dict[str, Callable[[], Coroutine[object, object, object]]] = {
            "list": service.list_models,
            "show": lambda: service.show_model("a:b"),
            "delete": lambda: service.delete_model("a:b"),
            "pull": lambda: service.pull_model("a:b"),
            "running": service.refresh_running,
            "copy": lambda: service.copy("a:b", "c:d"),
            "load": lambda: service.load("a:b"),
        }
        with pytest.raises(OllmError) as caught:
            await operations[kind]()
        raised = caught.value
        assert raised.message
        assert raised.cause
        assert raised.actions
        assert all(raised.actions)
        assert clean_line(str(raised)) == str(raised)

    live([ModelInfo("a:b")], world)


@some
@given(st.lists(st.tuples(steps, st.floats(0, 3)), max_size=15), st.booleans())
def test_every_progress_event_is_complete_and_honest(
    told: list[tuple[PullStep, float]], succeeds: bool
) -> None:
    """Feature: stage-07-model-management, Property 4: Progress Event Structure.

    For any progress event emitted during model download, it should contain all required fields:
    percentage, downloadedBytes, totalBytes, and downloadSpeed.
    """
    recorder = Recorder()

    async def world(service: ModelService, provider: FakeProvider, clock: FakeClock) -> None:
        pulling = asyncio.ensure_future(service.pull_model("a:b", recorder.on_progress))
        await settle()
        for step, wait_s in told:
            await provider.pulls[0].report(step)
            await clock.advance(wait_s)
        if succeeds:
            await provider.pulls[0].report(SUCCESS)
        else:
            pulling.cancel()
        await asyncio.gather(pulling, return_exceptions=True)

    live([], world)
    events = recorder.progress
    final = PullState.COMPLETE if succeeds else PullState.CANCELLED
    assert events[0].percentage == 0
    assert recorder.finals == [final]
    assert events[-1].status is final
    for event in events:
        assert all(hasattr(event, field.name) for field in fields(ProgressEvent))
        assert 0 <= event.percentage <= (100 if event.status is PullState.COMPLETE else 99)
        assert 0 <= event.downloaded_bytes <= event.total_bytes
        assert 0 <= event.download_speed < float("inf")
        assert event.eta_s is None or event.eta_s >= 0
    for earlier, later in pairwise(events):
        assert later.percentage >= earlier.percentage
        assert later.downloaded_bytes >= earlier.downloaded_bytes
        assert later.timestamp >= earlier.timestamp
    if succeeds:
        assert events[-1].percentage == 100
        assert events[-1].downloaded_bytes == events[-1].total_bytes


@some
@given(
    st.lists(st.tuples(st.sampled_from(["pull", "delete", "copy"]), names), max_size=8),
    st.booleans(),
)
def test_after_every_change_the_list_is_asked_for_anew(
    changes: list[tuple[str, str]], is_asking_meanwhile: bool
) -> None:
    """Feature: stage-07-model-management, Property 5: Cache Invalidation on Mutation.

    For any model pull or delete operation that completes successfully, the model list cache
    should be invalidated.
    """

    async def world(service: ModelService, provider: FakeProvider, clock: FakeClock) -> None:
        provider.script = (SUCCESS,)
        for kind, name in changes:
            await service.list_models()
            if is_asking_meanwhile:
                late = asyncio.ensure_future(service.list_models(refresh=True))
            if kind == "pull":
                await service.pull_model(name)
            elif kind == "copy" and provider.models:
                await service.copy(next(iter(provider.models.values())).name, name)
            elif name_key(name) in provider.models:
                await service.delete_model(name)
            if is_asking_meanwhile:
                await late
            answer = {name_key(model.name) for model in await service.list_models()}
            assert answer == set(provider.models)

    live([ModelInfo("llama3.1:8b"), ModelInfo("phi3:mini")], world)


@some
@given(model_lists, st.lists(names | st.text(max_size=20), max_size=6), st.data())
def test_a_status_is_one_of_three_and_the_right_one(
    listed: list[ModelInfo], asked: list[str], data: st.DataObject
) -> None:
    """Feature: stage-07-model-management, Property 6: Model Status Enum Values.

    For any model status check, the returned status should be one of the valid enum values:
    available, downloading, or not_found.
    """
    pulled = data.draw(st.lists(names, max_size=4))

    async def world(service: ModelService, provider: FakeProvider, clock: FakeClock) -> None:
        for name in pulled:
            service.enqueue(name)
        await settle()
        active = {name_key(pull.name) for pull in provider.pulls}
        for name in [*asked, *pulled, *(model.name for model in listed)]:
            status = await service.get_model_status(name)
            assert status in tuple(ModelStatus)
            key = name_key(name)
            if key in provider.models:
                assert status is ModelStatus.AVAILABLE
            else:
                expected = ModelStatus.DOWNLOADING if key in active else ModelStatus.NOT_FOUND
                assert status is expected

    live(listed, world)


@some
@given(st.lists(st.tuples(st.sampled_from(["a:1", "A:1", "b:2"]), st.floats(0, 400)), max_size=12))
def test_details_are_kept_for_five_minutes(asked: list[tuple[str, float]]) -> None:
    """Feature: stage-07-model-management, Property 22: Model Info Caching Duration.

    For any model information retrieval, subsequent requests within 5 minutes should return
    cached data without querying the provider.
    """

    async def world(service: ModelService, provider: FakeProvider, clock: FakeClock) -> None:
        fetched_at_s: dict[str, float] = {}
        questions = 0
        for name, wait_s in asked:
            clock.now_s += wait_s
            await service.show_model(name)
            key = name_key(name)
            if clock.now_s - fetched_at_s.get(key, float("-inf")) >= 300:
                fetched_at_s[key] = clock.now_s
                questions += 1
            assert provider.asked["show"] == questions

    live([ModelInfo("a:1"), ModelInfo("b:2")], world)
