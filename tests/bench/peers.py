"""Where `make bench-peers` puts the programs and libraries that ours is compared with."""

from tests.bench.row import Row
from tests.terminal import ROOT

LIBRARIES = ROOT / ".venv" / "peers"
"""What is small: huggingface_hub and gguf."""
PARLLAMA = ROOT / ".venv" / "peers-parllama"
"""By itself, since it pins much of what it needs, and is large."""


def absent(name: str, reference: str, hint: str) -> Row:
    """The row of a comparison whose other side is not here."""
    return Row(name, 0.0, None, reference=reference, note=f"not installed ({hint})")
