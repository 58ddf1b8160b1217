"""The verb `route test`."""

import stat
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from ollm_tui.sandbox.server import SandboxServer
from tests.cli.conftest import Cli, Snapshot

GOOD = """\
# What we rely on.
models:
  - name: phi3:mini
  - {name: "llama3.1:8b"}
cases:
  - name: the small one is fast   # for the shell
    profile: fast
    expect: {model: "phi3:mini"}
  - name: code takes what there is
    profile: code
    expect:
      any_of: ["codellama:7b", "llama3.1:8b"]
"""

WRONG = """\
models: [{name: "phi3:mini"}, {name: "llama3.1:8b"}]
cases:
  # flow style, with a comment behind it
  - name: one
    profile: fast
    expect: {model: "llama3.1:8b"}  # was so once

  - profile: code
    expect:
      model: codellama:7b
      via: profile
    name: two

  - {name: three, profile: fast}
  - name: four
    profile: general
  - name: five
    profile: {minContextWindow: 1000000}
    expect: {model: x}
"""

UPDATED = """\
models: [{name: "phi3:mini"}, {name: "llama3.1:8b"}]
cases:
  # flow style, with a comment behind it
  - name: one
    profile: fast
    expect: {model: phi3:mini}  # was so once

  - profile: code
    expect: {model: llama3.1:8b, via: profile}
    name: two

  - {name: three, profile: fast, expect: {model: phi3:mini}}
  - name: four
    profile: general
    expect: {model: llama3.1:8b}
  - name: five
    profile: {minContextWindow: 1000000}
    expect: {none: true}
"""


def write(folder: Path, text: str, name: str = "cases.yaml") -> str:
    path = folder / name
    path.write_bytes(text.encode())
    return str(path)


def test_a_file_that_holds_exits_0(cli: Cli, tmp_path: Path) -> None:
    result = cli("route", "test", write(tmp_path, GOOD))
    assert result == (0, "2 of 2 cases passed, 0 failed\n", "")


def test_a_case_that_fails_is_named_with_its_place_and_exits_1(cli: Cli, tmp_path: Path) -> None:
    path = write(tmp_path, GOOD.replace('{model: "phi3:mini"}', "{model: x, via: override}"))
    result = cli("route", "test", path)
    assert (result.status, result.err) == (1, "")
    first, *more, last = result.out.splitlines()
    assert first == f"FAILED {path}:6:5: the small one is fast"
    assert more[:2] == [
        "  model: expected x, got phi3:mini",
        "  via: expected override, got profile",
    ]
    assert more[2].startswith("  phi3:mini, because")
    assert last == "1 of 2 cases passed, 1 failed"


def test_json_has_the_promised_shape(cli: Cli, tmp_path: Path) -> None:
    good, bad = write(tmp_path, GOOD), write(tmp_path, WRONG, "wrong.yaml")
    result = cli("route", "test", good, "--json", bad)
    assert (result.status, result.err) == (1, "")
    answer = result.json
    assert set(answer) == {"passed", "failed", "cases"}
    assert (answer["passed"], answer["failed"], len(answer["cases"])) == (2, 5, 7)
    for case in answer["cases"]:
        assert {"name", "passed", "expected", "decision", "file"} <= set(case)
    first = answer["cases"][0]
    assert (first["file"], first["passed"]) == (good, True)
    assert first["expected"] == {"model": "phi3:mini"}
    assert first["decision"]["model"] == "phi3:mini"
    assert answer["cases"][-1]["file"] == bad


def test_junit_has_a_case_for_each(cli: Cli, tmp_path: Path) -> None:
    good, bad = write(tmp_path, GOOD), write(tmp_path, WRONG, "wrong.yaml")
    out = tmp_path / "junit.xml"
    assert cli("route", "test", good, "--junit", str(out)).status == 0
    suite = ET.parse(out).getroot()[0]
    assert suite.get("name") == good
    assert [case.get("name") for case in suite] == [
        "the small one is fast", "code takes what there is",
    ]  # fmt: skip
    assert cli("route", "test", good, bad, "--junit", str(out)).status == 1
    suite = ET.parse(out).getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("7", "5")
    assert suite[2].get("name") == f"{bad}: one"


