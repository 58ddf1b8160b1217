"""Keys: those of the configuration, those that cannot act now, and the palette with all of them."""

import pytest
from textual.command import CommandList
from textual.content import Content
from textual.widgets import Static

from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.sandbox.timing import INSTANT
from ollm_tui.ui import keymap
from ollm_tui.ui.actions import _OTHER_WORDS
from tests.ui.conftest import OpenApp
from tests.ui.test_simulator import to_router


async def test_keys_of_the_configuration_hold_and_are_shown(open_app: OpenApp) -> None:
    async with open_app() as screen:
        screen.app.rebind({"app.pull": "f5", "installed.load": "w"}, screen.app._show_footer)
        await screen.sees(" f5 pull ")
        await screen.press("p")
        await screen.press("question_mark")
        text = await screen.sees("Show all keys")
        assert [line for line in text.splitlines() if "f5" in line and "Pull models" in line]
        await screen.press("escape", "f5")
        await screen.sees("enter pulls")
        await screen.press("escape", "j", "w")
        await screen.sees("2 loaded")


async def test_hints_and_reasons_name_the_keys_of_the_configuration(
    open_app: OpenApp, server: SandboxServer
) -> None:
    keys = {
        "app.pull": "f5",
        "app.undo": "f6",
        "downloads.clear": "f7",
        "downloads.pause": "f8",
        "inspector.next": "f9",
        "what_if.switch": "f10",
        "running.view": "f11",
    }
    async with open_app() as screen:
        await screen.sees("p pulls a model by name", "] Parameters")
        screen.app.rebind(keys, screen.app._show_footer)
        await screen.sees("f5 pulls a model by name", "f9 Parameters")  # what was drawn before, too
        await to_router(screen, "w")
        await screen.sees("f10 switches")
        await screen.press("escape", "1", "v")
        await screen.sees("3b", "1 Running")
        await screen.press("L")
        await screen.sees("f11 twice leads back")
        server.faults.script_pull("qwen3:14b", [{"status": "on its way"}, {}]).advance()
        number = screen.service.enqueue("qwen3:14b")
        await screen.sees("1 active")
        await screen.service.pause(number)
        await screen.press("2")
        await screen.sees("f8 goes on   x cancels", "; f8 goes on")
        await screen.service.cancel(number)
        await screen.sees("cancelled; R resumes")
        await screen.press("f8")
        await screen.sees("It has ended; R tries again, f7 clears")
        screen.app.rebind({}, screen.app._show_footer)
        await screen.press("space")
        await screen.sees("It has ended; R tries again, C clears")


async def test_what_names_a_key_that_is_gone_names_what_it_did(open_app: OpenApp) -> None:
    async with open_app() as screen:
        screen.app.rebind({"app.refresh": "p"}, screen.app._show_footer)
        await screen.sees("“Pull models by name” pulls a model by name")


async def test_a_key_given_back_acts_again(open_app: OpenApp) -> None:
    async with open_app() as screen:
        screen.app.rebind({"app.pull": "d"}, screen.app._show_footer)
        screen.app.rebind({}, screen.app._show_footer)
        await screen.press("d")
        await screen.sees("Delete 1 model?")


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        (("d",), "There is no model under the cursor."),
        (("space",), "There is no model under the cursor."),
        (("l",), "There is no model under the cursor."),
        (("L",), "No model is in memory."),
        (("2", "x"), "Nothing is being downloaded."),
        (("2", "C"), "No download has ended yet."),
        (("c",), "The configuration is still being read."),
    ],
)
async def test_a_key_that_cannot_act_says_why(
    open_app: OpenApp, keys: tuple[str, ...], reason: str
) -> None:
    with SandboxServer(models=0, timing=INSTANT) as empty:
        async with open_app(host=empty.host) as screen:
            await screen.press(*keys)
            await screen.sees(reason)


@pytest.mark.parametrize("key", ["e", "f", "w", "m", "b", "d", "i", "T", "R", "P", "y", "right"])
async def test_questions_to_the_router_before_its_first_decision_say_why_not(
    open_app: OpenApp, server: SandboxServer, key: str
) -> None:
    server.stop()
    async with open_app(wait=False) as screen:
        await screen.sees("No models to choose from.")
        await screen.press("4", key)
        await screen.sees("No models are known.", "H switches the server.")


