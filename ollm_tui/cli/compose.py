"""Puts the parts together: settings to provider to service. Nothing else knows all of them."""

import argparse
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ollm_tui.core.model import ModelInfo
from ollm_tui.core.name import name_key
from ollm_tui.service.service import ModelService
from ollm_tui.ui import format as words

if TYPE_CHECKING:
    from ollm_tui.routing.database import ModelDatabase
    from ollm_tui.routing.router import Router

DEFAULT_HOST = "127.0.0.1:11434"


def log_to(path: str | None) -> None:
    """Send the log to a file, or nowhere: the terminal belongs to the screen and to data."""
    logger = logging.getLogger("ollm_tui")
    handler = logging.NullHandler() if path is None else logging.FileHandler(path, delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logger.addHandler(handler)
    logger.propagate = False
    logger.setLevel(logging.INFO)


@contextmanager
def server_address(options: argparse.Namespace) -> Iterator[str]:
    """The address of the server to ask; the sandbox's, running meanwhile, with --demo."""
    if not options.demo:
        yield (
            options.host
            or os.environ.get("OLLM_HOST")
            or os.environ.get("OLLAMA_HOST")
            or DEFAULT_HOST
        )
        return
    from ollm_tui.cli.demo import demo_server

    with demo_server() as sandbox:
        yield sandbox.host


def make_service(address: str) -> ModelService:
    """A service on the Ollama server at `address`."""
    from ollm_tui.providers.ollama import OllamaProvider

    return ModelService(OllamaProvider(address), make_router=_make_router)


def _make_router(database: "ModelDatabase") -> "Router":
    from ollm_tui.catalogue.catalogue import catalogue
    from ollm_tui.routing.router import Router

    return Router(database=database, suggestions=catalogue())


def names_to_pull(service: ModelService, word: str) -> list[tuple[str, str]]:
    """Names of the catalogue that have `word` in them and are not installed, each with its facts.

    Those that begin with the word come first.
    """
    from ollm_tui.catalogue.catalogue import catalogue

    wanted = word.casefold()
    installed = {name_key(model.name) for model in service.models.models}
    found = [
        model
        for model in catalogue()
        if wanted in model.name and name_key(model.name) not in installed
    ]
    found.sort(key=lambda model: not model.name.startswith(wanted))
    return [(model.name, _about(model)) for model in found]


def _about(model: ModelInfo) -> str:
    facts = (
        f"~{words.size(model.size_bytes)}",
        words.context(model.context_window),
        str(model.metadata.get("description", "")),
    )
    return "  ".join(fact for fact in facts if fact)
