"""The verb `run`: a routed prompt, its options, its streamed answer."""

import io
import os
import signal
import sys
from pathlib import Path

import pytest

from ollm_tui.cli import input_file
from ollm_tui.sandbox.faults import CUT, EndpointMode
from ollm_tui.sandbox.server import SandboxServer
from tests.cli.conftest import Cli
from tests.cli.test_process import start
from tests.terminal import OLLM_TUI, ROOT, Terminal


def said(content: str = "", **more: object) -> dict[str, object]:
    return {"message": {"role": "assistant", "content": content}, "done": False, **more}


DONE = said(done=True, done_reason="stop")


def sent(server: SandboxServer) -> dict[str, object]:
    """The body of the one chat that the server was asked for."""
    (body,) = (item.body for item in server.requests if item.path == "/api/chat")
    assert isinstance(body, dict)
    return body


def test_the_answer_goes_to_stdout_and_the_words_to_stderr(ask: Cli, server: SandboxServer) -> None:
    result = ask("run", "why", "is the sky", "blue")
    assert result.status == 0
    assert result.out.startswith("You asked about “why is the sky blue”. ")
    assert result.out.count("\n") == 1
    first, second, *_, last = result.err.splitlines()
    model = sent(server)["model"]  # which one depends on this machine's memory
    assert first.startswith(f"ollm-tui: {model}, because llama is the 1st choice of general")
    assert second == "ollm-tui: no options are set, so the model's own apply"
    assert "first token after" in last
    assert "context 4,096" in last
    assert sent(server) == {
        "model": model,
        "messages": [{"role": "user", "content": "why is the sky blue"}],
        "stream": True,
    }


def test_a_profile_routes_and_a_model_given_by_name_wins(ask: Cli, server: SandboxServer) -> None:
    decision = ask("route", "code", "--json").json
    assert ask("run", "--profile", "code", "hi").err.startswith(f"ollm-tui: {decision['summary']}")
    assert sent(server)["model"] == decision["model"]
    server.clear()
    result = ask("run", "--profile", "code", "--model", "PHI3:mini", "hi")
    assert sent(server)["model"] == "phi3:mini"
    assert "phi3:mini, as it was asked for by name." in result.err
    assert "The profile code is not used" in result.err


def test_json_is_one_object_with_the_decision_options_and_measures(
    ask: Cli, server: SandboxServer, tmp_path: Path
) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("options: {topP: 0.5}\nmodels: {'qwen3:*': {provider: {seed: 7}}}\n")
    flags = ("--config", str(config), "--max-tokens", "30")
    data = ask("run", "--json", "hi", "--model", "qwen3:8b", *flags).json
    assert data["model"] == "qwen3:8b"
    assert data["decision"]["via"] == "pinned"
    assert data["text"].startswith("You asked about “hi”.")
    assert data["thinking"].startswith("The question is short")
    assert [(item["name"], item["value"], item["origin"]) for item in data["options"]] == [
        ("maxTokens", 30, "flag"),
        ("topP", 0.5, "file"),
        ("seed", 7, "file"),
    ]
    assert data["options"][2]["key"] == 'models."qwen3:*".provider.seed'
    assert data["options"][2]["location"].endswith("c.yaml:2:39")
    assert sent(server)["options"] == {"num_predict": 30, "top_p": 0.5, "seed": 7}
    measures = data["measures"]
    assert measures["output_tokens"] == 30
    assert measures["tokens_per_s"] > 0
    assert measures["tokens_per_s_source"] == "provider"
    assert measures["done_reason"] == "length"
    assert measures["served_context_tokens"] == 4096
    assert 0 <= measures["time_to_first_token_s"] <= measures["total_duration_s"]
    assert [item["code"] for item in data["warnings"]] == ["ANSWER_CUT"]


def test_a_general_option_hides_the_providers_own_of_that_meaning(
    ask: Cli, server: SandboxServer, tmp_path: Path
) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("providers: {ollama: {options: {num_predict: 9, numCtx: 5, seed: 1}}}\n")
    flags = ("--config", str(config), "--max-tokens", "3", "--context-size", "64")
    data = ask("run", "--json", "hi", *flags).json
    assert sent(server)["options"] == {"num_predict": 3, "num_ctx": 64, "seed": 1}
    assert [item["name"] for item in data["options"]] == ["maxTokens", "numCtx", "seed"]


