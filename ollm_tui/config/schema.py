"""Every key of the configuration, documented beside its default.

The README's table and the example file are generated from here. A field's docstring is its
documentation; None as default means that the key is unset and decides nothing. YAML keys are
the camelCase forms of the names here. Knows nothing of files, layers or origins.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict
from pydantic.alias_generators import to_camel

from ollm_tui.config.host import DEFAULT_HOST, normalise_host
from ollm_tui.core.error import InvalidName
from ollm_tui.core.model import ModelCapabilities
from ollm_tui.core.name import parse_name
from ollm_tui.core.text import clean_line

CAPABILITIES = tuple(to_camel(field.name) for field in fields(ModelCapabilities))
CAPABILITY_ALIASES = {"tools": "toolCalling", "tool_calling": "toolCalling"}
BUILT_IN_PROVIDERS = ("auto", "ollama", "local")
UNKNOWN_PROFILE = "Unknown routing profile"
MAX_INT = 2**31 - 1

_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([kKMGT]?)(i?)B?", re.ASCII)
_POWER = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}
_PART = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}"
_USUAL_NAME = re.compile(rf"(?:[A-Za-z0-9_][A-Za-z0-9_-]{{0,79}}/)?{_PART}(?::{_PART})?", re.ASCII)
"""What nearly every model name looks like; whatever else there is, the grammar of core judges."""
_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}", re.ASCII)
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}", re.ASCII)
_REGISTRY_HOST = re.compile(r"[a-z0-9_][a-z0-9_.:-]{0,349}", re.ASCII)
_USER = re.compile(r"[^:\x00-\x1f\x7f]{0,256}")
_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rule:
    """What a value must be, in words; beside the constraint that checks it."""

    expected: str
    """Completes "Write …"."""
    example: str
    """As it would stand in the file."""
    sentence: str = ""
    """The first sentence of an error; empty = "<key> must be <expected>"."""


def _whole(value: object) -> object:
    """4096.0 means 4096; anything else is judged as it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _size_bytes(value: object) -> object:
    if not isinstance(value, str):
        return _whole(value)
    match = _SIZE.fullmatch(value.strip())
    if match is None:
        raise ValueError("sizes are written as 12G, 500M or 8GiB")
    number, unit, binary = match.groups()
    return int(float(number) * (1024 if binary else 1000) ** _POWER[unit.upper()])


def _model_name(text: str) -> str:
    if _USUAL_NAME.fullmatch(text):
        return text
    if "://" in text:
        raise ValueError("an address (http://…) belongs to `pull` only")
    try:
        parse_name(text)
    except InvalidName as error:
        raise ValueError(error.cause) from error
    return text


def _header_value(text: str) -> str:
    if not all(" " <= character <= "~" for character in text):
        raise ValueError("it may hold printable ASCII only")
    return text


def _matching(pattern: re.Pattern[str], what: str) -> AfterValidator:
    def check(text: str) -> str:
        if pattern.fullmatch(text) is None:
            raise ValueError(f"it may hold {what}")
        return text

    return AfterValidator(check)


K = TypeVar("K")
V = TypeVar("V")


def _freeze(table: Mapping[K, V]) -> Mapping[K, V]:
    return MappingProxyType(dict(table))


def _empty() -> Mapping[str, V]:
    return MappingProxyType({})


FREEZE = AfterValidator(_freeze)
WHOLE = BeforeValidator(_whole)

