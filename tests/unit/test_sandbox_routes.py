"""The made-up server answers each route with the body and status of the real one."""

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from ollm_tui.sandbox.roster import installed_models
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.sandbox.timing import INSTANT

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    with SandboxServer(timing=INSTANT, clock=lambda: NOW) as server:
        yield server


@pytest.fixture
def client(server: SandboxServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, trust_env=False, verify=False) as client:
        yield client


def error_of(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]


def names(client: httpx.Client) -> list[str]:
    return [model["name"] for model in client.get("/api/tags").json()["models"]]


def running(client: httpx.Client) -> list[str]:
    return [model["name"] for model in client.get("/api/ps").json()["models"]]


def test_it_says_that_it_runs_and_which_version_it_is(client: httpx.Client) -> None:
    assert client.get("/").text == "Ollama is running"
    assert client.head("/").status_code == 200
    assert client.get("/api/version").json() == {"version": "0.33.0"}
    assert client.get("/api/status").json() == {"cloud": {"disabled": False, "source": "none"}}


def test_unknown_routes_and_wrong_methods_are_plain_text(client: httpx.Client) -> None:
    missing, wrong = client.get("/api/nothing"), client.get("/api/show")
    assert (missing.status_code, missing.text) == (404, "404 page not found")
    assert (wrong.status_code, wrong.text) == (405, "405 method not allowed")
    assert missing.headers["content-type"].startswith("text/plain")


def test_a_list_entry_has_every_field_of_the_real_one(client: httpx.Client) -> None:
    response = client.get("/api/tags")
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    model = installed_models()[0]
    assert response.json()["models"][0] == {
        "name": "llama3.2:3b",
        "model": "llama3.2:3b",
        "modified_at": "2026-03-01T09:00:00.000000" + f"{int(model.digest[:4], 16) % 1000}Z",
        "size": sum(layer.size_bytes for layer in model.layers),
        "digest": model.digest,
        "details": {
            "parent_model": "",
            "format": "gguf",
            "family": "llama",
            "families": ["llama"],
            "parameter_size": "3.2B",
            "quantization_level": "Q4_K_M",
            "context_length": 131072,
            "embedding_length": 3072,
        },
        "capabilities": ["completion", "tools"],
    }


def test_the_list_is_newest_first_and_follows_every_change(client: httpx.Client) -> None:
    before = client.get("/api/tags").json()["models"]
    assert len(before) >= 30
    assert [m["modified_at"] for m in before] == sorted(
        (m["modified_at"] for m in before), reverse=True
    )
    client.request("DELETE", "/api/delete", json={"model": "phi4"})
    assert "phi4:latest" not in names(client)


def test_aliases_share_their_digest_and_a_cloud_stub_says_so(client: httpx.Client) -> None:
    models = {model["name"]: model for model in client.get("/api/tags").json()["models"]}
    assert models["llama3.1:latest"]["digest"] == models["llama3.1:8b"]["digest"]
    assert models["gpt-oss:120b-cloud"]["remote_host"] == "https://ollama.com:443"
    assert models["gpt-oss:120b-cloud"]["remote_model"] == "gpt-oss:120b"
    assert models["nomic-embed-text:latest"]["details"]["families"] is None


def test_an_empty_store_is_an_empty_list_here_and_null_there() -> None:
    with SandboxServer(models=0, timing=INSTANT) as server:
        assert httpx.get(f"{server.url}/api/tags", trust_env=False, verify=False).json() == {
            "models": []
        }
        assert httpx.get(f"{server.url}/v1/models", trust_env=False, verify=False).json() == {
            "object": "list",
            "data": None,
        }


def test_the_openai_list_names_the_namespace_as_owner(client: httpx.Client) -> None:
    data = {model["id"]: model for model in client.get("/v1/models").json()["data"]}
    assert data["llama3.2:3b"]["owned_by"] == "library"
    assert data["paper-crane/night-shift-tutor:8b"]["owned_by"] == "paper-crane"


def test_show_gives_the_facts_under_the_architecture_s_name(client: httpx.Client) -> None:
    body = client.post("/api/show", json={"model": "QWEN3:8b"}).json()
    info = body["model_info"]
    assert info["general.architecture"] == "qwen3"
    assert info["general.parameter_count"] == 8190735360
    assert info["qwen3.context_length"] == 40960
    assert info["qwen3.attention.head_count_kv"] == 8
    assert info["tokenizer.ggml.tokens"] is None
    assert body["capabilities"] == ["completion", "tools", "thinking"]
    assert body["parameters"].splitlines()[0].split() == ["repeat_penalty", "1"]
    assert body["license"].startswith("Apache License, Version 2.0")
    assert ".Tools" in body["template"]
    assert "FROM /usr/share/ollama/.ollama/models/blobs/sha256-" in body["modelfile"]
    assert "system" not in body
    assert body["tensors"][0]["shape"] == [4096, 4096]


