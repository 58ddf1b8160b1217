"""Puts the parts together: settings to provider to service. Nothing else knows all of them."""

import argparse
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from ollm_tui.core.error import ConfigError
from ollm_tui.core.model import ModelInfo
from ollm_tui.core.name import name_key
from ollm_tui.service.service import ModelService
from ollm_tui.ui import format as words

if TYPE_CHECKING:
    from ollm_tui.routing.database import ModelDatabase
    from ollm_tui.routing.router import Router
    from ollm_tui.sandbox.server import SandboxServer

DEFAULT_HOST = "127.0.0.1:11434"


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
    with _sandbox() as sandbox:
        yield sandbox.host


def _sandbox() -> "SandboxServer":
    try:
        from ollm_tui.cli.demo import demo_server
    except ModuleNotFoundError as error:
        if error.name not in ("starlette", "uvicorn"):
            raise
        raise ConfigError(
            "The demo needs two more packages",
            cause=f"{error.name} is not installed",
            actions=("Install them: `pip install 'ollm-tui[demo]'`.",),
        ) from error
    return demo_server()


def make_service(address: str, options: argparse.Namespace) -> ModelService:
    """A service on the Ollama server at `address`."""
    from ollm_tui.providers.ollama import OllamaProvider

    def router(database: "ModelDatabase") -> "Router":
        # What fits the demo's made-up models is the same on every machine.
        budget = None if options.demo else memory_budget_bytes(address)
        return make_router(options, database, budget)

    return ModelService(OllamaProvider(address), make_router=router)


@asynccontextmanager
async def opened_service(options: argparse.Namespace) -> AsyncIterator[ModelService]:
    """The service on the chosen server, for as long as a verb needs it."""
    with server_address(options) as address:
        service = make_service(address, options)
        try:
            yield service
        finally:
            await service.close()


def make_router(
    options: argparse.Namespace, database: "ModelDatabase", budget_bytes: int | None = None
) -> "Router":
    """The router for this run: --profile is its default, --model goes before any profile.

    Args:
        budget_bytes: memory for a model; None = unlimited.
    """
    from ollm_tui.catalogue.catalogue import catalogue
    from ollm_tui.routing.router import Router
    from ollm_tui.routing.settings import RoutingConfig

    config = RoutingConfig(pinned_model=options.model, memory_budget_bytes=budget_bytes)
    if options.profile is not None:
        config = replace(config, default_profile=options.profile)
    return Router(database=database, config=config, suggestions=catalogue())


def memory_budget_bytes(address: str) -> int | None:
    """Three quarters of this machine's memory, where the server is on it. Source: decision R16."""
    from ollm_tui.providers.ollama_host import parse_host

    if not parse_host(address).is_loopback:
        return None
    try:
        total_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):  # a system that does not tell
        return None
    return total_bytes * 3 // 4 if total_bytes > 0 else None


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
