"""How much room deleting models makes: exactly where their store can be read, else at most.

Source: ruling Z25.
"""

import logging
from collections.abc import Collection, Iterable
from typing import NamedTuple

from ollm_tui.core.error import OllmError
from ollm_tui.core.model import ModelInfo
from ollm_tui.core.name import name_key
from ollm_tui.providers.base import DiskSupport, Provider

_LOG = logging.getLogger(__name__)


class Freed(NamedTuple):
    """What deleting some models frees."""

    size_bytes: int
    is_exact: bool
    """False: at most so many, for nobody knows which files are shared."""


async def freed_by(
    provider: Provider, names: Collection[str], installed: Iterable[ModelInfo]
) -> Freed:
    """What deleting these models frees; never raises.

    Args:
        installed: all models there are, for a provider whose store cannot be read.
    """
    exact = await _exactly(provider, names)
    if exact is not None:
        return Freed(exact, True)
    return Freed(freed_bytes_at_most(names, installed), False)


def freed_bytes_at_most(names: Iterable[str], installed: Iterable[ModelInfo]) -> int:
    """How much deleting these models frees, if none of their layers is shared with others.

    Models with one digest are one on disk: they count once, and only if all of them go.
    """
    installed = tuple(installed)
    going = {name_key(name) for name in names}
    freed: dict[str, int] = {}
    for model in installed:
        if name_key(model.name) in going:
            freed[model.digest or model.name] = model.size_bytes
    for model in installed:
        if name_key(model.name) not in going:
            freed.pop(model.digest, None)
    return sum(freed.values())


async def _exactly(provider: Provider, names: Collection[str]) -> int | None:
    if not isinstance(provider, DiskSupport):
        return None
    try:
        return await provider.freed_bytes(names)
    except OllmError as error:
        _LOG.info("what would be freed is not known: %s", error)
        return None
