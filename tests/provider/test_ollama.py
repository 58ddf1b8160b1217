"""What the Ollama provider asks, and what it makes of the answers. All of them are constructed."""

import asyncio
import json
import subprocess
import sys

import pytest

from ollm_tui.core.error import (
    DeleteFailed,
    ModelNotFound,
    ProviderError,
    ProviderGarbled,
    ProviderOffline,
    ProviderRefused,
    Unsupported,
)
from ollm_tui.core.generation import ChatMessage, GenerationRequest
from ollm_tui.providers.base import GenerateSupport, Provider, RunningSupport
from ollm_tui.providers.ollama import OllamaProvider
from tests.provider.loopback import Exchange, LoopbackServer, lines, whole

NOT_FOUND = whole({"error": "model 'm' not found"}, "404 Not Found")
MANY = {"models": [{"name": f"model-{number}:latest", "size": number} for number in range(3000)]}


def test_it_is_what_the_rest_of_the_program_asks_for() -> None:
    ollama = OllamaProvider("https://user:secret@box/base")
    provider: Provider = ollama
    assert (provider.kind, provider.host) == ("ollama", "https://box:443/base")
    assert isinstance(ollama, RunningSupport)
    assert isinstance(ollama, GenerateSupport)


def test_importing_it_does_not_import_httpx() -> None:
    code = "import sys, ollm_tui.providers.ollama as o; o.OllamaProvider(); print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=_root()
    ).stdout.split()
    assert not {"httpx", "httpcore", "anyio", "pydantic", "yaml", "textual"} & set(loaded)


def test_httpx_comes_without_its_command_line() -> None:
    code = "import sys, ollm_tui.providers.http; import httpx; httpx.main; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=_root()
    ).stdout.split()
    assert "httpx" in loaded
    assert not {"click", "pygments", "rich", "httpx._main"} & set(loaded)


async def test_it_lists_what_the_server_has(
    server: LoopbackServer, provider: OllamaProvider
) -> None:
    server.answers["/api/tags"] = whole({"models": [{"name": "llama3:latest", "size": 7}]})
    listed = await provider.list_models()
    assert [(model.name, model.size_bytes) for model in listed.models] == [("llama3:latest", 7)]
    request = server.requests[0]
    assert (request.method, request.body) == ("GET", b"")
    assert request.headers["host"] == server.address
    assert request.headers["user-agent"].startswith("ollm-tui/")
    assert request.headers["accept-encoding"] == "identity"
    assert "authorization" not in request.headers


async def test_an_empty_store_is_a_success(
    server: LoopbackServer, provider: OllamaProvider
) -> None:
    server.answers["/api/tags"] = whole({"models": []})
    assert (await provider.list_models()).models == ()


async def test_a_large_list_is_read_as_well(
    server: LoopbackServer, provider: OllamaProvider
) -> None:
    server.answers["/api/tags"] = whole(MANY)
    assert len((await provider.list_models()).models) == 3000


async def test_a_list_in_chunks_of_one_byte_is_a_list(
    server: LoopbackServer, provider: OllamaProvider
) -> None:
    async def drip(exchange: Exchange) -> None:
        await exchange.begin("application/json")
        for byte in b'{"models":[{"name":"m:t"}]}':
            await exchange.chunk(bytes([byte]))
        await exchange.end()

    server.answers["/api/tags"] = drip
    assert [model.name for model in (await provider.list_models()).models] == ["m:t"]


@pytest.mark.parametrize("body", [{"models": None}, {"data": []}, {}])
async def test_a_list_without_models_is_garbled(
    server: LoopbackServer, provider: OllamaProvider, body: object
) -> None:
    server.answers["/api/tags"] = whole(body)
    with pytest.raises(ProviderGarbled, match="no list of models"):
        await provider.list_models()


async def test_the_version_is_told_or_empty(
    server: LoopbackServer, provider: OllamaProvider
) -> None:
    assert await provider.version() == ""
    for body, version in (({"version": "0.33.0\x1b"}, "0.33.0�"), ({}, ""), ({"version": 7}, "")):
        server.answers["/api/version"] = whole(body)
        assert await provider.version() == version


async def test_show_asks_by_the_raw_name(server: LoopbackServer, provider: OllamaProvider) -> None:
    server.answers["/api/show"] = whole({"system": "Hi.", "details": {"family": "llama"}})
    details = await provider.show("Ns/M:T")
    assert (details.info.name, details.system) == ("Ns/M:T", "Hi.")
    assert server.requests[0].json() == {"model": "Ns/M:T"}


