"""The verb `config check` says what routing finds hardly meant."""

from pathlib import Path

import pytest

from tests.cli.conftest import Cli, Snapshot

HARDLY_MEANT = """\
model:
  routing:
    overrides: {code: "gone:1b", huge: "phi3:mini", fast: "phi3:mini"}
    profiles:
      a: {minContextWindow: 9, fallbackProfile: B}
      b: {minContextWindow: 8, fallbackProfile: a, preferredFamilies: [granit3]}
      dead: {minContextWindow: 8192, requiredCapabilities: [streaming], fallbackProfile: creative}
      huge: {minContextWindow: 10000000}
      lost: {fallbackProfile: nowhere}
database:
  "llama*": {contextWindow: 5}
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "c.yaml"
    path.write_text(HARDLY_MEANT)
    return str(path)


def warnings(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("warning: ")]


def test_every_finding_is_a_warning_with_its_place(cli: Cli, file: str) -> None:
    result = cli("config", "check", "--config", file)
    assert result.status == 0
    said = [line for line in warnings(result.err) if "model." in line or "database." in line]
    places = [line.partition(f"See {file}:")[2] for line in said]
    assert [line.split(": ", 2)[1] for line in said] == [
        "model.routing.profiles.a.fallbackProfile",
        "model.routing.profiles.b.fallbackProfile",
        "model.routing.profiles.b.preferredFamilies",
        "model.routing.profiles.dead.fallbackProfile",
        "model.routing.profiles.huge",
        "database.llama*",
    ]
    assert [place.partition(":")[0] for place in places] == ["5", "6", "6", "7", "8", "11"]
    assert "goes in a circle: a → b → a" in said[0]
    assert said[2].endswith("Did you mean granite?")
    assert "none of 114 known models meets it" in said[4]
    # What the configuration's own checks say, they alone say.
    assert sum("nowhere" in line for line in warnings(result.err)) == 1


def test_with_models_overrides_are_held_against_them(
    cli: Cli, file: str, snapshot: Snapshot
) -> None:
    models = snapshot({"name": "phi3:mini"})
    result = cli("config", "check", "--config", file, "--models", models)
    said = [line for line in warnings(result.err) if ".overrides." in line]
    assert [line.partition(" See ")[0] for line in said] == [
        "warning: model.routing.overrides.code: gone:1b is not installed.",
        "warning: model.routing.overrides.huge: phi3:mini does not meet huge: 4,096 < 10,000,000.",
    ]
    assert cli("config", "check", "--config", file, "--models", f"{models}.gone").status == 2


def test_strict_counts_them(cli: Cli, file: str) -> None:
    assert cli("config", "check", "--config", file, "--strict").status == 2
    assert cli("config", "check", "--no-config", "--strict").status == 0
