"""Manifests and the configuration they name: bytes of strangers, checked before anything is done.

Knows nothing of disks or networks. The bytes are kept as they came, for their SHA-256 is the
model's digest. A manifest in which any digest, size or count is odd is refused as a whole, so
that no later code has to ask.

Source: reference/ollama.md 3.2, 3.3 and 7.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from ollm_tui.core.error import ProviderGarbled
from ollm_tui.core.text import clean_line
from ollm_tui.providers.ollama_json import JsonObject, as_count, as_line, as_object, as_text

MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG_TYPE = "application/vnd.docker.container.image.v1+json"
MANIFEST_LIMIT_BYTES = 1024 * 1024
LAYER_LIMIT = 4096
_BLOB_LIMIT_BYTES = 1 << 46
_LAYER_PREFIX = "application/vnd.ollama.image."
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)


def is_digest(text: object) -> bool:
    """Whether this is a digest as a path or an address may hold it: sha256, lower-case hex."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Blob:
    """One file of a model."""

    digest: str
    """sha256: and 64 lower-case hex digits."""
    size_bytes: int
    media_type: str = ""
    """As it came: compare it, never show it."""

    @property
    def kind(self) -> str:
        """What it is for, such as "model" or "template"; "config" for the configuration."""
        if self.media_type == CONFIG_TYPE:
            return "config"
        kind = self.media_type.removeprefix(_LAYER_PREFIX)
        return clean_line({"prompt": "template"}.get(kind, kind), 80)

    @property
    def short_digest(self) -> str:
        """Twelve hex digits, for people."""
        return self.digest.removeprefix("sha256:")[:12]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a model consists of."""

    raw: bytes
    """As the registry sent it."""
    config: Blob
    layers: tuple[Blob, ...]

    @property
    def digest(self) -> str:
        """The model's digest: 64 hex digits, without the name of the algorithm."""
        return hashlib.sha256(self.raw).hexdigest()

    @property
    def size_bytes(self) -> int:
        """Sum over all entries, repeated ones too, as Ollama counts it; not disk usage."""
        return self.config.size_bytes + sum(layer.size_bytes for layer in self.layers)

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """Every file once, the configuration first: it is small, and says what the rest needs."""
        return tuple({blob.digest: blob for blob in (self.config, *self.layers)}.values())

    @property
    def is_tensor_model(self) -> bool:
        """Whether its weights are a file per tensor, which needs Ollama's MLX runtime."""
        return any(layer.kind == "tensor" for layer in self.layers)

    def of_kind(self, kind: str) -> tuple[Blob, ...]:
        """The layers of one kind, in their order, each digest once."""
        found = (layer for layer in self.layers if layer.kind == kind)
        return tuple({layer.digest: layer for layer in found}.values())


@dataclass(frozen=True, slots=True)
class Config:
    """What a model's configuration says, sanitised; empty or None for what it does not."""

    model_format: str = ""
    family: str = ""
    parameter_size: str = ""
    quantization: str = ""
    context_tokens: int | None = None
    capabilities: frozenset[str] = frozenset()
    renderer: str = ""
    parser: str = ""
    requires: str = ""
    remote_host: str = ""
    remote_model: str = ""

    @property
    def is_remote(self) -> bool:
        """Whether the model runs on somebody else's machine."""
        return bool(self.remote_host or self.remote_model)


def parse_manifest(raw: bytes) -> Manifest:
    """Read and check a manifest.

    Raises:
        ProviderGarbled: it is none, or anything in it is odd.
    """
    if len(raw) > MANIFEST_LIMIT_BYTES:
        _refuse(f"it is longer than {MANIFEST_LIMIT_BYTES} bytes")
    if not raw.strip():
        _refuse("it is empty")
    document = _json_object(raw)
    if document is None:
        _refuse("it is not JSON, or not an object")
    layers = document.get("layers")
    if not isinstance(layers, list) or not layers:
        _refuse("it lists no layers")
    if len(layers) > LAYER_LIMIT:
        _refuse(f"it lists {len(layers)} layers")
    manifest = Manifest(raw, _blob(document.get("config")), tuple(map(_blob, layers)))
    sizes: dict[str, int] = {}
    for blob in (manifest.config, *manifest.layers):
        if sizes.setdefault(blob.digest, blob.size_bytes) != blob.size_bytes:
            _refuse("it gives two sizes for one digest")
    return manifest


def parse_config(raw: bytes) -> Config:
    """Read a model's configuration; what cannot be read counts as not said."""
    document = _json_object(raw) or {}
    families = document.get("model_families")
    family = as_line(document.get("model_family"))
    if not family and isinstance(families, list) and families:
        family = as_line(families[0])
    listed, file_type = document.get("capabilities"), as_line(document.get("file_type"))
    return Config(
        model_format=as_line(document.get("model_format")),
        family=family,
        parameter_size=as_line(document.get("model_type")),
        quantization="" if file_type.lower() == "unknown" else file_type,
        context_tokens=as_count(document.get("context_length")) or None,
        capabilities=frozenset(map(as_line, listed if isinstance(listed, list) else ())),
        renderer=as_line(document.get("renderer")),
        parser=as_line(document.get("parser")),
        requires=as_line(document.get("requires")),
        remote_host=as_line(document.get("remote_host")),
        remote_model=as_line(document.get("remote_model")),
    )


def parse_parameters(raw: bytes) -> tuple[tuple[str, str], ...]:
    """Read a layer of run-time defaults; a list gives its name once per entry."""
    pairs = []
    for name, value in (_json_object(raw) or {}).items():
        for item in value if isinstance(value, list) else (value,):
            text = item if isinstance(item, str) else json.dumps(item)
            pairs.append((clean_line(name), clean_line(text)))
    return tuple(pairs)


def _blob(entry: object) -> Blob:
    fields = as_object(entry)
    digest, size = fields.get("digest"), fields.get("size")
    if not is_digest(digest):
        _refuse(f"a digest in it is none: {as_text(digest)[:100]!r}")
    size_bytes = None if isinstance(size, float) else as_count(size)
    if size_bytes is None or size_bytes > _BLOB_LIMIT_BYTES:
        _refuse(f"a size in it is none: {str(size)[:40]}")
    return Blob(as_text(digest), size_bytes, as_text(fields.get("mediaType")))


def _json_object(raw: bytes) -> JsonObject | None:
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, Mapping) else None


def _refuse(why: str) -> NoReturn:
    raise ProviderGarbled(
        "The model's manifest cannot be used",
        cause=why,
        actions=("Pull the model again, or from another registry if it came like this.",),
    )
