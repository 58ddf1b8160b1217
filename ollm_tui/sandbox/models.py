"""One made-up model: facts that fit together, and the layers, sizes and digests that follow.

Knows nothing of the wire format or of what is installed where.
"""

import hashlib
import json
from dataclasses import dataclass, field
from functools import lru_cache

from ollm_tui.sandbox import texts

# Bits a weight takes on average, file overhead included.
BITS_PER_WEIGHT = {
    "F32": 32.0,
    "F16": 16.01,
    "BF16": 16.01,
    "Q8_0": 8.51,
    "Q6_K": 6.57,
    "Q5_K_M": 5.70,
    "Q4_K_M": 4.90,
    "Q4_K_S": 4.68,
    "Q4_0": 4.55,
    "Q3_K_M": 4.00,
    "Q2_K": 3.35,
    "MXFP4": 4.47,
}
FILE_TYPES = {
    "F32": 0,
    "F16": 1,
    "Q4_0": 2,
    "Q8_0": 7,
    "Q2_K": 10,
    "Q3_K_M": 12,
    "Q4_K_S": 14,
    "Q4_K_M": 15,
    "Q5_K_M": 17,
    "Q6_K": 18,
    "BF16": 32,
    "MXFP4": 38,
}
PROJECTOR_BYTES = 624_434_368
REMOTE_HOST = "https://ollama.com:443"
_MEDIA = "application/vnd.ollama.image."
WEIGHTS = f"{_MEDIA}model"
PROJECTOR = f"{_MEDIA}projector"
CONFIG = "application/vnd.docker.container.image.v1+json"


@dataclass(frozen=True, slots=True)
class Layer:
    """One blob of a model."""

    media_type: str
    digest: str
    """With its "sha256:" prefix."""
    size_bytes: int


@dataclass(frozen=True, slots=True)
class SandboxModel:
    """One made-up model. Equal facts always give equal digests."""

    name: str
    family: str
    parameter_count: int
    context_length: int
    embedding_length: int
    block_count: int
    head_count: int
    head_count_kv: int
    quantization: str
    capabilities: tuple[str, ...]
    license_id: str = ""
    age_s: float = 0.0
    """How long before the server's start its manifest was written."""
    weights_key: str = ""
    """What the weights are made of; models with the same key share the blob."""
    parameter_size: str = ""
    system: str = ""
    layers: tuple[Layer, ...] = field(init=False)
    """In manifest order, the configuration last."""
    digest: str = field(init=False)
    """Of the manifest: 64 hex digits, no prefix."""
    size_bytes: int = field(init=False)

    def __post_init__(self) -> None:
        if not self.weights_key:
            object.__setattr__(self, "weights_key", self.name)
        if not self.parameter_size:
            object.__setattr__(self, "parameter_size", human_count(self.parameter_count))
        layers = _layers(self)
        manifest = json.dumps([(layer.media_type, layer.digest) for layer in layers])
        object.__setattr__(self, "layers", layers)
        object.__setattr__(self, "digest", hashlib.sha256(manifest.encode()).hexdigest())
        object.__setattr__(self, "size_bytes", sum(layer.size_bytes for layer in layers))

    @property
    def remote(self) -> bool:
        """Whether it is a stub for a model that runs elsewhere."""
        return self.name.endswith("-cloud")

    @property
    def remote_model(self) -> str:
        """What the stub stands for."""
        return self.name.removesuffix("-cloud")

    @property
    def embedding(self) -> bool:
        """Whether all it does is embed."""
        return "embedding" in self.capabilities and "completion" not in self.capabilities

    @property
    def has_projector(self) -> bool:
        """Whether its eyes are a file of their own, as those of a llama are."""
        return "vision" in self.capabilities and self.family == "llama"

    @property
    def families(self) -> tuple[str, ...]:
        """Every architecture inside."""
        return (self.family, "clip") if self.has_projector else (self.family,)

    @property
    def weights_digest(self) -> str:
        """What the scheduler tells runners apart by; the manifest's where there are no weights."""
        first = self.layers[0]
        return first.digest if first.media_type == WEIGHTS else self.digest

    @property
    def template(self) -> str:
        """Its chat template."""
        return "" if self.embedding or self.remote else texts.template(self.capabilities)

    @property
    def parameters(self) -> tuple[tuple[str, object], ...]:
        """The Modelfile's run-time defaults; a name may repeat."""
        return () if self.embedding or self.remote else texts.parameters(self.family)

    def memory_bytes(self, context_tokens: int) -> int:
        """What it takes in memory with a window of `context_tokens`: weights, cache, some room."""
        head_length = self.embedding_length // self.head_count
        per_token = 2 * 2 * self.block_count * self.head_count_kv * head_length
        return int(self.size_bytes * 1.03) + per_token * context_tokens


def human_count(count: int) -> str:
    """Return a parameter count the way the server words it, such as "8.0B" or "136.73M"."""
    for unit, suffix, digits in ((10**9, "B", 1), (10**6, "M", 2), (10**3, "K", 0)):
        if count >= unit:
            whole = count % unit == 0
            return f"{count // unit if whole else format(count / unit, f'.{digits}f')}{suffix}"
    return str(count)


def sha256_digest(text: str) -> str:
    """Return the digest of `text`, prefixed."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


@lru_cache(maxsize=256)
def _text_layer(media_type: str, text: str) -> Layer:
    return Layer(media_type, sha256_digest(text), len(text.encode()))


def _layers(model: SandboxModel) -> tuple[Layer, ...]:
    layers: list[Layer] = []
    if not model.remote:
        weights = int(model.parameter_count * BITS_PER_WEIGHT.get(model.quantization, 4.9) / 8)
        layers.append(Layer(WEIGHTS, sha256_digest(f"weights of {model.weights_key}"), weights))
    if model.has_projector:
        digest = sha256_digest(f"projector of {model.weights_key}")
        layers.append(Layer(PROJECTOR, digest, PROJECTOR_BYTES))
    parameters = json.dumps(model.parameters) if model.parameters else ""
    small = {
        "template": model.template,
        "system": model.system,
        "params": parameters,
        "license": texts.license_text(model.license_id),
    }
    layers += [_text_layer(_MEDIA + kind, text) for kind, text in small.items() if text]
    config = json.dumps(
        {
            "model_format": "gguf",
            "model_family": model.family,
            "model_families": model.families,
            "model_type": model.parameter_size,
            "file_type": model.quantization,
            "remote_model": model.remote_model if model.remote else "",
            "rootfs": {"type": "layers", "diff_ids": [layer.digest for layer in layers]},
        }
    )
    layers.append(Layer(CONFIG, sha256_digest(config), len(config.encode())))
    return tuple(layers)
