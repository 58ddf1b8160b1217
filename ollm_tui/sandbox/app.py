"""The routes of the made-up server, with the bodies and status codes of the real one.

Source: reference, 1.3 to 1.13.
"""

import json
from contextlib import aclosing

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ollm_tui.sandbox.body import (
    JSON_TYPE,
    ApiError,
    LineStream,
    fields,
    json_response,
    plain_response,
)
from ollm_tui.sandbox.faults import NOT_FOUND, PullMode
from ollm_tui.sandbox.generate import GenerateRoutes
from ollm_tui.sandbox.names import SuffixConflictError, parse, without_source_suffix
from ollm_tui.sandbox.pull import MANIFEST_EVENT, SUCCESS_EVENT
from ollm_tui.sandbox.pull_faults import Lines, json_line, pull_lines, script_lines
from ollm_tui.sandbox.wire import ps_entry, show_body, tags_entry
from ollm_tui.sandbox.world import World


class ModelRoutes:
    """The handlers that manage models, around one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tags: tuple[object, bytes] = (None, b"")

    async def alive(self, request: Request) -> Response:
        """GET /."""
        return plain_response("Ollama is running")

    async def version(self, request: Request) -> Response:
        """GET /api/version."""
        return json_response({"version": self._world.profile.version})

    async def status(self, request: Request) -> Response:
        """GET /api/status; old servers have no such route."""
        if not self._world.profile.status_route:
            return plain_response("404 page not found", 404)
        return json_response({"cloud": {"disabled": False, "source": "none"}})

    async def tags(self, request: Request) -> Response:
        """GET /api/tags, encoded anew only when something changed."""
        key = (self._world.store.generation, self._world.profile)
        if self._tags[0] != key:
            entries = [
                tags_entry(one, self._world.profile) for one in self._world.store.installed()
            ]
            self._tags = (key, bytes(json_response({"models": entries}).body))
        return Response(self._tags[1], media_type=JSON_TYPE)

    async def ps(self, request: Request) -> Response:
        """GET /api/ps."""
        loaded = self._world.store.loaded()
        return json_response({"models": [ps_entry(one, self._world.profile) for one in loaded]})

    async def show(self, request: Request) -> Response:
        """POST /api/show."""
        asked = await fields(request)
        name = asked.model()
        if not name:
            raise ApiError(400, "model is required")
        entry = self._world.store.find(name)
        if entry is None:
            parsed = parse(name.strip())
            if parsed is None:
                raise ApiError(400, "invalid model name")
            raise ApiError(404, f"model '{parsed.display}' not found")
        return json_response(show_body(entry, self._world.profile, asked.text("system")))

    async def pull(self, request: Request) -> Response:
        """POST /api/pull: everything after the name is checked happens inside the stream."""
        asked = await fields(request)
        try:
            name = without_source_suffix(asked.model().strip())
        except SuffixConflictError as error:
            raise ApiError(400, f'use either :local or :cloud, not both: "{error}"') from None
        if parse(name) is None:
            raise ApiError(400, "invalid model name")
        lines = self._pull_lines(name)
        if asked.flag("stream", default=True):
            return LineStream(lines)
        last: dict[str, object] = {}
        async for line in lines:
            last = json.loads(line)
        return json_response(last, 500 if "error" in last else 200)

    async def delete(self, request: Request) -> Response:
        """DELETE /api/delete; a model in memory is no reason to refuse."""
        asked = await fields(request)
        name = asked.model()
        if not name:
            raise ApiError(400, "model is required")
        if self._world.store.remove(name):
            return Response()
        if parse(name.strip()) is None:
            raise ApiError(400, f'name "{name}" is invalid')
        raise ApiError(404, f"model '{name}' not found")

    async def copy(self, request: Request) -> Response:
        """POST /api/copy."""
        asked = await fields(request)
        source, destination = asked.text("source"), asked.text("destination")
        if parse(source) is None:
            raise ApiError(400, f'source "{source}" is invalid')
        if parse(destination) is None:
            raise ApiError(400, f'destination "{destination}" is invalid')
        if not self._world.store.copy(source, destination):
            raise ApiError(404, f'model "{source}" not found')
        return Response()

    async def openai_models(self, request: Request) -> Response:
        """GET /v1/models; an empty store is null."""
        data = [
            {
                "id": one.model.name,
                "object": "model",
                "created": int(one.modified_at.timestamp()),
                "owned_by": parsed.namespace if (parsed := parse(one.model.name)) else "library",
            }
            for one in self._world.store.installed()
        ]
        return json_response({"object": "list", "data": data or None})

    async def _pull_lines(self, name: str) -> Lines:
        faults = self._world.faults
        model = self._world.on_offer(name)
        script = faults.script(name)
        if script:
            async with aclosing(script_lines(script)) as chunks:
                async for chunk in chunks:
                    if model and chunk == json_line(SUCCESS_EVENT):
                        self._world.store.install(model)
                    yield chunk
            return
        if model is None:
            yield json_line(MANIFEST_EVENT)
            yield json_line({"error": NOT_FOUND})
            return
        fault = faults.take_pull(name)
        gate = faults.pull_gate(name)
        if fault.mode is PullMode.CACHED:
            for layer in model.layers:
                self._world.store.add_blob(layer.digest)
        events = self._world.downloads.events(model)
        async with aclosing(pull_lines(events, model, fault, gate)) as chunks:
            async for chunk in chunks:
                yield chunk


def create_app(world: World) -> Starlette:
    """Return the application around one world."""
    models, generate = ModelRoutes(world), GenerateRoutes(world)
    routes = [
        Route("/", models.alive),
        Route("/api/version", models.version),
        Route("/api/status", models.status),
        Route("/api/tags", models.tags),
        Route("/api/ps", models.ps),
        Route("/api/show", models.show, methods=["POST"]),
        Route("/api/pull", models.pull, methods=["POST"]),
        Route("/api/delete", models.delete, methods=["DELETE"]),
        Route("/api/copy", models.copy, methods=["POST"]),
        Route("/api/generate", generate.generate, methods=["POST"]),
        Route("/api/chat", generate.chat, methods=["POST"]),
        Route("/api/embed", generate.embed, methods=["POST"]),
        Route("/v1/models", models.openai_models),
    ]
    app = Starlette(
        routes=routes, exception_handlers={ApiError: _refused, 404: _no_route, 405: _no_method}
    )
    app.router.redirect_slashes = False
    return app


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return json_response(error.body, error.status)


async def _no_route(request: Request, error: Exception) -> Response:
    return plain_response("404 page not found", 404)


async def _no_method(request: Request, error: Exception) -> Response:
    return plain_response("405 method not allowed", 405)
