"""Changes that keep comments and order, and saving them."""

import hashlib
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from ollm_tui.config.change import Change
from ollm_tui.config.edit import edited
from ollm_tui.config.layer import SourceFile
from ollm_tui.config.problem import Origin
from ollm_tui.config.save import plan_changes, write_plan
from ollm_tui.core.error import ConfigError

BASE = """\
# my settings
model:
  default: llama3.1:8b  # the usual
  routing:
    # by task
    overrides:
      code: a  # for code

      fast: "b"   # for speed
options: {temperature: 0.5, topP: 0.9}  # inline
database:
  x:
    profiles:
      - code
      - fast
ui:
"""
OVERRIDES = ("model", "routing", "overrides")


def _edit(text: str, path: tuple[str, ...], value: object) -> str:
    return edited(text, [Change(path, value)])


@pytest.mark.parametrize(
    ("path", "value", "old", "new"),
    [
        (("model", "default"), "phi3:mini", "default: llama3.1:8b  #", "default: phi3:mini  #"),
        ((*OVERRIDES, "fast"), "c:1", 'fast: "b"   #', "fast: c:1   #"),
        ((*OVERRIDES, "new"), "c", 'fast: "b"   # for speed\n',
         'fast: "b"   # for speed\n      new: c\n'),
        ((*OVERRIDES, "code"), None, "      code: a  # for code\n", ""),
        ((*OVERRIDES, "fast"), None, '      fast: "b"   # for speed\n', ""),
        (("options", "temperature"), 1, "temperature: 0.5", "temperature: 1"),
        (("options", "topK"), 5, "topP: 0.9}", "topP: 0.9, topK: 5}"),
        (("options", "temperature"), None, "{temperature: 0.5, topP", "{topP"),
        (("options", "topP"), None, ", topP: 0.9}", "}"),
        (("model", "routing", "enabled"), False, "speed\n", "speed\n    enabled: false\n"),
        (("downloads", "retries"), 3, "ui:\n", "ui:\ndownloads:\n  retries: 3\n"),
        (("ui", "theme"), "nord", "ui:\n", "ui:\n  theme: nord\n"),
        (("ui", "keys", "a.b"), "x", "ui:\n", "ui:\n  keys:\n    a.b: x\n"),
        (("models", "q:*", "topK"), 1, "ui:\n", 'ui:\nmodels:\n  "q:*":\n    topK: 1\n'),
        (("database", "x", "profiles"), ["fast"], "profiles:\n      - code\n      - fast\n",
         "profiles: [fast]\n"),
        (("database", "x", "force"), True, "- fast\n", "- fast\n    force: true\n"),
        ((*OVERRIDES, "z"), "yes", "speed\n", 'speed\n      z: "yes"\n'),
        ((*OVERRIDES, "z"), "1e3", "speed\n", 'speed\n      z: "1e3"\n'),
        ((*OVERRIDES, "z"), "a: #b", "speed\n", 'speed\n      z: "a: #b"\n'),
        ((*OVERRIDES, "ü"), "ö😀", "speed\n", 'speed\n      "ü": "ö😀"\n'),
    ],
)  # fmt: skip
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_change_touches_nothing_else(
    path: tuple[str, ...], value: object, old: str, new: str, newline: str
) -> None:
    assert BASE.count(old) == 1
    before = BASE.replace("\n", newline)
    expected = BASE.replace(old, new).replace("\n", newline)
    assert _edit(before, path, value) == expected
    assert _edit("\ufeff" + before, path, value) == "\ufeff" + expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "options:\n  topK: 1\n"),
        ("# only a comment", "# only a comment\noptions:\n  topK: 1\n"),
        ("a: 1", "a: 1\noptions:\n  topK: 1\n"),
        ("options:", "options:\n  topK: 1\n"),
        ("options: {}\n", "options: {topK: 1}\n"),
        ("options: # none\n", "options: # none\n  topK: 1\n"),
        ("options:\n  topK:\n", "options:\n  topK: 1\n"),
        ("options:\n  topK: # c\n", "options:\n  topK: 1 # c\n"),
        ("options:\n    topP: 1\n", "options:\n    topP: 1\n    topK: 1\n"),
        ("options:\n  topP: 1\n# end\n", "options:\n  topP: 1\n  topK: 1\n# end\n"),
        ("{options: {topP: 1}}", "{options: {topP: 1, topK: 1}}"),
        ("text: |\n  a\n  b\noptions: {}\n", "text: |\n  a\n  b\noptions: {topK: 1}\n"),
        ("options: {topP: 1}\nz: |\n  a\n", "options: {topP: 1, topK: 1}\nz: |\n  a\n"),
        ("z: 😀\noptions: {topP: 1}\n", "z: 😀\noptions: {topP: 1, topK: 1}\n"),
    ],
)
def test_a_missing_key_is_added_wherever_its_parent_is(text: str, expected: str) -> None:
    assert _edit(text, ("options", "topK"), 1) == expected


