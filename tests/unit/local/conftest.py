"""A store on disk with two models that share their licence and their parameters."""

from pathlib import Path

import pytest

from ollm_tui.providers.local.store import Store
from tests.store_builder import install, made_model

LLAMA = made_model()
QWEN = made_model(model=b"not gguf", template=b"{{ .Prompt }}")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The directory of the store."""
    root = tmp_path / "models"
    install(root, "registry.ollama.ai/library/llama3/latest", LLAMA)
    install(root, "hf.co/Some/Qwen/Q4", QWEN)
    return root


@pytest.fixture
def store(root: Path) -> Store:
    """The store."""
    return Store(root)
