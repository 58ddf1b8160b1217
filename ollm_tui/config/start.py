"""The way to the first request when there is no configuration file: no YAML, no pydantic.

Gives up, with None, as soon as anything needs a closer look; the full road then decides.
"""

import os

from ollm_tui.config.connection import Connection
from ollm_tui.config.host import DEFAULT_HOST, normalise_host
from ollm_tui.config.inputs import Inputs, find_workspace_file


def quick_start(inputs: Inputs) -> Connection | None:
    """Whom to ask, as `load_config` would say, or None when only that can tell."""
    if _has_file(inputs):
        return None
    provider, _ = _said(inputs, "provider", "OLLM_PROVIDER")
    if provider not in ("", "auto", "ollama", "local"):
        return None
    text, origin = _said(inputs, "host", "OLLM_HOST")
    is_local = provider == "local"
    if not text and not is_local:
        text, origin = inputs.env.get("OLLAMA_HOST", "").strip(), "env OLLAMA_HOST"
    try:
        host = normalise_host(text, lenient="OLLAMA" in origin) if text else DEFAULT_HOST
    except ValueError:
        return None
    if "@" in host:
        return None  # credentials need masking
    return Connection(
        name="local" if is_local else "ollama",
        kind="local" if is_local else "ollama",
        host=host,
        shown_host=host,
        is_named=bool(text) or provider not in ("", "auto"),
        host_origin=origin if text else "default",
    )


def _has_file(inputs: Inputs) -> bool:
    if inputs.no_config:
        return False
    return (
        inputs.config_file is not None
        or os.path.lexists(inputs.user_path)
        or find_workspace_file(inputs) is not None
    )


def _said(inputs: Inputs, flag: str, variable: str) -> tuple[str, str]:
    """The text of a flag or else of a variable, and where it is from."""
    value = inputs.flags.get(flag)
    if value is not None:
        return str(value), f"--{flag}"
    return inputs.env.get(variable, "").strip(), f"env {variable}"
