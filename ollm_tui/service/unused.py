"""Which installed models nobody uses, for somebody whose disk is full.

Source: decisions A7, "Disk Full".
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ollm_tui.core.error import OllmError
from ollm_tui.core.model import ModelInfo
from ollm_tui.core.name import name_key
from ollm_tui.core.text import clean_line
from ollm_tui.core.unused import UnusedModel
from ollm_tui.service.deletion import is_loaded_as

if TYPE_CHECKING:
    from ollm_tui.service.installed import InstalledModels
    from ollm_tui.service.knowledge import Knowledge
    from ollm_tui.service.running import RunningModels

_LOG = logging.getLogger(__name__)

LISTED = 3


class UnusedModels:
    """Finds the largest models of one provider that are not used.

    Args:
        installed, running: what is known of them.
        knowledge: knows what the profiles choose.
        is_pending: whether a model is queued or being downloaded.
    """

    def __init__(
        self,
        installed: "InstalledModels",
        running: "RunningModels",
        knowledge: "Knowledge",
        is_pending: Callable[[str], bool],
    ) -> None:
        self._installed = installed
        self._running = running
        self._knowledge = knowledge
        self._is_pending = is_pending

    async def find(self) -> tuple[UnusedModel, ...]:
        """The largest ones, largest first, a few at most; what cannot be asked is as last seen."""
        try:
            models = await self._installed.get()
        except OllmError as error:
            _LOG.info("the models are those last seen: %s", error)
            models = self._installed.state.models
        try:
            in_memory = await self._running.ask_anew()
        except OllmError as error:
            _LOG.info("memory is as last seen: %s", error)
            in_memory = self._running.state.models
        used = {name_key(name) for name in await self._chosen(models)}
        used.update(
            name_key(model.name)
            for model in models
            if self._is_pending(model.name)
            or any(is_loaded_as(model.name, model.digest, one) for one in in_memory)
        )
        return _largest(models, used)

    async def _chosen(self, models: tuple[ModelInfo, ...]) -> set[str]:
        """The models that profiles choose now. Judging thousands takes a while, so in a thread."""

        def ask() -> set[str]:
            router = self._knowledge.router
            answers = (router.explain(one.name, models) for one in router.list_profiles())
            return {answer.model for answer in answers if answer.model is not None}

        try:
            return await asyncio.to_thread(ask)
        except OllmError as error:  # of settings that cannot be read
            _LOG.info("what the profiles choose is not known: %s", error)
            return set()


def _largest(models: Iterable[ModelInfo], used: set[str]) -> tuple[UnusedModel, ...]:
    same: dict[str, list[ModelInfo]] = {}
    for model in models:
        same.setdefault(model.digest or model.name, []).append(model)
    unused = [
        UnusedModel(tuple(clean_line(one.name) for one in names), names[0].size_bytes)
        for names in same.values()
        if names[0].size_bytes
        and not any(one.remote or name_key(one.name) in used for one in names)
    ]
    return tuple(sorted(unused, key=lambda one: -one.size_bytes)[:LISTED])