def test_several_changes_are_made_one_after_the_other() -> None:
    changes = [Change(("options", "topK"), 1), Change(("options", "topK"), None)]
    assert edited("options: {topP: 1}\n", changes) == "options: {topP: 1}\n"


def test_removing_what_is_not_there_changes_nothing() -> None:
    assert _edit(BASE, ("nothing", "here"), None) == BASE


@pytest.mark.parametrize(
    "text",
    [
        "options: &a {topK: 2}\nmodels: {x: *a}\n",
        "a: &a 1\noptions: {topK: *a}\n",
        "options: !!str x\n",
        "a: &a 1\nb: &a 2\noptions: {topK: 1}\n",
        "options:\n  topK: 1\n  topK: 2\n",
        "options: [1]\n",
        "just text\n",
    ],
)
def test_an_unusual_layout_is_refused_with_the_line_to_paste(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _edit(text, ("options", "topK"), 7)
    assert caught.value.actions


def test_the_line_to_paste_is_given() -> None:
    with pytest.raises(ConfigError, match=r"options\.topK cannot be changed in f") as caught:
        edited("options: &a {topK: 2}\nmodels: {x: *a}\n", [Change(("options", "topK"), 7)], "f")
    assert caught.value.actions == ("Add this by hand: options: {topK: 7}",)


def _file(path: Path) -> SourceFile:
    digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""
    return SourceFile(str(path), Origin.USER, path.exists(), digest)


def test_a_plan_shows_the_patch_without_secrets_and_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("providers: {w: {headers: {A: s3cret}}}\noptions: {topK: 1}\n")
    plan = plan_changes(_file(path), [Change(("options", "topK"), 2)])
    assert "-options: {topK: 1}\n+options: {topK: 2}" in plan.patch
    assert "s3cret" not in plan.patch + repr(plan)
    assert "topK: 1" in path.read_text()


def test_writing_keeps_the_mode_makes_a_backup_and_follows_a_link(tmp_path: Path) -> None:
    target = tmp_path / "real.yaml"
    target.write_text("options: {topK: 1}\n")
    target.chmod(0o640)
    path = tmp_path / "config.yaml"
    path.symlink_to(target)
    after = write_plan(plan_changes(_file(path), [Change(("options", "topK"), 2)]))
    assert path.is_symlink()
    assert target.read_text() == "options: {topK: 2}\n"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert (tmp_path / "config.yaml.bak").read_text() == "options: {topK: 1}\n"
    assert after.digest == _file(path).digest
    names = sorted(item.name for item in tmp_path.iterdir() if item.is_file())
    assert names == ["config.yaml", "config.yaml.bak", "real.yaml"]


def test_a_new_file_is_made_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "new" / "config.yaml"
    write_plan(plan_changes(_file(path), [Change(("options", "topK"), 2)]))
    assert path.read_text() == "options:\n  topK: 2\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_file_that_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("a: 1\n")
    before = _file(path)
    plan = plan_changes(before, [Change(("options", "topK"), 2)])
    path.write_text("a: 2\n")
    for action in (lambda: plan_changes(before, []), lambda: write_plan(plan)):
        with pytest.raises(ConfigError, match="has changed since it was read"):
            action()
    path.unlink()
    with pytest.raises(ConfigError, match="has changed since it was read"):
        write_plan(plan)
    assert not path.exists()


def test_a_value_that_breaks_its_rule_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    with pytest.raises(ConfigError, match="Temperature must be between"):
        plan_changes(_file(path), [Change(("options", "temperature"), 3)])
    assert not path.exists()


def test_a_failed_write_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("a: 1\n")
    plan = plan_changes(_file(path), [Change(("options", "topK"), 2)])

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError) as caught:
        write_plan(plan)
    assert caught.value.cause == "No space left on device"
    assert path.read_text() == "a: 1\n"
    assert [item.name for item in tmp_path.iterdir() if item.is_file()] == ["config.yaml"]


def test_a_broken_file_is_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("a: [1\n")
    with pytest.raises(ConfigError, match="cannot be changed while it has errors"):
        plan_changes(_file(path), [Change(("options", "topK"), 2)])
    path.write_bytes(b"a: \xff")
    with pytest.raises(ConfigError, match="not UTF-8"):
        plan_changes(replace(_file(path)), [Change(("options", "topK"), 2)])
