"""What stands against deleting a model. Pure.

Servers delete loaded models without a word, so the guard is ours. Source: decisions A5.
"""

from collections.abc import Iterable

from ollm_tui.core.error import ModelInUse
from ollm_tui.core.model import RunningModel
from ollm_tui.core.name import name_key


def refuse_if_loaded(name: str, digest: str, running: Iterable[RunningModel]) -> None:
    """Raise ModelInUse if the model is in memory, be it under another name.

    Args:
        digest: the model's, or empty when unknown.
        running: what is in memory right now.
    """
    key = name_key(name)
    for model in running:
        is_same_name = name_key(model.name) == key
        if is_same_name or (digest and model.digest == digest):
            raise ModelInUse(
                f"{name} is loaded in memory",
                cause="" if is_same_name else f"as {model.display_name}",
                actions=(f"Unload it first (`ollm-tui stop {model.display_name}`), then delete.",),
            )


def refuse_if_downloading(name: str, *, is_pending: bool) -> None:
    """Raise ModelInUse if the model waits in the queue or is being downloaded."""
    if is_pending:
        raise ModelInUse(f"{name} is being downloaded", actions=("Cancel the download first (x).",))