Switch = Annotated[bool, Strict(), Rule("true or false", "true")]
Text = Annotated[str, Strict(), AfterValidator(clean_line), Rule("text", '"some text"')]
Word = Annotated[
    str,
    Strict(),
    _matching(_WORD, "letters, digits, '_', '-' and '.'"),
    Rule("a name without blanks", "work"),
]
Words = Annotated[
    tuple[Annotated[str, Strict(), AfterValidator(clean_line)], ...],
    Rule("a list of words", "[llama, mistral]"),
]
CountInt = Annotated[int, Strict(), WHOLE, Field(ge=0, le=MAX_INT)]
PositiveInt = Annotated[int, Strict(), WHOLE, Field(gt=0, le=MAX_INT)]
Tokens = Annotated[PositiveInt, Rule("a whole number of tokens above 0", "8192")]
Temperature = Annotated[
    float,
    Strict(),
    Field(ge=0, le=2, allow_inf_nan=False),
    Rule("a number from 0.0 to 2.0", "0.7", "Temperature must be between 0.0 and 2.0"),
]
MaxTokens = Annotated[
    PositiveInt,
    Rule(f"a whole number from 1 to {MAX_INT}", "4096", "Max tokens must be positive"),
]
TopP = Annotated[
    float,
    Strict(),
    Field(ge=0, le=1, allow_inf_nan=False),
    Rule("a number from 0.0 to 1.0", "0.9", "Top P must be between 0.0 and 1.0"),
]
TopK = Annotated[
    CountInt, Rule("a whole number, 0 or more", "40", "Top K must be 0 or a positive number")
]
RepeatPenalty = Annotated[
    float,
    Strict(),
    Field(ge=0, allow_inf_nan=False),
    Rule("a number, 0.0 or more", "1.1", "Repeat penalty must not be negative"),
]
ModelReference = Annotated[
    str,
    Strict(),
    AfterValidator(_model_name),
    Rule(
        "model, model:tag, namespace/model:tag or host/namespace/model:tag",
        "llama3.1:8b",
        "Invalid model name format",
    ),
]
ProfileName = Annotated[str, Strict(), Rule("the name of a profile", "general", UNKNOWN_PROFILE)]
Capability = Literal[CAPABILITIES]  # type: ignore[valid-type]  # spelt out by core
CapabilityList = Annotated[
    tuple[
        Annotated[
            Capability,
            BeforeValidator(
                lambda name: CAPABILITY_ALIASES.get(name, name) if isinstance(name, str) else name
            ),
        ],
        ...,
    ],
    Rule(f"a list of capabilities ({', '.join(CAPABILITIES)})", "[streaming, toolCalling]"),
]
SizeBytes = Annotated[
    int,
    Strict(),
    BeforeValidator(_size_bytes),
    Field(ge=1, le=2**62),
    Rule("bytes, or a number with k, M, G or T", "12G"),
]
Host = Annotated[
    str,
    Strict(),
    AfterValidator(normalise_host),
    Rule("host, host:port or a URL", "http://127.0.0.1:11434", "Invalid server address"),
]
EnvironmentName = Annotated[
    str,
    Strict(),
    _matching(_ENVIRONMENT_NAME, "letters, digits and '_' only, like any variable's name"),
    Rule("the name of an environment variable, never the key itself", "WORK_API_KEY"),
]
RegistryHost = Annotated[
    str,
    Strict(),
    _matching(
        _REGISTRY_HOST,
        "a host as in a model's name, with its port if there is one, in small letters",
    ),
]
UserName = Annotated[
    str,
    Strict(),
    _matching(_USER, "anything but ':' and control characters"),
    Rule("a name without ':'", "me"),
]
HeaderName = Annotated[str, Strict(), _matching(_HEADER_NAME, "letters, digits and '-'")]
HeaderValue = Annotated[
    str, Strict(), AfterValidator(_header_value), Rule("text in one line", '"value"')
]


class Section(BaseModel):
    """A mapping with known keys."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel)


class Profile(Section):
    """A routing profile: yours, or changes to a built-in one of that name."""

    description: Annotated[Text, Rule("text", "Reviewing code")] | None = None
    """What it is for."""
    preferred_families: Words | None = None
    """Families to rank first, in order."""
    min_context_window: (
        Annotated[CountInt, Rule("a whole number of tokens, 0 or more", "16384")] | None
    ) = None
    """Context that a model must have, in tokens; 0 = any."""
    required_capabilities: CapabilityList | None = None
    """What a model must be able to do, all of it."""
    fallback_profile: ProfileName | None = None
    """The profile to try when no model fits."""
    size_preference: (
        Annotated[
            Literal["smallest", "largest-that-fits"],
            Rule("smallest or largest-that-fits", "smallest"),
        ]
        | None
    ) = None
    """Which of several equal models wins."""


class Routing(Section):
    """How a model is chosen."""

    enabled: Switch = True
    """Whether profiles choose the model; false = always `model.default`."""
    default_profile: ProfileName = "general"
    """The profile in force when none is named."""
    overrides: Annotated[Mapping[str, ModelReference], FREEZE] = Field(default_factory=_empty)
    """Profile to the model that it always gets when that model is installed."""
    profiles: Annotated[Mapping[Word, Profile], FREEZE] = Field(default_factory=_empty)
    """Your own profiles by name, and changes to the built-in ones."""
    strict_overrides: Switch = False
    """Whether an override that is not installed is an error instead of a warning."""
    family_match: Annotated[
        Literal["substring", "exact"], Rule("substring or exact", "substring")
    ] = "substring"
    """Whether `llama` as a preferred family also covers `codellama`."""
    memory_budget: SizeBytes | None = None
    """Models that need more memory than this rank last of those of one preferred family; unset =
    three quarters of this machine's memory when the server runs on it, else no limit."""
    allow_remote: Switch = True
    """Whether models that run on somebody else's machine may be chosen."""
    prefer_loaded: Switch = False
    """Whether a model already in memory wins a tie."""


class Model(Section):
    """Which model is used."""

    default: ModelReference | None = None
    """The model to use when routing is off."""
    routing: Routing = Field(default_factory=Routing)
    """How a model is chosen."""


class Options(Section):
    """Generation options. What is unset is not sent, so that the model's own defaults hold."""

    temperature: Temperature | None = None
    """Randomness, 0.0 to 2.0."""
    max_tokens: MaxTokens | None = None
    """Longest answer in tokens."""
    top_p: TopP | None = None
    """Share of the probability mass to draw from, 0.0 to 1.0."""
    top_k: TopK | None = None
    """How many candidates to draw from."""
    repeat_penalty: RepeatPenalty | None = None
    """Penalty for repetition; 1.0 = none."""
    num_ctx: Tokens | None = None
    """Context that the server should give, in tokens."""


