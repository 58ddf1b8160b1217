"""The verbs that only read: list, show, ps, status."""

import argparse
from dataclasses import replace
from datetime import UTC, datetime

from ollm_tui.cli import render
from ollm_tui.cli.exit_status import DONE, NEGATIVE
from ollm_tui.cli.installed import last_known, see_memory, with_memory
from ollm_tui.cli.output import say, warn
from ollm_tui.core.error import FilterError
from ollm_tui.core.filter import Filter
from ollm_tui.core.model import ModelStatus
from ollm_tui.core.name import name_key, parse_reference
from ollm_tui.service.service import ModelService
from ollm_tui.ui import format as words


async def list_models(service: ModelService, options: argparse.Namespace) -> int:
    """The installed models that the filter lets through."""
    wanted = Filter.parse(" ".join(options.filter))
    if wanted.asks_marks:
        raise FilterError(
            "Nothing is marked outside the screen", actions=("Leave “marked” out of the filter.",)
        )
    models = await last_known(service)
    if options.json:
        memory_known = await see_memory(service)
        chosen = [model for model in service.models.models if wanted.matches(model)]
        say(render.as_json(render.list_json(service.server, service.models, chosen, memory_known)))
        return DONE
    if wanted.asks_memory:
        await see_memory(service)
        models = service.models.models
    for problem in service.models.problems:
        warn(f"left out: {problem.subject}: {problem.reason}")
    chosen = [model for model in models if wanted.matches(model)]
    if chosen:
        say(render.model_table(chosen, datetime.now(UTC)))
    elif models:
        warn(f"none of {words.count(len(models), 'model')} matches")
    else:
        warn("no models are installed; `ollm-tui pull llama3.2:3b` gets one")
    return DONE


async def show(service: ModelService, options: argparse.Namespace) -> int:
    """Everything about one model."""
    parse_reference(options.name)
    await last_known(service)
    memory_known = await see_memory(service)
    details = await service.show_model(options.name)
    details = replace(details, info=with_memory(details.info, service))
    if options.json:
        say(render.as_json(render.details_json(details, memory_known)))
    else:
        say(render.details_text(details, memory_known))
    return DONE


async def ps(service: ModelService, options: argparse.Namespace) -> int:
    """The models in memory."""
    running = await service.refresh_running()
    if options.json:
        say(render.as_json(render.running_list_json(service.server, running)))
    elif running:
        say(render.running_table(running, datetime.now(UTC)))
    else:
        warn("no model is loaded")
    return DONE


async def status(service: ModelService, options: argparse.Namespace) -> int:
    """Whether a model is there, on its way, or neither; in one word."""
    key = parse_reference(options.name).key
    models = await last_known(service)
    if not service.models.stale:
        found = await service.get_model_status(options.name)
    elif any(name_key(model.name) == key for model in models):
        found = ModelStatus.AVAILABLE
    else:
        found = ModelStatus.NOT_FOUND
    say(found.value)
    return NEGATIVE if found is ModelStatus.NOT_FOUND else DONE
