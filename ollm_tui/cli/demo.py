"""The sandbox of --demo: made-up models, and everything of the catalogue there to be pulled."""

from ollm_tui.catalogue.catalogue import catalogue
from ollm_tui.core.model import ModelInfo
from ollm_tui.sandbox.models import SandboxModel
from ollm_tui.sandbox.roster import DEMO_LOADED, catalogue_models, model_like
from ollm_tui.sandbox.server import SandboxServer

# What the catalogue calls a capability, and what servers call it.
_SERVER_WORDS = {
    "streaming": "completion",
    "tool_calling": "tools",
    "vision": "vision",
    "thinking": "thinking",
    "insert": "insert",
    "embedding": "embedding",
}


def demo_server() -> SandboxServer:
    """A sandbox from which every name that the pull dialog offers can be pulled."""
    own = catalogue_models()
    names = {model.name for model in own}
    offered = [_sandboxed(model) for model in catalogue() if model.name not in names]
    return SandboxServer(loaded=DEMO_LOADED, catalogue=[*own, *offered])


def _sandboxed(model: ModelInfo) -> SandboxModel:
    can = model.capabilities
    return model_like(
        model.name,
        model.family,
        round((model.parameters_billions or 1) * 1e9),
        model.context_window or 4096,
        tuple(word for field, word in _SERVER_WORDS.items() if getattr(can, field)),
    )
