"""The verbs that change what is installed or loaded: load, stop, cp, rm."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable

from ollm_tui.cli.exit_status import DONE, NEGATIVE, exit_status
from ollm_tui.cli.installed import find, list_installed
from ollm_tui.cli.output import print_error, warn, write_error
from ollm_tui.core.error import ConfigError, OllmError
from ollm_tui.core.model import ModelInfo
from ollm_tui.core.name import name_key, parse_reference
from ollm_tui.service.service import ModelService
from ollm_tui.ui import format as words

# Each asks for the list first: it has a time limit, which loading has not, it tells a server from
# a login page, which answers everything with "200 OK", and it knows similar names.


async def load(service: ModelService, options: argparse.Namespace) -> int:
    """Bring one model into memory."""
    model = find(options.name, await list_installed(service))
    await service.load(model.name)
    return DONE


async def stop(service: ModelService, options: argparse.Namespace) -> int:
    """Take models out of memory."""
    models = await list_installed(service)

    async def stop_one(name: str) -> None:
        await service.unload(find(name, models).name)

    return await each(options.names, stop_one)


async def copy(service: ModelService, options: argparse.Namespace) -> int:
    """Give a model a second name."""
    parse_reference(options.destination)
    source = find(options.source, await list_installed(service))
    await service.copy(source.name, options.destination)
    return DONE


async def remove(service: ModelService, options: argparse.Namespace) -> int:
    """Delete models, once the user has agreed."""
    installed = await list_installed(service)
    found: dict[str, ModelInfo] = {}
    # What cannot be read can be deleted all the same; its subject is then the model's name.
    problems = (problem.subject for problem in service.models.problems)
    broken = {name_key(subject): ModelInfo(subject) for subject in problems}

    async def look_up(name: str) -> None:
        model = broken.get(name_key(name)) or find(name, installed)
        found[model.name] = model

    async def delete(name: str) -> None:
        await service.delete_model(name, force=options.force)
        warn(f"deleted {found[name].display_name}")

    missing = await each(options.names, look_up)
    if not found:
        return missing
    if not options.yes and not await _is_confirmed(service, list(found.values())):
        return max(missing, NEGATIVE)
    return max(missing, await each(found, delete))


async def each(names: Iterable[str], action: Callable[[str], Awaitable[None]]) -> int:
    """Do it to every name: one that fails does not stop the others; the worst status counts."""
    worst = DONE
    for name in names:
        try:
            await action(name)
        except OllmError as error:
            print_error(error)
            worst = max(worst, exit_status(error))
    return worst


async def _is_confirmed(service: ModelService, models: list[ModelInfo]) -> bool:
    names = ", ".join(model.display_name for model in models)
    freed = await service.deletions.freed([model.name for model in models])
    if freed.size_bytes or all(model.size_bytes for model in models):
        room = words.frees(freed)
    else:  # one that cannot be read says nothing of its size
        room = "How much that frees is not known."
    return await is_agreed(f"Delete {names}? {room}", f"Not deleted: {names}", "delete")


async def is_agreed(question: str, refusal: str, deed: str) -> bool:
    """Ask on the terminal for a yes.

    Raises:
        ConfigError: there is no terminal; begins with `refusal`.
    """
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr)):
        raise ConfigError(
            refusal,
            cause="there is no terminal on which to ask",
            actions=(f"Say --yes to {deed} without being asked.",),
        )
    write_error(f"{question} [y/N] ")
    return (await _typed_line()).strip().casefold() in ("y", "yes")


async def _typed_line() -> str:
    """What the user types, up to enter; ctrl-c ends the wait, which it would not in a thread."""
    typed = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin, typed.set)
    try:
        await typed.wait()
    except asyncio.CancelledError:
        write_error("\n")
        raise
    finally:
        loop.remove_reader(sys.stdin)
    return sys.stdin.readline()
