"""The verb `route`."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ollm_tui.cli.input_file import LIMIT_BYTES
from ollm_tui.cli.setup import Setup
from ollm_tui.sandbox.faults import EndpointMode
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.sandbox.timing import INSTANT
from tests.cli.conftest import Cli, Snapshot

CODELLAMA = {
    "name": "codellama:7b",
    "family": "codellama",
    "context_window": 16384,
    "capabilities": {"streaming": True},
}
SMALL = {"name": "phi3:mini", "context_window": 4096}


def test_route_json_has_the_promised_shape(ask: Cli) -> None:
    result = ask("route", "code", "--json")
    assert (result.status, result.err) == (0, "")
    decision = result.json
    assert set(decision) == {
        "profile", "model", "resolved_profile", "via", "reason", "summary", "provisional",
        "hops", "warnings", "served_context",
    }  # fmt: skip
    assert decision["profile"] == decision["resolved_profile"] == "code"
    assert (decision["model"], decision["via"]) == ("codellama:7b", "profile")
    assert decision["provisional"] is False
    (hop,) = decision["hops"]
    assert {"profile", "min_context_window", "required_capabilities", "candidates", "outcome"} == (
        set(hop)
    )
    assert len(hop["candidates"]) == 31
    for candidate in hop["candidates"]:
        assert {"model", "verdict", "code", "detail", "slot"} <= set(candidate)
        assert candidate["verdict"] in ("selected", "eligible", "dropped")
        assert candidate["slot"] is None or candidate["slot"] >= 1


def test_route_is_one_sentence(ask: Cli) -> None:
    result = ask("route", "CODE")
    assert (result.status, result.err) == (0, "")
    assert result.out.startswith("codellama:7b, because codellama is the 1st choice of code")
    assert result.out.count("\n") == 1


def test_without_a_profile_the_default_one_is_asked(ask: Cli) -> None:
    assert ask("route", "--json").json["profile"] == "general"
    assert ask("route", "--json", "--profile", "fast").json["profile"] == "fast"
    assert ask("route", "code", "--json", "--profile", "fast").json["profile"] == "code"


def test_explain_shows_the_sentence_and_every_hop_with_every_model(
    cli: Cli, snapshot: Snapshot
) -> None:
    path = snapshot(CODELLAMA | {"context_window": 9000}, SMALL)
    result = cli("route", "code", "--explain", "--models", path)
    assert result.status == 0
    sentence, *hops = result.out.rstrip("\n").split("\n\n")
    assert sentence.startswith("codellama:7b through general")
    assert [hop.split()[0] for hop in hops] == ["code", "general"]
    for hop in hops:
        heading, head, *rows = hop.splitlines()
        assert "tokens of context" in heading
        assert head.split() == ["MODEL", "VERDICT", "CHOICE", "FAMILY", "CONTEXT", "CODE", "WHY"]
        assert {row.split()[0] for row in rows} == {"codellama:7b", "phi3:mini"}
        starts = head.index("VERDICT"), head.index("FAMILY"), head.index("CODE"), head.index("WHY")
        assert all(row[at - 1] == " " and row[at] != " " for row in rows for at in starts)
    assert "asks for 8,192 tokens of context where code asks for 16,384" in result.err


def test_all_shows_every_profile_a_line(ask: Cli) -> None:
    result = ask("route", "--all")
    assert (result.status, result.err) == (0, "")
    head, *lines = result.out.splitlines()
    assert head.split() == ["PROFILE", "MODEL", "VIA", "WHY"]
    assert [line.split()[0] for line in lines] == ["fast", "general", "code", "creative"]
    decisions = ask("route", "--all", "--json").json["decisions"]
    assert [decision["profile"] for decision in decisions] == [
        "fast",
        "general",
        "code",
        "creative",
    ]
    explained = ask("route", "--all", "--explain").out
    assert all(decision["summary"] in explained for decision in decisions)


def test_nothing_that_fits_is_a_negative_answer_with_what_to_do(
    cli: Cli, snapshot: Snapshot
) -> None:
    path = snapshot(SMALL)
    result = cli("route", "code", "--models", path)
    assert (result.status, result.out) == (1, "")
    assert "No installed model fits code" in result.err
    assert result.err.count("  try: ") >= 3
    assert "ollm-tui pull" in result.err
    explained = cli("route", "code", "--explain", "--models", path)
    assert explained.status == 1
    assert "CONTEXT_TOO_SMALL" in explained.out
    answer = cli("route", "code", "--json", "--models", path)
    assert answer.status == 1
    assert answer.json["model"] is None
    assert {"code", "message", "actions"} <= set(answer.json["error"])
    assert answer.json["error"]["code"] == "NO_COMPATIBLE"
    assert answer.json["error"]["actions"]


def test_all_is_a_negative_answer_when_one_profile_has_no_model(
    cli: Cli, snapshot: Snapshot
) -> None:
    result = cli("route", "--all", "--models", snapshot(SMALL))
    assert result.status == 1
    assert [line.split()[:2] for line in result.out.splitlines()[1:]] == [
        ["fast", "phi3:mini"], ["general", "–"], ["code", "–"], ["creative", "–"],
    ]  # fmt: skip


def test_no_models_at_all_is_a_negative_answer(cli: Cli, snapshot: Snapshot) -> None:
    result = cli("route", "--models", snapshot())
    assert (result.status, result.out) == (1, "")
    assert "No models are installed" in result.err


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_an_unknown_profile_is_wrong_usage(
    cli: Cli, snapshot: Snapshot, flags: tuple[str, ...]
) -> None:
    result = cli("route", "cdoe", "--models", snapshot(SMALL), *flags)
    assert result.status == 2
    assert "Did you mean code" in result.err
    if flags:
        assert result.json["error"]["code"] == "UNKNOWN_PROFILE"


def test_z20_a_model_asked_for_by_name_wins_over_a_profile_with_a_notice(ask: Cli) -> None:
    """Ruling Z20."""
    result = ask("route", "code", "--model", "PHI3:mini")
    assert result.status == 0
    assert result.out.startswith("phi3:mini, as it was asked for by name")
    assert "The profile code is not used" in result.err
    decision = ask("route", "--profile", "code", "--model", "phi3:mini", "--json").json
    assert (decision["model"], decision["via"], decision["reason"]) == (
        "phi3:mini", "pinned", "PINNED",
    )  # fmt: skip
    assert decision["warnings"][0]["code"] == "PINNED"
    missing = ask("route", "--model", "phi9")
    assert (missing.status, missing.out) == (1, "")
    assert "phi9 is not installed" in missing.err


def test_models_of_a_file_need_no_provider(
    cli: Cli, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(*_: object) -> None:
        raise AssertionError("a provider was made")

    monkeypatch.setattr("ollm_tui.cli.compose.make_service", asked)
    result = cli("route", "code", "--models", snapshot(CODELLAMA), "--host", "127.0.0.1:1")
    assert (result.status, result.out.split(",")[0]) == (0, "codellama:7b")


def test_a_file_gives_the_answers_of_the_server_it_was_listed_from(
    ask: Cli, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Setup, "_memory_budget", lambda _: None)
    path = tmp_path / "models.json"
    path.write_text(ask("list", "--json").out)
    asked = ask("route", "--all", "--json").json
    assert cli("route", "--all", "--json", "--models", str(path)).json == asked


def test_a_bare_list_and_missing_facts_will_do(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    path.write_text('\ufeff[{"name": "llama3.1:8b"}, {"name": "codellama:7b"}]')
    assert cli("route", "code", "--models", str(path), "--json").json["model"] == "codellama:7b"


def test_z07_the_models_of_a_file_have_no_memory_budget(cli: Cli, snapshot: Snapshot) -> None:
    """Ruling Z7."""
    huge = {"name": "llama3.1:405b", "size_bytes": 10**15, "parameters_billions": 405}
    path = snapshot(huge, {"name": "llama3.1:8b", "size_bytes": 1, "parameters_billions": 8})
    assert cli("route", "general", "--models", path, "--json").json["model"] == "llama3.1:405b"


def test_r16_models_of_this_machine_have_its_memory_as_budget(
    ask: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Setup, "_memory_budget", lambda _: 6 * 10**9)
    assert ask("route", "general", "--json").json["model"] == "llama3.1:8b"


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ('{"models":[\n {"name": "a:b", "size_bytes": -4}]}', ":2:32", "size_bytes"),
        ('{"models":[\n {"size_bytes": 4}]}', ":2:2", "name is missing"),
        ('{"models": {}}', ":1:12", "should be a list of models"),
        ('{"modles": []}', ":1:1", "should be a list of models"),
        ('{"models": [', ":1:13", "Expecting value"),
        ("[" * 100_000, "", "recursion"),
        ('{"models": [{"name": 1' + "0" * 5000 + "}]}", "", "limit"),
        ("\xff\xff", "", "utf-8"),
    ],
)
def test_a_file_that_is_wrong_is_named_with_the_place(
    cli: Cli, tmp_path: Path, text: str, place: str, said: str
) -> None:
    path = tmp_path / "models.json"
    path.write_bytes(text.encode("latin-1"))
    result = cli("route", "--models", str(path))
    assert (result.status, result.out) == (2, "")
    assert f"because: {path}{place}: " in result.err
    assert said in result.err
    assert "ollm-tui list --json" in result.err
    assert len(result.err) < 2000


def test_a_file_that_cannot_be_read_is_named(cli: Cli, tmp_path: Path) -> None:
    for path in (tmp_path / "missing.json", tmp_path):
        result = cli("route", "--models", str(path))
        assert (result.status, result.out) == (2, "")
        assert f"{path} cannot be read" in result.err


def test_z23_a_file_that_is_too_large_is_not_read(
    cli: Cli, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert LIMIT_BYTES == 64 * 2**20
    monkeypatch.setattr("ollm_tui.cli.input_file.LIMIT_BYTES", 10)
    result = cli("route", "--models", snapshot(SMALL))
    assert result.status == 2
    assert "is too large" in result.err


def test_hostile_names_in_a_file_stay_keys_and_reach_no_terminal_raw(
    cli: Cli, snapshot: Snapshot
) -> None:
    name = "evil\x1b[2J\u202e\ud800"
    path = snapshot(CODELLAMA | {"name": name})
    for flags in ((), ("--explain",), ("--all",)):
        result = cli("route", "code", "--models", path, *flags)
        assert not {c for c in result.out + result.err if not (c.isprintable() or c == "\n")}
    assert cli("route", "code", "--models", path, "--json").json["model"] == name


@pytest.mark.parametrize("version", ["0.5", "0.12"])
def test_z11_old_servers_are_asked_for_details_before_deciding(cli: Cli, version: str) -> None:
    """Ruling Z11: a decision of a verb is not provisional."""
    with SandboxServer(timing=INSTANT, version=version) as server:
        decision = cli("route", "fast", "--json", "--host", server.host).json
        assert server.count("/api/show") == len(server.store.installed())
    phi = next(c for c in decision["hops"][0]["candidates"] if c["model"] == "phi3:mini")
    assert phi["context_window"] == 131_072  # the database would say 4,096
    assert decision["provisional"] is False


def test_d18_details_are_asked_for_four_at_a_time(cli: Cli) -> None:
    with SandboxServer(timing=INSTANT, version="0.5") as server, ThreadPoolExecutor(1) as thread:
        gate = server.faults.hold("/api/show")
        answer = thread.submit(cli, "route", "fast", "--host", server.host)
        for asked in range(4, 10):
            assert gate.wait_for(asked)
            assert (server.count("/api/show"), gate.waiting) == (asked, 4)
            gate.release()
        gate.open()
        assert answer.result(10).status == 0


def test_new_servers_are_not_asked_for_details(ask: Cli, server: SandboxServer) -> None:
    ask("route")
    assert server.count("/api/show") == 0


def test_z11_details_that_cannot_be_had_make_a_decision_provisional(cli: Cli) -> None:
    with SandboxServer(timing=INSTANT, version="0.5") as server:
        server.faults.set("/api/show", EndpointMode.HTTP_500, times=1)
        result = cli("route", "fast", "--host", server.host)
        assert result.status == 0
        assert "details of 1 of 30 models are missing" in result.err
        assert "provisional" in result.err
        server.faults.set("/api/show", EndpointMode.HTTP_500)
        answer = cli("route", "fast", "--json", "--host", server.host)
        assert answer.json["provisional"] is True


def test_r25_a_served_context_that_is_too_small_is_a_warning(cli: Cli) -> None:
    """Decision R25."""
    with SandboxServer(timing=INSTANT) as server:
        server.load("codellama:7b", context_tokens=4096)
        result = cli("route", "code", "--host", server.host)
        decision = cli("route", "code", "--json", "--host", server.host).json
    assert "the server would give it 4,096 tokens" in result.err
    assert decision["served_context"] == 4096