async def test_what_is_not_installed_is_not_found_whatever_is_asked_of_it(
    server: LoopbackServer, provider: OllamaProvider
) -> None:
    for path in ("/api/show", "/api/delete", "/api/copy", "/api/generate", "/api/chat"):
        server.answers[path] = NOT_FOUND
    for asked in (
        provider.show("m"),
        provider.delete("m"),
        provider.copy("m", "n"),
        provider.load("m"),
        provider.unload("m"),
        _answer_of(provider, GenerationRequest("m", ())),
    ):
        with pytest.raises(ModelNotFound) as caught:
            await asked
        assert caught.value.message == "m is not installed"
        assert caught.value.cause == "model 'm' not found"


async def test_a_plain_404_is_no_ollama_and_not_a_missing_model(provider: OllamaProvider) -> None:
    for asked in (provider.show("m"), provider.delete("m"), provider.list_models()):
        with pytest.raises(ProviderRefused) as caught:
            await asked
        assert caught.value.status == 404
        assert "no Ollama API at this address" in caught.value.cause


async def test_models_in_memory_are_told_unless_the_server_is_too_old(
    server: LoopbackServer, provider: OllamaProvider
) -> None:
    with pytest.raises(Unsupported, match="does not tell which models are in memory"):
        await provider.running()
    server.answers["/api/ps"] = whole({"models": [{"name": "m:t", "size": 5}]})
    assert [model.name for model in await provider.running()] == ["m:t"]


async def test_delete_sends_a_body(server: LoopbackServer, provider: OllamaProvider) -> None:
    server.answers["/api/delete"] = whole()
    await provider.delete("m:t")
    assert server.requests[0].method == "DELETE"
    assert server.requests[0].json() == {"model": "m:t"}


async def test_a_delete_that_breaks_in_the_server_may_have_happened_by_half(
    server: LoopbackServer, provider: OllamaProvider
) -> None:
    server.answers["/api/delete"] = whole({"error": "file in use"}, "500 Internal Server Error")
    with pytest.raises(DeleteFailed, match=r"file in use; it may be half gone"):
        await provider.delete("m:t")
    server.answers["/api/delete"] = whole({"error": 'name "x" is invalid'}, "400 Bad Request")
    with pytest.raises(ProviderRefused, match="is invalid"):
        await provider.delete("m:t")


async def test_copy_names_both(server: LoopbackServer, provider: OllamaProvider) -> None:
    server.answers["/api/copy"] = whole()
    await provider.copy("a:t", "b:t")
    assert server.requests[0].json() == {"source": "a:t", "destination": "b:t"}


async def test_loading_and_unloading_are_prompts_without_words(
    server: LoopbackServer, provider: OllamaProvider
) -> None:
    server.answers["/api/generate"] = whole({"done": True, "done_reason": "load"})
    await provider.load("m:t")
    await provider.load("m:t", keep_alive=-1)
    await provider.unload("m:t")
    assert [request.json() for request in server.requests] == [
        {"model": "m:t", "stream": False},
        {"model": "m:t", "stream": False, "keep_alive": -1},
        {"model": "m:t", "stream": False, "keep_alive": 0},
    ]


async def test_a_model_that_only_embeds_is_loaded_by_embedding_nothing(
    server: LoopbackServer, provider: OllamaProvider
) -> None:
    server.answers["/api/generate"] = whole(
        {"error": '"m:t" does not support generate'}, "400 Bad Request"
    )
    server.answers["/api/embed"] = whole({"embeddings": []})
    await provider.load("m:t", keep_alive="5m")
    assert server.requests[1].json() == {"model": "m:t", "input": "", "keep_alive": "5m"}


async def test_a_chat_is_streamed_with_its_options_untouched(
    server: LoopbackServer, provider: OllamaProvider
) -> None:
    server.answers["/api/chat"] = lines(
        {"message": {"role": "assistant", "content": "", "thinking": "hm"}, "done": False},
        {"message": {"content": "Hel"}, "done": False},
        {"message": {"content": "lo\x1b"}, "done": False},
        {
            "message": {"content": ""},
            "done": True,
            "done_reason": "stop",
            "prompt_eval_count": 3,
            "eval_count": 2,
            "load_duration": 1_500_000_000,
            "eval_duration": -1,
        },
    )
    request = GenerationRequest(
        "m:t", (ChatMessage("user", "Hi"),), options={"num_ctx": 9}, keep_alive="1m"
    )
    chunks = [chunk async for chunk in provider.chat(request)]
    assert [(chunk.thinking, chunk.text) for chunk in chunks[:3]] == [
        ("hm", ""),
        ("", "Hel"),
        ("", "lo�"),
    ]
    last = chunks[-1]
    assert (last.done, last.done_reason) == (True, "stop")
    assert (last.prompt_tokens, last.output_tokens) == (3, 2)
    assert (last.load_duration_s, last.output_duration_s) == (1.5, None)
    assert server.requests[0].json() == {
        "model": "m:t",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": True,
        "options": {"num_ctx": 9},
        "keep_alive": "1m",
    }


