"""The verb `route`: which model a profile picks, from a provider's models or from a file's."""

import argparse
from collections.abc import Sequence
from typing import NamedTuple

from ollm_tui.cli import render
from ollm_tui.cli.compose import opened_service
from ollm_tui.cli.exit_status import DONE, exit_status
from ollm_tui.cli.installed import last_known, see_memory
from ollm_tui.cli.output import print_error, say, warn
from ollm_tui.cli.render_decision import decision_table, explanation
from ollm_tui.cli.setup import Setup
from ollm_tui.cli.snapshot import load_models
from ollm_tui.core.model import ModelInfo
from ollm_tui.routing.decision import Decision, decision_json
from ollm_tui.routing.router import Router
from ollm_tui.service.service import ModelService


class Candidates(NamedTuple):
    """What to choose from, and who chooses."""

    router: Router
    models: Sequence[ModelInfo]
    provisional: bool = False
    """Details of some model could not be had."""


async def route(options: argparse.Namespace) -> int:
    """Print the decision for one profile, or for all."""
    router, models, provisional = await candidates(options)

    def decide(profile: str | None) -> Decision:
        return router.explain(profile, models, provisional=provisional)

    if options.all:
        decisions = [decide(profile.name) for profile in router.list_profiles()]
    else:
        decisions = [decide(options.profile if options.asked is None else options.asked)]
    if options.json:
        plain = [decision_json(decision) for decision in decisions]
        say(render.as_json({"decisions": plain} if options.all else plain[0]))
    elif options.all and not options.explain:
        say(decision_table(decisions))
    else:
        for decision in decisions:
            _print(decision, explain=options.explain)
    worst = DONE
    for decision in decisions:
        if decision.error is not None:
            print_error(decision.error)
            worst = max(worst, exit_status(decision.error))
    return worst


async def candidates(options: argparse.Namespace) -> Candidates:
    """The models of --models, without asking anyone, else those of the provider."""
    if options.models is not None:
        router = router_of_settings(options)
        return Candidates(router, load_models(options.models, router.database))
    async with opened_service(options) as service:
        await last_known(service)
        return await candidates_of(service)


async def candidates_of(service: ModelService) -> Candidates:
    """The models that a service has listed, with what memory and their details say."""
    await see_memory(service)
    if not service.models.stale and (failures := await service.learn_details()):
        count = len(service.models.models)
        warn(f"details of {len(failures):,} of {count:,} models are missing: {failures[0]}")
    models = service.models.models
    return Candidates(service.router, models, service.is_provisional)


def router_of_settings(options: argparse.Namespace) -> Router:
    """The router for models of a file: nobody is asked, and no memory is the limit.

    Raises:
        ConfigError: the configuration says something unusable.
    """
    setup = Setup(options)
    setup.require_valid()
    return setup.make_router(setup.make_database(), is_for_this_machine=False)


def _print(decision: Decision, *, explain: bool) -> None:
    if explain:
        say(explanation(decision))
    elif decision.error is None:
        say(decision.summary)
    if decision.provisional:
        warn("this is provisional: some facts are guesses")
    for warning in decision.warnings:
        warn(warning.message)
