"""Why a connection failed, in plain words, from what httpx and the system say about it."""

import socket
import ssl
from collections.abc import Iterator
from urllib.request import getproxies, proxy_bypass

from ollm_tui.core.error import ProviderError, ProviderGarbled, ProviderOffline
from ollm_tui.providers.lean_httpx import httpx
from ollm_tui.providers.ollama_host import Host


def connection_error(
    error: httpx.HTTPError, host: Host, *, answered: bool, connect_timeout_s: float
) -> ProviderError:
    """Return the error of ours for one of httpx.

    Args:
        answered: whether the head of an answer had come before it.
    """
    if isinstance(error, httpx.RemoteProtocolError) and not _hung_up(error):
        return ProviderGarbled(
            f"{host.display} does not answer as Ollama does",
            cause=f"what it sends is not HTTP, so it is another kind of server: {error}",
        )
    if answered:
        return ProviderOffline(
            f"The connection to {host.display} broke",
            cause=f"the answer ended too early: {_how_it_broke(error)}",
            actions=("Try again.", *ProviderOffline.default_actions),
        )
    cause, action = _reason(error, host, connect_timeout_s)
    if proxy := _proxy(host):
        cause = f"by way of the proxy {proxy}: {cause}"
        action = "Check HTTP_PROXY, HTTPS_PROXY and ALL_PROXY, or name the host in NO_PROXY."
    actions = (action, *ProviderOffline.default_actions) if action else ()
    return ProviderOffline(f"No answer from {host.display}", cause=cause, actions=actions)


def _reason(error: httpx.HTTPError, host: Host, connect_timeout_s: float) -> tuple[str, str]:
    """The cause, and a next step that fits it (or an empty string)."""
    if isinstance(error, httpx.ConnectTimeout):
        return f"no connection within {connect_timeout_s:g} s", "Check the address and firewalls."
    for cause in _causes(error):
        match cause:
            case ssl.SSLCertVerificationError():
                return (
                    f"its certificate is not trusted: {cause.verify_message}",
                    "For a certificate of your own, name its authority's file (caFile).",
                )
            case ssl.SSLError():
                return (
                    f"the TLS handshake failed: {cause.reason or cause}",
                    f"If the server speaks plain http, use http://{host.netloc}.",
                )
            case socket.gaierror():
                return (
                    f"no such host: {cause.strerror}",
                    "Check the spelling of the host and the network.",
                )
            case ConnectionRefusedError():
                return "connection refused: nothing listens there", ""
            case OSError(strerror=str(words)) if cause.errno is not None:
                return words, ""
    return _how_it_broke(error), ""


def _how_it_broke(error: httpx.HTTPError) -> str:
    if _hung_up(error):
        return "the server closed the connection"
    for cause in _causes(error):
        if isinstance(cause, ConnectionResetError | BrokenPipeError):
            return "the server reset the connection"
    return str(error) or "the connection was lost"


def _hung_up(error: httpx.HTTPError) -> bool:
    """Whether the other side just left; all else that httpx calls a protocol error is gibberish."""
    words = str(error)
    return "disconnected" in words or "closed connection" in words


def _proxy(host: Host) -> str:
    """The proxy that the environment names for `host`, without credentials; or empty."""
    if host.is_loopback or proxy_bypass(host.netloc):
        return ""
    proxies = getproxies()
    url = proxies.get(host.scheme) or proxies.get("all") or ""
    return url.rpartition("@")[2].rpartition("//")[2]


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and all that led to it, each once."""
    seen: set[int] = set()
    pending: list[BaseException] = [error]
    while pending:
        cause = pending.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        if isinstance(cause, BaseExceptionGroup):
            pending.extend(cause.exceptions)
        origin = cause.__cause__ or cause.__context__
        if origin is not None:
            pending.append(origin)
