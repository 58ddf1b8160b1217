"""What people do with the program, key by key, on a made-up server."""

import pytest
from textual import events
from textual.widgets import Static

from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.ui.panes.installed import InstalledPane
from tests.ui.conftest import OpenApp

DIGEST = "sha256:" + "a" * 64


async def test_the_first_screen_answers_the_four_questions(open_app: OpenApp) -> None:
    async with open_app() as screen:
        text = await screen.sees("ollama 0.33.0", "31 models", "1 loaded", "general →")
        for part in ("1 Installed", "2 Downloads", "3 Inspector", "4 Router", "31 of 31"):
            assert part in text


async def test_the_inspector_follows_the_cursor(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.sees("3 Inspector ─ llama3.2:3b")
        await screen.press("j")
        await screen.sees("3 Inspector ─ qwen3:8b", "40,960 trained")
        await screen.press("k")
        await screen.sees("3 Inspector ─ llama3.2:3b")


async def test_brackets_turn_the_inspectors_pages(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.sees("] Parameters")
        await screen.press("3", "right_square_bracket")
        await screen.sees("Parameters 2/6", "stop")
        await screen.press(*["left_square_bracket"] * 3)
        await screen.sees("Metadata 5/6", "block_count")


async def test_a_filter_narrows_the_list_as_one_types(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.press("slash")
        await screen.type("coder")
        await screen.sees("of 31", "/coder")
        assert screen.names() == ["qwen2.5-coder:7b", "deepseek-coder:6.7b", "starcoder2:3b"]
        await screen.press("enter")
        await screen.misses("esc clears")
        assert len(screen.names()) == 3
        await screen.press("slash", "escape")
        await screen.sees("31 of 31")


async def test_the_count_and_bytes_of_a_filter_stand_beside_it(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.press("slash")
        await screen.type("cap:vision size<10G")
        await screen.until(lambda: "/cap:vision size<10G" in screen.text)
        count, size = len(screen.names()), screen.lines("of 31 · ")
        assert 0 < count < 31
        assert [line for line in size if "╯" in line and f"{count} of 31 · " in line]


async def test_a_bad_filter_says_what_is_wrong_and_keeps_the_last_good_one(
    open_app: OpenApp,
) -> None:
    async with open_app() as screen:
        await screen.press("slash")
        await screen.sees("words, family:llama")
        height = screen.app.query_one(InstalledPane).size.height
        await screen.type("coder cap:tols")
        await screen.sees("There is no capability “tols”; did you mean tools? Valid are tools")
        assert screen.app.query_one(InstalledPane).size.height == height  # no row has moved
        assert screen.names() == ["qwen2.5-coder:7b"]
        await screen.sees("/coder cap:to ")
        await screen.press("backspace", "backspace", "backspace")
        await screen.sees("/coder cap:t ")
        await screen.misses("no capability")


async def test_half_a_condition_hides_nothing(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.press("slash")
        await screen.type("family:llama siz")
        await screen.sees("“siz” finds nothing yet. A condition goes on like size<10G")
        of_the_family = screen.names()
        assert "llama3.1:8b" in of_the_family
        assert "qwen3:8b" not in of_the_family
        await screen.type("e<3G")
        await screen.until(lambda: "llama3.1:8b" not in screen.names())
        assert set(screen.names()) < set(of_the_family)
        await screen.type(" xyz")
        await screen.sees("Nothing matches")


async def test_half_a_condition_moves_nothing(open_app: OpenApp) -> None:
    async with open_app(size=(80, 24)) as screen:
        await screen.press("G", *"kkk")
        await screen.press("slash")
        await screen.sees("Filter; enter keeps")
        await screen.settle()
        rows = screen.app.query_one(InstalledPane)
        before = rows.scroll_offset, rows.item
        await screen.type("siz")
        await screen.sees("“siz” finds nothing yet")
        await screen.settle()
        assert (rows.scroll_offset, rows.item) == before


async def test_the_cursor_waits_for_a_model_that_half_a_filter_hides(open_app: OpenApp) -> None:
    async with open_app() as screen:
        while screen.app.query_one(InstalledPane).model.name != "gemma3:12b":  # type: ignore[union-attr]
            await screen.press("j")
        await screen.press("slash")
        await screen.type("size<3G")
        await screen.until(lambda: "gemma3:12b" not in screen.names())
        await screen.press("backspace")
        await screen.type("0G")
        await screen.sees("▸  gemma3:12b")
        await screen.press("escape")
        await screen.sees("31 of 31", "▸  gemma3:12b")
        await screen.press("slash")
        await screen.type("zzz")
        await screen.sees("0 of 31")
        await screen.press("escape", "j")  # moved, it stays where it is
        await screen.sees("31 of 31")
        await screen.misses("▸  gemma3:12b")


async def test_the_cursor_follows_what_it_is_on_when_its_own_model_has_gone(
    open_app: OpenApp, server: SandboxServer
) -> None:
    async with open_app() as screen:
        await screen.press("j")
        await screen.sees("▸  qwen3:8b")
        server.store.remove("qwen3:8b")
        await screen.press("r")
        await screen.sees("30 of 30", "▸  qwen2.5-coder:7b")
        server.store.remove("llama3.2:3b")  # which stood above
        await screen.press("r")
        await screen.sees("29 of 29", "▸  qwen2.5-coder:7b")


async def test_a_filter_that_was_kept_goes_with_escape(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.press("slash")
        await screen.type("coder")
        await screen.press("enter")
        await screen.sees("3 of 31")
        await screen.press("escape")
        await screen.sees("31 of 31")


async def test_a_filter_for_marks_follows_the_marks(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.press("space", "space", "slash")
        await screen.type("marked")
        await screen.press("enter")
        await screen.sees("2 of 31", "2 marked")
        await screen.press("space")
        await screen.sees("1 of 31", "1 marked")


async def test_a_filter_that_matches_nothing_says_how_to_clear_it(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.press("slash")
        await screen.type("zzz")
        await screen.sees("Nothing matches", "esc clears")


async def test_while_a_filter_is_typed_the_footer_tells_its_keys(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.press("slash")
        await screen.sees("enter keep  esc clear")
        await screen.misses("d delete", "q quit")
        await screen.type("qwen")
        await screen.press("enter")
        await screen.sees("d delete", "q quit")
        await screen.misses("esc clear")


async def test_letters_typed_into_the_filter_are_not_keys(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.press("slash")
        await screen.type("qdp?1")
        await screen.sees("/qdp?1")
        assert screen.app.is_running
        assert len(screen.app.screen_stack) == 1


async def test_sorting_goes_by_the_next_column_and_back(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.press("s")
        await screen.until(lambda: screen.names() == sorted(screen.names(), key=str.casefold))
        await screen.press("S")
        await screen.until(
            lambda: screen.names() == sorted(screen.names(), key=str.casefold, reverse=True)
        )


async def test_a_pull_runs_live_and_the_model_appears(
    open_app: OpenApp, server: SandboxServer
) -> None:
    script = server.faults.script_pull(
        "qwen3:14b",
        [
            {"status": "pulling manifest"},
            {"status": "pulling aaa", "digest": DIGEST, "total": 1000, "completed": 250},
            {"status": "pulling aaa", "digest": DIGEST, "total": 1000, "completed": 750},
            {"status": "verifying sha256 digest"},
            {"status": "success"},
        ],
    )
    async with open_app() as screen:
        await screen.press("p")
        await screen.type("qwen3:14b")
        await screen.press("enter")
        script.advance(2)
        await screen.sees("1 active", "25%")
        script.advance()
        await screen.sees("75%")
        script.advance()
        await screen.sees("verifying")
        script.advance()
        await screen.sees("done", "32 of 32")
        assert "qwen3:14b" in screen.names()


async def test_every_key_answers_while_a_pull_runs(
    open_app: OpenApp, server: SandboxServer
) -> None:
    server.faults.script_pull("qwen3:14b", [{"status": "pulling manifest"}])
    async with open_app() as screen:
        screen.service.enqueue("qwen3:14b")
        await screen.sees("1 active")
        await screen.press("question_mark")
        await screen.sees("Show all keys")
        await screen.press("escape", "4", "right")
        await screen.sees("code →")
        await screen.press("1", "j")
        await screen.sees("3 Inspector ─ qwen3:8b")


async def test_cancelling_closes_the_stream_and_says_what_is_kept(
    open_app: OpenApp, server: SandboxServer
) -> None:
    script = server.faults.script_pull(
        "qwen3:14b",
        [
            {"status": "pulling aaa", "digest": DIGEST, "total": 1000, "completed": 400},
            {"status": "success"},
        ],
    )
    async with open_app() as screen:
        screen.service.enqueue("qwen3:14b")
        script.advance()
        await screen.sees("40%")
        await screen.press("2", "x")
        await screen.sees("cancelled at 40%", "R resumes")
        await script.until_ended()
        assert "qwen3:14b" not in screen.names()


async def test_a_failed_pull_says_why_and_can_be_tried_again(
    open_app: OpenApp, server: SandboxServer
) -> None:
    no_such = {"error": "pull model manifest: file does not exist"}
    script = server.faults.script_pull("qwen3:14b", [{"status": "pulling manifest"}, no_such])
    async with open_app() as screen:
        screen.service.enqueue("qwen3:14b")
        script.advance(2)
        await screen.sees("✗ qwen3:14b", "failed, R retries: ")
        server.faults.clear()
        await screen.press("2", "R")
        await screen.sees("✓ qwen3:14b")


async def test_a_wrong_name_is_told_in_the_dialog_and_nothing_is_asked(
    open_app: OpenApp, server: SandboxServer
) -> None:
    async with open_app() as screen:
        await screen.press("p")
        await screen.type("no@name")
        await screen.sees("no@name")
        await screen.press("enter")
        await screen.sees("Invalid model name format", "a digest (@…)")
        assert server.count("/api/pull") == 0
        await screen.press("escape")
        await screen.misses("Pull models")


async def test_the_pull_dialog_completes_with_tab(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.press("p")
        await screen.type("qw")
        await screen.sees("~9.3 GB")
        await screen.press("tab", "enter")
        await screen.sees("2 Downloads", "qwen3:14b")


async def test_deleting_asks_with_the_bytes_and_then_does_it(
    open_app: OpenApp, server: SandboxServer
) -> None:
    async with open_app() as screen:
        await screen.press("j", "space", "space", "d")
        await screen.sees("Delete 2 models?", "Frees up to 9.7 GB")
        await screen.press("escape")
        assert server.count("/api/delete") == 0
        await screen.press("d")
        await screen.sees("Delete 2 models?")
        await screen.press("y")
        await screen.sees("29 of 29", "Deleted 2 models, up to 9.7 GB freed")
        assert {"qwen3:8b", "qwen2.5-coder:7b"}.isdisjoint(screen.names())


async def test_deleting_a_loaded_model_unloads_it_first(
    open_app: OpenApp, server: SandboxServer
) -> None:
    async with open_app() as screen:
        await screen.sees("1 loaded")
        await screen.press("d")
        await screen.sees("In memory now: llama3.2:3b, leaves in", "Unload and delete (u)")
        await screen.press("u")
        await screen.sees("30 of 30")
        paths = [request.path for request in server.requests]
        assert paths.index("/api/generate") < paths.index("/api/delete")


async def test_a_model_loaded_meanwhile_is_not_deleted(
    open_app: OpenApp, server: SandboxServer
) -> None:
    async with open_app() as screen:
        await screen.press("j", "d")
        await screen.sees("Delete 1 model?")
        server.load("qwen3:8b")
        await screen.press("y")
        await screen.sees("qwen3:8b is loaded in memory")
        assert server.count("/api/delete") == 0


async def test_loading_shows_on_the_row(open_app: OpenApp, server: SandboxServer) -> None:
    async with open_app() as screen:
        await screen.press("j", "l")
        await screen.sees("2 loaded", "▸● qwen3:8b")
        await screen.press("l")
        await screen.sees("1 loaded")


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_a_mark_leaves_the_sign_of_what_the_model_is(
    open_app: OpenApp, size: tuple[int, int]
) -> None:
    async with open_app(size=size) as screen:
        await screen.sees("▸● llama3.2:3b ")
        (before,) = screen.lines("▸● llama3.2:3b ")
        await screen.press("space")
        await screen.sees(" ●*llama3.2:3b ", "▸  qwen3:8b")
        (after,) = screen.lines(" ●*llama3.2:3b ")
        assert after[4:70] == before[4:70]  # every column is where it was
        await screen.press("space", "k")
        await screen.sees(" ●*llama3.2:3b ", "▸ *qwen3:8b")
        await screen.press("k", "space")
        await screen.sees(" ● llama3.2:3b ")


async def test_quitting_asks_only_while_something_is_downloading(
    open_app: OpenApp, server: SandboxServer
) -> None:
    server.faults.script_pull("qwen3:14b", [{"status": "pulling manifest"}])
    async with open_app() as screen:
        screen.service.enqueue("qwen3:14b")
        await screen.sees("1 active")
        await screen.press("q")
        await screen.sees("Quit and stop 1 download?", "The queue is not kept")
        await screen.press("escape")
        assert screen.app.is_running
        await screen.press("q", "q")
        await screen.until(lambda: not screen.app.is_running)


@pytest.mark.parametrize("size", [(80, 24), (60, 20), (200, 60)])
async def test_every_pane_can_be_reached_at_any_size(
    open_app: OpenApp, size: tuple[int, int]
) -> None:
    async with open_app(size=size) as screen:
        for key, title in (
            ("2", "2 Downloads"),
            ("3", "3 Inspector"),
            ("4", "4 Router"),
            ("1", "1 Installed"),
        ):
            await screen.press(key)
            await screen.sees(f"╭─ {title}")
            assert screen.app.focused is not None
            assert screen.app.focused.id == title.split()[1].lower()
        await screen.press("shift+tab")
        await screen.sees("╭─ 4 Router")


async def test_a_pane_can_have_the_whole_screen(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.press("z")
        await screen.misses("╭─ 3 Inspector")
        await screen.press("z")
        await screen.sees("╭─ 3 Inspector")


async def test_resizing_goes_from_wide_to_narrow_and_back(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.pilot.resize_terminal(80, 24)
        await screen.misses("╭─ 3 Inspector")
        await screen.pilot.resize_terminal(120, 40)
        await screen.sees("╭─ 3 Inspector", "╭─ 4 Router")


async def test_the_palette_begins_with_the_active_pane(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.press("2", "ctrl+p")
        await screen.sees("Show it in full", "Cancel the download", "Pull models by name")
        assert screen.text.index("Cancel the download") < screen.text.index("Pull models by name")


async def test_the_palette_offers_the_actions(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.press("ctrl+p")
        await screen.type("pull models")
        await screen.sees("Pull models by name")
        await screen.press("enter")
        await screen.sees("enter pulls")


async def test_refreshing_shows_what_came_from_elsewhere(
    open_app: OpenApp, server: SandboxServer
) -> None:
    async with open_app() as screen:
        server.store.remove("qwen3:8b")
        await screen.press("r")
        await screen.sees("30 of 30")


async def test_memory_is_asked_for_only_while_the_list_is_in_sight(
    open_app: OpenApp, server: SandboxServer
) -> None:
    async with open_app() as screen:
        await screen.sees("1 loaded")
        await screen.press("2", "z")
        await screen.misses("1 Installed ─")
        asked = server.count("/api/ps")
        watch = screen.app._watch
        assert watch is not None
        watch.look()
        await screen.service.version()  # behind which such a question would stand
        assert server.count("/api/ps") == asked
        await screen.press("z")
        await screen.sees("1 Installed ─")
        watch.look()
        await screen.until(lambda: server.count("/api/ps") > asked)


async def test_the_focus_of_a_dialog_that_has_gone_is_no_error(open_app: OpenApp) -> None:
    async with open_app() as screen:
        gone = Static("of a dialog")
        screen.app.post_message(events.DescendantFocus(gone))
        await screen.press("j")
        await screen.sees("31 of 31")