def test_capabilities_can_be_read_off_the_facts_too(client: httpx.Client) -> None:
    embed = client.post("/api/show", json={"model": "nomic-embed-text"}).json()
    eyes = client.post("/api/show", json={"model": "llava:7b"}).json()
    coder = client.post("/api/show", json={"model": "codellama"}).json()
    assert embed["model_info"]["nomic-bert.pooling_type"] == 1
    assert eyes["projector_info"]["clip.has_vision_encoder"] is True
    assert eyes["details"]["families"] == ["llama", "clip"]
    assert ".Suffix" in coder["template"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (400, "model is required")),
        ({"model": "../x"}, (400, "invalid model name")),
        ({"model": "Nothing"}, (404, "model 'Nothing:latest' not found")),
        ({"name": "library/nothing:1b"}, (404, "model 'nothing:1b' not found")),
    ],
)
def test_show_refuses_in_the_server_s_words(
    client: httpx.Client, body: dict[str, str], expected: tuple[int, str]
) -> None:
    assert error_of(client.post("/api/show", json=body)) == expected


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "missing request body"),
        (b'{"model":', "unexpected EOF"),
        (b"hello", "invalid character 'h' looking for beginning of value"),
        (
            b'{"model":7}',
            "json: cannot unmarshal number into Go struct field .model of type string",
        ),
    ],
)
def test_a_broken_request_is_a_400(client: httpx.Client, content: bytes, text: str) -> None:
    assert error_of(client.post("/api/show", content=content)) == (400, text)


def test_delete_and_copy_answer_with_an_empty_body(client: httpx.Client) -> None:
    copied = client.post("/api/copy", json={"source": "phi4", "destination": "mine"})
    assert (copied.status_code, copied.content) == (200, b"")
    deleted = client.request("DELETE", "/api/delete", json={"model": "phi4"})
    assert (deleted.status_code, deleted.content) == (200, b"")
    assert "mine:latest" in names(client)
    assert "phi4:latest" not in names(client)


def test_delete_and_copy_refuse_in_the_server_s_words(client: httpx.Client) -> None:
    def delete(name: str) -> tuple[int, str]:
        return error_of(client.request("DELETE", "/api/delete", json={"model": name}))

    def copy(source: str, destination: str) -> tuple[int, str]:
        body = {"source": source, "destination": destination}
        return error_of(client.post("/api/copy", json=body))

    assert delete("") == (400, "model is required")
    assert delete("a b") == (400, 'name "a b" is invalid')
    assert delete("nothing") == (404, "model 'nothing' not found")
    assert copy("a b", "c") == (400, 'source "a b" is invalid')
    assert copy("phi4", "c@d") == (400, 'destination "c@d" is invalid')
    assert copy("nothing", "c") == (404, 'model "nothing" not found')


def test_loading_shows_the_window_and_unloading_ends_it(client: httpx.Client) -> None:
    asked = {"model": "llama3.1:8b", "options": {"num_ctx": 8192}, "keep_alive": "10m"}
    loaded = client.post("/api/generate", json=asked).json()
    assert (loaded["done"], loaded["done_reason"], loaded["response"]) == (True, "load", "")
    entry = client.get("/api/ps").json()["models"][0]
    assert entry["context_length"] == 8192
    assert entry["expires_at"].startswith("2026-03-01T12:10:00")
    assert entry["size"] == entry["size_vram"]
    assert "context_length" not in entry["details"]
    # The alias shares the weights, so it shares the fate.
    alias = {"model": "llama3.1", "keep_alive": 0}
    assert client.post("/api/generate", json=alias).json()["done_reason"] == "unload"
    assert running(client) == []


def test_a_window_nobody_asked_for_is_the_default_one(client: httpx.Client) -> None:
    client.post("/api/generate", json={"model": "mistral:7b", "keep_alive": -1})
    entry = client.get("/api/ps").json()["models"][0]
    assert entry["context_length"] == 4096
    assert int(entry["expires_at"][:4]) > 2200


def test_a_model_too_big_for_the_gpu_is_split(client: httpx.Client) -> None:
    client.post("/api/generate", json={"model": "llama3.3:70b"})
    entry = client.get("/api/ps").json()["models"][0]
    assert 0 < entry["size_vram"] < entry["size"]


def test_a_deleted_model_stays_in_memory(client: httpx.Client) -> None:
    client.post("/api/generate", json={"model": "phi4"})
    assert client.request("DELETE", "/api/delete", json={"model": "phi4"}).status_code == 200
    assert running(client) == ["phi4:latest"]