def test_a_secret_among_the_options_is_sent_and_not_shown(
    ask: Cli, server: SandboxServer, tmp_path: Path
) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("providers: {ollama: {options: {api_key: hunter2}}}\n")
    config.chmod(0o600)
    result = ask("run", "--verbose", "hi", "--config", str(config))
    assert sent(server)["options"] == {"api_key": "hunter2"}
    assert "api_key •••" in result.err
    assert "hunter2" not in result.err + result.out


def test_speed_is_counted_by_pieces_where_the_server_does_not_tell(
    ask: Cli, server: SandboxServer
) -> None:
    script = server.faults.script_chat("phi3:mini", [said("a"), said("b"), said("c"), DONE])
    script.advance(4)
    data = ask("run", "--json", "hi", "--model", "phi3:mini").json
    assert data["text"] == "abc"
    assert data["thinking"] is None
    assert data["measures"]["tokens_per_s_source"] == "chunks"
    assert data["measures"]["output_tokens"] == 3


def test_thinking_is_shown_only_when_asked_for_and_never_on_stdout(ask: Cli) -> None:
    quiet = ask("run", "hi", "--model", "qwen3:8b")
    assert "The question is short" not in quiet.err + quiet.out
    verbose = ask("run", "--verbose", "hi", "--model", "qwen3:8b")
    assert "The question is short" in verbose.err
    assert "\x1b" not in verbose.err  # no terminal, no colour
    assert verbose.out == quiet.out


def test_a_prompt_that_fills_the_context_is_told(ask: Cli) -> None:
    result = ask("run", "one two three four five six", "--context-size", "4")
    assert result.status == 0
    assert "The prompt filled the whole context of 4 tokens" in result.err
    assert "was given 4 tokens of context, and general asks for 8,192; set numCtx" in result.err


def test_what_a_server_says_is_harmless_on_a_terminal(ask: Cli, server: SandboxServer) -> None:
    server.faults.script_chat("phi3:mini", [said("a\x1b]0;x\x07b\r\n\u202ec"), DONE]).advance(2)
    result = ask("run", "hi", "--model", "phi3:mini")
    assert result.out == "a�]0;x�b\n�c\n"


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("run", "hi", "--model", "nothing:1b"), 1, "nothing:1b is not installed"),
        (("run", "hi", "--profile", "nope"), 2, "Unknown routing profile"),
        (("run", "hi", "--temperature", "9"), 2, "Temperature must be between"),
        (("run", "  "), 2, "There is no prompt"),
        (("run", "hi", "--no-config", "--provider", "local"), 4, "Prompts cannot be answered here"),
    ],
)
def test_what_cannot_be_run_has_its_status_and_sends_nothing(
    ask: Cli, server: SandboxServer, arguments: tuple[str, ...], status: int, words: str
) -> None:
    result = ask(*arguments)
    assert (result.status, result.out) == (status, "")
    assert words in result.err
    assert "  try: " in result.err
    assert server.count("/api/chat") == 0


