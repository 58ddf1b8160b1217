"""Reading requests and wording answers as the server does: bodies, types, durations, errors."""

import json
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from datetime import timedelta
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Send

JSON_TYPE = "application/json; charset=utf-8"
_DURATION = re.compile(r"[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h))+|[+-]?0")
_DURATION_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")
_UNIT_S = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_T = TypeVar("_T")


class ApiError(Exception):
    """An answer other than success: one status, one text."""

    def __init__(self, status: int, text: str, **more: str) -> None:
        super().__init__(text)
        self.status = status
        self.body = {"error": text, **more}


class LineStream(StreamingResponse):
    """NDJSON, whose source is closed whatever ends it."""

    media_type = "application/x-ndjson"

    def __init__(self, lines: AsyncGenerator[bytes, None]) -> None:
        super().__init__(lines)
        self._lines = lines

    async def stream_response(self, send: Send) -> None:
        async with aclosing(self._lines):
            await super().stream_response(send)


def json_response(body: object, status: int = 200) -> Response:
    """Return a JSON answer with the server's content type."""
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    return Response(text.encode("utf-8", "surrogatepass"), status, media_type=JSON_TYPE)


def plain_response(text: str, status: int = 200) -> Response:
    """Return plain text, as the web framework below the server does."""
    return Response(text, status, media_type="text/plain")


class Fields:
    """A request's JSON object, whose fields are checked when they are read."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def text(self, name: str) -> str:
        """Return a text field, empty if absent."""
        return self._typed(name, str, "string", "")

    def flag(self, name: str, default: bool) -> bool:
        """Return a boolean field."""
        return self._typed(name, bool, "bool", default)

    def items(self, name: str) -> list[object]:
        """Return an array field, empty if absent."""
        return self._typed(name, list, "[]", [])

    def options(self) -> Mapping[str, object]:
        """Return the model options."""
        return self._typed("options", dict, "map[string]interface {}", {})

    def number_option(self, name: str) -> int | None:
        """Return an integer option; floats are cut off."""
        value = self.options().get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ApiError(400, f'option "{name}" must be of type integer')
        return int(value)

    def model(self) -> str:
        """Return the model asked for; the old field name counts where the new one is empty."""
        return self.text("model") or self.text("name")

    def keep_alive(self) -> timedelta | None:
        """Return how long to stay in memory; None = the default, negative = for ever."""
        value = self._values.get("keep_alive")
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ApiError(400, f"Unsupported type: '{type(value).__name__}'")
        seconds = _duration_s(value) if isinstance(value, str) else float(value)
        return timedelta(seconds=-1 if seconds < 0 else min(seconds, 1e9))

    def _typed(self, name: str, kind: type[_T], go_name: str, default: _T) -> _T:
        value = self._values.get(name)
        if value is None:
            return default
        if not isinstance(value, kind):
            raise ApiError(
                400,
                f"json: cannot unmarshal {_json_type(value)} into Go struct field .{name} "
                f"of type {go_name}",
            )
        return value


async def fields(request: Request) -> Fields:
    """Return the body of a request.

    Raises:
        ApiError: it is missing, no JSON, or no object.
    """
    body = await request.body()
    if not body:
        raise ApiError(400, "missing request body")
    try:
        values = json.loads(body)
    except UnicodeDecodeError:
        raise ApiError(400, "invalid character 'ÿ' looking for beginning of value") from None
    except json.JSONDecodeError as error:
        if error.pos >= len(error.doc.rstrip()):
            raise ApiError(400, "unexpected EOF") from None
        wrong = error.doc[error.pos]
        raise ApiError(400, f"invalid character '{wrong}' looking for beginning of value") from None
    if not isinstance(values, dict):
        raise ApiError(400, f"json: cannot unmarshal {_json_type(values)} into Go value")
    return Fields(values)


def _json_type(value: object) -> str:
    if isinstance(value, bool):
        return "bool"
    names = {int: "number", float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "null")


def _duration_s(text: str) -> float:
    if not _DURATION.fullmatch(text):
        raise ApiError(400, f'time: invalid duration "{text}"')
    seconds = sum(float(count) * _UNIT_S[unit] for count, unit in _DURATION_PART.findall(text))
    return -seconds if text.startswith("-") else seconds
