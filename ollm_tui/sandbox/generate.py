"""The routes that use a model: generate, chat, embed; loading and unloading come with them.

Source: reference, 1.12.
"""

import asyncio
import hashlib
import time
from collections.abc import AsyncGenerator
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from ollm_tui.sandbox import texts
from ollm_tui.sandbox.body import ApiError, Fields, LineStream, fields, json_response
from ollm_tui.sandbox.models import SandboxModel
from ollm_tui.sandbox.pull_faults import json_line, script_lines
from ollm_tui.sandbox.store import Installed
from ollm_tui.sandbox.wire import timestamp
from ollm_tui.sandbox.world import World

_SECOND_NS = 1_000_000_000


class GenerateRoutes:
    """The handlers, around one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def generate(self, request: Request) -> Response:
        """POST /api/generate."""
        asked = await fields(request)
        prompt = asked.text("prompt")
        return await self._answer(asked, prompt, chat=False, empty=not prompt)

    async def chat(self, request: Request) -> Response:
        """POST /api/chat."""
        asked = await fields(request)
        messages = asked.items("messages")
        last = messages[-1] if messages else {}
        prompt = last.get("content", "") if isinstance(last, dict) else ""
        return await self._answer(asked, str(prompt), chat=True, empty=not messages)

    async def embed(self, request: Request) -> Response:
        """POST /api/embed."""
        asked = await fields(request)
        model = self._installed(asked.model()).model
        if "embedding" not in model.capabilities:
            raise ApiError(400, "this model does not support embeddings")
        load_ns = await self._load(model, asked)
        try:
            inputs: list[object] = [asked.text("input")]
        except ApiError:
            inputs = asked.items("input")
        return json_response(
            {
                "model": asked.model(),
                "embeddings": [_vector(str(text), model.embedding_length) for text in inputs],
                "total_duration": load_ns + _SECOND_NS // 50,
                "load_duration": load_ns,
                "prompt_eval_count": sum(len(str(text).split()) for text in inputs),
            }
        )

    def _installed(self, name: str) -> Installed:
        entry = self._world.store.find(name)
        if entry is None:
            raise ApiError(404, f"model '{name}' not found")
        return entry

    async def _answer(self, asked: Fields, prompt: str, *, chat: bool, empty: bool) -> Response:
        name = asked.model()
        model = self._installed(name).model
        if empty and asked.keep_alive() == timedelta(0):
            self._world.store.unload(model)
            return json_response(self._line(name, chat, done_reason="unload"))
        if model.embedding:
            verb = "chat" if chat else "generate"
            raise ApiError(400, f'"{name}" does not support {verb}')
        if model.remote:
            address = "https://ollama.com/connect?name=sandbox"
            raise ApiError(401, "unauthorized", signin_url=address)
        asked.number_option("num_ctx")
        load_ns = await self._load(model, asked)
        if empty:
            return json_response(self._line(name, chat, done_reason="load"))
        script = self._world.faults.chat_script(name)
        if chat and script is not None:
            return LineStream(script_lines(script))
        lines = self._tokens(asked, model, prompt, chat, load_ns)
        if asked.flag("stream", default=True):
            return LineStream(json_line(line) async for line in lines)
        return json_response(await _joined(lines, chat))

    async def _load(self, model: SandboxModel, asked: Fields) -> int:
        """Bring the model into memory; return how long it took in nanoseconds."""
        started_ns = time.perf_counter_ns()
        context_tokens = asked.number_option("num_ctx")
        if not self._world.store.is_loaded(model, context_tokens):
            await asyncio.sleep(self._world.timing.load_delay_s)
        self._world.store.load(model, context_tokens, asked.keep_alive())
        return time.perf_counter_ns() - started_ns

    async def _tokens(
        self, asked: Fields, model: SandboxModel, prompt: str, chat: bool, load_ns: int
    ) -> AsyncGenerator[dict[str, object], None]:
        """Yield one object a token, then the one with the counts."""
        started_ns = time.perf_counter_ns()
        name = asked.model()
        thoughts = texts.thought_tokens() if "thinking" in model.capabilities else []
        if not asked.flag("think", default=True):
            thoughts = []
        words = texts.answer_tokens(model.name, prompt)
        limit = asked.number_option("num_predict")
        whole = [(token, True) for token in thoughts] + [(token, False) for token in words]
        said = whole if limit is None or limit < 0 else whole[:limit]
        for token, thinking in said:
            await asyncio.sleep(self._world.timing.token_delay_s)
            yield self._line(name, chat, token=token, thinking=thinking)
        spent_ns = time.perf_counter_ns() - started_ns
        prompt_count = max(1, len(prompt.split()) * 4 // 3)
        if (context_tokens := asked.number_option("num_ctx")) is not None:
            prompt_count = min(prompt_count, max(1, context_tokens))  # the rest is cut off
        yield self._line(name, chat, done_reason="stop" if said == whole else "length") | {
            "total_duration": load_ns + spent_ns + prompt_count * 1_000_000,
            "load_duration": load_ns,
            "prompt_eval_count": prompt_count,
            "prompt_eval_duration": prompt_count * 1_000_000,
            "eval_count": len(said),
            "eval_duration": max(1, spent_ns),
        }
        self._world.store.load(model, asked.number_option("num_ctx"), asked.keep_alive())

    def _line(
        self,
        name: str,
        chat: bool,
        token: str = "",
        thinking: bool = False,
        done_reason: str = "",
    ) -> dict[str, object]:
        line: dict[str, object] = {
            "model": name,
            "created_at": timestamp(self._world.store.now(), 1),
        }
        said = {"content" if chat else "response": "" if thinking else token}
        said |= {"thinking": token} if thinking else {}
        line |= {"message": {"role": "assistant", **said}} if chat else said
        line |= {"done_reason": done_reason} if done_reason else {}
        return line | {"done": bool(done_reason)}


async def _joined(lines: AsyncGenerator[dict[str, object], None], chat: bool) -> dict[str, object]:
    """Return a stream's lines as the one object of a request without streaming."""
    said = {"content": "", "response": "", "thinking": ""}
    last: dict[str, object] = {}
    async for last in lines:
        part = last["message"] if chat else last
        if isinstance(part, dict):
            said = {key: text + str(part.get(key, "")) for key, text in said.items()}
    thinking = {"thinking": said["thinking"]} if said["thinking"] else {}
    if chat:
        return last | {"message": {"role": "assistant", "content": said["content"], **thinking}}
    return last | {"response": said["response"], **thinking}


def _vector(text: str, length: int) -> list[float]:
    digest = hashlib.sha256(text.encode()).digest()
    return [round((digest[n % 32] - 127.5) / 1275 / (1 + n // 32), 6) for n in range(length)]
