"""GET requests for the download engine: blocking, stoppable, and careful where they lead.

Redirects are followed here, one by one: never from https to http, never with the registry's
credentials to another host, and never from a public registry to an address of this machine or its
network. The address is checked on the connection itself, before anything is sent over it.

httpx is taken up to the headers. A body over plain TCP is then read straight from the socket into
the caller's buffer, which costs a third less than httpx's own way.

Source: reference/downloads.md 3 and 6, reference/ollama.md 7.
"""

import contextlib
import ipaddress
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from ollm_tui import __version__
from ollm_tui.core.error import ConfigError, DownloadFailed, HttpsMissing, OllmError
from ollm_tui.core.text import clean_line
from ollm_tui.providers.http_failure import connection_error
from ollm_tui.providers.lean_httpx import httpx
from ollm_tui.providers.local.attempt import TransferPolicy, TryAgain
from ollm_tui.providers.local.stop import StopSignal
from ollm_tui.providers.ollama_host import Host, parse_host

_REDIRECTS = (301, 302, 303, 307, 308)
_REDIRECT_LIMIT = 10


class Answer:
    """The head of an answer, and its body to be read once."""

    def __init__(self, response: httpx.Response, host: Host, policy: TransferPolicy) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self.host = host
        self._response = response
        self._policy = policy
        self._chunks = response.iter_raw()
        self._rest = memoryview(b"")
        self._left = self.length
        self._direct: Callable[[memoryview], int] | None = None

    @property
    def length(self) -> int | None:
        """Content-Length; None if it is not said, or nonsense."""
        text = self.headers.get("Content-Length", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None

    @property
    def is_compressed(self) -> bool:
        """Whether the body is not sent as it is, although that was asked for."""
        return bool(self.headers.get("Content-Encoding", "identity").lower() != "identity")

    def read(self, limit_bytes: int) -> bytes:
        """The whole body if it is not longer, else the first `limit_bytes` and one more.

        Raises:
            TryAgain: it broke off.
        """
        body = bytearray()
        with self._broken():
            for chunk in self._chunks:
                body += chunk
                if len(body) > limit_bytes:
                    break
        return bytes(body[: limit_bytes + 1])

    def read_into(self, buffer: memoryview) -> int:
        """Read what there is of the body; 0 at its end.

        Raises:
            TryAgain: it broke off, or nothing came for too long.
        """
        with self._broken():
            if self._direct is not None:
                count = self._direct(buffer[: self._left])
            else:
                if not self._rest:
                    self._rest = memoryview(next(self._chunks, b""))
                count = min(len(buffer), len(self._rest))
                buffer[:count] = self._rest[:count]
                self._rest = self._rest[count:]
            if self._left is not None:
                self._left -= count
                if not self._rest and self._direct is None:
                    # httpx has handed over all it had read: the rest is still in the socket.
                    self._direct = self._socket_reader()
            return count

    def _socket_reader(self) -> Callable[[memoryview], int] | None:
        if self._response.http_version != "HTTP/1.1" or not self._left:
            return None
        stream = self._response.extensions["network_stream"]
        connection = stream.get_extra_info("socket")
        if isinstance(stream.get_extra_info("ssl_object"), ssl.SSLObject):
            return None  # TLS inside a proxy's TLS: the socket carries the outer one
        if isinstance(connection, ssl.SSLSocket) != (self._response.url.scheme == "https"):
            return None
        connection.settimeout(self._policy.stall_s)
        read_into: Callable[[memoryview], int] = connection.recv_into
        return read_into

    @contextlib.contextmanager
    def _broken(self) -> Iterator[None]:
        try:
            yield
        except (TimeoutError, httpx.TimeoutException) as error:
            raise TryAgain(f"no data came for {self._policy.stall_s:g} s") from error
        except httpx.RemoteProtocolError as error:
            raise TryAgain("the connection was closed too early") from error
        except (OSError, httpx.HTTPError) as error:
            words = getattr(error, "strerror", None) or str(error) or "it was reset"
            raise TryAgain(f"the connection broke: {clean_line(words)}") from error


class Wire:
    """Sends requests; safe for many threads.

    Args:
        ca_file: certificate authorities to trust beside the usual ones.
    """

    def __init__(self, policy: TransferPolicy, ca_file: str | None = None) -> None:
        self._policy = policy
        self._ca_file = ca_file
        self._clients: dict[tuple[bool, bool], httpx.Client] = {}
        self._opening = threading.Lock()

    @contextlib.contextmanager
    def get(
        self, url: str, headers: Mapping[str, str], stop: StopSignal, *, follow: bool = True
    ) -> Iterator[Answer]:
        """Send a GET request, and give the answer after redirects, of whatever status.

        Args:
            headers: an Authorization among them stays with the host of `url`.
            follow: False gives a redirect as the answer.

        Raises:
            TryAgain: nobody answers, or not in time.
            DownloadFailed: it leads where it must not.
            ConfigError: the address, a proxy or a certificate cannot be used.
        """
        first = target = url
        guard = _Guard(stop)
        for _ in range(_REDIRECT_LIMIT + 1):
            sent = dict(headers)
            is_first = _origin(target) == _origin(first)
            if not is_first:
                sent.pop("Authorization", None)
            with self._request(target, sent, guard, stop, is_first=is_first) as answer:
                location = _location(answer) if follow else ""
                if not location:
                    yield answer
                    return
                target = _next_url(target, location)
        raise _forbidden(first, f"it redirects more than {_REDIRECT_LIMIT} times")

    def close(self) -> None:
        """Close every connection that is not in use."""
        with self._opening:
            clients = tuple(self._clients.values())
            self._clients.clear()
        for client in clients:
            client.close()

    @contextlib.contextmanager
    def _request(
        self,
        url: str,
        headers: Mapping[str, str],
        guard: "_Guard",
        stop: StopSignal,
        *,
        is_first: bool,
    ) -> Iterator[Answer]:
        host = _host(url)
        client = self._client(host)
        stop.check()
        try:
            request = client.build_request(
                "GET", url, headers=headers, extensions={"trace": guard.tracer(host)}
            )
            response = client.send(request, stream=True)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            stop.check()
            raise self._failure(error, host, is_first=is_first) from error
        try:
            yield Answer(response, host, self._policy)
        finally:
            stop.watch(None)
            response.close()

    def _failure(self, error: Exception, host: Host, *, is_first: bool) -> Exception:
        if not isinstance(error, httpx.HTTPError) or isinstance(error, httpx.UnsupportedProtocol):
            return ConfigError(f"The address of {host.display} cannot be used", cause=str(error))
        cause = connection_error(
            error, host, answered=False, connect_timeout_s=self._policy.connect_timeout_s
        )
        if _is_untrusted(error):
            return DownloadFailed(
                f"{host.display} cannot be trusted",
                cause=cause.cause,
                actions=cause.actions[:1],
                retryable=False,
            )
        if _is_no_tls(error):
            if is_first:
                return HttpsMissing(host.netloc, cause=cause.cause)
            return DownloadFailed(
                f"{host.display} does not speak https",
                cause=f"the registry sends on to it; {cause.cause}",
                actions=("Try another source of the model, or tell who runs the registry.",),
                retryable=False,
            )
        return TryAgain(f"no answer from {host.display}: {cause.cause}")

    def _client(self, host: Host) -> httpx.Client:
        key = host.scheme == "https", host.is_loopback
        with self._opening:
            if key not in self._clients:
                self._clients[key] = self._open_client(host)
            return self._clients[key]

    def _open_client(self, host: Host) -> httpx.Client:
        try:
            return httpx.Client(
                headers={"User-Agent": f"ollm-tui/{__version__}", "Accept-Encoding": "identity"},
                verify=self._certificates() if host.scheme == "https" else False,
                trust_env=not host.is_loopback,  # a proxy's loopback is not this machine's
                timeout=httpx.Timeout(
                    self._policy.stall_s, connect=self._policy.connect_timeout_s, pool=None
                ),
                # A connection whose body was read past httpx is of no use afterwards.
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
                follow_redirects=False,
            )
        except (ImportError, ValueError, httpx.InvalidURL) as error:
            raise ConfigError(
                "The proxy cannot be used",
                cause=str(error),
                actions=("Correct HTTP_PROXY, HTTPS_PROXY and ALL_PROXY.",),
            ) from error

    def _certificates(self) -> ssl.SSLContext:
        context = httpx.create_ssl_context()
        if self._ca_file is not None:
            try:
                context.load_verify_locations(self._ca_file)
            except OSError as error:
                raise ConfigError(
                    f"The certificate file {self._ca_file!r} cannot be used",
                    cause=str(error),
                    actions=("Name a readable PEM file of certificate authorities (caFile).",),
                ) from error
        return context


class _Guard:
    """Sees each connection of one request and its redirects before anything is sent over it."""

    def __init__(self, stop: StopSignal) -> None:
        self._stop = stop
        self._registry_is_public: bool | None = None

    def tracer(self, host: Host) -> Callable[[str, Mapping[str, Any]], None]:
        """For httpx's `trace` extension, for a request to `host`."""
        if self._registry_is_public and not _is_public(host.host):
            raise _forbidden(host.display, "it is an address of this machine or its network")
        asked_for = ""

        def trace(event: str, info: Mapping[str, Any]) -> None:
            nonlocal asked_for
            match event:
                case "connection.connect_tcp.started":
                    asked_for = info["host"]
                case "connection.connect_tcp.complete":
                    stream = info["return_value"]
                    self._stop.watch(stream.get_extra_info("socket"))
                    is_direct = asked_for.strip("[]").lower() == host.host.lower()
                    self._see(host, stream.get_extra_info("server_addr")[0] if is_direct else "")
                case "connection.start_tls.complete":
                    self._stop.watch(info["return_value"].get_extra_info("socket"))

        return trace

    def _see(self, host: Host, address: str) -> None:
        """Take in where a connection leads; an empty address is known to a proxy only."""
        is_public = _is_public(address) if address else _is_public(host.host)
        if self._registry_is_public is None:
            self._registry_is_public = is_public
        elif self._registry_is_public and not is_public:
            raise _forbidden(host.display, "it is an address of this machine or its network")


def _is_public(host: str) -> bool:
    """Whether a host is out in the Internet; a name counts as such unless it says otherwise."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return not (host.lower() == "localhost" or host.lower().endswith((".localhost", ".local")))
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_global)


def _is_untrusted(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _location(answer: Answer) -> str:
    """Where an answer sends on to; empty if it is the answer."""
    location = str(answer.headers.get("Location", ""))
    if answer.status in _REDIRECTS:
        return location
    # Ollama's registry may answer 200 with the place of the file instead of the file.
    return location if answer.status == 200 and not answer.length else ""


def _next_url(url: str, location: str) -> str:
    try:
        target = str(httpx.URL(url).join(location))
        scheme = urlsplit(target).scheme
        _host(target)
    except (httpx.InvalidURL, ValueError, ConfigError) as error:
        raise _forbidden(location, "it redirects to what is no address") from error
    if scheme != "https" and (scheme != "http" or urlsplit(url).scheme == "https"):
        raise _forbidden(target, "it redirects away from https")
    return target


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


def _host(url: str) -> Host:
    scheme, netloc = _origin(url)
    return parse_host(f"{scheme}://{netloc.rpartition('@')[2]}")


def _forbidden(where: str, why: str) -> OllmError:
    return DownloadFailed(
        f"The registry sends on to {clean_line(where, 200)}, which is refused",
        cause=why,
        actions=("Do not trust this registry, or name one of your own network to pull from it.",),
        retryable=False,
    )


def _is_no_tls(error: BaseException | None) -> bool:
    """Whether what was answered to a TLS handshake is none, as by a server of plain http."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return error.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST")
        error = error.__cause__ or error.__context__
    return False
