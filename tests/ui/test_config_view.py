"""The configuration view: what is in force, changing it, and saving it to the file one picks."""

import threading
from contextlib import nullcontext
from pathlib import Path

import pytest
from textual.widgets import Input

from ollm_tui.config.change import Change
from ollm_tui.config.problem import Origin
from ollm_tui.config.resolve import Effective
from ollm_tui.ui.screens.config import ConfigScreen, editor_command
from ollm_tui.ui.screens.save import Saved, SaveScreen
from ollm_tui.ui.screens.settings_list import SettingsList
from tests.ui.configured import USER, OpenView

SIZES = pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["wide", "narrow"])


@SIZES
async def test_a_value_is_changed_seen_as_a_patch_and_saved(
    open_view: OpenView, size: tuple[int, int]
) -> None:
    async with open_view(size=size) as view:
        await view.open()
        await view.change("options.topP", "0.5")
        text = await view.screen.sees(
            "Save 1 change", "options.topP = 0.5", "-options: {topP: 0.9}", "enter saves"
        )
        assert "+options: {topP: 0.5}  # inline" in text
        assert "▸ user      ~/.ollm/config.yaml" in text
        assert view.user.read_text() == USER
        await view.screen.press("enter")
        await view.screen.sees("Saved to ~/.ollm/config.yaml", "options.topP = 0.5")
        assert view.user.read_text() == USER.replace("0.9", "0.5")
        assert view.user.with_name("config.yaml.bak").read_text() == USER
        effective = view.screen.app.settings.effective
        assert effective is not None
        assert effective.config.options.top_p == 0.5


@SIZES
async def test_a_value_that_is_not_allowed_is_told_below_and_never_written(
    open_view: OpenView, size: tuple[int, int]
) -> None:
    async with open_view(size=size) as view:
        await view.open()
        await view.change("options.temperature", "2.5")
        text = await view.screen.sees("Temperature must be between 0.0 and 2.0. Got 2.5.")
        assert "Save" not in text
        await view.screen.press("enter")
        assert isinstance(view.screen.app.screen, ConfigScreen)
        await view.screen.press("escape")
        await view.screen.sees("enter change ")
        assert not view.screen.app.screen.query(Input)
        assert view.user.read_text() == USER


async def test_its_keys_take_one_line_in_every_width(open_view: OpenView) -> None:
    async with open_view(size=(120, 40)) as view:
        await view.open()
        for width, last in ((120, "t trust"), (80, "t trust"), (60, "e edit")):
            await view.screen.pilot.resize_terminal(width, 24)
            await view.screen.until(lambda last=last: f"{last}  esc close" in view.screen.text)  # type: ignore[misc]  # a default, no argument
            (line,) = view.screen.lines("enter change  ")
            assert "esc close" in line
            assert ("ORIGIN" in view.screen.text) is (width > 60)
        await view.screen.sees("model.routing.defaultProfi… general", "set by ")


async def test_the_other_file_can_be_picked_and_is_made(open_view: OpenView) -> None:
    async with open_view() as view:
        await view.open()
        await view.change("model.default", "phi3:mini")
        await view.screen.sees("Save 1 change", "▸ user")
        await view.screen.press("right")
        await view.screen.sees("▸ workspace ~/work/.ollm/config.yaml", "not there yet", "+model:")
        await view.screen.press("enter")
        await view.screen.sees("model.default = phi3:mini", "hides llama3.1:8b")
        assert view.project.read_text() == "model:\n  default: phi3:mini\n"
        assert view.user.read_text() == USER


async def test_it_tells_who_wins_over_what_is_saved(open_view: OpenView) -> None:
    async with open_view(project_text="options: {topP: 0.1}\n") as view:
        await view.open()
        await view.change("options.topP", "0.5")
        await view.screen.sees("▸ workspace", "+options: {topP: 0.5}")
        await view.screen.press("left")
        await view.screen.sees(
            "▸ user", "options.topP stays 0.1, from ~/work/.ollm/config.yaml:1:17, which wins"
        )


