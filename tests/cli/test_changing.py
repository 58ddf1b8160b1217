"""The verbs that change what is installed or loaded: load, stop, cp, rm."""

from pathlib import Path

import pytest

from ollm_tui.cli import changing
from ollm_tui.sandbox.faults import EndpointMode
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.ui import format as words
from tests.cli.conftest import Cli
from tests.store_builder import install, made_model


def names(server: SandboxServer) -> set[str]:
    return {entry.model.name for entry in server.store.installed()}


def test_load_brings_a_model_into_memory(ask: Cli) -> None:
    result = ask("load", "mistral:7B")
    assert result == (0, "", "")
    assert "mistral:7b" in ask("ps").out


def test_load_of_a_missing_model_is_a_negative_answer(ask: Cli, server: SandboxServer) -> None:
    result = ask("load", "mistrl:7b")
    assert (result.status, result.out) == (1, "")
    assert "Did you mean mistral:7b" in result.err
    assert server.count("/api/generate") == 0


def test_stop_unloads_each_and_one_that_fails_does_not_stop_the_others(ask: Cli) -> None:
    result = ask("stop", "phi3:mini", "nothing:1b", "llama3.2:3b")
    assert (result.status, result.out) == (1, "")
    assert "nothing:1b is not installed" in result.err
    assert ask("ps", "--json").json["models"] == []


def test_the_worst_status_of_several_counts(ask: Cli, server: SandboxServer) -> None:
    server.faults.set("/api/generate", EndpointMode.HTTP_500)
    assert ask("stop", "phi3:mini", "nothing:1b").status == 4
    assert ask("stop", "nothing:1b", "a b").status == 2


def test_cp_gives_a_second_name(ask: Cli, server: SandboxServer) -> None:
    result = ask("cp", "phi3:mini", "mine")
    assert result == (0, "", "")
    assert "mine:latest" in names(server)


@pytest.mark.parametrize(
    ("arguments", "status"), [(("nothing", "mine"), 1), (("phi3:mini", "a b"), 2)]
)
def test_cp_of_or_to_what_cannot_be(
    ask: Cli, server: SandboxServer, arguments: tuple[str, str], status: int
) -> None:
    result = ask("cp", *arguments)
    assert (result.status, result.out) == (status, "")
    assert "  try: " in result.err
    assert server.count("/api/copy") == 0


def test_a_login_page_is_not_a_copy(ask: Cli, server: SandboxServer) -> None:
    server.faults.set("*", EndpointMode.HTML)
    assert ask("cp", "phi3:mini", "mine").status == 4


def test_rm_with_yes_deletes_and_says_so(ask: Cli, server: SandboxServer) -> None:
    result = ask("rm", "mistral:7b", "LLAMA3.1", "--yes")
    assert (result.status, result.out) == (0, "")
    assert result.err.splitlines() == [
        "ollm-tui: deleted mistral:7b",
        "ollm-tui: deleted llama3.1:latest",
    ]
    assert not {"mistral:7b", "llama3.1:latest"} & names(server)


def test_rm_of_one_that_is_missing_deletes_the_others(ask: Cli, server: SandboxServer) -> None:
    result = ask("rm", "--yes", "nothing:1b", "mistral:7b")
    assert (result.status, result.out) == (1, "")
    assert "nothing:1b is not installed" in result.err
    assert "mistral:7b" not in names(server)


def test_rm_of_one_model_by_two_names_deletes_it_once(ask: Cli, server: SandboxServer) -> None:
    assert ask("rm", "--yes", "mistral:7b", "MISTRAL:7b").status == 0
    assert server.count("/api/delete") == 1


def test_rm_of_nothing_that_is_there_asks_nothing(ask: Cli) -> None:
    result = ask("rm", "nothing:1b")
    assert result.status == 1
    assert "Delete" not in result.err


def test_rm_refuses_a_loaded_model_unless_forced(ask: Cli, server: SandboxServer) -> None:
    result = ask("rm", "--yes", "phi3:mini", "mistral:7b")
    assert result.status == 4
    assert "phi3:mini is loaded" in result.err
    assert "ollm-tui stop phi3:mini" in result.err
    assert names(server) & {"phi3:mini", "mistral:7b"} == {"phi3:mini"}
    assert ask("rm", "--yes", "--force", "phi3:mini").status == 0
    assert "phi3:mini" not in names(server)


def test_rm_without_a_terminal_deletes_nothing_and_says_how(
    ask: Cli, server: SandboxServer
) -> None:
    result = ask("rm", "mistral:7b")
    assert (result.status, result.out) == (2, "")
    assert "--yes" in result.err
    assert "mistral:7b" in names(server)


@pytest.fixture
def questions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was asked on the terminal; every answer is no."""
    asked: list[str] = []

    async def refuse(question: str, *_: str) -> bool:
        asked.append(question)
        return False

    monkeypatch.setattr(changing, "is_agreed", refuse)
    return asked


def test_rm_says_exactly_what_is_freed_where_the_store_can_be_read(
    cli: Cli, questions: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path))
    first, second = made_model(b"1" * 50_000), made_model(b"2" * 70_000)
    install(tmp_path, "registry.ollama.ai/library/a/latest", first)
    install(tmp_path, "registry.ollama.ai/library/b/latest", second)
    alone = sum(len(first.blobs[digest]) for digest in first.blobs.keys() - second.blobs.keys())
    assert alone < first.total_bytes  # the rest is shared with b, and stays
    assert cli("rm", "a", "--provider", "local").status == 1
    assert questions == [f"Delete a:latest? Frees {words.size(alone)}."]


def test_rm_says_how_much_at_most_where_the_store_cannot_be_read(
    ask: Cli, questions: list[str]
) -> None:
    assert ask("rm", "mistral:7b").status == 1
    assert questions == [
        "Delete mistral:7b? Frees up to 4.4 GB; files that other models share stay."
    ]


def test_rm_of_a_second_name_says_that_nothing_is_freed(
    ask: Cli, questions: list[str], server: SandboxServer
) -> None:
    server.store.copy("mistral:7b", "mine")
    assert ask("rm", "mine").status == 1
    assert questions == ["Delete mine:latest? Frees no space: other models share its files."]


def test_rm_with_the_input_closed_deletes_nothing(
    ask: Cli, server: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert ask("rm", "mistral:7b").status == 2
    assert "mistral:7b" in names(server)


def test_a_delete_that_fails_on_the_server_is_a_failure(ask: Cli, server: SandboxServer) -> None:
    server.faults.set("/api/delete", EndpointMode.HTTP_500, text="permission denied")
    result = ask("rm", "--yes", "mistral:7b")
    assert result.status == 4
    assert "permission denied" in result.err
    assert "deleted" not in result.err
