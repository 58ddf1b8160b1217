"""Puts the parts together: settings to provider to service. Nothing else knows all of them."""

import argparse
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

from ollm_tui.service.service import ModelService

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
    from ollm_tui.sandbox.roster import DEMO_LOADED
    from ollm_tui.sandbox.server import SandboxServer

    with SandboxServer(loaded=DEMO_LOADED) as sandbox:
        yield sandbox.host


def make_service(address: str) -> ModelService:
    """A service on the Ollama server at `address`."""
    from ollm_tui.providers.ollama import OllamaProvider

    return ModelService(OllamaProvider(address))
