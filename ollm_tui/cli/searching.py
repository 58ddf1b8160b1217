"""The verb `search`: the shipped catalogue of models to pull. Asks nobody."""

import argparse

from ollm_tui.catalogue.catalogue import near
from ollm_tui.catalogue.catalogue import search as search_catalogue
from ollm_tui.cli import render
from ollm_tui.cli.exit_status import DONE, NEGATIVE
from ollm_tui.cli.output import say, warn
from ollm_tui.core.model import ModelInfo
from ollm_tui.ui import format as words


def search(options: argparse.Namespace) -> int:
    """Print the models that match all of the words."""
    found = search_catalogue(" ".join(options.words))
    if options.json:
        say(render.as_json({"models": [_json(model) for model in found]}))
    elif found:
        say(render.table(_HEAD, [_row(model) for model in found], right={1, 2, 3}))
    else:
        found_near = near(" ".join(options.words))
        hint = f"did you mean {' or '.join(found_near)}? " if found_near else ""
        warn(f"nothing in the catalogue matches; {hint}any other name can be pulled as well")
    return DONE if found else NEGATIVE


_HEAD = ("NAME", "PARAMS", "SIZE", "CTX", "CAN", "ABOUT")


def _row(model: ModelInfo) -> tuple[str, ...]:
    return (
        model.display_name,
        words.parameters(model.parameters_billions),
        f"~{words.size(model.size_bytes)}",
        words.context(model.context_window),
        render.abilities(model),
        _about(model),
    )


def _json(model: ModelInfo) -> dict[str, object]:
    return {**render.model_json(model), "description": _about(model)}


def _about(model: ModelInfo) -> str:
    return str(model.metadata.get("description", ""))
