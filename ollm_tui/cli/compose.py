"""Puts the parts together: settings to provider to service. Nothing else knows all of them."""

import argparse
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ollm_tui.cli.deferred import DeferredProvider
from ollm_tui.cli.provider_choice import make_provider
from ollm_tui.cli.setup import Setup
from ollm_tui.config.connection import Connection
from ollm_tui.core.error import ConfigError
from ollm_tui.core.model import ModelInfo
from ollm_tui.core.name import name_key
from ollm_tui.providers.base import Provider
from ollm_tui.service.service import ModelService
from ollm_tui.ui import format as words

if TYPE_CHECKING:
    from ollm_tui.sandbox.server import SandboxServer


_SIZE, _CONTEXT = 9, 4  # cells, so that what is offered stands in columns


@contextmanager
def opened_setup(options: argparse.Namespace) -> Iterator[Setup]:
    """What this run asks and by which settings; with --demo the sandbox runs meanwhile."""
    if not options.demo:
        yield Setup(options)
        return
    from tempfile import TemporaryDirectory

    with _sandbox() as sandbox, TemporaryDirectory(prefix="ollm-tui-demo-") as folder:
        yield Setup(options, sandbox.host, Path(folder))


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


def make_service(setup: Setup, *, connection: Connection | None = None) -> ModelService:
    """A service on the provider that the settings name.

    Args:
        connection: whom to ask instead.
    """
    connection = connection or setup.quick_connection
    provider: Provider
    if connection is None:
        provider = DeferredProvider(lambda: make_provider(setup, setup.connection()))
    else:
        provider = make_provider(setup, connection)
    return ModelService(
        provider,
        make_database=setup.make_database,
        make_router=setup.make_router,
        options_for=setup.options_for,
        state_path=setup.state_path,
    )


@asynccontextmanager
async def opened_service(
    options: argparse.Namespace, *, reads_all: bool = False
) -> AsyncIterator[ModelService]:
    """The service on the chosen server, for as long as a verb needs it.

    Args:
        reads_all: the verb uses the whole configuration, so all of it has to be right.

    Raises:
        ConfigError: the configuration says something unusable.
    """
    with opened_setup(options) as setup:
        setup.require_valid(reads_all=reads_all)
        # Every file that says whom to ask has been read by now; and which process downloads can be
        # told only of a provider that is known.
        service = make_service(setup, connection=setup.connection())
        if setup.quick_connection is None:  # else no file says how many
            service.set_concurrency(setup.effective.config.downloads.concurrency)
            service.set_tries(setup.effective.config.downloads.retries)
        try:
            yield service
        finally:
            await service.close()


def names_to_pull(service: ModelService, word: str) -> list[tuple[str, str]]:
    """What the catalogue finds by a word and is not installed, each name with its facts.

    As the verb `search` finds it: names that have the word in them come first, then those of which
    it is said.
    """
    from ollm_tui.catalogue.catalogue import search

    installed = {name_key(model.name) for model in service.models.models}
    return [
        (model.name, _about(model))
        for model in search(word)
        if name_key(model.name) not in installed
    ]


def known_to_pull(name: str) -> ModelInfo | None:
    """What the catalogue says of a name; None = nothing, or it is no name."""
    return _by_key().get(name_key(name))


@cache
def _by_key() -> dict[str, ModelInfo]:
    from ollm_tui.catalogue.catalogue import catalogue

    return {name_key(model.name): model for model in catalogue()}


def _about(model: ModelInfo) -> str:
    can = model.capabilities
    facts = (
        f"~{words.size(model.size_bytes)}".rjust(_SIZE),
        words.context(model.context_window).rjust(_CONTEXT),
        "tools" if can is not None and can.tool_calling else "     ",
        str(model.metadata.get("description", "")),
    )
    return "  ".join(facts).rstrip()
