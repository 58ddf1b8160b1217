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
    """What to send. Only configured options are there, named as in the configuration: the
    provider knows what they are called on the wire."""

    model: str
    messages: tuple[ChatMessage, ...]
    options: Mapping[str, object] = field(default_factory=dict)
    """Generation options."""
    provider_options: Mapping[str, object] = field(default_factory=dict)
    """Those of the provider, untouched; a generation option of the same meaning wins."""
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


@dataclass(frozen=True, slots=True)
class OptionInForce:
    """One option that is sent, and who set it."""

    name: str
    """As it is written; dotted where it is inside another. All but `value` is safe to print."""
    value: object
    """As it was set, and masked where it is a secret."""
    key: str
    """The setting: `options.temperature`, `models."llama*".provider.mirostat`."""
    origin: str
    """The kind of source: flag, env, file, workspace or user."""
    place: str
    """The flag, the variable, or the file with line and column."""


@dataclass(frozen=True, slots=True)
class EffectiveOptions:
    """What is sent with the requests for one model: what is set somewhere, and nothing else."""

    generation: Mapping[str, object] = field(default_factory=dict)
    provider: Mapping[str, object] = field(default_factory=dict, repr=False)
    in_force: tuple[OptionInForce, ...] = ()
    """What of both counts, generation options first."""


@dataclass(frozen=True, slots=True)
class Measures:
    """How an answer came, as far as it has come. None = not known, or not yet."""

    elapsed_s: float = 0.0
    """Since the prompt was sent."""
    first_token_s: float | None = None
    """From sending the prompt to the first piece of the answer or of the thinking."""
    output_tokens: int | None = None
    """Thinking included; pieces so far until the provider has counted."""
    tokens_per_s: float | None = None
    is_counted: bool = False
    """Whether the provider counted and timed the tokens; if not, pieces over time stand in."""
    prompt_tokens: int | None = None
    prompt_duration_s: float | None = None
    load_duration_s: float | None = None
    served_context_tokens: int | None = None
    """The window that the model was loaded with."""
    done_reason: str = ""
    """The provider's word for why it ended; empty while it has not."""


@dataclass(frozen=True, slots=True)
class AnswerWarning:
    """Something about an answer that its reader should know."""

    code: str
    """SERVED_CONTEXT_TOO_SMALL, PROMPT_CUT or ANSWER_CUT; stable, for scripts."""
    message: str


@dataclass(frozen=True, slots=True)
class AnswerPart:
    """The next piece of an answer, and the measures with it."""

    text: str
    thinking: str
    measures: Measures
    warnings: tuple[AnswerWarning, ...] = ()
    """All so far."""
    is_last: bool = False
