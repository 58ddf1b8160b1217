"""The lines of a pull: what it reports, and how it fails. Pure.

An error arrives as a line inside an answer that began with HTTP 200.
"""

import re
from typing import NamedTuple

from ollm_tui.core.error import (
    DownloadFailed,
    HttpsMissing,
    InvalidName,
    ModelNotFound,
    NotEnoughSpace,
    OllmError,
)
from ollm_tui.core.name import DEFAULT_HOST, parse_reference
from ollm_tui.core.progress import PullPhase, PullStep
from ollm_tui.providers.ollama_json import (
    JsonObject,
    as_count,
    as_line,
)


class _Failure(NamedTuple):
    """A kind of failed pull: how its text looks, what to do, and whether a retry can help."""

    pattern: str
    actions: tuple[str, ...]
    retryable: bool


_NO_ACCESS = _Failure(
    r"unauthorized|access denied|forbidden|: 40[13]\b",
    ("Check that the name is right; for a private model run `ollama signin` first.",),
    False,
)
_IN_ONES_OWN_NAME = (
    "Check that the name is right; a server has no password for a private registry: set "
    'registries."{host}" in the configuration and pull it into the store on this disk '
    "(--provider local)."
)
_DISK_FULL = r"no space left|not enough space|disk quota|disk full"

# In this order: the first that matches says what it is. The texts are those of reference/ollama.md
# 1.7 and of the systems below it.
_FAILURES = (
    _Failure(
        r"\b412\b|requires a newer version",
        ("Update the Ollama server, restart it, then pull again.",),
        False,
    ),
    _Failure(
        r"permission denied|access is denied|read-only file system",
        ("Let the server's user write to its model directory (OLLAMA_MODELS).",),
        False,
    ),
    _Failure(
        r"x509|certificate",
        ("Make the server's machine trust the proxy's or the registry's certificate authority.",),
        False,
    ),
    _NO_ACCESS,
    _Failure(
        r"realm host",
        ("Do not trust this registry: it asks for credentials in another's name.",),
        False,
    ),
    _Failure(
        r"location header|unexpected status code 3\d\d",
        ("The Ollama server cannot pull from this registry; try another source of the model.",),
        False,
    ),
    _Failure(
        r"\bmlx\b",
        ("Choose a GGUF tag of this model; this server cannot run MLX ones.",),
        False,
    ),
    _Failure(
        r"invalid model name|use either :local or :cloud|insecure protocol",
        ("Write the name as model:tag or host/namespace/model:tag.",),
        False,
    ),
    _Failure(
        r"digest mismatch",
        ("Pull again; if it happens again, a proxy or a virus scanner changes the data.",),
        True,
    ),
    _Failure(
        r"no such host|dial tcp|handshake|timeout|connection re|unreachable|\beof\b"
        r"|max retries exceeded|deadline exceeded",
        ("Check the network of the server's machine and its HTTPS_PROXY, then pull again.",),
        True,
    ),
)


def parse_pull_step(message: JsonObject) -> PullStep:
    """Read one line of a pull that is not an error."""
    detail = as_line(message.get("status"))
    layer = as_line(message.get("digest"))
    if layer:
        return PullStep(
            PullPhase.TRANSFERRING,
            detail,
            layer=layer,
            total_bytes=as_count(message.get("total")) or 0,
            completed_bytes=as_count(message.get("completed")) or 0,
        )
    return PullStep(_phase(detail), detail)


def pull_error(name: str, text: str) -> OllmError:
    """Return the error that a server's text means for the pull of `name`."""
    if re.search(r"manifest: (file does not exist|404\b)|model .* not found", text, re.IGNORECASE):
        return ModelNotFound(
            f"The registry has no model {name}",
            cause=text,
            actions=("Check the spelling and the tag at https://ollama.com/library.",),
        )
    if "server gave http response to https client" in text.lower():
        host = _private_registry(name)
        if host and f"https://{host}/" in text.lower():  # and not a host that it sends on to
            return HttpsMissing(host, cause=text)
    if re.search(_DISK_FULL, text, re.IGNORECASE):
        # The text has no figure; who knows what is still to come adds it. Source: decision P15.
        return NotEnoughSpace(
            f"Could not download {name}",
            cause=text,
            actions=("Free disk space where the server keeps its models, then pull again.",),
        )
    for failure in _FAILURES:
        if re.search(failure.pattern, text, re.IGNORECASE):
            actions = failure.actions
            if failure is _NO_ACCESS and (host := _private_registry(name)):
                actions = (_IN_ONES_OWN_NAME.format(host=host),)
            return download_failed(name, text, actions, retryable=failure.retryable)
    return download_failed(name, text)


def download_failed(
    name: str, cause: str, actions: tuple[str, ...] = (), *, retryable: bool = True
) -> DownloadFailed:
    """Return the error of a pull of `name` that ended without success."""
    return DownloadFailed(
        f"Could not download {name}", cause=cause, actions=actions, retryable=retryable
    )


def _private_registry(name: str) -> str:
    """The host of a registry that knows nothing of Ollama's keys; empty if it does."""
    try:
        host = parse_reference(name).host.lower()
    except InvalidName:
        return ""
    return "" if host == DEFAULT_HOST else host


def _phase(detail: str) -> PullPhase:
    match detail.lower().split():
        case ["success"]:
            return PullPhase.SUCCESS
        case ["verifying", *_]:
            return PullPhase.VERIFYING
        case ["writing" | "removing" | "couldn't", *_]:
            return PullPhase.FINISHING
    return PullPhase.RESOLVING  # also for words unknown: they promise nothing
