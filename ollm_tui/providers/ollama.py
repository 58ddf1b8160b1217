"""A server that speaks Ollama's HTTP API, as a provider.

Owns which endpoint is asked for what, and what its refusals mean there. `ollama_api` asks; JSON is
read in `ollama_wire`, `ollama_pull` and `ollama_chat`.

Source: reference/ollama.md 1.
"""

from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING

from ollm_tui.core.error import (
    DeleteFailed,
    ModelNotFound,
    OllmError,
    ProviderError,
    ProviderOffline,
    Unsupported,
)
from ollm_tui.core.model import ModelDetails, ModelList, RunningModel
from ollm_tui.core.name import parse_reference
from ollm_tui.core.progress import PullPhase, PullStep
from ollm_tui.providers import ollama_pull, ollama_wire
from ollm_tui.providers.ollama_answer import Answer
from ollm_tui.providers.ollama_api import OllamaApi
from ollm_tui.providers.ollama_host import Host, parse_host
from ollm_tui.providers.ollama_json import as_line, error_text
from ollm_tui.providers.pace import Pacer

if TYPE_CHECKING:
    from ollm_tui.core.generation import GenerationChunk, GenerationRequest
    from ollm_tui.core.plan import PullPlan
    from ollm_tui.providers.base import StoreAccess
    from ollm_tui.providers.local.auth import Credentials
    from ollm_tui.providers.local.location import StoreLocation
    from ollm_tui.providers.ollama_beside import ServerSide

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 15.0
DELETE_TIMEOUT_S = 120.0  # the server removes the files before it answers
_BUSY_STATUSES = (408, 429, 503)  # it is the server that says no, not the registry


