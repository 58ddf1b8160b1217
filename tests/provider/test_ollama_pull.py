"""Pulls over the wire: the steps, the ways to fail, and how closing stops the server's work."""

import asyncio
import json
from contextlib import aclosing

import pytest

from ollm_tui.core.error import (
    DownloadFailed,
    InvalidName,
    ModelNotFound,
    OllmError,
    ProviderGarbled,
    ProviderOffline,
    ProviderRefused,
)
from ollm_tui.core.progress import PullPhase
from ollm_tui.providers.ollama import OllamaProvider
from tests.provider.loopback import Exchange, LoopbackServer, lines, raw, whole

DIGEST = "sha256:" + "a" * 64
MANIFEST = {"status": "pulling manifest"}
LAYER = {"status": "pulling aaaaaaaaaaaa", "digest": DIGEST, "total": 10, "completed": 4}
SUCCESS = {"status": "success"}


async def test_a_pull_reports_its_steps_up_to_success(
    server: LoopbackServer, provider: OllamaProvider
) -> None:
    server.answers["/api/pull"] = lines(
        MANIFEST,
        {"status": "pulling aaaaaaaaaaaa", "digest": DIGEST, "total": 10},
        LAYER,
        {"status": "verifying sha256 digest"},
        {"status": "writing manifest"},
        {"status": "removing unused layers"},
        SUCCESS,
    )
    steps = [step async for step in provider.pull("llama3")]
    assert [step.phase for step in steps] == [
        PullPhase.RESOLVING,
        PullPhase.TRANSFERRING,
        PullPhase.TRANSFERRING,
        PullPhase.VERIFYING,
        PullPhase.FINISHING,
        PullPhase.FINISHING,
        PullPhase.SUCCESS,
    ]
    assert (steps[2].layer, steps[2].total_bytes, steps[2].completed_bytes) == (DIGEST, 10, 4)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("llama3", {"model": "llama3:latest", "stream": True}),
        (" q:8b:local ", {"model": "q:8b", "stream": True}),
        ("gpt-oss:20b:cloud", {"model": "gpt-oss:20b-cloud", "stream": True}),
        ("https://h/n/m", {"model": "h/n/m:latest", "stream": True}),
        ("http://h:5000/n/m:t", {"model": "h:5000/n/m:t", "stream": True, "insecure": True}),
    ],
)
async def test_the_name_is_sent_as_the_server_understands_it(
    server: LoopbackServer, provider: OllamaProvider, name: str, body: object
) -> None:
    server.answers["/api/pull"] = lines(SUCCESS)
    await _pull(provider, name)
    assert server.requests[0].json() == body


async def test_a_name_that_cannot_be_is_refused_before_anybody_is_asked(
    server: LoopbackServer, provider: OllamaProvider
) -> None:
    with pytest.raises(InvalidName):
        await _pull(provider, "not a name")
    assert server.requests == []


async def test_an_answer_that_is_no_stream_counts_as_well(
    server: LoopbackServer, provider: OllamaProvider
) -> None:
    server.answers["/api/pull"] = whole(SUCCESS)
    assert await _pull(provider) == [PullPhase.SUCCESS]


@pytest.mark.parametrize("ending", ["lawful", "cut", "reset"])
@pytest.mark.parametrize("complete_lines", [0, 1, 2])
async def test_a_stream_that_ends_before_success_is_a_failure_to_be_retried(
    server: LoopbackServer, provider: OllamaProvider, complete_lines: int, ending: str
) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.begin()
        for message in [MANIFEST, LAYER][:complete_lines]:
            await exchange.line(message)
        await exchange.chunk(b'{"status":"succ')
        if ending == "lawful":
            await exchange.end()
        elif ending == "cut":
            exchange.writer.close()
        else:
            exchange.reset()

    server.answers["/api/pull"] = answer
    with pytest.raises(DownloadFailed if ending == "lawful" else ProviderOffline) as caught:
        await _pull(provider)
    if isinstance(caught.value, DownloadFailed):
        assert caught.value.retryable
        assert caught.value.cause == "the stream ended before success"


@pytest.mark.parametrize("before", [[], [MANIFEST], [MANIFEST, LAYER]])
async def test_an_error_inside_the_stream_ends_it(
    server: LoopbackServer, provider: OllamaProvider, before: list[object]
) -> None:
    server.answers["/api/pull"] = lines(*before, {"error": "no space left on device"}, SUCCESS)
    with pytest.raises(DownloadFailed) as caught:
        await _pull(provider)
    assert not caught.value.retryable
    assert "no space left" in caught.value.cause


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        ("400 Bad Request", {"error": "invalid model name"}, DownloadFailed),
        ("404 Not Found", {"error": "pull model manifest: file does not exist"}, ModelNotFound),
        ("500 Internal Server Error", {"error": "EOF"}, DownloadFailed),
        ("429 Too Many Requests", {"error": "slow down"}, ProviderRefused),
        ("503 Service Unavailable", b"", ProviderOffline),
        ("404 Not Found", b"404 page not found", ProviderRefused),
        ("302 Found", b"", ProviderGarbled),
    ],
)
async def test_a_refusal_before_the_stream_is_an_error(
    server: LoopbackServer, provider: OllamaProvider, status: str, body: object, kind: type
) -> None:
    server.answers["/api/pull"] = whole(body, status, Retry_After="7")
    with pytest.raises(OllmError) as caught:
        await _pull(provider)
    assert type(caught.value) is kind
    if isinstance(caught.value, ProviderRefused | ProviderOffline):
        assert caught.value.retry_after_s == 7