async def test_the_keys_of_the_router_are_dim_until_it_has_decided(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.press("4")
        await screen.sees("4 Router ─ general →")
        footer = screen.app._main.query_one("#footer", Static)

        def is_dim() -> bool:
            content = footer.content
            assert isinstance(content, Content)
            at = content.plain.index("e why")
            spans = [span for span in content.spans if span.start <= at < span.end]
            return any("dim" in str(span.style) for span in spans)

        await screen.until(lambda: not is_dim())


async def test_what_cannot_act_is_dim_in_footer_and_help(open_app: OpenApp) -> None:
    with SandboxServer(models=0, timing=INSTANT) as empty:
        async with open_app(host=empty.host, size=(120, 90)) as screen:
            await screen.sees("d delete")
            footer = screen.app._main.query_one("#footer", Static).content
            assert isinstance(footer, Content)
            dims = [str(footer)[s.start : s.end] for s in footer.spans if "dim" in str(s.style)]
            assert any("d delete" in dim for dim in dims)
            assert not any("p pull" in dim for dim in dims)
            await screen.press("question_mark")
            await screen.sees("Delete the marked models. There is no")


async def test_the_help_begins_with_the_keys_of_the_pane_that_is_active(open_app: OpenApp) -> None:
    async with open_app(size=(80, 60)) as screen:
        for pane, place in (("1", "Installed"), ("2", "Downloads"), ("4", "Router")):
            await screen.press(pane, "question_mark")
            text = await screen.sees("esc closes")
            assert text.index(f"│ {place}  ") < text.index("│ Everywhere  ")
            await screen.press("escape")


async def test_the_help_keeps_its_columns_in_a_small_terminal(open_app: OpenApp) -> None:
    async with open_app(size=(60, 20)) as screen:
        await screen.press("question_mark", "end")
        await screen.sees("↑ newer in its registry", "✗ cannot be read", "embeddings only")
        (above,) = screen.lines("Fetch what is missing or bad")
        (below,) = screen.lines("doctor.repair")
        assert above.index("Fetch") == below.index("doctor.repair")


async def test_the_footer_wakes_up_with_the_first_download(
    open_app: OpenApp, server: SandboxServer
) -> None:
    server.faults.script_pull("qwen3:14b", [{"status": "pulling manifest"}])
    async with open_app() as screen:
        assert not screen.app.situation.has_download
        screen.service.enqueue("qwen3:14b")
        await screen.sees("1 active")
        assert screen.app._situation is not None
        assert screen.app._situation.has_download


async def test_the_palette_has_every_action(open_app: OpenApp) -> None:
    async with open_app() as screen:
        offered = {command.title for command in screen.app.get_system_commands(screen.app.screen)}
        of_forms = (keymap.LISTS, keymap.WHAT_IF, keymap.DOCTOR)
        for key in keymap.KEYS:
            if key.where not in of_forms and key.id != "app.palette":
                assert key.description in offered


async def test_an_action_of_another_pane_goes_there(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.press("ctrl+p")
        await screen.type("next profile")
        await screen.sees("Next profile")
        await screen.press("enter")
        await screen.sees("4 Router ─ code →")
        assert screen.app.focused is not None
        assert screen.app.focused.id == "router"


async def test_the_palette_says_what_cannot_be_done_now(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.press("ctrl+p")
        await screen.type("clear what has ended")
        await screen.sees("Not now: No download has ended yet.")


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("undo", "Take back the last delete"),
        ("remov", "Delete the marked models"),
        ("dark", "Change the theme"),
        ("exit", "Quit"),
        ("settings", "Show the configuration"),
        ("refresh", "Ask the server again"),
        ("Undo delete", "Take back the last delete"),
        ("remove model", "Delete the marked models"),
        ("stop model", "Load into memory, or unload"),
        ("switch provider", "Switch the server"),
        ("colour theme", "Change the theme"),
        ("dark mode", "Change the theme"),
        ("exit program", "Quit"),
    ],
)
async def test_the_palette_finds_actions_by_the_words_of_others(
    open_app: OpenApp, typed: str, title: str
) -> None:
    async with open_app() as screen:
        await screen.press("ctrl+p")
        await screen.type(typed)
        offered = screen.app.screen.query_one(CommandList)

        def best() -> str:
            return str(offered.get_option_at_index(0).prompt) if offered.option_count else ""

        await screen.until(lambda: title in best())
        assert typed not in best()


def test_other_words_belong_to_an_action() -> None:
    assert set(_OTHER_WORDS) <= {key.id for key in keymap.KEYS if key.palette}