async def test_a_chats_options_get_the_names_of_the_wire_and_the_general_ones_win(
    server: LoopbackServer, provider: OllamaProvider
) -> None:
    server.answers["/api/chat"] = lines({"done": True})
    request = GenerationRequest(
        "m:t",
        (),
        options={"maxTokens": 5, "topP": 0.5},
        provider_options={"num_predict": 9, "mirostat": 2, "numGpu": 1},
    )
    await _answer_of(provider, request)
    assert server.requests[0].json() == {
        "model": "m:t",
        "messages": [],
        "stream": True,
        "options": {"num_predict": 5, "top_p": 0.5, "mirostat": 2, "num_gpu": 1},
    }


async def test_a_chat_without_options_sends_none(
    server: LoopbackServer, provider: OllamaProvider
) -> None:
    server.answers["/api/chat"] = lines({"done": True})
    await _answer_of(provider, GenerationRequest("m:t", ()))
    assert server.requests[0].json() == {"model": "m:t", "messages": [], "stream": True}


async def test_a_chat_that_breaks_off_is_an_error(
    server: LoopbackServer, provider: OllamaProvider
) -> None:
    server.answers["/api/chat"] = lines({"message": {"content": "a"}}, {"error": "out of memory"})
    with pytest.raises(ProviderError, match="out of memory"):
        await _answer_of(provider, GenerationRequest("m:t", ()))
    server.answers["/api/chat"] = lines({"message": {"content": "a"}})
    with pytest.raises(ProviderOffline, match="before the answer was complete"):
        await _answer_of(provider, GenerationRequest("m:t", ()))


async def test_the_base_path_and_the_credentials_of_the_address_are_used(
    server: LoopbackServer,
) -> None:
    server.answers["/ollama/api/tags"] = whole({"models": []})
    provider = OllamaProvider(f"http://user:p%40ss@{server.address}/ollama/")
    await provider.list_models()
    await provider.close()
    assert server.requests[0].headers["authorization"] == "Basic dXNlcjpwQHNz"


async def test_headers_of_the_settings_win(server: LoopbackServer) -> None:
    server.answers["/api/tags"] = whole({"models": []})
    provider = OllamaProvider(
        f"http://user:pw@{server.address}",
        headers={"authorization": "Bearer key", "X-Team": "blue"},
    )
    await provider.list_models()
    await provider.close()
    headers = server.requests[0].headers
    assert (headers["authorization"], headers["x-team"]) == ("Bearer key", "blue")


async def test_proxies_of_the_environment_are_not_asked_for_this_machine(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    server.answers["/api/tags"] = whole({"models": []})
    provider = OllamaProvider(server.address)
    await provider.list_models()
    await provider.close()


async def test_many_questions_at_once_share_one_client(
    server: LoopbackServer, provider: OllamaProvider
) -> None:
    server.answers["/api/tags"] = whole({"models": []})
    await asyncio.gather(*(provider.list_models() for _ in range(20)))
    assert len(server.requests) == 20


async def test_a_closed_provider_opens_again(
    server: LoopbackServer, provider: OllamaProvider
) -> None:
    server.answers["/api/tags"] = whole({"models": []})
    await provider.close()
    await provider.list_models()
    await provider.close()
    await provider.close()
    await provider.list_models()


async def test_a_server_that_was_restarted_is_found_again(
    server: LoopbackServer, provider: OllamaProvider
) -> None:
    body = json.dumps({"models": []}).encode()

    async def answer_and_leave(exchange: Exchange) -> None:
        await whole(body)(exchange)
        exchange.writer.close()

    server.answers["/api/tags"] = answer_and_leave
    for _ in range(3):
        await provider.list_models()
        await asyncio.sleep(0)  # lets the end of the connection arrive


async def _answer_of(provider: OllamaProvider, request: GenerationRequest) -> str:
    return "".join([chunk.text async for chunk in provider.chat(request)])


def _root() -> str:
    return __file__.partition("/tests/")[0]
