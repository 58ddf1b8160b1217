"""The same service without a screen: one function per verb. Data to stdout, all else to stderr."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from ollm_tui.cli import render
from ollm_tui.cli.compose import log_to, make_service, server_address
from ollm_tui.cli.main import DONE, NEGATIVE, USAGE, exit_status, print_error
from ollm_tui.cli.pulling import pull
from ollm_tui.core.error import OllmError
from ollm_tui.core.filter import Filter
from ollm_tui.core.model import ModelInfo, ModelStatus
from ollm_tui.core.name import name_key
from ollm_tui.service.service import ModelService
from ollm_tui.ui import format as words

Verb = Callable[[ModelService, argparse.Namespace], Awaitable[int]]


async def run_verb(options: argparse.Namespace) -> int:
    """Run one verb against the chosen server and return the exit status."""
    log_to(options.log_file)
    with server_address(options) as address:
        service = make_service(address)
        try:
            return await _VERBS[options.verb](service, options)
        finally:
            await service.close()


async def _list(service: ModelService, options: argparse.Namespace) -> int:
    models = await service.list_models()
    await _see_memory(service)
    wanted = Filter.parse(" ".join(options.filter))
    known = {model.name: model for model in service.models.models}
    chosen = [known[model.name] for model in models if wanted.matches(model)]
    if options.json:
        _print(render.as_json(render.list_json(service.server, service.models, chosen)))
        return DONE
    for problem in service.models.problems:
        _warn(f"left out: {problem.subject}: {problem.reason}")
    if chosen:
        _print(render.model_table(chosen, datetime.now(UTC)))
    elif models:
        _warn(f"none of {words.count(len(models), 'model')} matches")
    else:
        _warn("no models are installed; `ollm-tui pull llama3.2:3b` gets one")
    return DONE


async def _show(service: ModelService, options: argparse.Namespace) -> int:
    await service.list_models()
    await _see_memory(service)
    details = await service.show_model(options.name)
    _print(
        render.as_json(render.details_json(details))
        if options.json
        else render.details_text(details)
    )
    return DONE


async def _ps(service: ModelService, options: argparse.Namespace) -> int:
    running = await service.refresh_running()
    if options.json:
        host = {"provider": service.server.provider, "host": service.server.host}
        _print(render.as_json({**host, "models": [render.running_json(m) for m in running]}))
    elif running:
        _print(render.running_table(running, datetime.now(UTC)))
    else:
        _warn("no model is loaded")
    return DONE


async def _status(service: ModelService, options: argparse.Namespace) -> int:
    status = await service.get_model_status(options.name)
    _print(status.value)
    return NEGATIVE if status is ModelStatus.NOT_FOUND else DONE


async def _load(service: ModelService, options: argparse.Namespace) -> int:
    await service.load(options.name)
    return DONE


async def _stop(service: ModelService, options: argparse.Namespace) -> int:
    return await _each(options.names, service.unload)


async def _copy(service: ModelService, options: argparse.Namespace) -> int:
    await service.copy(options.source, options.destination)
    return DONE


async def _remove(service: ModelService, options: argparse.Namespace) -> int:
    by_key = {name_key(model.name): model for model in await service.list_models()}
    models: list[ModelInfo] = []
    for name in options.names:
        model = by_key.get(name_key(name))
        if model is None:
            await service.show_model(name)  # raises, with similar names
            continue
        models.append(model)
    if not options.yes and not await _is_confirmed(models):
        return NEGATIVE if sys.stdin.isatty() else USAGE

    async def remove(name: str) -> None:
        await service.delete_model(name, force=options.force)
        _warn(f"deleted {name}")

    return await _each([model.name for model in models], remove)


async def _is_confirmed(models: list[ModelInfo]) -> bool:
    names = ", ".join(model.display_name for model in models)
    if not sys.stdin.isatty():
        _warn(f"not deleted: {names}; say --yes to delete without being asked")
        return False
    freed = words.size(sum(model.size_bytes for model in models))
    sys.stderr.write(f"Delete {names}? Frees up to {freed}. [y/N] ")
    sys.stderr.flush()
    answer = await asyncio.to_thread(sys.stdin.readline)
    return answer.strip().casefold() in ("y", "yes")


async def _each(names: list[str], action: Callable[[str], Awaitable[None]]) -> int:
    """Do it to every name: one that fails does not stop the others; the worst status counts."""
    worst = DONE
    for name in names:
        try:
            await action(name)
        except OllmError as error:
            print_error(error)
            worst = max(worst, exit_status(error))
    return worst


async def _see_memory(service: ModelService) -> None:
    """Learn what is loaded, where the server can tell."""
    try:
        await service.refresh_running()
    except OllmError as error:
        _warn(f"which models are loaded is unknown: {error}")


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")


def _warn(text: str) -> None:
    sys.stderr.write(f"ollm-tui: {text}\n")


_VERBS: dict[str, Verb] = {
    "list": _list,
    "show": _show,
    "ps": _ps,
    "status": _status,
    "pull": pull,
    "load": _load,
    "stop": _stop,
    "cp": _copy,
    "rm": _remove,
}
