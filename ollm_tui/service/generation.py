"""Prompts: who answers one, with which options, and the answer as it comes, measured.

Knows neither where options are configured nor what they are called on the wire. Leaving an answer
early closes its stream and ends every question asked beside it.
"""

from __future__ import annotations  # types of what is imported with the first prompt only

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, NamedTuple

from ollm_tui.core.error import ModelNotFound, OllmError, Unsupported
from ollm_tui.core.name import name_key
from ollm_tui.core.text import clean_line
from ollm_tui.providers.base import GenerateSupport, Provider, StandIn

if TYPE_CHECKING:
    from ollm_tui.core.generation import (
        AnswerPart,
        AnswerWarning,
        EffectiveOptions,
        GenerationChunk,
        Measures,
    )
    from ollm_tui.routing.decision import Decision
    from ollm_tui.routing.profile import RoutingProfile
    from ollm_tui.service.running import RunningModels

OptionsFor = Callable[[str], "EffectiveOptions"]
"""The options in force for a model, by its raw name."""

MEMORY_LIMIT_S = 2.0
"""How long the end of an answer waits to hear what context it was given."""


class PromptPlan(NamedTuple):
    """Who would answer, why, and with which options."""

    decision: Decision
    model: str
    """The raw name."""
    display_name: str
    options: EffectiveOptions
    profile: RoutingProfile | None = None
    """Whose requirements the answer should meet; None = nobody's."""


