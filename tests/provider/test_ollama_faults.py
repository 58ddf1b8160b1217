"""Every way in which an answer can fail to come ends in an error of ours, with its cause."""

import asyncio
import gzip
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ollm_tui.core.error import ConfigError, OllmError, ProviderGarbled, ProviderOffline
from ollm_tui.providers import http, ollama_api
from ollm_tui.providers.ollama import OllamaProvider
from ollm_tui.providers.ollama_host import parse_host
from tests.provider.loopback import Answerer, Exchange, LoopbackServer, raw, whole

# Constructed: a certificate for 127.0.0.1 with its key, signed by itself, valid for a century.
CERTIFICATE = str(Path(__file__).with_name("loopback.pem"))

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
LIST = b'{"models":[]}'


async def _reset(exchange: Exchange) -> None:
    exchange.reset()


async def _reset_in_the_body(exchange: Exchange) -> None:
    await exchange.begin("application/json")
    await exchange.chunk(b'{"models":')
    exchange.reset()


async def _never_answer(exchange: Exchange) -> None:
    await exchange.disconnected()


async def _never_finish(exchange: Exchange) -> None:
    await exchange.begin("application/json")
    await exchange.disconnected()


async def _trickle(exchange: Exchange) -> None:
    await exchange.send(HEAD + b"Content-Length: 100000\r\n\r\n")
    while not exchange.writer.is_closing():
        await exchange.send(b" ")
        await asyncio.sleep(0.01)


async def _refuse_and_never_finish(exchange: Exchange) -> None:
    await exchange.send(b"HTTP/1.1 500 Oops\r\nContent-Length: 99\r\n\r\npart")
    await exchange.disconnected()


async def _endless(exchange: Exchange) -> None:
    await exchange.begin("application/json")
    while True:
        await exchange.chunk(b" " * 65536)


@pytest.mark.parametrize(
    ("answer", "message", "cause"),
    [
        (raw(b""), "No answer from", "the server closed the connection"),
        (raw(b"SSH-2.0-OpenSSH_9.6\r\n"), "No answer from", "the server closed the connection"),
        (raw(b"HTTP/1.1 20"), "No answer from", "the server closed the connection"),
        (raw(HEAD[:-9]), "No answer from", "the server closed the connection"),
        (_reset, "No answer from", ""),
        (_reset_in_the_body, "broke", "the answer ended too early"),
        (raw(HEAD + b"Content-Length: 100\r\n\r\n" + LIST), "broke", "too early"),
        (raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\nff\r\n{}"), "broke", "too early"),
        (_never_answer, "No answer from", "did not finish answering within 0.2 s"),
        (_never_finish, "No answer from", "did not finish answering within 0.2 s"),
    ],
)
async def test_an_answer_that_does_not_come_is_offline(
    server: LoopbackServer, answer: Answerer, message: str, cause: str
) -> None:
    error = await _failure(server, answer)
    assert isinstance(error, ProviderOffline)
    assert message in error.message
    assert server.address in error.message
    assert cause in error.cause
    assert error.__cause__ is not None


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (raw(b"220 smtp.example.com\r\n\r\n"), "not HTTP"),
        (raw(b"\x15\x03\x01\x00\x02\x02\x46\r\n\r\n"), "not HTTP"),
        (raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}"), "not HTTP"),
        (raw(HEAD + b"Content-Length: 2\r\n\r\n" + LIST), "not JSON"),
        (raw(HEAD + b"\r\n" + LIST[:-2]), "not JSON"),
        (whole(b"<html>log in</html>"), "a web page"),
        (whole([]), "not the object"),
        (whole(gzip.compress(LIST), Content_Encoding="gzip"), "compressed"),
    ],
)
async def test_an_answer_that_is_none_of_ollamas_is_garbled(
    server: LoopbackServer, answer: Answerer, cause: str
) -> None:
    error = await _failure(server, answer)
    assert isinstance(error, ProviderGarbled)
    assert cause in error.cause


async def test_a_byte_now_and_then_does_not_make_the_wait_longer(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ollama_api, "FIRST_TIMEOUT_S", 0.1)
    error = await _failure(server, _trickle)
    assert isinstance(error, ProviderOffline)
    assert "did not finish answering within 0.2 s" in error.cause


async def test_an_answer_without_a_length_is_one_that_ends_with_its_connection(
    server: LoopbackServer, provider: OllamaProvider
) -> None:
    server.answers["/api/tags"] = raw(HEAD + b"\r\n" + LIST)
    assert (await provider.list_models()).models == ()


async def test_an_endless_answer_is_refused_at_the_limit(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "BODY_LIMIT_BYTES", 1024 * 1024)
    error = await _failure(server, _endless, read_timeout_s=20)
    assert isinstance(error, ProviderGarbled)
    assert error.cause == "its answer is longer than 1 MiB"


async def test_the_body_of_a_refusal_may_be_endless_or_never_come(server: LoopbackServer) -> None:
    error = await _failure(server, _refuse_and_never_finish)
    assert "HTTP 500 Oops" in error.cause
    endless = whole(b"x" * 1_000_000, "500 Oops", "text/plain")
    error = await _failure(server, endless)
    assert "xxx" in error.cause
    assert len(error.cause) < 500


