"""The verbs that only read: list, show, ps, status."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ollm_tui.cli import render
from ollm_tui.core.model import ModelDetails, ModelInfo, RunningModel
from ollm_tui.sandbox.faults import EndpointMode
from ollm_tui.sandbox.roster import HOSTILE_NAMES
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.sandbox.timing import INSTANT
from tests.cli.conftest import Cli

NUMBER = (int, float)
MODEL_TYPES: dict[str, Any] = {
    "name": str,
    "family": str,
    "size_bytes": int,
    "parameters_billions": NUMBER,
    "quantization": str,
    "context_window": int,
    "max_output_tokens": int,
    "modified_at": str,
    "digest": str,
    "capabilities": dict,
    "loaded": bool,
    "remote": bool,
    "embedding_only": bool,
    "base_model": bool,
    "served_context_tokens": int,
    "architecture": str,
    "sources": dict,
}
CAPABILITIES = {
    "tool_calling", "vision", "streaming", "thinking", "insert", "embedding", "audio", "image",
}  # fmt: skip


def test_list_json_has_the_promised_shape(ask: Cli, server: SandboxServer) -> None:
    result = ask("list", "--json")
    assert (result.status, result.err) == (0, "")
    answer = result.json
    assert set(answer) == {"provider", "host", "stale", "as_of", "models", "problems"}
    assert answer["provider"] == "ollama"
    assert server.host in answer["host"]
    assert answer["stale"] is False
    assert answer["problems"] == []
    assert datetime.fromisoformat(answer["as_of"]).tzinfo == UTC
    assert len(answer["models"]) == 31
    for model in answer["models"]:
        assert set(model) == set(MODEL_TYPES)
        for field, kind in MODEL_TYPES.items():
            assert model[field] is None or isinstance(model[field], kind), field
        assert set(model["capabilities"]) == CAPABILITIES
        assert set(map(type, model["capabilities"].values())) == {bool}
        assert model["modified_at"].endswith("Z")


def test_list_json_says_what_is_in_memory(ask: Cli) -> None:
    models = {model["name"]: model for model in ask("list", "--json").json["models"]}
    assert {name for name, model in models.items() if model["loaded"]} == {
        "llama3.2:3b", "phi3:mini",
    }  # fmt: skip
    assert models["llama3.2:3b"]["served_context_tokens"] > 0
    assert models["mistral:7b"]["served_context_tokens"] is None


def test_where_memory_cannot_be_asked_what_is_loaded_is_unknown(
    ask: Cli, server: SandboxServer
) -> None:
    server.faults.set("/api/ps", EndpointMode.HTTP_404)
    result = ask("list", "--json")
    assert result.status == 0
    assert {model["loaded"] for model in result.json["models"]} == {None}
    assert "which models are loaded is unknown" in result.err


def test_list_is_a_table_with_the_models_in_the_order_of_the_server(ask: Cli) -> None:
    result = ask("list")
    assert (result.status, result.err) == (0, "")
    head, *lines = result.out.splitlines()
    assert head.split() == ["NAME", "FAMILY", "PARAMS", "QUANT", "CTX", "SIZE", "CAN", "MODIFIED"]
    assert [line.split()[0] for line in lines] == [
        model["name"] for model in ask("list", "--json").json["models"]
    ]
    starts = head.index("FAMILY"), head.index("QUANT"), head.index("MODIFIED")
    for line in lines:
        assert all(line[at - 1] == " " and line[at] != " " for at in starts)


def test_list_asks_one_question(ask: Cli, server: SandboxServer) -> None:
    ask("list")
    assert [request.path for request in server.requests] == ["/api/tags"]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["gemma"], ["gemma2:9b", "gemma3:12b"]),
        (["llama", "latest"], ["codellama:latest", "llama3.1:latest"]),
        (["LLAMA3.1:8"], ["llama3.1:8b"]),
    ],
)
def test_list_shows_what_the_filter_lets_through(
    ask: Cli, words: list[str], names: list[str]
) -> None:
    listed = [model["name"] for model in ask("list", "--json", *words).json["models"]]
    assert sorted(listed) == names
    assert len(ask("list", *words).out.splitlines()) == len(names) + 1


def test_a_filter_that_nothing_matches_prints_no_data(ask: Cli) -> None:
    result = ask("list", "xyzzy")
    assert (result.status, result.out) == (0, "")
    assert "none of 31 models matches" in result.err
    assert ask("list", "--json", "xyzzy").json["models"] == []


def test_an_empty_server_says_what_to_do(cli: Cli) -> None:
    with SandboxServer(timing=INSTANT, models=[]) as server:
        result = cli("list", "--host", server.host)
        assert (result.status, result.out) == (0, "")
        assert "ollm-tui pull" in result.err
        assert cli("list", "--json", "--host", server.host).json["models"] == []


def test_a_thousand_models_are_listed(cli: Cli) -> None:
    with SandboxServer(timing=INSTANT, models=1000) as server:
        result = cli("list", "--json", "--host", server.host)
    assert (result.status, len(result.json["models"])) == (0, 1000)


@pytest.mark.parametrize("version", ["0.5", "0.12"])
def test_old_servers_are_listed_with_what_is_known_besides(cli: Cli, version: str) -> None:
    with SandboxServer(timing=INSTANT, version=version) as server:
        models = cli("list", "--json", "--host", server.host).json["models"]
    known = {model["name"]: model for model in models}
    assert known["llama3.1:8b"]["sources"]["context_window"] == "database"
    assert known["smollm2:1.7b"]["sources"]["context_window"] == "default"


def test_show_json_is_a_model_with_the_texts_that_only_it_has(ask: Cli) -> None:
    result = ask("show", "llama3.2:3b", "--json")
    assert (result.status, result.err) == (0, "")
    more = {"parameters", "template", "system", "license", "requires", "metadata"}
    assert set(result.json) == set(MODEL_TYPES) | more | {"registry", "namespace"}
    assert result.json["registry"] == "registry.ollama.ai"
    assert result.json["namespace"] == "library"
    assert result.json["name"] == "llama3.2:3b"
    assert result.json["loaded"] is True
    assert result.json["digest"]
    assert result.json["size_bytes"] > 10**9
    assert all(len(pair) == 2 for pair in result.json["parameters"])


def test_show_is_text_a_fact_a_line(ask: Cli) -> None:
    result = ask("show", "LLAMA3.2:3b")
    assert (result.status, result.err) == (0, "")
    facts = dict(line.split(None, 1) for line in result.out.splitlines())
    assert facts["family"] == "llama"
    assert facts["context"].startswith("131,072 trained")
    assert facts["loaded"] == "yes"


def test_show_of_a_missing_model_names_similar_ones(ask: Cli) -> None:
    result = ask("show", "lama3.1:8b")
    assert (result.status, result.out) == (1, "")
    assert "Did you mean llama3.1:8b" in result.err


@pytest.mark.parametrize("verb", ["show", "status", "load", "stop", "rm"])
def test_a_name_that_no_model_can_have_is_wrong_usage(ask: Cli, verb: str) -> None:
    result = ask(verb, "a b\x1b[31m")
    assert (result.status, result.out) == (2, "")
    assert "Invalid model name format" in result.err
    assert "\x1b" not in result.err


def test_ps_json_has_the_promised_shape(ask: Cli) -> None:
    result = ask("ps", "--json")
    assert (result.status, result.err) == (0, "")
    assert set(result.json) == {"provider", "host", "models"}
    assert {model["name"] for model in result.json["models"]} == {"llama3.2:3b", "phi3:mini"}
    for model in result.json["models"]:
        assert {field: type(value) for field, value in model.items()} == {
            "name": str,
            "digest": str,
            "size_bytes": int,
            "size_vram_bytes": int,
            "context_tokens": int,
            "expires_at": str,
        }


def test_ps_is_a_table(ask: Cli, server: SandboxServer) -> None:
    result = ask("ps")
    assert (result.status, result.err) == (0, "")
    head, *lines = result.out.splitlines()
    assert head.split() == ["NAME", "MEMORY", "PROCESSOR", "CTX", "LEAVES", "IN"]
    assert {line.split()[0] for line in lines} == {"llama3.2:3b", "phi3:mini"}


def test_ps_of_an_empty_memory_prints_no_data(cli: Cli) -> None:
    with SandboxServer(timing=INSTANT) as server:
        result = cli("ps", "--host", server.host)
        assert (result.status, result.out) == (0, "")
        assert "no model is loaded" in result.err
        assert cli("ps", "--json", "--host", server.host).json["models"] == []


def test_a_server_that_cannot_tell_what_is_in_memory(ask: Cli, server: SandboxServer) -> None:
    server.faults.set("/api/ps", EndpointMode.HTTP_404)
    result = ask("ps")
    assert (result.status, result.out) == (4, "")
    assert "Update the Ollama server" in result.err


@pytest.mark.parametrize(
    ("name", "said", "status"),
    [
        ("phi3:mini", "available\n", 0),
        ("PHI3:MINI", "available\n", 0),
        ("llama3.1", "available\n", 0),
        ("phi3", "not_found\n", 1),
    ],
)
def test_status_is_one_word(ask: Cli, name: str, said: str, status: int) -> None:
    result = ask("status", name)
    assert (result.out, result.status, result.err) == (said, status, "")


def test_hostile_names_are_left_out_and_explained_and_no_control_byte_gets_through(
    cli: Cli,
) -> None:
    with SandboxServer(timing=INSTANT, hostile=True) as server:
        for arguments in (["list"], ["list", "--json"], ["ps"], ["route", "--explain"]):
            result = cli(*arguments, "--host", server.host)
            assert result.status == 0
            for text in (result.out, result.err):
                assert not {c for c in text if not (c.isprintable() or c == "\n")}
        subjects = cli("list", "--json", "--host", server.host).json["problems"]
    assert len(subjects) == len(HOSTILE_NAMES)


def test_json_escapes_what_a_terminal_or_an_encoder_might_choke_on() -> None:
    name = "esc\x1b[2J\x9b31m\x7f\u202eok\ud800"
    text = render.as_json(render.model_json(ModelInfo(name=name)))
    assert text.isascii()
    assert text.isprintable()


def test_nobody_being_known_is_a_dash_and_not_a_number() -> None:
    model = ModelInfo(name="a:b")
    table = render.model_table([model], datetime.now(UTC))
    assert table.splitlines()[1].split() == ["a:b", "–", "–", "–", "–", "0", "B", "unknown", "–"]
    text = render.details_text(ModelDetails(model, license=" \n "))
    assert "licence" not in text


def test_columns_are_as_wide_as_they_look() -> None:
    lines = render.table(("A", "B"), [("模型", "1"), ("e\u0301", "22")], right={1}).splitlines()
    assert lines == ["A      B", "模型   1", "e\u0301     22"]


@pytest.mark.parametrize(
    ("size", "vram", "said"), [(100, 0, "CPU"), (100, 100, "GPU"), (100, 48, "48% GPU, 52% CPU")]
)
def test_ps_says_what_computes(size: int, vram: int, said: str) -> None:
    model = RunningModel("a", "a", size_bytes=size, size_vram_bytes=vram)
    assert said in render.running_table([model], datetime.now(UTC))


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (("cap:tools", "ctx>=32k", "size<10G"), 12),  # not the stub of a few bytes
        (("remote", "params>100b"), 1),
        (("loaded",), 2),
        (("family:qwen", "!coder"), 2),
    ],
)
def test_list_takes_the_filter_language_of_the_screen(
    ask: Cli, words: tuple[str, ...], count: int
) -> None:
    result = ask("list", *words)
    assert (result.status, result.err) == (0, "")
    assert len(result.out.splitlines()) == count + 1
    assert len(ask("list", "--json", *words).json["models"]) == count


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("cap:tols",), "There is no capability “tols”; did you mean tools?"),
        (("ctx>=32q",), "“32q” is no value of ctx"),
        (("marked",), "Nothing is marked outside the screen"),
    ],
)
def test_a_bad_filter_is_wrong_usage_before_anything_is_asked(
    ask: Cli, server: SandboxServer, words: tuple[str, ...], says: str
) -> None:
    result = ask("list", *words)
    assert (result.status, result.out) == (2, "")
    assert says in result.err
    assert server.count("/api/tags") == 0