class OllamaProvider:
    """One Ollama server.

    Implements Provider, RunningSupport, PlanSupport, DiskSupport, GenerateSupport, StoreSupport.
    """

    def __init__(
        self,
        host: Host | str = "",
        *,
        headers: Mapping[str, str] | None = None,
        ca_file: str | None = None,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        read_timeout_s: float = READ_TIMEOUT_S,
        asks_registries: bool = False,
        credentials: "Mapping[str, Credentials] | None" = None,
        locate_store: "Callable[[], StoreLocation] | None" = None,
    ) -> None:
        """Connect to nobody yet.

        Args:
            host: where; a text is read as OLLAMA_HOST is, an empty one is this machine.
            headers: sent with every request, such as an Authorization.
            ca_file: certificate authorities to trust instead of the usual ones, in PEM.
            read_timeout_s: for a whole answer that is not a stream; streams have no limit.
            asks_registries: whether manifests may be read from here.
            credentials: of registries, by host or host:port; for that reading only, since a
                server pulls in its own name.
            locate_store: where its store would be if it runs on this machine; None = nowhere.

        Raises:
            ConfigError: the address cannot be used.
        """
        self._host = parse_host(host) if isinstance(host, str) else host
        self._api = OllamaApi(
            self._host,
            headers=dict(headers or {}),
            ca_file=ca_file,
            connect_timeout_s=connect_timeout_s,
            read_timeout_s=read_timeout_s,
        )
        self._ca_file = ca_file
        self._asks_registries = asks_registries
        self._credentials = dict(credentials or {})
        self._locate_store = locate_store
        self._side: ServerSide | None = None
        self._listed: ModelList | None = None
        self._pacer = Pacer()

    @property
    def kind(self) -> str:
        """What sort of provider this is."""
        return "ollama"

    @property
    def host(self) -> str:
        """The address for people: sanitised, without credentials."""
        return self._host.display

    async def warm(self) -> None:
        """Import the HTTP client ahead of its first use, without holding up the event loop."""
        await self._api.open()

    async def version(self) -> str:
        """The server's version; empty for one that does not say. Source: GET /api/version."""
        answer = await self._api.fetch("GET", "/api/version")
        if answer.status in (404, 405):
            return ""
        return as_line(self._api.success(answer).get("version"))

    async def list_models(self) -> ModelList:
        """What is installed, last changed first. Source: GET /api/tags."""
        answer = await self._api.first_answer("/api/tags") or await self._api.fetch(
            "GET", "/api/tags"
        )
        self._listed = await self._api.read(answer, ollama_wire.parse_tags)
        return self._listed

    async def show(self, name: str) -> ModelDetails:
        """All about one model. Source: POST /api/show.

        Raises:
            ModelNotFound: it is not installed, or a file of it is missing.
        """
        answer = await self._api.fetch("POST", "/api/show", {"model": name})
        _require_model(answer, name)
        return await self._api.read(answer, lambda body: ollama_wire.parse_show(name, body))

    async def plan(self, name: str) -> "PullPlan":
        """What a pull of `name` would fetch; asks the registry, not the server.

        Raises:
            ModelNotFound: the registry has no such model.
            DownloadFailed: the registry refuses or does not answer.
            Unsupported: registries are not asked from here.
        """
        return await self._beside().plan(name, self._listed)

    async def free_bytes(self) -> int | None:
        """What the disk of the server's store has left; None = it cannot be seen from here."""
        return await self._beside().free_bytes(self._listed)

    async def freed_bytes(self, names: Collection[str]) -> int | None:
        """What deleting all these models frees; None = the server's store cannot be read."""
        return await self._beside().freed_bytes(names, self._listed)

    async def pull(self, name: str) -> AsyncGenerator[PullStep, None]:
        """Have the server download a model; closing the iterator stops it. Source: POST /api/pull.

        What has arrived stays on the server, and the next pull of that name goes on from there.

        Raises:
            InvalidName: no such name can be.
            ModelNotFound: the registry has no such model.
            DownloadFailed: with the server's reason, also for a stream that just ends.
            ProviderOffline: nobody answers, or the connection broke on the way.
        """
        reference = parse_reference(name)
        body: dict[str, object] = {"model": reference.short, "stream": True}
        if reference.is_plain_http:
            body["insecure"] = True

        def refused(answer: Answer) -> OllmError | None:
            if answer.status in _BUSY_STATUSES or not answer.error:
                return None
            return ollama_pull.pull_error(name, answer.error)

        with self._pacer.stream() as pace:
            async with aclosing(self._api.messages("/api/pull", body, refused, pace)) as messages:
                async for message in messages:
                    if text := error_text(message):
                        raise ollama_pull.pull_error(name, text)
                    step = ollama_pull.parse_pull_step(message)
                    yield step
                    if step.phase is PullPhase.SUCCESS:
                        return
        raise ollama_pull.download_failed(name, "the stream ended before success")

    async def delete(self, name: str) -> None:
        """Remove a model, loaded or not. Source: DELETE /api/delete.

        Raises:
            ModelNotFound: it is not installed.
            DeleteFailed: it may be half gone.
        """
        answer = await self._api.fetch(
            "DELETE", "/api/delete", {"model": name}, timeout_s=DELETE_TIMEOUT_S
        )
        _require_model(answer, name)
        if answer.status >= 500 and answer.error:
            raise DeleteFailed(
                f"Could not delete {name}",
                cause=f"{answer.error}; it may be half gone",
                actions=(
                    "Refresh the list; if it is still there, check the store's permissions.",
                    "If it has gone, the server removes what is left of it at its next start.",
                ),
            )
        self._api.require_success(answer)

    async def copy(self, source: str, destination: str) -> None:
        """Give a model a second name; one that exists is replaced. Source: POST /api/copy.

        Raises:
            ModelNotFound: `source` is not installed.
        """
        body = {"source": source, "destination": destination}
        answer = await self._api.fetch("POST", "/api/copy", body)
        _require_model(answer, source)
        self._api.require_success(answer)

    async def running(self) -> tuple[RunningModel, ...]:
        """The models in memory, latest to leave first. Source: GET /api/ps.

        Raises:
            Unsupported: the server is too old to tell.
        """
        answer = await self._api.fetch("GET", "/api/ps")
        if answer.status in (404, 405) and not answer.is_web_page:
            raise Unsupported(
                f"{self.host} does not tell which models are in memory",
                actions=("Update the Ollama server.",),
            )
        return await self._api.read(answer, ollama_wire.parse_ps)

    async def load(self, name: str, keep_alive: str | float | None = None) -> None:
        """Bring a model into memory; returns when it is there. Source: POST /api/generate.

        Args:
            keep_alive: seconds or a duration such as "5m"; negative = for ever; None = default.

        Raises:
            ModelNotFound: it is not installed.
        """
        answer = await self._ask_to_keep("/api/generate", name, keep_alive)
        if answer.status == 400 and "does not support generate" in answer.error:
            answer = await self._ask_to_keep("/api/embed", name, keep_alive)
        _require_model(answer, name)
        self._api.success(answer)

    async def unload(self, name: str) -> None:
        """Ask for a model to leave memory; it does once its running requests end.

        Raises:
            ModelNotFound: it is not installed.
        """
        answer = await self._ask_to_keep("/api/generate", name, 0)
        _require_model(answer, name)
        self._api.success(answer)

    async def chat(self, request: "GenerationRequest") -> "AsyncGenerator[GenerationChunk, None]":
        """Stream the answer; the last chunk has `done` set. Source: POST /api/chat.

        Raises:
            ModelNotFound: it is not installed.
            ProviderError: the server gave up, or the stream ended before the answer was complete.
        """
        from ollm_tui.providers.ollama_chat import chat_body, parse_chat_chunk

        def refused(answer: Answer) -> OllmError | None:
            return _not_found(answer, request.model)

        async with aclosing(
            self._api.messages("/api/chat", chat_body(request), refused)
        ) as messages:
            async for message in messages:
                if text := error_text(message):
                    raise ProviderError(
                        f"{request.model} gave up answering",
                        cause=text,
                        actions=("Try again; the server's own log says more.",),
                    )
                chunk = parse_chat_chunk(message)
                yield chunk
                if chunk.done:
                    return
        raise ProviderOffline(
            f"The connection to {self.host} broke",
            cause="the stream ended before the answer was complete",
        )

    async def open_store(self) -> "StoreAccess":
        """The server's store, where it is on this machine and may be read.

        Raises:
            Unsupported: it is not, or it is not the server's.
        """
        if not self._host.is_loopback:
            raise Unsupported(
                f"The model store of {self.host} is out of reach",
                cause="the server runs on another machine",
                actions=("Run ollm-tui on that machine to look at its files.",),
            )
        if self._locate_store is None:
            raise Unsupported(
                f"{self.host} has no model store on this machine",
                actions=("Leave out --demo to look at your own.",),
            )
        from ollm_tui.providers.local.access import server_store_access

        return await server_store_access(self, self._locate_store)

    async def close(self) -> None:
        """Let go of every connection; a later request opens new ones."""
        await self._api.close()
        if self._side is not None:
            await self._side.close()

    def _beside(self) -> "ServerSide":
        if self._side is None:
            from ollm_tui.providers.ollama_beside import ServerSide

            self._side = ServerSide(
                asks_registries=self._asks_registries,
                locate_store=self._locate_store if self._host.is_loopback else None,
                ca_file=self._ca_file,
                credentials=self._credentials,
            )
        return self._side

    async def _ask_to_keep(self, path: str, name: str, keep_alive: str | float | None) -> Answer:
        """Send a request without a prompt, which only loads or unloads; loading has no limit."""
        body: dict[str, object] = {"model": name, "stream": False}
        if path == "/api/embed":
            body = {"model": name, "input": ""}
        if keep_alive is not None:
            body["keep_alive"] = keep_alive
        return await self._api.fetch("POST", path, body, timeout_s=None)


def _require_model(answer: Answer, name: str) -> None:
    if error := _not_found(answer, name):
        raise error


def _not_found(answer: Answer, name: str) -> ModelNotFound | None:
    """Ollama's own 404; one without its error text comes from somebody else."""
    if answer.status != 404 or not answer.error:
        return None
    return ModelNotFound(f"{name} is not installed", cause=answer.error)