async def test_a_redirect_is_not_followed_and_gets_no_credentials(server: LoopbackServer) -> None:
    server.answers["/elsewhere"] = whole(LIST)
    location = f"http://{server.address}/elsewhere"
    redirect = whole(b"", "302 Found", Location=location)
    error = await _failure(server, redirect)
    assert f"sends requests on to http://{server.address}" in error.message
    assert [request.path for request in server.requests] == ["/api/tags"]


async def test_nothing_that_listens_is_a_refused_connection() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        error = await _failure_at(f"127.0.0.1:{unused.getsockname()[1]}")
    assert isinstance(error, ProviderOffline)
    assert error.cause == "connection refused: nothing listens there"
    assert error.actions[0] == "Start it with `ollama serve`."


async def test_a_host_that_nobody_knows_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = await _failure_at("http://nowhere.example")
    assert isinstance(error, ProviderOffline)
    assert error.cause == "no such host: Name or service not known"
    assert "spelling" in error.actions[0]


async def test_a_network_that_swallows_everything_times_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def hang(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", hang)
    error = await _failure_at("http://swallowed.example", connect_timeout_s=0.05)
    assert isinstance(error, ProviderOffline)
    assert error.cause == "no connection within 0.05 s"


async def test_a_proxy_in_the_way_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://user:secret@127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://user:secret@127.0.0.1:1")
    error = await _failure_at("http://box.example")
    assert isinstance(error, ProviderOffline)
    assert error.cause.startswith("by way of the proxy 127.0.0.1:1: connection refused")
    assert "NO_PROXY" in error.actions[0]


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "gopher://x"])
async def test_a_proxy_that_cannot_be_is_a_matter_of_settings(
    monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    monkeypatch.setenv("all_proxy", proxy)
    error = await _failure_at("http://box.example")
    assert isinstance(error, ConfigError)
    assert "NO_PROXY" in error.actions[0]


@pytest.mark.parametrize("headers", [{"X\n": "a"}, {"X": "a\r\nY: b"}, {"X": "ü"}, {"": "a"}])
async def test_a_header_that_cannot_be_sent_is_refused_without_telling_its_value(
    headers: dict[str, str],
) -> None:
    error = await _failure_at("127.0.0.1:1", headers=headers)
    assert isinstance(error, ConfigError)
    assert "Y: b" not in str(error)


async def test_a_certificate_of_ones_own_is_trusted_when_its_file_is_named() -> None:
    async with _tls_server() as address:
        error = await _failure_at(address)
        assert isinstance(error, ProviderOffline)
        assert "its certificate is not trusted: self" in error.cause
        assert "caFile" in error.actions[0]
        provider = OllamaProvider(address, ca_file=CERTIFICATE)
        assert (await provider.list_models()).models == ()
        await provider.close()


async def test_tls_spoken_to_a_server_without_it_is_told_so(server: LoopbackServer) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    plain = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with plain:
        port = plain.sockets[0].getsockname()[1]
        error = await _failure_at(f"https://127.0.0.1:{port}")
    assert isinstance(error, ProviderOffline)
    assert "the TLS handshake failed" in error.cause
    assert f"use http://127.0.0.1:{port}" in error.actions[0]


@pytest.mark.parametrize("content", [None, b"", b"not a certificate"])
async def test_a_certificate_file_that_is_none_is_a_matter_of_settings(
    tmp_path: Path, content: bytes | None
) -> None:
    ca_file = tmp_path / "ca.pem"
    if content is not None:
        ca_file.write_bytes(content)
    error = await _failure_at("https://127.0.0.1:1", ca_file=str(ca_file))
    assert isinstance(error, ConfigError)
    assert str(ca_file) in error.message


async def test_a_host_name_that_cannot_be_encoded_is_a_matter_of_settings() -> None:
    error = await _failure_at("http://xn--.ü..")
    assert isinstance(error, ConfigError)
    assert "OLLAMA_HOST" in error.actions[0]


def test_credentials_stay_out_of_every_text() -> None:
    host = parse_host("http://user:secret@127.0.0.1:1")
    assert "secret" not in repr(OllamaProvider(host).host) + repr(host)


async def _failure(
    server: LoopbackServer, answer: Answerer, *, read_timeout_s: float = 0.2
) -> OllmError:
    server.answers["/api/tags"] = answer
    return await _failure_at(server.address, read_timeout_s=read_timeout_s)


async def _failure_at(
    address: str,
    *,
    headers: dict[str, str] | None = None,
    ca_file: str | None = None,
    connect_timeout_s: float = 5,
    read_timeout_s: float = 5,
) -> OllmError:
    provider = OllamaProvider(
        address,
        headers=headers,
        ca_file=ca_file,
        connect_timeout_s=connect_timeout_s,
        read_timeout_s=read_timeout_s,
    )
    try:
        with pytest.raises(OllmError) as caught:
            await provider.list_models()
        return caught.value
    finally:
        await provider.close()


@asynccontextmanager
async def _tls_server() -> AsyncIterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(HEAD + b"Content-Length: %d\r\n\r\n" % len(LIST) + LIST)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listener = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with listener:
        yield f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
