"""A prompt on its way to a model, and the answer coming back."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One turn of a conversation."""

    role: str
    """system, user or assistant."""
    content: str


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """What to send. Options are in the provider's wire names; only configured ones are there."""

    model: str
    messages: tuple[ChatMessage, ...]
    options: Mapping[str, object] = field(default_factory=dict)
    keep_alive: str | float | None = None
    """Seconds or a duration such as "5m"; negative = for ever; None = the server's default."""


@dataclass(frozen=True, slots=True)
class GenerationChunk:
    """A piece of the answer; the last one has `done` set and the counts, where the server tells."""

    text: str = ""
    thinking: str = ""
    done: bool = False
    done_reason: str = ""
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    load_duration_s: float | None = None
    prompt_duration_s: float | None = None
    output_duration_s: float | None = None