async def test_a_web_page_is_not_a_pull(server: LoopbackServer, provider: OllamaProvider) -> None:
    server.answers["/api/pull"] = whole(b"<html>\n<body>\nlog in", content_type="text/html")
    with pytest.raises(ProviderGarbled, match="web page"):
        await _pull(provider)


async def test_a_line_without_end_is_refused_at_the_limit(
    server: LoopbackServer, provider: OllamaProvider
) -> None:
    async def endless(exchange: Exchange) -> None:
        await exchange.begin()
        while True:
            await exchange.chunk(b"x" * 65536)

    server.answers["/api/pull"] = endless
    with pytest.raises(ProviderGarbled, match=r"longer than 1,048,576 bytes"):
        await _pull(provider)


@pytest.mark.timeout(120)  # thousands of pulls take long on a busy machine
async def test_every_cut_of_the_bytes_gives_the_same_steps(
    server: LoopbackServer, provider: OllamaProvider
) -> None:
    stream = b"".join(
        json.dumps(message, ensure_ascii=False).encode() + b"\r\n"
        for message in (MANIFEST, {"status": "pulling ü 日"}, LAYER, SUCCESS)
    )

    async def drip(exchange: Exchange) -> None:
        await exchange.begin()
        for byte in stream:
            await exchange.chunk(bytes([byte]))
        await exchange.end()

    server.answers["/api/pull"] = drip
    steps = [step async for step in provider.pull("m")]
    assert [step.detail for step in steps] == [
        "pulling manifest",
        "pulling ü 日",
        "pulling aaaaaaaaaaaa",
        "success",
    ]


async def test_closing_the_iterator_hangs_up_at_once(
    server: LoopbackServer, provider: OllamaProvider
) -> None:
    _, hung_up = _never_ending(server)
    steps = provider.pull("m")
    assert (await anext(steps)).phase is PullPhase.RESOLVING
    await steps.aclose()
    await asyncio.wait_for(hung_up.wait(), 2)


async def test_leaving_the_loop_hangs_up_at_once(
    server: LoopbackServer, provider: OllamaProvider
) -> None:
    _, hung_up = _never_ending(server)
    async with aclosing(provider.pull("m")) as steps:
        async for _ in steps:
            break
    await asyncio.wait_for(hung_up.wait(), 2)


@pytest.mark.parametrize("steps_before", [0, 1, 2])
async def test_cancelling_the_task_hangs_up_at_once_wherever_it_waits(
    server: LoopbackServer, provider: OllamaProvider, steps_before: int
) -> None:
    asked, hung_up = _never_ending(server, messages=steps_before)
    seen = asyncio.Event()
    count = 0

    async def follow() -> None:
        nonlocal count
        async for _ in provider.pull("m"):
            count += 1
            if count == steps_before:
                seen.set()

    task = asyncio.create_task(follow())
    if steps_before:
        await seen.wait()
    else:
        await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(hung_up.wait(), 2)
    assert count == steps_before


async def test_cancelling_after_any_number_of_steps_leaves_nothing_behind(
    server: LoopbackServer, provider: OllamaProvider
) -> None:
    server.answers["/api/pull"] = lines(MANIFEST, LAYER, SUCCESS)
    await _pull(provider)
    before = _client_tasks()
    cancelled = 0
    for steps in range(60):
        task = asyncio.create_task(_pull(provider))
        await _let_run(steps)
        task.cancel()
        [outcome] = await asyncio.gather(task, return_exceptions=True)
        cancelled += isinstance(outcome, asyncio.CancelledError)
        await _let_run(20)
        assert _client_tasks() == before
    assert 0 < cancelled < 60
    assert await _pull(provider)


async def test_success_hangs_up_even_if_the_server_does_not(
    server: LoopbackServer, provider: OllamaProvider
) -> None:
    _, hung_up = _never_ending(server, SUCCESS)
    assert await _pull(provider) == [PullPhase.SUCCESS]
    await asyncio.wait_for(hung_up.wait(), 2)


async def test_closing_the_provider_ends_its_pulls_in_an_error_of_ours(
    server: LoopbackServer, provider: OllamaProvider
) -> None:
    _, hung_up = _never_ending(server)
    steps = provider.pull("m")
    await anext(steps)
    following = asyncio.ensure_future(anext(steps))
    await asyncio.sleep(0)
    await provider.close()
    with pytest.raises(ProviderOffline):
        await following
    await asyncio.wait_for(hung_up.wait(), 2)


async def test_a_server_that_talks_no_http_is_no_server(
    server: LoopbackServer, provider: OllamaProvider
) -> None:
    server.answers["/api/pull"] = raw(b"220 smtp.example.com ready\r\n\r\n")
    with pytest.raises(ProviderGarbled, match="not HTTP"):
        await _pull(provider)


async def _pull(provider: OllamaProvider, name: str = "m") -> list[PullPhase]:
    return [step.phase async for step in provider.pull(name)]


def _never_ending(
    server: LoopbackServer, message: object = MANIFEST, *, messages: int = 1
) -> tuple[asyncio.Event, asyncio.Event]:
    """Answer pulls with some lines and then silence; tell when it was asked, and left."""
    asked, hung_up = asyncio.Event(), asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        asked.set()
        if messages:
            await exchange.begin()
        for _ in range(messages):
            await exchange.line(message)
        await exchange.disconnected()
        hung_up.set()

    server.answers["/api/pull"] = answer
    return asked, hung_up


def _client_tasks() -> set[asyncio.Task[object]]:
    """All tasks but those of the server."""
    return {task for task in asyncio.all_tasks() if "connected" not in repr(task.get_coro())}


async def _let_run(steps: int) -> None:
    for _ in range(steps):
        await asyncio.sleep(0)
