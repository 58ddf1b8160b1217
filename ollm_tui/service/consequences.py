"""What deleting models would mean, told before anybody agrees to it.

Source: decisions A5; ruling Z25.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from ollm_tui.core.error import OllmError
from ollm_tui.core.model import ModelInfo, RunningModel
from ollm_tui.core.name import name_key
from ollm_tui.providers.base import Provider
from ollm_tui.service.deletion import is_loaded_as
from ollm_tui.service.freed import Freed, freed_by
from ollm_tui.service.running import RunningModels

if TYPE_CHECKING:
    from ollm_tui.routing.situation import Situation

_LOG = logging.getLogger(__name__)


class RoutingConsequences(NamedTuple):
    """What deleting some models would mean for what is chosen."""

    rerouted: tuple[str, ...]
    """A sentence for each profile that would choose another model, or none."""
    default: str
    """The one of them that `model.default` names, as it is written there; empty for none."""
    successor: str
    """What the default profile would choose without them; empty for nothing."""
    overridden: tuple[str, ...]
    """The profiles whose override names one of them, as they are written."""


class Consequences(NamedTuple):
    """What deleting some models would mean."""

    freed: Freed
    routing: "RoutingConsequences"
    loaded: tuple[RunningModel, ...]
    """Those that are in memory, as memory calls them."""
    is_memory_known: bool
    """False: the provider cannot say now what is loaded; `loaded` is what was last seen."""
    in_use: frozenset[str]
    """The names among those asked for that are in memory, be it under another name."""


async def consequences_of(
    names: Collection[str],
    *,
    provider: Provider,
    models: Sequence[ModelInfo],
    running: RunningModels,
    situation: "Callable[[], Situation]",
) -> Consequences:
    """Find out what deleting these models would mean; never raises.

    Args:
        models: all that are installed.
        situation: makes what routing follows from, which may take long, in a thread.
    """
    keys = {name_key(name) for name in names}
    going = [model for model in models if name_key(model.name) in keys]
    is_memory_known = True
    try:
        in_memory = await running.ask_anew()
    except OllmError as error:
        _LOG.info("what is loaded is not known: %s", error)
        in_memory, is_memory_known = running.state.models, False
    users = {
        model.name: [one for one in in_memory if is_loaded_as(model.name, model.digest, one)]
        for model in going
    }
    return Consequences(
        await freed_by(provider, [model.name for model in going], models),
        await asyncio.to_thread(lambda: _routing(situation(), keys)),
        tuple({one.name: one for used in users.values() for one in used}.values()),
        is_memory_known,
        frozenset(name for name, used in users.items() if used),
    )


def _routing(situation: "Situation", keys: Collection[str]) -> RoutingConsequences:
    from ollm_tui.routing.difference import consequences

    config = situation.config
    left = [model for model in situation.models if name_key(model.name) not in keys]
    after = situation.with_models(left)
    default = config.default_model or ""
    return RoutingConsequences(
        tuple(consequences(situation, after)),
        default if name_key(default) in keys else "",
        after.with_config(replace(config, enabled=True)).decide(config.default_profile).model or "",
        tuple(profile for profile, model in config.overrides.items() if name_key(model) in keys),
    )