def test_an_embedding_model_is_unloaded_but_not_loaded_by_generate(client: httpx.Client) -> None:
    name = "nomic-embed-text"
    load, unload = {"model": name}, {"model": name, "keep_alive": 0}
    assert error_of(client.post("/api/generate", json=load)) == (
        400,
        '"nomic-embed-text" does not support generate',
    )
    assert client.post("/api/generate", json=unload).json()["done_reason"] == "unload"
    answer = client.post("/api/embed", json={"model": name, "input": ["a", "b"]}).json()
    assert [len(vector) for vector in answer["embeddings"]] == [768, 768]
    assert running(client) == ["nomic-embed-text:latest"]


@pytest.mark.parametrize("keep_alive", ["soon", True, [1]])
def test_a_keep_alive_that_is_no_duration_is_refused(
    client: httpx.Client, keep_alive: object
) -> None:
    asked = {"model": "phi4", "keep_alive": keep_alive}
    assert client.post("/api/generate", json=asked).status_code == 400


def test_a_model_leaves_memory_when_its_time_is_over() -> None:
    times = [NOW]
    server = SandboxServer(timing=INSTANT, clock=lambda: times[-1], loaded=["phi4"])
    assert [one.model.name for one in server.store.loaded()] == ["phi4:latest"]
    times.append(datetime(2026, 3, 1, 12, 6, tzinfo=UTC))
    assert server.store.loaded() == ()


def test_chat_streams_tokens_and_ends_with_the_counts(client: httpx.Client) -> None:
    asked = {"model": "phi4", "messages": [{"role": "user", "content": "Why is the sky blue?"}]}
    response = client.post("/api/chat", json=asked)
    assert response.headers["content-type"] == "application/x-ndjson"
    *tokens, last = [httpx.Response(200, text=line).json() for line in response.iter_lines()]
    text = "".join(token["message"]["content"] for token in tokens)
    assert text.startswith("You asked about “Why is the sky blue?”. ")
    assert not any(token["done"] for token in tokens)
    assert (last["done"], last["done_reason"]) == (True, "stop")
    assert last["eval_count"] == len(tokens)
    assert {"total_duration", "load_duration", "prompt_eval_count", "eval_duration"} <= set(last)
    whole = client.post("/api/chat", json=asked | {"stream": False}).json()
    assert whole["message"] == {"role": "assistant", "content": text}


def test_generate_thinks_first_and_stops_at_its_limit(client: httpx.Client) -> None:
    asked = {"model": "qwen3:8b", "prompt": "hi", "stream": False}
    assert client.post("/api/generate", json=asked).json()["thinking"]
    assert "thinking" not in client.post("/api/generate", json=asked | {"think": False}).json()
    short = client.post("/api/generate", json=asked | {"options": {"num_predict": 3}}).json()
    assert (short["done_reason"], short["eval_count"]) == ("length", 3)


def test_a_cloud_model_asks_for_a_sign_in(client: httpx.Client) -> None:
    response = client.post("/api/generate", json={"model": "gpt-oss:120b-cloud"})
    assert response.status_code == 401
    assert set(response.json()) == {"error", "signin_url"}


def test_old_versions_leave_later_fields_out() -> None:
    for version, in_tags, in_show in (("0.5", False, False), ("0.12", False, True)):
        with (
            SandboxServer(version=version, timing=INSTANT, loaded=["phi4"]) as server,
            httpx.Client(base_url=server.url, trust_env=False, verify=False) as client,
        ):
            entry = client.get("/api/tags").json()["models"][0]
            shown = client.post("/api/show", json={"model": entry["name"]}).json()
            assert ("capabilities" in entry) is in_tags
            assert ("context_length" in entry["details"]) is in_tags
            assert ("capabilities" in shown) is in_show
            assert ("context_length" in client.get("/api/ps").json()["models"][0]) is in_show
            assert client.get("/api/status").status_code == 404


def test_a_foreign_host_header_is_refused_without_a_body(client: httpx.Client) -> None:
    response = client.get("/api/tags", headers={"host": "evil.example"})
    assert (response.status_code, response.content) == (403, b"")
    assert client.get("/api/tags", headers={"host": "localhost:1"}).status_code == 200


def test_a_base_path_goes_before_every_route() -> None:
    with SandboxServer(timing=INSTANT, base_path="/models") as server:
        assert (
            httpx.get(f"{server.url}/api/version", trust_env=False, verify=False).status_code == 200
        )
        assert (
            httpx.get(
                f"http://{server.host}/api/version", trust_env=False, verify=False
            ).status_code
            == 404
        )


def test_every_request_is_on_record(server: SandboxServer, client: httpx.Client) -> None:
    client.post("/api/show?x=1", json={"model": "phi4"}, headers={"User-Agent": "me"})
    client.get("/api/tags")
    show = server.requests[0]
    assert (show.method, show.path, show.query) == ("POST", "/api/show", "x=1")
    assert (show.body, show.headers["user-agent"]) == ({"model": "phi4"}, "me")
    assert (server.count("/api/tags"), server.count(), server.count(method="POST")) == (1, 2, 1)
    server.clear()
    assert server.requests == []
