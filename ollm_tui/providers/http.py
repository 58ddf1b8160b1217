"""HTTP to one server: an httpx client, its limits, and each of its errors turned into ours.

Imported on first use only, for httpx is a good part of the program's start-up. Knows nothing of
what is asked. Redirects are not followed, and compressed bodies are refused: a server that was
asked for none has no reason to send one, and a few bytes of it can stand for gigabytes.
"""

import asyncio
import base64
import json
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import anyio

from ollm_tui import __version__
from ollm_tui.core.error import ConfigError, ProviderError, ProviderGarbled, ProviderOffline
from ollm_tui.providers.http_failure import connection_error
from ollm_tui.providers.lean_httpx import httpx
from ollm_tui.providers.ollama_answer import BODY_LIMIT_BYTES, Answer
from ollm_tui.providers.ollama_host import Host, unusable_address

ERROR_BODY_LIMIT_BYTES = 64 * 1024
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]*")


class HttpClient:
    """Requests to one host, over connections that are kept."""

    def __init__(
        self,
        host: Host,
        *,
        headers: Mapping[str, str],
        ca_file: str | None,
        connect_timeout_s: float,
        read_timeout_s: float,
    ) -> None:
        self._host = host
        self._connect_timeout_s = connect_timeout_s
        # The text of a refusal is worth a part of the time, for its status says enough.
        self._refusal_timeout_s = min(read_timeout_s / 3, 2.0)
        self._client = _open_client(host, headers, ca_file, connect_timeout_s)

    async def fetch(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        timeout_s: float | None,
    ) -> Answer:
        """Ask once and return the whole answer, of whatever status.

        Args:
            timeout_s: for everything from connecting to the last byte; None = no limit.

        Raises:
            ProviderOffline: no answer, not in time, or not all of it.
            ProviderGarbled: too long, compressed, or not HTTP.
        """
        try:
            async with (
                asyncio.timeout(timeout_s),
                self.stream(method, path, body, accept="application/json") as (answer, chunks),
            ):
                if not answer.is_success:
                    return answer
                return answer._replace(body=await self._read_body(answer, chunks))
        except TimeoutError as error:
            raise ProviderOffline(
                f"No answer from {self._host.display}",
                cause=f"it did not finish answering within {timeout_s:g} s",
                actions=("Try again; a server that is loading a model can be slow.",),
            ) from error

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        accept: str = "application/x-ndjson",
    ) -> AsyncIterator[tuple[Answer, AsyncIterator[bytes]]]:
        """Ask, and give the answer's head and its bytes as they come; leaving closes the stream.

        An answer that refuses has its body in it, up to a limit, and no bytes to come.
        """
        headers = {"Accept": accept}
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body).encode()
        answered = False
        try:
            url = self._host.base_url + path
            async with self._client.stream(
                method, url, content=content, headers=headers
            ) as response:
                answered = True
                chunks = response.aiter_raw()
                answer = _head(response)
                compressed = response.headers.get("Content-Encoding", "identity") != "identity"
                if answer.is_success and compressed:
                    raise self._garbled("it sends compressed data, although asked for none")
                if not answer.is_success and not compressed:
                    answer = answer._replace(body=await self._read_refusal(chunks))
                yield answer, chunks
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._translated(error, answered=answered) from error

    async def close(self) -> None:
        """Close every connection; streams still open end in an error of ours."""
        await self._client.aclose()

    async def _read_body(self, answer: Answer, chunks: AsyncIterator[bytes]) -> bytes:
        body = bytearray()
        async for chunk in chunks:
            body += chunk
            if len(body) > BODY_LIMIT_BYTES:
                limit_mib = BODY_LIMIT_BYTES // 1024**2
                raise self._garbled(f"its answer is longer than {limit_mib} MiB")
        return bytes(body)

    async def _read_refusal(self, chunks: AsyncIterator[bytes]) -> bytes:
        """What comes of an error's body in time; the status counts even without any of it."""
        body = bytearray()
        try:
            async with asyncio.timeout(self._refusal_timeout_s):
                async for chunk in chunks:
                    body += chunk
                    if len(body) >= ERROR_BODY_LIMIT_BYTES:
                        break
        except (TimeoutError, httpx.HTTPError):
            pass
        return bytes(body[:ERROR_BODY_LIMIT_BYTES])

    def _translated(
        self, error: httpx.HTTPError | httpx.InvalidURL, *, answered: bool
    ) -> ProviderError | ConfigError:
        if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
            return unusable_address(str(error))
        return connection_error(
            error, self._host, answered=answered, connect_timeout_s=self._connect_timeout_s
        )

    def _garbled(self, why: str) -> ProviderGarbled:
        return ProviderGarbled(f"{self._host.display} does not answer as Ollama does", cause=why)


def preload() -> None:
    """Import what httpx leaves for its first request; not for the event loop's own thread."""
    anyio.run(anyio.sleep, 0)


def _open_client(
    host: Host, headers: Mapping[str, str], ca_file: str | None, connect_timeout_s: float
) -> httpx.AsyncClient:
    try:
        return httpx.AsyncClient(
            headers=_request_headers(host, headers),
            verify=_verification(host, ca_file),
            # Proxies are for other machines; asked for this one they answer for it.
            trust_env=not host.is_loopback,
            timeout=httpx.Timeout(None, connect=connect_timeout_s),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=8),
            follow_redirects=False,
        )
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        # An ImportError means a SOCKS proxy, for which httpx wants another package.
        raise ConfigError(
            f"The proxy for {host.display} cannot be used",
            cause=str(error),
            actions=(
                "Correct HTTP_PROXY, HTTPS_PROXY and ALL_PROXY, or name the host in NO_PROXY.",
            ),
        ) from error


def _verification(host: Host, ca_file: str | None) -> ssl.SSLContext | bool:
    if host.scheme == "http":
        return False  # nothing to verify, so no certificates are loaded
    if ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # an ssl.SSLError is one, too
        raise ConfigError(
            f"The certificate file {ca_file!r} cannot be used",
            cause=str(error),
            actions=("Name a readable PEM file of certificate authorities (caFile).",),
        ) from error


def _request_headers(host: Host, headers: Mapping[str, str]) -> dict[str, str]:
    result = {"User-Agent": f"ollm-tui/{__version__}", "Accept-Encoding": "identity"}
    if host.user or host.password:
        credentials = f"{host.user}:{host.password}".encode()
        result["Authorization"] = f"Basic {base64.b64encode(credentials).decode()}"
    for name, value in headers.items():
        if not (_HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value)):
            raise ConfigError(
                f"The request header {name!r} cannot be sent",
                cause="its name or its value has characters that a header must not have",
            )
        for known in [key for key in result if key.lower() == name.lower()]:
            del result[known]
        result[name] = value
    return result


def _head(response: httpx.Response) -> Answer:
    headers = response.headers
    return Answer(
        status=response.status_code,
        reason=response.reason_phrase,
        content_type=headers.get("Content-Type", ""),
        location=headers.get("Location", ""),
        retry_after=headers.get("Retry-After", ""),
        server=headers.get("Server", ""),
    )
