"""How an Ollama server is asked: requests, whole answers, streams of objects, and their failures.

Knows no endpoint, nor what a refusal means at one. Connections are kept in `http`, which is
imported on first use, in a thread, because httpx takes long.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from ollm_tui.core.error import OllmError, ProviderGarbled
from ollm_tui.core.turns import in_turn
from ollm_tui.providers.ndjson import NdjsonReader
from ollm_tui.providers.ollama_answer import BODY_LIMIT_BYTES, Answer, decode_object, refusal
from ollm_tui.providers.ollama_host import Host
from ollm_tui.providers.ollama_json import JsonObject, error_text
from ollm_tui.providers.pace import Pace

if TYPE_CHECKING:
    from ollm_tui.providers.http import HttpClient

FIRST_TIMEOUT_S = 2.0
_LARGE_BODY_BYTES = 128 * 1024  # beyond it reading takes longer than a key press may wait

_Parsed = TypeVar("_Parsed")


class OllamaApi:
    """The HTTP API of one server, connected to on first use.

    Args:
        headers: sent with every request.
        ca_file: certificate authorities to trust instead of the usual ones, in PEM.
        read_timeout_s: for a whole answer that is not a stream; streams have no limit.

    Every request raises:
        ProviderOffline: nobody answers, or not in time.
        ProviderGarbled: what answers is not Ollama.
        ConfigError: the address, a header or a certificate file cannot be used.
    """

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
        self._headers = headers
        self._ca_file = ca_file
        self._connect_timeout_s = connect_timeout_s
        self._read_timeout_s = read_timeout_s
        self._client: HttpClient | None = None
        self._opening = asyncio.Lock()

    async def open(self) -> "HttpClient":
        """The HTTP client; imported and made at first, without holding up the event loop."""
        async with self._opening:
            if self._client is None:
                self._client = await asyncio.to_thread(in_turn, self._make_client)
            return self._client

    async def close(self) -> None:
        """Let go of every connection; a later request opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def fetch(
        self, method: str, path: str, body: JsonObject | None = None, *, timeout_s: float | None = 0
    ) -> Answer:
        """Ask once and return the whole answer, of whatever status.

        Args:
            timeout_s: where it may take longer than other answers; None = no limit.
        """
        client = await self.open()
        if timeout_s is not None:
            timeout_s = max(timeout_s, self._read_timeout_s)
        return await client.fetch(method, path, body, timeout_s=timeout_s)

    async def first_answer(self, path: str) -> Answer | None:
        """The answer to a plain GET without loading httpx for it, where that is possible."""
        host = self._host
        is_plain = host.scheme == "http" and host.is_loopback and not (host.user or self._headers)
        if self._client is not None or not is_plain:
            return None

        def ask() -> Answer | None:
            from ollm_tui.providers.first_answer import first_answer

            return first_answer(host, path, timeout_s=FIRST_TIMEOUT_S, limit_bytes=BODY_LIMIT_BYTES)

        return await asyncio.to_thread(ask)

    async def messages(
        self,
        path: str,
        body: JsonObject,
        refused: Callable[[Answer], OllmError | None],
        pace: Pace | None = None,
    ) -> AsyncGenerator[JsonObject, None]:
        """Stream the objects of the answer to a POST; closing the iterator closes the stream.

        Args:
            refused: may know a better error for an answer that is not a success.
            pace: how often the stream is read; as soon as there is something when absent.
        """
        client = await self.open()
        reader = NdjsonReader()
        async with client.stream("POST", path, body) as (answer, chunks):
            if not answer.is_success:
                raise refused(answer) or refusal(answer, self._host)
            if answer.is_web_page:
                decode_object(answer, self._host)
            async for chunk in chunks:
                for message in reader.feed(chunk):
                    yield message
                if pace is not None:
                    await pace.keep()
            for message in reader.finish():
                yield message

    async def read(self, answer: Answer, parse: Callable[[JsonObject], _Parsed | None]) -> _Parsed:
        """Parse a successful answer, a large one in a thread.

        Args:
            parse: returns None for an object that is not what was asked for.

        Raises:
            ProviderError: it is a refusal, or something that `parse` cannot use.
        """

        def parsed_answer() -> _Parsed:
            message = self.success(answer)
            if (parsed := parse(message)) is not None:
                return parsed
            text = error_text(message)  # there are servers that say no with "200 OK"
            says = f" but says: {text}" if text else ""
            raise ProviderGarbled(
                f"{self._host.display} does not answer as Ollama does",
                cause=f"its answer has no list of models{says}{answer.answerer}",
            )

        large = len(answer.body) > _LARGE_BODY_BYTES
        return await asyncio.to_thread(parsed_answer) if large else parsed_answer()

    def success(self, answer: Answer) -> JsonObject:
        """The object that a successful answer holds.

        Raises:
            ProviderError: it is a refusal, or holds anything else.
        """
        self.require_success(answer)
        return decode_object(answer, self._host)

    def require_success(self, answer: Answer) -> None:
        """Go on only with a status of 2xx.

        Raises:
            ProviderError: what another status means, whichever endpoint was asked.
        """
        if not answer.is_success:
            raise refusal(answer, self._host)

    def _make_client(self) -> "HttpClient":
        from ollm_tui.providers.http import HttpClient, preload

        preload()
        return HttpClient(
            self._host,
            headers=self._headers,
            ca_file=self._ca_file,
            connect_timeout_s=self._connect_timeout_s,
            read_timeout_s=self._read_timeout_s,
        )
