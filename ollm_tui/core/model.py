"""What a model is, on disk and in memory. Plain frozen data; nothing here asks anyone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

UNKNOWN_FAMILY = "unknown"
LARGEST_COUNT = 2**63 - 1
"""Of bytes, tokens or parameters that is believed; far larger ones are not even a float."""
_NO_SOURCES: Mapping[str, str] = MappingProxyType({})
_NO_METADATA: Mapping[str, object] = MappingProxyType({})


class ModelStatus(StrEnum):
    """Where a model name stands. Source: design, Property 6."""

    AVAILABLE = "available"
    DOWNLOADING = "downloading"
    NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True)
class ModelCapabilities:
    """What a model can do. Every completion model streams; an embedding-only one does not."""

    tool_calling: bool = False
    vision: bool = False
    streaming: bool = False
    thinking: bool = False
    insert: bool = False
    embedding: bool = False
    audio: bool = False
    image: bool = False


@dataclass(frozen=True, slots=True)
class ModelLimits:
    """How much a model takes in and gives out, in tokens. Source: design, Model Database."""

    context_window: int
    max_output_tokens: int


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One installed model. None means that nobody has said.

    `name` is the key for every request, exactly as the provider spells it; show `display_name`.
    """

    name: str
    size_bytes: int = 0
    """Sum over the manifest's layers; not disk usage, since blobs are shared."""
    digest: str = ""
    """SHA-256 of the manifest, 64 hex digits, or empty."""
    modified_at: datetime | None = None
    """Aware."""
    family: str = UNKNOWN_FAMILY
    """The brand people choose by: llama, qwen, phi. Never the architecture of the weights."""
    architecture: str = ""
    """What the weights are built as; mistral's say llama."""
    parameters_billions: float | None = None
    quantization: str | None = None
    context_window: int | None = None
    """Trained context in tokens."""
    max_output_tokens: int | None = None
    capabilities: ModelCapabilities | None = None
    loaded: bool = False
    remote: bool = False
    """Runs on somebody else's machine; the entry is a stub."""
    embedding_only: bool = False
    base_model: bool = False
    """Continues text and does not chat."""
    served_context_tokens: int | None = None
    """What the server really gives, known once loaded or when num_ctx is set."""
    display_name: str = ""
    """`name`, safe to print on one line."""
    sources: Mapping[str, str] = field(default_factory=lambda: _NO_SOURCES, compare=False)
    """Field name to where its value came from: user, /api/show, /api/tags, database, default."""
    metadata: Mapping[str, object] = field(default_factory=lambda: _NO_METADATA, compare=False)
    """Further facts as the provider gave them, sanitised."""

    def __post_init__(self) -> None:
        if not self.display_name:
            object.__setattr__(self, "display_name", self.name)


@dataclass(frozen=True, slots=True)
class ModelDetails:
    """All that a provider tells about one model. Texts are sanitised and may be long."""

    info: ModelInfo
    parameters: tuple[tuple[str, str], ...] = ()
    """Run-time defaults of the Modelfile in its order; a name may repeat (stop)."""
    template: str = ""
    system: str = ""
    license: str = ""
    modelfile: str = ""
    requires: str = ""
    """Lowest server version that can run it, or empty."""


class ModelFile(NamedTuple):
    """One file that a model consists of."""

    kind: str
    """What it is for: model, template, params, license, config. Sanitised."""
    size_bytes: int
    digest: str
    """sha256: and 64 hex digits."""
    shared_with: tuple[str, ...] = ()
    """Other models that consist of it as well, for people."""


@dataclass(frozen=True, slots=True)
class RunningModel:
    """One model in memory."""

    name: str
    display_name: str
    digest: str = ""
    size_bytes: int = 0
    """Memory in use, all kinds."""
    size_vram_bytes: int = 0
    """The part of it on the GPU: 0 = all on the CPU."""
    expires_at: datetime | None = None
    """Aware; None = stays until unloaded."""
    context_tokens: int | None = None
    """The window it was loaded with."""


@dataclass(frozen=True, slots=True)
class Problem:
    """An entry that cannot be shown as a model, and why. Source: ruling Z10."""

    subject: str
    """Sanitised."""
    reason: str


@dataclass(frozen=True, slots=True)
class ModelList:
    """What a provider has, in its own order, and the entries that could not be read."""

    models: tuple[ModelInfo, ...] = ()
    problems: tuple[Problem, ...] = ()