async def test_a_workspace_that_is_not_trusted_says_so_before_it_is_written(
    open_view: OpenView,
) -> None:
    project = "providers: {ollama: {host: h}}\n"
    async with open_view(project_text=project) as view:
        await view.open()
        await view.change("options.topK", "3")
        await view.screen.sees("▸ user", "+options: {topP: 0.9, topK: 3}")
        await view.screen.press("tab")
        await view.screen.sees("▸ workspace", "It is not trusted", "+  topK: 3")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--config", "own.yaml"), ("▸ file", "+options:")),
        (("--no-config",), ("Nothing can be saved there: With --no-config",)),
    ],
)
async def test_flags_that_replace_the_files_are_explained(
    open_view: OpenView, tmp_path: Path, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    (tmp_path / "home/work").mkdir(parents=True)
    (tmp_path / "home/work/own.yaml").write_text("")
    (tmp_path / "home/work").rename(tmp_path / "kept")
    (tmp_path / "home").rmdir()
    async with open_view(*arguments) as view:
        (tmp_path / "kept/own.yaml").rename(tmp_path / "home/work/own.yaml")
        await view.open()
        await view.screen.press("r")
        await view.change("options.topK", "3")
        await view.screen.sees(*words)
        if "--config" in arguments:
            await view.screen.press("right")
            await view.screen.sees("Nothing can be saved there: --config replaces this file")
        await view.screen.press("enter")
        assert view.user.read_text() == USER


@SIZES
async def test_a_file_that_changed_meanwhile_is_kept_and_read_again(
    open_view: OpenView, size: tuple[int, int]
) -> None:
    async with open_view(size=size) as view:
        await view.open()
        await view.change("options.topP", "0.5")
        await view.screen.sees("+options: {topP: 0.5}")
        theirs = USER + "# theirs\n"
        view.user.write_text(theirs)
        await view.screen.press("enter")
        await view.screen.sees("since it was read", "r reads the files again")
        assert view.user.read_text() == theirs
        await view.screen.press("enter")
        assert view.user.read_text() == theirs
        await view.screen.press("r")
        await view.screen.sees("+options: {topP: 0.5}", "enter saves")
        await view.screen.press("enter")
        await view.screen.sees("Saved to")
        assert view.user.read_text() == theirs.replace("0.9", "0.5")


@SIZES
async def test_a_filter_finds_a_setting_by_key_value_or_origin(
    open_view: OpenView, size: tuple[int, int]
) -> None:
    async with open_view(size=size) as view:
        await view.open()
        rows = view.screen.app.screen.query_one(SettingsList)

        def keys() -> list[str]:
            return [row.setting.key for row in rows.items if row.setting is not None]

        everything = len(keys())
        await view.screen.press("slash")
        await view.screen.type("TOP")
        await view.screen.until(lambda: keys() == ["options.topP", "options.topK"])
        await view.screen.sees(f" 2 of {everything} ", "words of a key")
        await view.screen.type(" user")
        await view.screen.until(lambda: keys() == ["options.topP"])
        await view.screen.press("enter")
        await view.screen.sees(f"Configuration ─ 1 of {everything} · /TOP user", "/ filter ")
        await view.screen.press("enter")
        await view.screen.sees("enter goes on to saving")
        await view.screen.press("escape", "slash")
        await view.screen.type("zzz")
        await view.screen.sees("Nothing matches “TOP userzzz”.")
        await view.screen.press("escape")
        await view.screen.until(lambda: len(keys()) == everything)
        assert isinstance(view.screen.app.screen, ConfigScreen)


async def test_a_filter_of_the_settings_leaves_out_and_survives_reading_again(
    open_view: OpenView,
) -> None:
    async with open_view() as view:
        await view.open()
        await view.screen.press("slash")
        await view.screen.type("options. -top -repeat")
        await view.screen.press("enter", "r")
        rows = view.screen.app.screen.query_one(SettingsList)
        await view.screen.sees("· /options. -top -repeat")
        shown = [row.setting.key for row in rows.items if row.setting is not None]
        assert "options.temperature" in shown
        assert not any("top" in key or "repeat" in key for key in shown)


async def test_unset_takes_the_key_out_of_the_file_that_says_it(open_view: OpenView) -> None:
    async with open_view(project_text="options: {topP: 0.1}\n") as view:
        await view.open()
        view.at("options.topP")
        await view.screen.press("u")
        await view.screen.sees(
            "unset options.topP", "▸ workspace", "options.topP is then 0.9, from ~/.ollm"
        )
        await view.screen.press("enter")
        await view.screen.sees("options.topP = 0.9")
        assert view.project.read_text() == "options: {}\n"
        view.at("model.routing.enabled")
        await view.screen.press("u")
        await view.screen.sees("No file sets it: it is set by default")


PROFILE = "model: {routing: {profiles: {code: {minContextWindow: 5000}}}}\n"


async def test_unset_of_a_built_in_profile_says_what_holds_then(open_view: OpenView) -> None:
    async with open_view(user_text=PROFILE) as view:
        await view.open()
        view.at("model.routing.profiles.code.minContextWindow")
        await view.screen.press("u")
        await view.screen.sees("minContextWindow is then as built in.")


@SIZES
async def test_the_built_in_profiles_are_settings_that_a_file_can_change(
    open_view: OpenView, size: tuple[int, int]
) -> None:
    context = "model.routing.profiles.code.minContextWindow"
    async with open_view(size=size) as view:
        await view.open()
        view.at("model.routing.profiles")
        await view.screen.sees("4 built in, at the end", "fast, general, code, creative are built")
        await view.screen.press("slash")
        await view.screen.type("built in code.")
        await view.screen.press("enter")
        rows = view.screen.app.screen.query_one(SettingsList)
        await view.screen.until(lambda: len(rows.items) == 6)
        assert all(row.origin == "built in" for row in rows.items)
        view.at("model.routing.profiles.code.preferredFamilies")
        await view.screen.sees("preferredFamilies = [codellama,", "set by the program itself")
        view.at(context)
        await view.screen.press("u")
        await view.screen.sees("No file sets it", "enter has a")
        await view.change(context, "5000")
        await view.screen.sees("Save 1 change", "minContextWindow: 5000")
        await view.screen.press("enter")
        await view.screen.until(lambda: "minContextWindow: 5000" in view.user.read_text())
        await view.screen.until(lambda: len(rows.items) == 5)  # the others are still built in
        await view.screen.press("slash", "escape")
        view.at(context)
        await view.screen.sees(f"{context} = 5000", "config.yaml:")


async def test_unset_says_why_the_built_in_profiles_stay(open_view: OpenView) -> None:
    async with open_view() as view:
        await view.open()
        view.at("model.routing.profiles")
        await view.screen.press("u")
        await view.screen.sees("No file sets it", "built in", "enter has a file say otherwise")


async def test_unset_says_why_when_the_cursor_is_on_no_setting(open_view: OpenView) -> None:
    async with open_view(user_text="options: {topP: 7}\n") as view:
        await view.open()
        await view.screen.press("u")
        await view.screen.sees("This is a problem, not a setting")
        await view.screen.press("slash")
        await view.screen.type("zzz")
        await view.screen.press("enter", "u")
        await view.screen.sees("There is no setting under the cursor.")


async def test_leaving_the_save_goes_back_to_typing(open_view: OpenView) -> None:
    async with open_view() as view:
        await view.open()
        await view.change("options.topP", "0.5")
        await view.screen.sees("Save 1 change")
        await view.screen.press("escape")
        await view.screen.misses("Save 1 change")
        assert view.screen.app.screen.query_one(Input).value == "0.5"
        assert view.user.read_text() == USER


async def test_a_secret_is_neither_shown_nor_offered(open_view: OpenView) -> None:
    user = "providers: {ollama: {headers: {X-Key: s3cret}, host: 'http://u:s3cret@h'}}\n"
    async with open_view(user_text=user) as view:
        await view.open()
        view.at("providers.ollama.host")
        await view.screen.press("enter")
        assert view.screen.app.screen.query_one(Input).value == ""
        await view.screen.press("escape")
        await view.change("providers.ollama.headers.X-Key", "n3w")
        await view.screen.sees("Save 1 change", "+providers")
        assert "s3cret" not in view.screen.text
        assert "n3w" not in view.screen.text
        await view.screen.press("enter")
        await view.screen.sees("Saved to")
        assert "n3w" in view.user.read_text()


async def test_a_problem_is_taken_to_the_editor_and_a_good_file_ends_it(
    open_view: OpenView, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_view(user_text="options: {topP: 7}\n") as view:
        await view.screen.sees("Top P must be between 0.0 and 1.0", "config ✗ 1 problem")
        calls: list[list[str]] = []

        def edit(command: list[str], *, check: bool) -> None:
            calls.append(command)
            view.user.write_text("options: {topP: 0.7}\n")

        monkeypatch.setattr("ollm_tui.ui.screens.config.subprocess.run", edit)
        monkeypatch.setattr(view.screen.app, "suspend", nullcontext)
        monkeypatch.setenv("VISUAL", "my-editor --wait")
        await view.open()
        await view.screen.sees("error: Top P must be between 0.0 and 1.0")
        await view.screen.press("e")
        await view.screen.misses("error: Top P")
        assert calls == [["my-editor", "--wait", "+1", str(view.user)]]


async def test_a_terminal_that_cannot_be_handed_over_is_no_crash(open_view: OpenView) -> None:
    async with open_view() as view:
        await view.open()
        view.at("options.topP")
        await view.screen.press("e")
        await view.screen.sees("This terminal cannot be handed to", ".ollm/config.yaml:2:17")


@pytest.mark.parametrize(
    ("editor", "command"),
    [
        ("vi", ["vi", "+7", "/f"]),
        ("/usr/bin/nano -w", ["/usr/bin/nano", "-w", "+7", "/f"]),
        ("code --wait", ["code", "--wait", "--goto", "/f:7"]),
        ("hx", ["hx", "/f:7"]),
    ],
)
def test_an_editor_is_started_at_the_line(editor: str, command: list[str]) -> None:
    assert editor_command(editor, Path("/f"), 7) == command


async def test_a_file_that_breaks_while_running_leaves_the_last_good_state(
    open_view: OpenView,
) -> None:
    async with open_view() as view:
        await view.open()
        view.user.write_text("options: {topP: 0.9\n")
        await view.screen.press("r")
        await view.screen.sees(
            "error: The YAML cannot be read", "Configuration as it last was without errors"
        )
        view.at("options.topP")
        await view.screen.sees("options.topP = 0.9")
        await view.change("options.topP", "0.5")
        await view.screen.sees("Correct the file first")
        # One by one: an escape is lost on what the one before has closed but not yet left.
        await view.screen.press("escape")
        await view.screen.misses("Correct the file first")
        await view.screen.press("escape")
        await view.screen.until(lambda: not view.screen.app.screen.query(Input))
        await view.screen.press("escape")
        await view.screen.sees("config ✗ 1 problem")  # a screen below others is not laid out anew
        view.user.write_text(USER)
        await view.open()  # before the next key, which elsewhere asks the server
        await view.screen.press("r")
        await view.screen.misses("error: ")
        await view.screen.press("escape")
        await view.screen.sees("config ✓")


async def test_what_is_saved_counts_at_once(open_view: OpenView) -> None:
    async with open_view() as view:
        await view.screen.sees("4 Router ─ general →")
        await view.open()
        await view.change("model.routing.defaultProfile", "code")
        await view.screen.sees("Save 1 change", "enter saves")
        await view.screen.press("enter")
        await view.screen.sees("Saved to")
        await view.screen.press("escape")
        await view.screen.sees("4 Router ─ code →")
        view.user.write_text("database: {'llama3.2:*': {contextWindow: 7000, force: true}}\n")
        await view.open()
        await view.screen.press("r", "escape")
        await view.screen.sees("4 Router ─ general →")
        models = {model.name: model for model in view.screen.service.models.models}
        await view.screen.until(
            lambda: all(
                model.context_window == 7000
                for model in view.screen.service.models.models
                if model.name == "llama3.2:3b"
            )
        )
        assert "llama3.2:3b" in models


async def test_what_is_read_counts_though_the_view_was_left_meanwhile(
    open_view: OpenView, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_view() as view:
        await view.open()
        source, goes_on = view.screen.app.settings.source, threading.Event()
        assert source is not None
        read = source.read

        def read_slowly() -> Effective:
            goes_on.wait(10)
            return read()

        monkeypatch.setattr(source, "read", read_slowly)
        view.user.write_text("model: {routing: {defaultProfile: code}}\n")
        await view.screen.press("r", "escape")
        await view.screen.misses("KEY")
        goes_on.set()
        await view.screen.sees("4 Router ─ code →")
        assert not view.screen.app.errors.total


async def test_another_server_waits_for_the_next_start_and_that_is_told(
    open_view: OpenView,
) -> None:
    async with open_view() as view:
        await view.open()
        await view.change("providers.ollama.host", "http://127.0.0.1:9")
        await view.screen.sees("Save 1 change", "enter saves")
        await view.screen.press("enter")
        await view.screen.sees("Which server is asked, and how")


@SIZES
async def test_a_broken_file_is_named_in_a_banner_until_it_is_good(
    open_view: OpenView, size: tuple[int, int]
) -> None:
    broken = "options: {topP: 0.9\nmodel: {default: a}\n"
    async with open_view(user_text=broken, size=size) as view:
        text = await view.screen.sees(
            "✗ ~/.ollm/config.yaml:2:6: The YAML cannot be read; press c", "llama3.2:3b"
        )
        assert text.splitlines()[1].startswith(" ✗ ~/.ollm/config.yaml")
        view.user.write_text("options: {topP: 7, topK: -1}\n")
        await view.open()
        await view.screen.press("r")
        await view.screen.sees("error: Top K must be")
        await view.screen.press("escape")
        await view.screen.sees("Top P must be between 0.0 and 1.0, +1; press c")
        view.user.write_text(USER)
        await view.open()
        await view.screen.press("r")
        await view.screen.misses("error: Top K")
        await view.screen.press("escape")
        await view.screen.misses("✗ ~/.ollm")
        assert not view.screen.app.screen.query("#banner")


@SIZES
async def test_without_a_file_an_example_is_offered_and_never_written_over_one(
    open_view: OpenView, size: tuple[int, int]
) -> None:
    async with open_view(user_text=None, size=size) as view:
        await view.open()
        await view.screen.sees("Configuration: no file yet, i writes an example")
        await view.screen.press("i")
        await view.screen.sees("Write an example file?", "~/.ollm/config.yaml", "# Configuration")
        await view.screen.press("escape")
        await view.screen.misses("Write an example")
        assert not view.user.exists()
        await view.screen.press("i")
        await view.screen.sees("Write an example file?", "enter writes it")
        assert not view.user.exists()
        await view.screen.press("enter")
        await view.screen.sees("is there now")
        await view.screen.misses("no file yet")
        example = view.user.read_text()
        await view.screen.press("i")
        await view.screen.sees("never written over")
        assert view.user.read_text() == example


async def test_the_save_screen_takes_any_list_of_changes(open_view: OpenView) -> None:
    async with open_view() as view:
        app = view.screen.app
        await view.screen.until(lambda: app.settings.effective is not None)
        assert app.settings.source is not None
        results: list[Saved | None] = []
        changes = [
            Change(("model", "routing", "overrides", "code"), "codellama:7b"),
            Change(("model", "routing", "profiles", "mine"), {"minContextWindow": 4096}),
            Change(("model", "default"), None),
        ]
        app.push_screen(
            SaveScreen(changes, app.settings.source, prefer=Origin.WORKSPACE), results.append
        )
        await view.screen.sees("Save 3 changes", "unset model.default", "▸ workspace", "+model:")
        await view.screen.press("shift+tab")
        await view.screen.sees("▸ user", "-  default: llama3.1:8b  # the usual")
        await view.screen.press("enter")
        await view.screen.until(lambda: bool(results))
        saved = results[0]
        assert saved is not None
        assert saved.path == "~/.ollm/config.yaml"
        assert saved.effective.origin("model", "routing", "overrides", "code") is Origin.USER
        assert saved.effective.config.model.default is None


async def test_a_change_that_is_refused_names_why_in_the_save_screen(open_view: OpenView) -> None:
    async with open_view() as view:
        app = view.screen.app
        await view.screen.until(lambda: app.settings.effective is not None)
        assert app.settings.source is not None
        results: list[Saved | None] = []
        change = Change(("model", "routing", "defaultProfile"), "gneral")
        app.push_screen(SaveScreen([change], app.settings.source), results.append)
        await view.screen.sees("Unknown routing profile", "Did you mean general?")
        await view.screen.press("enter", "escape")
        await view.screen.until(lambda: bool(results))
        assert results == [None]
        assert view.user.read_text() == USER
