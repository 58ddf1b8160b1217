"""The verb `update`: which models differ from their registry, and pulls them unless only asked.

Its exit status: 0 when all could be compared (and pulled), 1 when a name asked for is not installed
or has nothing to be compared with, 4 when a registry does not answer or a pull fails.
"""

import argparse
from collections import Counter
from collections.abc import Sequence

from ollm_tui.cli import render
from ollm_tui.cli.changing import each
from ollm_tui.cli.exit_status import DONE, FAILED, NEGATIVE
from ollm_tui.cli.installed import find, list_installed
from ollm_tui.cli.output import say, warn
from ollm_tui.cli.pulling import pull_all
from ollm_tui.core.event import ModelUpdate, UpdateVerdict
from ollm_tui.core.name import name_key, parse_reference
from ollm_tui.service.service import ModelService
from ollm_tui.ui import format as words


async def update(service: ModelService, options: argparse.Namespace) -> int:
    """Compare models with their registries; pull those that differ unless --check is given."""
    installed = await list_installed(service)
    named: list[str] = []

    async def look_up(name: str) -> None:
        find(name, installed)
        named.append(name)

    status = await each(options.names, look_up)
    if options.names and not named:
        return status
    found = await service.check_updates(named)
    if any(one.verdict is UpdateVerdict.FAILED for one in found):
        status = max(status, FAILED)
    if named and any(one.verdict is UpdateVerdict.SKIPPED for one in found):
        status = max(status, NEGATIVE)
    # As it was typed: that may say by which scheme the registry is asked.
    typed = {parse_reference(name).key: name for name in named}
    outdated = {
        typed.get(name_key(one.name), one.name): one
        for one in found
        if one.verdict is UpdateVerdict.OUTDATED
    }
    pulled: frozenset[str] = frozenset()
    if not options.json:
        _tell(found, is_check=options.check)
    if outdated and not options.check:
        statuses = await pull_all(service, list(outdated))
        status = max(status, *statuses.values())
        pulled = frozenset(outdated[name].name for name, s in statuses.items() if s == DONE)
    if options.json:
        say(render.as_json(render.updates_json(service.server, found, pulled)))
    return status


def _tell(found: Sequence[ModelUpdate], *, is_check: bool) -> None:
    for one in found:
        if one.verdict is UpdateVerdict.OUTDATED:
            size = f"{words.size(one.missing_bytes)} of {words.size(one.total_bytes)} to fetch"
            say(f"{one.display_name}  {size}")
        elif one.reason:
            warn(f"{one.display_name} {one.verdict.value}: {one.reason}")
    counts = Counter(one.verdict for one in found)
    current = counts[UpdateVerdict.CURRENT]
    if not counts[UpdateVerdict.OUTDATED]:
        warn(f"nothing to update, {words.count(current, 'model')} up to date")
    elif is_check:
        warn(f"{words.count(current, 'other model')} up to date; without --check they are pulled")