class Prompts:
    """Sends prompts to one provider.

    Args:
        provider: whom to ask.
        options_for: may be slow, so it is called in a thread; None = no options are sent.
        running: knows what is in memory.
        on_missing: told the name of a model that is no longer there.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        provider: Provider,
        *,
        options_for: OptionsFor | None,
        running: RunningModels,
        on_missing: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        self._provider = provider
        self._options_for = options_for
        self._running = running
        self._on_missing = on_missing
        self._clock = clock

    async def support(self) -> GenerateSupport:
        """The provider, if it answers prompts.

        Raises:
            Unsupported: it does not; says what to do.
        """
        provider = self._provider
        if isinstance(provider, StandIn):
            provider = await provider.stands_for()
        if isinstance(provider, GenerateSupport):
            return provider
        raise Unsupported(
            "Prompts cannot be answered here",
            cause=f"the {provider.kind} provider keeps models on disk and runs none of them",
            actions=(
                "Start a server with `ollama serve`, then choose it with --provider ollama.",
                "Name a server that is running with --host or OLLM_HOST.",
            ),
        )

    async def plan(self, decision: Decision) -> PromptPlan:
        """Find the options for the model that a decision names.

        Raises:
            RoutingError: it names none.
            Unsupported: the provider answers no prompts.
        """
        from ollm_tui.core.generation import EffectiveOptions

        await self.support()
        if decision.error is not None:
            raise decision.error
        assert decision.model is not None  # a decision has one or the other
        options = EffectiveOptions()
        if self._options_for is not None:
            options = await asyncio.to_thread(self._options_for, decision.model)
        return PromptPlan(
            decision,
            decision.model,
            clean_line(decision.model),
            options,
            decision.hops[-1].profile if decision.hops else None,
        )

    async def send(self, plan: PromptPlan, prompt: str) -> AsyncGenerator[AnswerPart, None]:
        """Send a prompt and give the answer as it comes; the last part has `is_last` set.

        Raises:
            Unsupported: the provider answers no prompts.
            ModelNotFound: the model has gone.
            ConfigError: an option that cannot be sent.
            ProviderError: nobody answers, or the answer broke off.

        Source: design, Properties 14 to 16; ruling Z2.
        """
        from ollm_tui.core.generation import AnswerPart, ChatMessage, GenerationRequest

        provider = await self.support()
        request = GenerationRequest(
            plan.model,
            (ChatMessage("user", prompt),),
            options=plan.options.generation,
            provider_options=plan.options.provider,
        )
        meter = _Meter(self._clock)
        memory: asyncio.Task[int | None] | None = None
        try:
            async with aclosing(provider.chat(request)) as chunks:
                async for chunk in chunks:
                    meter.take(chunk)
                    if memory is None:  # the model is loaded by now, and may leave at the end
                        memory = asyncio.create_task(self._served_context(plan.model))
                    if chunk.done:
                        await asyncio.wait({memory}, timeout=MEMORY_LIMIT_S)
                    if memory.done():
                        meter.served_context_tokens = memory.result()
                    measures = meter.measures()
                    yield AnswerPart(
                        chunk.text,
                        chunk.thinking,
                        measures,
                        _warnings(plan, measures),
                        is_last=chunk.done,
                    )
        except ModelNotFound:
            self._on_missing(plan.model)
            raise
        finally:
            if memory is not None:
                memory.cancel()
                await asyncio.gather(memory, return_exceptions=True)

    async def _served_context(self, name: str) -> int | None:
        """The window that a model was loaded with; None = nobody says."""
        try:
            running = await self._running.ask_anew()
        except OllmError:
            return None  # old servers do not tell, and the answer does not depend on it
        key = name_key(name)
        found = (model for model in running if name_key(model.name) == key)
        return next((model.context_tokens for model in found), None)


class _Meter:
    """Counts and times an answer."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._sent_at_s = clock()
        self._first_at_s: float | None = None
        self._pieces = 0
        self._last: GenerationChunk | None = None
        self.served_context_tokens: int | None = None

    def take(self, chunk: GenerationChunk) -> None:
        """Count one chunk."""
        if chunk.text or chunk.thinking:
            self._pieces += 1
            if self._first_at_s is None:
                self._first_at_s = self._clock()
        self._last = chunk

    def measures(self) -> Measures:
        """What is known so far."""
        from ollm_tui.core.generation import Measures

        now_s, chunk = self._clock(), self._last
        assert chunk is not None  # measured only once there is something to measure
        first_at_s = self._first_at_s
        tokens = self._pieces if chunk.output_tokens is None else chunk.output_tokens
        is_counted = bool(chunk.output_tokens is not None and chunk.output_duration_s)
        rate: float | None = None
        if is_counted:
            rate = tokens / (chunk.output_duration_s or 1)
        elif first_at_s is not None and self._pieces > 1 and now_s > first_at_s:
            rate = (self._pieces - 1) / (now_s - first_at_s)  # the first one came at no time
        return Measures(
            elapsed_s=now_s - self._sent_at_s,
            first_token_s=None if first_at_s is None else first_at_s - self._sent_at_s,
            output_tokens=tokens,
            tokens_per_s=rate,
            is_counted=is_counted,
            prompt_tokens=chunk.prompt_tokens,
            prompt_duration_s=chunk.prompt_duration_s,
            load_duration_s=chunk.load_duration_s,
            served_context_tokens=self.served_context_tokens,
            done_reason=chunk.done_reason,
        )


def _warnings(plan: PromptPlan, measures: Measures) -> tuple[AnswerWarning, ...]:
    served = measures.served_context_tokens
    if served is None and measures.done_reason != "length":
        return ()
    from ollm_tui.core.generation import AnswerWarning

    warnings = []
    needed = 0 if plan.profile is None else plan.profile.min_context_window
    if served is not None and served < needed:
        assert plan.profile is not None
        warnings.append(
            AnswerWarning(
                "SERVED_CONTEXT_TOO_SMALL",
                f"{plan.display_name} was given {served:,} tokens of context, and "
                f"{clean_line(plan.profile.name)} asks for {needed:,}; set numCtx: {needed}.",
            )
        )
    prompt_tokens = measures.prompt_tokens or 0
    if served is not None and prompt_tokens >= served:
        warnings.append(
            AnswerWarning(
                "PROMPT_CUT",
                f"The prompt filled the whole context of {served:,} tokens, so part of it was "
                "probably cut; set a larger numCtx.",
            )
        )
    if measures.done_reason == "length":
        warnings.append(
            AnswerWarning(
                "ANSWER_CUT",
                f"The answer was cut after {measures.output_tokens or 0:,} tokens; raise "
                "maxTokens or numCtx.",
            )
        )
    return tuple(warnings)