def test_a_junit_file_that_cannot_be_written_is_wrong_usage(cli: Cli, tmp_path: Path) -> None:
    result = cli("route", "test", write(tmp_path, GOOD), "--junit", str(tmp_path / "no" / "j.xml"))
    assert (result.status, result.out) == (2, "")
    assert "--junit" in result.err


def test_update_changes_what_is_expected_and_nothing_else(cli: Cli, tmp_path: Path) -> None:
    path = write(tmp_path, WRONG)
    Path(path).chmod(0o640)
    result = cli("route", "test", path, "--update")
    assert (result.status, result.out) == (0, "5 of 5 cases passed, 0 failed\n")
    assert result.err == f"ollm-tui: {path}: 5 expectations updated\n"
    assert Path(path).read_text() == UPDATED
    assert stat.S_IMODE(Path(path).stat().st_mode) == 0o640
    again = cli("route", "test", path, "--update")
    assert again.err == f"ollm-tui: {path}: 0 expectations updated\n"
    assert Path(path).read_text() == UPDATED


def test_update_keeps_the_lines_of_another_system(cli: Cli, tmp_path: Path) -> None:
    path = write(tmp_path, WRONG.replace("\n", "\r\n"))
    assert cli("route", "test", path, "--update").status == 0
    assert Path(path).read_bytes() == UPDATED.replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    "case",
    [
        "{profile: fast, expect: {}}",
        "{profile: fast, name: it's, expect: {model: x}}",
        '{"profile": "fast", "name": "a # } b",}',
        "\n    profile: fast\n    expect:\n    # nothing yet\n    name: x",
        "\n    expect:\n      any_of:\n      - x\n      - y\n    profile: fast",
        "\n    name: >\n      over\n\n      lines\n    profile: fast",
        "\n    profile: fast\n    expect: {model: x,\n  via: profile}",
        '\n    profile: fast\n    "expect" : {"model": "x"}',
    ],
)
def test_update_copes_with_many_layouts(cli: Cli, tmp_path: Path, case: str) -> None:
    before = f"models: [name: phi3:mini]\ncases:\n  -{' ' if case[0] == '{' else ''}{case}\n# end"
    path = write(tmp_path, before)
    assert cli("route", "test", path, "--update").status == 0
    assert Path(path).read_text().endswith("\n# end")
    assert cli("route", "test", path).status == 0


@pytest.mark.parametrize(
    "text",
    [
        "cases:\n- profile: fast\n  expect:\n    # the reason\n    model: x\nmodels: [name: a]",
        "models: [name: a]\ncases:\n- &c {profile: fast, expect: {model: x}}\n- *c\n",
    ],
)
def test_update_leaves_a_file_alone_that_it_would_spoil(
    cli: Cli, tmp_path: Path, text: str
) -> None:
    path = write(tmp_path, text)
    result = cli("route", "test", path, "--update")
    assert (result.status, result.out) == (2, "")
    assert "cannot be updated" in result.err
    assert Path(path).read_text() == text


def test_models_come_from_a_file_beside_the_scenarios(
    cli: Cli, tmp_path: Path, snapshot: Snapshot
) -> None:
    snapshot({"name": "phi3:mini"}, {"name": "llama3.1:8b"}, name="small.json")
    text = GOOD[GOOD.index("cases:") :]
    path = write(tmp_path, f"models: {{file: small.json}}\n{text}")
    assert cli("route", "test", path, "--host", "127.0.0.1:1").status == 0
    missing = write(tmp_path, f"models: {{file: nothing.json}}\n{text}")
    result = cli("route", "test", missing)
    assert (result.status, result.out) == (2, "")
    assert "nothing.json cannot be read" in result.err


