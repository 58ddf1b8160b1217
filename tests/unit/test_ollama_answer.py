"""What a refusal means, whichever endpoint was asked. All answers here are constructed."""

import json
from datetime import UTC, datetime

import pytest

from ollm_tui.core.error import ProviderGarbled, ProviderOffline, ProviderRefused
from ollm_tui.providers.ollama_answer import Answer, decode_object, refusal, retry_after_s
from ollm_tui.providers.ollama_host import parse_host

HOST = parse_host("https://user:secret@box:1234/base")


def _error(status: int, text: object, **more: object) -> Answer:
    return Answer(
        status, json.dumps({"error": text, **more}).encode(), content_type="application/json"
    )


@pytest.mark.parametrize(
    ("answer", "cause", "action"),
    [
        (_error(400, "model is required"), "HTTP 400: model is required", ""),
        (Answer(403, reason="Forbidden"), "does not accept this host name", "localhost"),
        (
            Answer(404, b"404 page not found", "Not Found", "text/plain"),
            "HTTP 404 Not Found: there is no Ollama API at this address",
            "base path (--host https://box:1234/path)",
        ),
        (Answer(405, b"405 method not allowed"), "there is no Ollama API", "base path"),
        (
            _error(401, "unauthorized", signin_url="https://ollama.com/x"),
            "unauthorized",
            "Sign in at https://ollama.com/x",
        ),
        (Answer(401, b"who are you?"), "HTTP 401: who are you?", "apiKeyEnv"),
        (Answer(429), "HTTP 429", "Wait a little"),
        (_error(500, "x\x1b[2J"), "HTTP 500: x�[2J", "the server's own log"),
        (Answer(500, b"<html>big page"), "HTTP 500, with a web page", "log"),
        (
            Answer(400, b"<html><title>400 plain HTTP to HTTPS port", server="nginx"),
            "a web page; the page is titled 400 plain HTTP to HTTPS port; the server calls itself",
            "OLLAMA_HOST",
        ),
        (Answer(501, b"<html>", server="SimpleHTTP/0.6"), "itself SimpleHTTP/0.6", "ollama serve"),
        (_error(503, "server busy, please try again"), "server busy", "log"),
        (_error(400, {"not": "text"}), 'HTTP 400: {"error": {"not": "text"}}', ""),
    ],
)
def test_a_refusal_says_its_status_its_reason_and_a_next_step(
    answer: Answer, cause: str, action: str
) -> None:
    error = refusal(answer, HOST)
    assert isinstance(error, ProviderRefused)
    assert error.status == answer.status
    assert cause in error.cause
    assert action in " ".join(error.actions)
    assert error.actions


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateway_without_a_server_behind_it_is_offline(status: int) -> None:
    error = refusal(Answer(status, b"<html>Bad gateway"), HOST)
    assert isinstance(error, ProviderOffline)
    assert f"HTTP {status}" in error.cause


def test_a_redirect_names_both_hosts_and_no_credentials() -> None:
    error = refusal(Answer(302, location="https://us:pw@other:9/x", reason="Found"), HOST)
    assert isinstance(error, ProviderGarbled)
    assert error.message == "https://box:1234/base sends requests on to https://other:9"
    assert "--host https://other:9" in error.actions[0]
    assert "pw" not in str(error)
    assert "secret" not in str(error)


@pytest.mark.parametrize("location", ["", "/elsewhere", "http://[", "http://h:x/"])
def test_a_redirect_to_nowhere_is_not_an_answer(location: str) -> None:
    error = refusal(Answer(302, location=location), HOST)
    assert isinstance(error, ProviderGarbled)
    assert "HTTP 302, which Ollama's API never does" in error.cause


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer(200, b"<!doctype html>"), "a web page"),
        (Answer(200, b"Welcome!", content_type="text/html"), "a web page"),
        (Answer(200, b"<html><title>\n Log &amp; in\x1b[2J </title>"), "titled Log & in"),
        (Answer(200, b"hello", server="nginx/1.25"), "the server calls itself nginx/1.25"),
        (Answer(200, b"[]", server="x" * 500), "itself " + "x" * 59 + "…"),
        (Answer(200, b"Ollama is running"), "not JSON"),
        (Answer(200, b""), "not JSON"),
        (Answer(200, b'{"models":['), "not JSON"),
        (Answer(200, b"[" * 100_000), "not JSON"),
        (Answer(200, b'{"a":' + b"9" * 5000 + b"}"), "not JSON"),
        (Answer(200, b"\xff\xff"), "not JSON"),
        (Answer(200, b"[]"), "not the object"),
        (Answer(200, b"null"), "not the object"),
    ],
)
def test_an_answer_that_is_no_object_is_garbled(answer: Answer, why: str) -> None:
    with pytest.raises(ProviderGarbled) as caught:
        decode_object(answer, HOST)
    assert why in caught.value.cause
    assert "secret" not in str(caught.value)


def test_an_object_is_decoded() -> None:
    assert decode_object(Answer(200, b'\xef\xbb\xbf{"a": 1}'), HOST) == {"a": 1}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        (" 3 ", 3),
        ("1000000000", 1e9),
        ("Sat, 31 Jan 2026 10:00:05 GMT", 5),
        ("Sat, 31 Jan 2026 10:00:05 -0000", 5),
        ("Sat, 31 Jan 2026 09:00:00 GMT", 0),
        ("-1", None),
        ("soon", None),
        ("", None),
        ("Sat, 31 Jan 99999999999999 10:00:05 GMT", None),
    ],
)
def test_a_server_may_say_when_to_come_back(text: str, seconds: float | None) -> None:
    assert retry_after_s(text, datetime(2026, 1, 31, 10, tzinfo=UTC)) == seconds


def test_a_refusal_carries_when_to_come_back() -> None:
    assert refusal(Answer(429, retry_after="7"), HOST).retry_after_s == 7
    assert refusal(Answer(503, retry_after="7"), HOST).retry_after_s == 7
    assert refusal(Answer(429), HOST).retry_after_s is None
