"""What servers and registries send, to the parsers of it."""

import json
from datetime import UTC, datetime

import httpx

from ollm_tui.core.error import DownloadFailed, OllmError, ProviderError, ProviderGarbled
from ollm_tui.providers.local.auth import parse_challenge, token_url
from ollm_tui.providers.local.manifest import (
    is_digest,
    parse_config,
    parse_manifest,
    parse_parameters,
)
from ollm_tui.providers.ndjson import NdjsonReader
from ollm_tui.providers.ollama_answer import Answer, decode_object, refusal, retry_after_s
from ollm_tui.providers.ollama_chat import parse_chat_chunk
from ollm_tui.providers.ollama_host import Host
from ollm_tui.providers.ollama_json import error_text
from ollm_tui.providers.ollama_pull import parse_pull_step, pull_error
from ollm_tui.providers.ollama_wire import parse_ps, parse_show, parse_tags
from tests.fuzz import rendered
from tests.fuzz.invariants import assert_clean, assert_error, assert_lines

_HOST = Host()
_LINE_LIMIT = 256
_NOW = datetime(2026, 1, 1, tzinfo=UTC)


def answer(data: bytes) -> None:
    """A whole answer, as each of the lists and as the details of a model."""
    try:
        body = decode_object(Answer(200, data), _HOST)
    except ProviderGarbled as error:
        assert_error(error)
        return
    listed, details, running = parse_tags(body), parse_show("llama3.2:3b", body), parse_ps(body)
    assert_clean((listed, details, running))
    rendered.assert_details(details)
    if listed is not None:
        rendered.assert_models(listed.models)
    if running is not None:
        rendered.assert_running(running)


def refused(data: bytes) -> None:
    """An answer that says no: a line for the head's number and texts each, and the body."""
    *head, body = (data + b"\n\n\n\n\n").split(b"\n", 5)
    texts = [text.decode("latin-1") for text in head]
    status = 300 + int.from_bytes(head[0][:2], "big") % 300
    given = Answer(status, body.rstrip(b"\n"), *texts[1:])
    error = refusal(given, _HOST)
    assert isinstance(error, ProviderError)
    assert_error(error)
    assert_lines((given.answerer, given.error, given.sign_in_url))
    wait_s = retry_after_s(texts[4], _NOW)
    assert wait_s is None or wait_s >= 0


def lines(data: bytes) -> None:
    """The same stream in one piece and cut up gives the same objects and the same end."""
    whole = _objects([data])
    assert _objects([data[at : at + 1] for at in range(len(data))]) == whole
    assert _objects([data[at : at + 7] for at in range(0, len(data), 7)]) == whole


def _objects(chunks: list[bytes]) -> str:
    reader = NdjsonReader(line_limit_bytes=_LINE_LIMIT)
    found: list[object] = []
    try:
        for chunk in chunks:
            found += reader.feed(chunk)
        found += reader.finish()
    except ProviderGarbled as error:
        assert_error(error)
        found.append(error.cause)
    return json.dumps(found)  # a text, since NaN is not equal to itself


def pull(data: bytes) -> None:
    """The lines of a pull."""
    for message in _messages(data):
        text = error_text(message)
        if text:
            error: OllmError = pull_error("example.com/some/model:7b", text)
            assert_error(error)
        else:
            step = parse_pull_step(message)
            assert_clean(step)
            assert step.total_bytes >= 0
            assert step.completed_bytes >= 0


def chat(data: bytes) -> None:
    """The lines of a chat."""
    for message in _messages(data):
        assert_clean(error_text(message))
        assert_clean(parse_chat_chunk(message))


def _messages(data: bytes) -> list[dict[str, object]]:
    reader = NdjsonReader()
    found = []
    try:
        for message in reader.feed(data):
            found.append(message)
        found += reader.finish()
    except ProviderGarbled as error:
        assert_error(error)
    return found


def manifest(data: bytes) -> None:
    """A registry's manifest: refused, or fit to make paths and requests of."""
    try:
        found = parse_manifest(data)
    except ProviderGarbled as error:
        assert_error(error)
        return
    assert found.blobs
    assert found.size_bytes >= 0
    for blob in found.blobs:
        assert is_digest(blob.digest)
        assert blob.size_bytes >= 0
        assert_lines((blob.kind, blob.short_digest))
        assert blob in (found.config, *found.of_kind(blob.kind)) or blob.kind == "config"


def model_config(data: bytes) -> None:
    """The configuration and the run-time defaults that a manifest names."""
    assert_clean(parse_config(data))
    assert_clean(parse_parameters(data))


def challenge(data: bytes) -> None:
    """What a registry asks for before it answers: never a token from elsewhere."""
    registry = "https://registry.example"
    header = data.decode("latin-1")
    try:
        url = token_url(parse_challenge(header), registry, "model")
    except DownloadFailed as error:
        assert_error(error)
        return
    try:
        target = httpx.URL(url)
    except httpx.InvalidURL:
        return  # and nothing is sent
    # As whoever sends the request reads it, which need not be as it was checked.
    assert not target.host or (target.scheme, target.host) == ("https", "registry.example"), url
    assert target.port is None, url
