"""What tests of pulls ask again and again."""

import hashlib
from pathlib import Path

from ollm_tui.core.progress import PullPhase, PullStep
from ollm_tui.providers.local.provider import LocalProvider
from tests.store_builder import MadeModel, made_model


async def pull(provider: LocalProvider, name: str) -> list[PullStep]:
    """Pull to the end."""
    return [step async for step in provider.pull(name)]


def big_model(size_bytes: int = 1_500_000, seed: int = 1) -> MadeModel:
    """A model whose weights are this long and the same each time."""
    block = hashlib.shake_256(bytes([seed])).digest(1 << 16)
    return made_model(weights=(block * (size_bytes // len(block) + 1))[:size_bytes])


def weights_digest(model: MadeModel) -> str:
    """The digest of the weights."""
    return f"sha256:{hashlib.sha256(model.layers['model']).hexdigest()}"


def is_installed(root: Path, path: str, model: MadeModel) -> bool:
    """Whether all files of a model are there, byte for byte."""
    manifest = root / "manifests" / path
    return manifest.read_bytes() == model.manifest and all(
        (root / "blobs" / digest.replace(":", "-")).read_bytes() == data
        for digest, data in model.blobs.items()
    )


def no_wrong_file(root: Path) -> bool:
    """Whether every file with a digest's name has that digest."""
    return all(
        path.name == f"sha256-{hashlib.sha256(path.read_bytes()).hexdigest()}"
        for path in (root / "blobs").glob("*")
    )


__all__ = ["PullPhase", "PullStep", "big_model", "is_installed", "no_wrong_file", "pull"]
