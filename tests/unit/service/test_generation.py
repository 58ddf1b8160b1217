"""Prompts: who answers, with what, how fast, and that leaving an answer leaves nothing behind."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import pytest

from ollm_tui.core.error import (
    ModelNotFound,
    NoModelsInstalled,
    OllmError,
    ProviderOffline,
    Unsupported,
)
from ollm_tui.core.generation import (
    AnswerPart,
    EffectiveOptions,
    GenerationChunk,
    GenerationRequest,
    OptionInForce,
)
from ollm_tui.providers.base import Provider
from ollm_tui.routing.decision import Via
from ollm_tui.service import generation
from ollm_tui.service.generation import PromptPlan
from ollm_tui.service.service import ModelService
from tests.unit.service.fake import FakeClock, FakeProvider, make_service, model, settle

NAME = "qwen3:8b"


def piece(text: str = "", thinking: str = "") -> GenerationChunk:
    return GenerationChunk(text=text, thinking=thinking)


def end(**counts: object) -> GenerationChunk:
    return GenerationChunk(done=True, done_reason="stop", **counts)  # type: ignore[arg-type]


class Talker(FakeProvider):
    """A provider that answers what a test puts in; a number is seconds that pass."""

    def __init__(self, clock: FakeClock, script: Sequence[object] = ()) -> None:
        super().__init__(model(NAME))
        self.load_into_memory(NAME)
        self.requests: list[GenerationRequest] = []
        self.said = script
        self.is_left = False
        self._clock = clock

    async def chat(self, request: GenerationRequest) -> AsyncGenerator[GenerationChunk, None]:
        self.requests.append(request)
        try:
            for item in self.said:
                if isinstance(item, OllmError):
                    raise item
                if isinstance(item, GenerationChunk):
                    yield item
                    for _ in range(20):  # lets the question about memory be answered meanwhile
                        await asyncio.sleep(0)
                elif item is None:
                    await asyncio.get_running_loop().create_future()
                else:
                    await self._clock.advance(float(str(item)))
        finally:
            self.is_left = True


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def provider(clock: FakeClock) -> Talker:
    return Talker(clock)


async def planned(service: ModelService, profile: str | None = None) -> PromptPlan:
    await service.list_models()
    return await service.prompts.plan(service.explain(profile, model=None if profile else NAME))


async def answer(service: ModelService, profile: str | None = None) -> list[AnswerPart]:
    plan = await planned(service, profile)
    return [part async for part in service.prompts.send(plan, "Hello")]


async def test_speed_is_the_providers_where_it_counts(clock: FakeClock, provider: Talker) -> None:
    provider.said = [
        1.5,
        piece(thinking="hm"),
        0.5,
        piece("Hel"),
        0.5,
        piece("lo"),
        end(prompt_tokens=9, output_tokens=30, output_duration_s=2.0, load_duration_s=1.25),
    ]
    service = make_service(provider, clock)
    parts = await answer(service)
    assert "".join(part.text for part in parts) == "Hello"
    assert "".join(part.thinking for part in parts) == "hm"
    assert [part.is_last for part in parts] == [False, False, False, True]
    first, second, third, last = (part.measures for part in parts)
    assert (first.first_token_s, first.tokens_per_s, first.output_tokens) == (1.5, None, 1)
    assert second.tokens_per_s == third.tokens_per_s == pytest.approx(2.0)
    assert (second.is_counted, third.is_counted, third.elapsed_s) == (False, False, 2.5)
    assert (last.tokens_per_s, last.is_counted, last.output_tokens) == (15.0, True, 30)
    assert (last.prompt_tokens, last.load_duration_s, last.done_reason) == (9, 1.25, "stop")
    assert last.served_context_tokens == 4096
    assert provider.requests[0].messages[0].content == "Hello"
    await service.close()


async def test_an_answer_of_nothing_has_no_speed(clock: FakeClock, provider: Talker) -> None:
    provider.said = [end()]
    service = make_service(provider, clock)
    (part,) = await answer(service)
    measures = part.measures
    assert (measures.first_token_s, measures.tokens_per_s, measures.output_tokens) == (
        None,
        None,
        0,
    )
    await service.close()


async def test_exactly_the_options_for_that_model_reach_the_request(
    clock: FakeClock, provider: Talker
) -> None:
    asked: list[tuple[str, bool]] = []

    def options_for(name: str) -> EffectiveOptions:
        asked.append((name, threading.current_thread() is threading.main_thread()))
        who = OptionInForce("topK", 4, "options.topK", "user", "~/.ollm/config.yaml:1:2")
        return EffectiveOptions({"topK": 4}, {"seed": 1}, (who,))

    provider.said = [end()]
    service = ModelService(provider, options_for=options_for)
    plan = await planned(service)
    assert asked == [(NAME, False)]  # it may read files, so it has a thread of its own
    assert plan.options.in_force[0].place == "~/.ollm/config.yaml:1:2"
    assert [part async for part in service.prompts.send(plan, "Hi")]
    (request,) = provider.requests
    assert (request.model, request.options, request.provider_options) == (
        NAME, {"topK": 4}, {"seed": 1},
    )  # fmt: skip
    assert request.keep_alive is None
    await service.close()


async def test_leaving_early_closes_the_stream_and_leaves_no_task(
    clock: FakeClock, provider: Talker
) -> None:
    provider.said = [piece("a"), None]
    provider.hold("running")
    service = make_service(provider, clock)
    plan = await planned(service)
    before = asyncio.all_tasks()
    async with aclosing(service.prompts.send(plan, "Hi")) as parts:
        async for _ in parts:
            await settle()
            assert provider.waiting("running") == 1
            break
    assert provider.is_left
    provider.free("running")  # the question itself is shared, and ends by itself
    await settle()
    assert asyncio.all_tasks() <= before
    await service.close()


async def test_cancelling_whoever_listens_closes_the_stream(
    clock: FakeClock, provider: Talker
) -> None:
    provider.said = [piece("a"), None]
    service = make_service(provider, clock)
    plan = await planned(service)

    async def listen() -> None:
        async with aclosing(service.prompts.send(plan, "Hi")) as parts:
            async for _ in parts:
                pass

    task = asyncio.create_task(listen())
    await settle()
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert provider.is_left
    await service.close()


async def test_the_end_does_not_wait_for_memory_for_ever(
    clock: FakeClock, provider: Talker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation, "MEMORY_LIMIT_S", 0.001)
    provider.said = [piece("a"), end()]
    provider.hold("running")
    service = make_service(provider, clock)
    parts = await answer(service)
    assert parts[-1].is_last
    assert parts[-1].measures.served_context_tokens is None
    provider.free("running")
    await service.close()


async def test_a_provider_that_fails_to_tell_of_memory_still_answers(
    clock: FakeClock, provider: Talker
) -> None:
    provider.said = [piece("a"), end()]
    provider.errors["running"] = ProviderOffline("gone")
    service = make_service(provider, clock)
    assert (await answer(service))[-1].measures.served_context_tokens is None
    await service.close()


async def test_less_context_than_the_profile_asks_for_is_told_with_the_remedy(
    clock: FakeClock, provider: Talker
) -> None:
    provider.said = [piece("a"), end(prompt_tokens=5)]
    service = make_service(provider, clock)
    parts = await answer(service, "code")
    (warning,) = parts[-1].warnings
    assert warning.code == "SERVED_CONTEXT_TOO_SMALL"
    assert warning.message == (
        "qwen3:8b was given 4,096 tokens of context, and code asks for 16,384; set numCtx: 16384."
    )
    assert (await answer(service))[-1].warnings == ()  # asked for by name: no profile, no need
    await service.close()


@pytest.mark.parametrize(("prompt_tokens", "is_told"), [(4095, False), (4096, True)])
async def test_a_prompt_that_fills_the_context_was_probably_cut(
    clock: FakeClock, provider: Talker, prompt_tokens: int, is_told: bool
) -> None:
    provider.said = [piece("a"), end(prompt_tokens=prompt_tokens)]
    service = make_service(provider, clock)
    codes = [warning.code for warning in (await answer(service))[-1].warnings]
    assert codes == (["PROMPT_CUT"] if is_told else [])
    await service.close()


async def test_an_answer_that_was_cut_is_told_also_where_memory_is_not(
    clock: FakeClock, provider: Talker
) -> None:
    provider.in_memory = []
    provider.said = [GenerationChunk(done=True, done_reason="length", output_tokens=7)]
    service = make_service(provider, clock)
    (warning,) = (await answer(service))[-1].warnings
    assert (warning.code, "after 7 tokens" in warning.message) == ("ANSWER_CUT", True)
    await service.close()


async def test_a_provider_without_answers_says_what_to_start(clock: FakeClock) -> None:
    service = make_service(FakeProvider(model(NAME)), clock)
    with pytest.raises(Unsupported) as caught:
        await planned(service)
    assert "ollama serve" in caught.value.actions[0]
    await service.close()


async def test_a_stand_in_answers_if_the_one_behind_it_does(
    clock: FakeClock, provider: Talker
) -> None:
    class StandingIn(FakeProvider):
        def __init__(self, real: FakeProvider) -> None:
            super().__init__(model(NAME))
            self._real = real

        async def stands_for(self) -> Provider:
            return self._real

    provider.said = [piece("a"), end()]
    service = make_service(StandingIn(provider), clock)
    assert (await answer(service))[0].text == "a"
    await service.close()
    service = make_service(StandingIn(FakeProvider(model(NAME))), clock)
    with pytest.raises(Unsupported):
        await service.prompts.support()
    await service.close()


async def test_a_decision_without_a_model_is_its_error(clock: FakeClock, provider: Talker) -> None:
    provider.models.clear()
    service = make_service(provider, clock)
    await service.list_models()
    with pytest.raises(NoModelsInstalled):
        await service.prompts.plan(service.explain("code"))
    await service.close()


async def test_a_model_that_has_gone_leaves_the_list(clock: FakeClock, provider: Talker) -> None:
    provider.said = [ModelNotFound("qwen3:8b is not installed")]
    service = make_service(provider, clock)
    plan = await planned(service)
    provider.models.clear()
    with pytest.raises(ModelNotFound):
        await anext(service.prompts.send(plan, "Hi"))
    await settle()
    assert service.models.models == ()
    await service.close()


async def test_an_error_on_the_way_is_raised_after_what_came(
    clock: FakeClock, provider: Talker
) -> None:
    provider.said = [piece("a"), ProviderOffline("The connection broke")]
    service = make_service(provider, clock)
    plan = await planned(service)
    parts = service.prompts.send(plan, "Hi")
    assert (await anext(parts)).text == "a"
    with pytest.raises(ProviderOffline):
        await anext(parts)
    await service.close()


async def test_a_model_asked_for_by_name_is_pinned(clock: FakeClock, provider: Talker) -> None:
    service = make_service(provider, clock)
    await service.list_models()
    decision = service.explain("code", model="QWEN3:8b")
    assert (decision.model, decision.via) == (NAME, Via.PINNED)
    assert service.explain("code").via is not Via.PINNED  # the router itself is as it was
    await service.close()
