"""What it means that a registry says no, and what to do about it."""

import json
from datetime import UTC, datetime

from ollm_tui.core.error import DownloadFailed, ModelNotFound, OllmError
from ollm_tui.core.name import DEFAULT_HOST, ModelName
from ollm_tui.core.text import clean_line
from ollm_tui.providers.local.attempt import TryAgain
from ollm_tui.providers.local.auth import Credentials
from ollm_tui.providers.local.manifest import Blob
from ollm_tui.providers.local.wire import Answer
from ollm_tui.providers.ollama_answer import retry_after_s
from ollm_tui.providers.ollama_json import as_object, as_text

ERROR_LIMIT_BYTES = 64 * 1024
_PASSING = (408, 425, 429, 500, 502, 503, 504)


def is_passing(status: int) -> bool:
    """Whether an HTTP status may be another one soon."""
    return status in _PASSING


def refusal(
    answer: Answer,
    name: ModelName,
    blob: Blob | None,
    *,
    is_registry: bool,
    credentials: Credentials | None,
) -> OllmError | TryAgain:
    """The error that a status other than success means.

    Args:
        blob: what was asked for; None = the manifest.
        is_registry: whether the registry answers itself, and not who it sends on to.
        credentials: what is configured for the registry.
    """
    status = answer.status
    text = _error_text(answer)
    cause = f"{answer.host.display} answered HTTP {status}" + (f": {text}" if text else "")
    if is_passing(status) or not is_registry:
        # Storage hosts give addresses for a time only; the registry gives a new one.
        after_s = retry_after_s(str(answer.headers.get("Retry-After", "")), datetime.now(UTC))
        return TryAgain(cause, after_s)
    match status:
        case 404 if blob is None:
            return ModelNotFound(
                f"The registry has no model {name.short}",
                cause=cause,
                actions=("Check the spelling and the tag at https://ollama.com/library.",),
            )
        case 401 | 403:
            return no_access(name, cause, credentials)
        case 412:
            return DownloadFailed(
                f"Could not download {name.short}",
                cause=cause,
                actions=("Update Ollama and this program; the model needs a newer version.",),
                retryable=False,
            )
    return DownloadFailed(f"Could not download {name.short}", cause=cause, retryable=False)


def no_access(name: ModelName, cause: str, credentials: Credentials | None) -> DownloadFailed:
    """The error that a registry wants to know who asks, or has looked and said no.

    Args:
        credentials: what is configured for the registry.
    """
    is_known = credentials is not None and bool(credentials.password)
    return DownloadFailed(
        f"The registry does not give {name.short} to {'this user' if is_known else 'everybody'}",
        cause=cause,
        actions=(_sign_in(name, credentials),),
        retryable=False,
    )


def _sign_in(name: ModelName, credentials: Credentials | None) -> str:
    key = f'registries."{name.host.lower()}"'
    if credentials is None:
        if name.host.lower() == DEFAULT_HOST:
            # It takes the signature of a server's key, and no password.
            return (
                "Check that the name is right; a private model needs an Ollama server that is "
                "signed in (`ollama signin`)."
            )
        return (
            f"Check that the name is right; for a private model set {key}.user and "
            f"{key}.passwordEnv in the configuration."
        )
    if not credentials.variable:
        return f"Set {key}.passwordEnv to the name of the variable that holds the password."
    if not credentials.password:
        return (
            f"Set the environment variable {credentials.variable}, in which {key}.passwordEnv "
            "looks for the password."
        )
    return (
        f"Check {key}.user and the password in {credentials.variable} ({key}.passwordEnv); that "
        "user must be allowed to read this model."
    )


def _error_text(answer: Answer) -> str:
    """What an error's body says for people: the protocol's messages, or a short plain text."""
    try:
        body = answer.read(ERROR_LIMIT_BYTES)[:ERROR_LIMIT_BYTES]
    except TryAgain:
        return ""  # the status says enough
    try:
        document = as_object(json.loads(body))
    except (ValueError, RecursionError):
        text = body[:1200].decode("utf-8", "replace").strip()
        return "" if text.startswith("<") else clean_line(text, 300)
    errors = document.get("errors")
    first = as_object(errors[0] if isinstance(errors, list) and errors else document)
    return clean_line(
        as_text(first.get("message")) or as_text(first.get("error")) or as_text(first.get("code")),
        300,
    )