def test_a_store_without_a_server_says_what_to_start(cli: Cli, tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("provider: local\n")  # found out only once the file has been read
    for extra in ((), ("--config", str(config))):
        chosen = extra or ("--provider", "local")
        result = cli("run", "hi", *chosen)
        assert (result.status, result.out) == (4, "")
        assert "ollama serve" in result.err


def test_nothing_that_fits_is_a_negative_answer_with_the_decision(
    ask: Cli, server: SandboxServer
) -> None:
    for entry in server.store.installed():
        server.store.remove(entry.model.name)
    result = ask("run", "--json", "hi")
    assert result.status == 1
    assert result.json["model"] is None
    assert result.json["decision"]["error"]["code"] == "NO_MODELS_INSTALLED"
    assert (result.json["text"], result.json["measures"]) == ("", None)


def test_a_server_that_is_not_there_is_status_3(cli: Cli, server: SandboxServer) -> None:
    server.stop()
    result = cli("run", "hi", "--host", server.host)
    assert (result.status, result.out) == (3, "")


@pytest.mark.parametrize(
    ("end", "status", "words"),
    [
        (CUT, 3, "broke"),
        ({"error": "out of memory"}, 4, "out of memory"),
        (b"", 3, "before the answer was complete"),
    ],
)
def test_an_answer_that_breaks_off_is_printed_so_far_and_fails(
    ask: Cli, server: SandboxServer, end: object, status: int, words: str
) -> None:
    items = [said("Half an"), said(" ans"), end]
    server.faults.script_chat("phi3:mini", items).advance(3)  # type: ignore[arg-type]
    result = ask("run", "hi", "--model", "phi3:mini")
    assert (result.status, result.out) == (status, "Half an ans\n")
    assert words in result.err
    server.faults.script_chat("phi3:mini", items).advance(3)  # type: ignore[arg-type]
    result = ask("run", "--json", "hi", "--model", "phi3:mini")
    assert result.status == status
    assert result.json["text"] == "Half an ans"
    assert result.json["error"]["actions"]


def test_a_model_that_vanishes_is_not_found(ask: Cli, server: SandboxServer) -> None:
    server.faults.set("/api/chat", EndpointMode.HTTP_404, text='{"error":"model not found"}')
    result = ask("run", "hi", "--model", "phi3:mini")
    assert (result.status, result.out) == (1, "")
    assert "phi3:mini is not installed" in result.err


def test_an_old_server_that_tells_nothing_of_memory_still_answers(
    ask: Cli, server: SandboxServer
) -> None:
    server.faults.set("/api/ps", EndpointMode.HTTP_404)
    data = ask("run", "--json", "hi", "--model", "phi3:mini").json
    assert data["text"]
    assert data["measures"]["served_context_tokens"] is None


@pytest.mark.parametrize("words", [("-",), ()])
def test_a_prompt_is_piped_in(
    ask: Cli, server: SandboxServer, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    read_end, write_end = os.pipe()
    os.write(write_end, "zwei\nZeilen ü".encode())
    os.close(write_end)
    with open(read_end) as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        assert ask("run", *words).status == 0
    assert sent(server)["messages"] == [{"role": "user", "content": "zwei\nZeilen ü"}]


def test_a_prompt_is_read_from_a_file(
    ask: Cli, server: SandboxServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "prompt.txt"
    path.write_text("word " * 40_000)
    with open(path) as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        assert ask("run", "-").status == 0
    assert sent(server)["messages"] == [{"role": "user", "content": "word " * 40_000}]


@pytest.mark.parametrize(
    ("raw", "words"),
    [(b"\xff", "no"), (b" \n", "standard input is empty"), (b"x" * 101, "more than")],
)
def test_what_is_piped_in_has_to_be_a_text_of_some_size(
    ask: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, raw: bytes, words: str
) -> None:
    monkeypatch.setattr(input_file, "PIPED_LIMIT_BYTES", 100)
    path = tmp_path / "prompt.txt"
    path.write_bytes(raw)
    with open(path) as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        result = ask("run", "-")
    assert (result.status, result.out) == (2, "")
    assert words in result.err


def test_a_closed_input_is_no_prompt(ask: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert ask("run", "-").status == 2
    monkeypatch.setattr(sys, "stdin", io.StringIO("no file"))
    assert ask("run", "-").status == 2


def test_the_answer_comes_as_it_is_said_and_ctrl_c_closes_the_stream(
    server: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    script = server.faults.script_chat("phi3:mini", [said("Half"), said("never"), DONE])
    script.advance(1)
    with start("run", "hi", "--model", "phi3:mini", "--host", server.host) as process:
        assert process.stdout is not None
        assert process.stdout.read(4) == "Half"  # while the server still waits
        assert script.gate.wait_for(2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert script.ended.wait(5)
    assert script.sent == 1
    assert out == "\n"
    assert "Traceback" not in err


def test_ctrl_c_ends_the_wait_for_a_prompt(
    server: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with Terminal([*OLLM_TUI, "run", "-", "--host", server.host]) as terminal:
        terminal.wait_for("type the prompt")
        terminal.send("hello\r\x03")
        assert terminal.wait_end() == 130
    assert server.count("/api/chat") == 0


def test_on_a_terminal_a_prompt_is_typed_and_the_thinking_is_dim(server: SandboxServer) -> None:
    command = [*OLLM_TUI, "run", "-", "--verbose", "--model", "qwen3:8b", "--host", server.host]
    with Terminal(command) as terminal:
        terminal.send("hello\r\x04")
        assert terminal.wait_end() == 0
        raw = terminal.raw.decode()
    assert "\x1b[2mThe\x1b[0m" in raw
    assert "You asked about “hello”." in raw


def test_a_reader_that_leaves_ends_the_answer(
    server: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    items = [said("Half"), *[said("x" * 70_000)] * 4, DONE]
    script = server.faults.script_chat("phi3:mini", items)
    script.advance(1)
    with start("run", "hi", "--model", "phi3:mini", "--host", server.host) as process:
        assert process.stdout is not None
        assert process.stdout.read(4) == "Half"
        process.stdout.close()
        script.advance(4)
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
        assert process.wait(20) == 0
    assert script.ended.wait(5)
    assert script.sent < len(items)