class ModelOptions(Options):
    """Options of the models that a pattern matches."""

    provider: Annotated[Mapping[str, object], FREEZE] = Field(default_factory=_empty)
    """Provider options for these models, passed on untouched."""


class Provider(Section):
    """A place to ask for models."""

    kind: Annotated[Literal["ollama", "local"], Rule("ollama or local", "ollama")] = "ollama"
    """What it is: an Ollama server, or a model store on this disk."""
    host: Host = DEFAULT_HOST
    """Address of the server."""
    options: Annotated[Mapping[str, object], FREEZE] = Field(default_factory=_empty)
    """Passed on with every request, untouched."""
    headers: Annotated[Mapping[HeaderName, HeaderValue], FREEZE] = Field(default_factory=_empty)
    """Extra HTTP headers."""
    api_key_env: EnvironmentName | None = None
    """Name of the environment variable that holds the API key."""
    ca_file: Annotated[Text, Rule("the path of a PEM file", "~/work.pem")] | None = None
    """Certificates to trust, a PEM file."""
    timeout_s: Annotated[
        float,
        Strict(),
        Field(gt=0, le=3600, allow_inf_nan=False),
        Rule("seconds, above 0 and at most 3600", "15"),
    ] = 15
    """Longest wait for an answer other than a stream, in seconds."""


class Registry(Section):
    """Who you are for one registry; sent to it alone, and only when it asks."""

    user: UserName | None = None
    """Your name there; some registries take any."""
    password_env: (
        Annotated[
            EnvironmentName,
            Rule("the name of an environment variable, never the password itself", "GHCR_TOKEN"),
        ]
        | None
    ) = None
    """Name of the environment variable that holds the password or access token."""


class Capabilities(Section):
    """What a model can do."""

    tool_calling: Switch | None = None
    """Whether it calls tools."""
    vision: Switch | None = None
    """Whether it reads images."""
    streaming: Switch | None = None
    """Whether it streams its answer."""


class DatabaseEntry(Section):
    """Facts about the models that a pattern matches; what is unset comes from elsewhere."""

    family: Annotated[Text, Rule("the name of a family", "llama")] | None = None
    """The brand that profiles prefer."""
    context_window: Tokens | None = None
    """Trained context in tokens."""
    max_output_tokens: Tokens | None = None
    """Longest answer in tokens."""
    context_cap: Tokens | None = None
    """Trust no reported context above this, in tokens."""
    capabilities: Capabilities = Field(default_factory=Capabilities)
    """What they can do."""
    profiles: Annotated[Words, Rule("a list of profiles", "[general, code]")] | None = None
    """Profiles that they suit."""
    force: Switch = False
    """Whether this beats what the provider reports."""


class Downloads(Section):
    """How models are fetched."""

    concurrency: Annotated[
        int, Strict(), WHOLE, Field(ge=1, le=16), Rule("a whole number from 1 to 16", "2")
    ] = 2
    """Downloads at a time."""
    bandwidth_limit: Annotated[SizeBytes, Rule("bytes a second, such as 20M", "20M")] | None = None
    """Bytes per second for all downloads together; unset = no limit."""
    retries: Annotated[
        int, Strict(), WHOLE, Field(ge=0, le=100), Rule("a whole number from 0 to 100", "5")
    ] = 5
    """Tries without progress before a download ends as failed."""


class Ui(Section):
    """The screen."""

    theme: Annotated[Word, Rule("the name of a theme", "nord")] | None = None
    """Name of the theme; unset = the one last picked on the screen."""
    keys: Annotated[
        Mapping[str, Annotated[str, Strict(), AfterValidator(clean_line), Rule("a key", "f5")]],
        FREEZE,
    ] = Field(default_factory=_empty)
    """Binding id to the key that triggers it; the help screen (`?`) lists the ids."""
    reduced_motion: Switch = False
    """Whether nothing on the screen moves by itself."""


class Settings(Section):
    """The whole configuration."""

    model: Model = Field(default_factory=Model)
    """Which model is used."""
    options: Options = Field(default_factory=Options)
    """Generation options for every model."""
    models: Annotated[Mapping[str, ModelOptions], FREEZE] = Field(default_factory=_empty)
    """Options by model name or glob pattern; the longest pattern wins, field by field."""
    provider: Annotated[Word, Rule("auto, local or a name under `providers`", "auto")] = "auto"
    """Which provider to ask; auto = the Ollama server, or the local store when nothing named a
    server and none answers."""
    providers: Annotated[Mapping[Word, Provider], FREEZE] = Field(
        default_factory=lambda: MappingProxyType({"ollama": Provider()})
    )
    """Providers by name."""
    registries: Annotated[Mapping[RegistryHost, Registry], FREEZE] = Field(default_factory=_empty)
    """Credentials for private registries, by host or host:port as in a model's name."""
    database: Annotated[Mapping[str, DatabaseEntry], FREEZE] = Field(default_factory=_empty)
    """Facts about models by name or glob pattern, beside the built-in ones."""
    downloads: Downloads = Field(default_factory=Downloads)
    """How models are fetched."""
    ui: Ui = Field(default_factory=Ui)
    """The screen."""
