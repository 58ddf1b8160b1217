"""Five hundred hostile names through every verb, export and log: no byte that acts comes out."""

import json
import random
import re
from dataclasses import replace
from pathlib import Path

import pytest

from ollm_tui.sandbox.models import SandboxModel
from ollm_tui.sandbox.roster import HOSTILE_NAMES, installed_models
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.sandbox.timing import INSTANT
from tests.cli.conftest import Cli, cli
from tests.faults.conftest import Fault

__all__ = ["cli"]

PIECES = (
    "\x1b[2J", "\x1b]0;own\x07", "\x9b31m", "\x90q\x9c", "[red]", "[/x]", "[@click=app.quit]",
    "\u202e", "\u2066", "\u200d", "\ufeff", "\n", "\r", "\t", "../", "-rf", "%s{0}", "\U0001f468",
    "e\u0301\u0302", "שלום", "漢", "\x00", "\x7f", "x" * 500, "`id`", "$(id)", "'", '"', "\\",
)  # fmt: skip
ACTS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def hostile(chance: random.Random, number: int) -> SandboxModel:
    name = "".join(chance.choices(PIECES, k=chance.randint(1, 5)))
    if number < len(HOSTILE_NAMES):
        name = HOSTILE_NAMES[number]
    return replace(
        installed_models()[0],
        name=f"{number}{name}:latest",
        family=name[:100],
        parameter_size=name[:100],
        quantization=name[:100],
        system=name,
        weights_key=f"hostile {number}",
    )


@pytest.mark.timeout(300)
def test_no_byte_that_acts_comes_out_of_any_verb(fault: Fault, cli: Cli, tmp_path: Path) -> None:
    """Row 19."""
    for chance in fault.dice(full=1, short=1):
        models = [hostile(chance, number) for number in range(500 if fault.is_full else 40)]
        scenarios, log = tmp_path / "cases.yaml", tmp_path / "log"
        scenarios.write_text("cases:\n- profile: general\n  expect: {model: other:1b}\n")
        with SandboxServer(models=models, loaded=[models[0].name], timing=INSTANT) as server:
            names = [entry["name"] for entry in _list(cli, server)]
            assert len(names) == len(models)
            verbs = [
                ["list"], ["list", "--json"], ["ps"], ["ps", "--json"],
                ["route", "--explain"], ["route", "--all"], ["route", "--explain", "--json"],
                ["doctor"], ["config", "show"],
                ["route", "test", str(scenarios), "--junit", str(tmp_path / "junit.xml")],
                *([verb, name] for name in names[:60] for verb in ("show", "status")),
                *(["show", "--json", name] for name in names[:20]),
            ]  # fmt: skip
            for verb in verbs:
                # A name may begin with a dash or be empty for a shell: then it is a wrong usage.
                done = cli(*verb, "--host", server.host, "--log-file", str(log))
                for text in (done.out, done.err):
                    found = ACTS.search(text)
                    assert found is None, (verb, text[max(0, found.start() - 40) :][:80])
        for file in (log, tmp_path / "junit.xml"):
            assert not ACTS.search(file.read_text() if file.exists() else ""), file
        fault.ran(len(models) - 1)


def _list(cli: Cli, server: SandboxServer) -> list[dict[str, str]]:
    done = cli("list", "--json", "--host", server.host)
    models = json.loads(done.out)["models"]
    problems = json.loads(done.out).get("problems", [])
    return [*models, *({"name": problem["subject"]} for problem in problems)]
