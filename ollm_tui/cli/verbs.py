"""Which function does which verb. Data to stdout, all else to stderr."""

import argparse
from collections.abc import Awaitable, Callable

from ollm_tui.cli import changing, reading
from ollm_tui.cli.compose import opened_service
from ollm_tui.cli.pulling import pull
from ollm_tui.cli.updating import update
from ollm_tui.service.service import ModelService

Verb = Callable[[ModelService, argparse.Namespace], Awaitable[int]]

_VERBS: dict[str, Verb] = {
    "list": reading.list_models,
    "show": reading.show,
    "ps": reading.ps,
    "status": reading.status,
    "pull": pull,
    "load": changing.load,
    "stop": changing.stop,
    "cp": changing.copy,
    "rm": changing.remove,
    "update": update,
}


async def run_verb(options: argparse.Namespace) -> int:
    """Run one verb and return the exit status."""
    match options.verb:  # those that may need no server, and import much of their own
        case "search":
            from ollm_tui.cli.searching import search

            return search(options)
        case "route":
            from ollm_tui.cli.routing import route

            return await route(options)
        case "route test":
            from ollm_tui.cli.scenarios import test_routing

            return await test_routing(options)
        case "run":
            from ollm_tui.cli.generating import run

            return await run(options)
        case "doctor":
            from ollm_tui.cli.doctoring import doctor

            return await doctor(options)
    if options.verb.startswith("config "):
        from ollm_tui.cli.configuring import configure

        return configure(options)
    async with opened_service(options) as service:
        return await _VERBS[options.verb](service, options)
