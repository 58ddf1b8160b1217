"""The JSON of /api/chat, both ways. Pure; imported with the first prompt only."""

from ollm_tui.core.generation import GenerationChunk, GenerationRequest
from ollm_tui.providers.ollama_json import (
    JsonObject,
    as_block,
    as_count,
    as_line,
    as_object,
    as_seconds,
)
from ollm_tui.providers.ollama_options import wire_options


def chat_body(request: GenerationRequest) -> dict[str, object]:
    """Return what to send: options under the names of the wire; what is unset stays out.

    Raises:
        ConfigError: an option that cannot be sent.
    """
    body: dict[str, object] = {
        "model": request.model,
        "messages": [
            {"role": message.role, "content": message.content} for message in request.messages
        ],
        "stream": True,
    }
    options = wire_options(request.provider_options) | wire_options(request.options)
    if options:
        body["options"] = options
    if request.keep_alive is not None:
        body["keep_alive"] = request.keep_alive
    return body


def parse_chat_chunk(message: JsonObject) -> GenerationChunk:
    """Read one line of a chat that is not an error."""
    turn = as_object(message.get("message"))
    return GenerationChunk(
        text=as_block(turn.get("content")),
        thinking=as_block(turn.get("thinking")),
        done=message.get("done") is True,
        done_reason=as_line(message.get("done_reason")),
        prompt_tokens=as_count(message.get("prompt_eval_count")),
        output_tokens=as_count(message.get("eval_count")),
        load_duration_s=as_seconds(message.get("load_duration")),
        prompt_duration_s=as_seconds(message.get("prompt_eval_duration")),
        output_duration_s=as_seconds(message.get("eval_duration")),
    )
