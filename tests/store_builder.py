"""Model stores on disk for tests, written file by file and sharing nothing with the program."""

import hashlib
import json
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from tests.gguf_writer import llama

MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG_TYPE = "application/vnd.docker.container.image.v1+json"


@lru_cache
def digest_of(data: bytes) -> str:
    """The digest as manifests write it."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@dataclass
class MadeModel:
    """The files of a model, by digest, and its manifest."""

    layers: dict[str, bytes] = field(default_factory=dict)
    """Kind to content."""
    config: dict[str, object] = field(default_factory=dict)

    @property
    def config_bytes(self) -> bytes:
        return json.dumps(self.config).encode()

    @property
    def blobs(self) -> dict[str, bytes]:
        return {digest_of(data): data for data in (self.config_bytes, *self.layers.values())}

    @property
    def manifest(self) -> bytes:
        document = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": _entry(CONFIG_TYPE, self.config_bytes),
            "layers": [
                _entry(f"application/vnd.ollama.image.{kind}", data)
                for kind, data in self.layers.items()
            ],
        }
        return json.dumps(document, indent=1).encode()

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.manifest).hexdigest()

    @property
    def total_bytes(self) -> int:
        return sum(map(len, self.blobs.values()))


def made_model(weights: bytes | None = None, **layers: bytes) -> MadeModel:
    """A small llama; more layers by their kind, an empty one leaves it out."""
    wanted = {
        "model": llama() if weights is None else weights,
        "template": b"{{ if .Tools }}{{ .Tools }}{{ end }}{{ .Prompt }}",
        "license": b"Do as you like.\n",
        "params": b'{"stop":["<a>","<b>"],"num_ctx":2048}',
    } | layers
    config: dict[str, object] = {
        "model_format": "gguf",
        "model_family": "llama",
        "model_type": "8.0B",
        "file_type": "Q4_K_M",
        "requires": "0.6.0",
    }
    return MadeModel({kind: data for kind, data in wanted.items() if data}, config)


def install(root: Path, path: str, model: MadeModel) -> Path:
    """Put a model into a store under host/namespace/model/tag; returns the manifest's path."""
    blobs = root / "blobs"
    blobs.mkdir(parents=True, exist_ok=True)
    for digest, data in model.blobs.items():
        (blobs / digest.replace(":", "-")).write_bytes(data)
    manifest = root / "manifests" / path
    manifest.parent.mkdir(parents=True, exist_ok=True)
    manifest.write_bytes(model.manifest)
    return manifest


def tree(root: Path) -> set[str]:
    """Every file and link below a directory."""
    return {
        str(path.relative_to(root))
        for path in root.rglob("*")
        if path.is_symlink() or not path.is_dir()
    }


def _entry(media_type: str, data: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}