def test_models_of_the_command_line_stand_for_those_installed(
    cli: Cli, tmp_path: Path, snapshot: Snapshot
) -> None:
    models = snapshot({"name": "phi3:mini"}, {"name": "llama3.1:8b"})
    path = write(tmp_path, "models: installed\n" + GOOD[GOOD.index("cases:") :])
    assert cli("route", "test", path, "--models", models, "--host", "127.0.0.1:1").status == 0


def test_installed_models_are_asked_of_the_server_once(
    ask: Cli, tmp_path: Path, server: SandboxServer
) -> None:
    path = write(tmp_path, GOOD[GOOD.index("cases:") :])
    assert ask("route", "test", path, path).status == 0
    assert server.count("/api/tags") == 1


def test_a_file_with_models_of_its_own_needs_no_server(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("ollm_tui.cli.compose.make_service")
    assert cli("route", "test", write(tmp_path, GOOD)).status == 0


def test_a_server_that_is_needed_and_not_there_is_status_3(cli: Cli, tmp_path: Path) -> None:
    path = write(tmp_path, "cases: [{profile: fast, expect: {none: true}}]")
    result = cli("route", "test", path, "--host", "127.0.0.1:1")
    assert (result.status, result.out) == (3, "")


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("cases:\n\t- x", ":2:1", "tabs"),
        ("cases: [", ":1:9", "Close the bracket"),
        ("cases: []\ncases: []", ":2:1", "twice"),
        ("", ":1:1", "mapping"),
        ("models: [name: a]\ncases:\n  - profle: code", ":3:13", "did you mean profile?"),
        ("models: [name: a]\ncases:\n  - expect: {mdoel: x}", ":3:21", "did you mean model?"),
        ("models: [nme: a]\ncases: [{expect: {none: true}}]", ":1:10", "name is missing"),
        ("cases: [{expect: {none: yes please}}]", ":1:25", "true or false"),
        ("memory_budget_bytes: -1\ncases: [{expect: {none: true}}]", ":1:22", "0 or more"),
    ],
)
def test_a_file_that_is_wrong_exits_2_with_every_place(
    cli: Cli, tmp_path: Path, text: str, place: str, said: str
) -> None:
    path = write(tmp_path, text)
    result = cli("route", "test", path)
    assert (result.status, result.out) == (2, "")
    assert f"{path}{place}" in result.err
    assert said in result.err


def test_many_mistakes_are_counted_and_the_first_are_shown(cli: Cli, tmp_path: Path) -> None:
    path = write(tmp_path, "models: []\ncases:\n" + "  - {profle: code}\n" * 30)
    result = cli("route", "test", path)
    assert result.status == 2
    assert "has 30 problems" in result.err
    assert len(result.err.splitlines()) == 22
    assert "and 10 more" in result.err


def test_a_missing_file_is_wrong_usage(cli: Cli, tmp_path: Path) -> None:
    result = cli("route", "test", str(tmp_path / "nothing.yaml"))
    assert (result.status, result.out) == (2, "")
    assert "No such file" in result.err


def test_the_default_profile_of_a_case_is_that_of_the_flag(cli: Cli, tmp_path: Path) -> None:
    path = write(tmp_path, "models: [name: phi3:mini]\ncases: [{expect: {resolvedProfile: fast}}]")
    assert cli("route", "test", path).status == 1
    assert cli("route", "test", path, "--profile", "fast").status == 0


def test_hostile_texts_reach_no_terminal_raw(cli: Cli, tmp_path: Path) -> None:
    hostile = r'"\e[2J\x9b31m\u202E"'
    path = write(tmp_path, f"models: [name: a]\ncases: [{{name: {hostile}, profile: {hostile}}}]")
    result = cli("route", "test", path)
    assert result.status == 1
    assert not {c for c in result.out + result.err if not (c.isprintable() or c == "\n")}
