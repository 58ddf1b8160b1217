"""Deleting on screen: consequences before, time to take it back, and plain words for failures."""

import pytest

from ollm_tui.sandbox.faults import EndpointMode
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.service import deletion
from tests.ui.configured import OpenView, View
from tests.ui.conftest import OpenApp
from tests.ui.screen import Screen


@pytest.fixture
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deletion, "UNDO_S", 60.0)


async def test_the_question_names_the_profiles_that_would_choose_another(
    open_app: OpenApp,
) -> None:
    async with open_app() as screen:
        chosen = screen.service.explain("code").model
        assert chosen is not None
        await screen.press(*"j" * screen.names().index(chosen), "d")
        await screen.sees("Delete 1 model?", "code would choose", f"instead of {chosen}")


@pytest.mark.usefixtures("_patient")
async def test_a_delete_is_counted_down_and_taken_back(
    open_app: OpenApp, server: SandboxServer
) -> None:
    async with open_app() as screen:
        await screen.press("j", "d")
        await screen.sees("Delete 1 model?", "For 60 s u takes it back")
        await screen.press("y")
        await screen.sees("deleting qwen3:8b in", "u undoes", "▸– qwen3:8b")
        for key in ("d", "space"):
            await screen.press(key)
            await screen.sees("It is about to be deleted; u takes that back.")
            screen.app.clear_notifications()
            await screen.misses("It is about to be deleted")
        await screen.press("a")
        await screen.sees("30 marked")
        await screen.press("a", "u")
        await screen.sees("Taken back: qwen3:8b stays")
        await screen.misses("deleting qwen3:8b in", "– qwen3:8b")
        assert server.count("/api/delete") == 0
        await screen.press("u")
        await screen.sees("There is nothing to take back.")
        assert not screen.app.situation.has_pending


async def delete_and_ask_to_quit(screen: Screen) -> None:
    await screen.press("j", "d")
    await screen.sees("Delete 1 model?")
    await screen.press("y")
    await screen.sees("deleting qwen3:8b in")
    await screen.press("q")
    await screen.sees(
        "Quit before qwen3:8b is deleted?",
        "It stays installed if you quit (q); d deletes it now and quits.",
        "Quit, keep it (q)",
        "Delete, quit (d)",
    )


@pytest.mark.usefixtures("_patient")
async def test_quitting_names_the_pending_delete_and_keeps_the_model(
    open_app: OpenApp, server: SandboxServer
) -> None:
    async with open_app() as screen:
        await delete_and_ask_to_quit(screen)
        await screen.press("q")
        await screen.until(lambda: not screen.app.is_running)
    assert server.count("/api/delete") == 0


@pytest.mark.usefixtures("_patient")
async def test_a_pending_delete_can_be_carried_out_before_quitting(
    open_app: OpenApp, server: SandboxServer
) -> None:
    async with open_app() as screen:
        await delete_and_ask_to_quit(screen)
        await screen.press("d")
        await screen.until(lambda: not screen.app.is_running)
    assert server.store.find("qwen3:8b") is None


@pytest.mark.usefixtures("_patient")
async def test_one_stays_when_the_delete_before_quitting_fails(
    open_app: OpenApp, server: SandboxServer
) -> None:
    server.faults.set("/api/delete", EndpointMode.HTTP_500)
    async with open_app() as screen:
        await delete_and_ask_to_quit(screen)
        await screen.press("d")
        await screen.sees("Could not delete qwen3:8b")
        assert screen.app.is_running


@pytest.mark.usefixtures("_patient")
async def test_enter_and_escape_stay_and_the_delete_can_still_be_taken_back(
    open_app: OpenApp, server: SandboxServer
) -> None:
    async with open_app() as screen:
        await delete_and_ask_to_quit(screen)
        await screen.sees("deleting qwen3:8b once you have answered")
        await screen.press("enter")
        await screen.sees("u undoes")
        await screen.press("u")
        await screen.sees("Taken back: qwen3:8b stays")
    assert server.count("/api/delete") == 0


@pytest.mark.usefixtures("_patient")
async def test_a_delete_that_is_taken_back_gives_the_marks_back(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.press("j", "space", "space")
        await screen.sees("2 marked")
        await screen.press("d", "y")
        await screen.sees("u undoes")
        await screen.misses("2 marked")
        await screen.press("u")
        await screen.sees("2 marked")


async def test_nothing_is_deleted_while_the_question_is_read(
    open_app: OpenApp, server: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletion, "UNDO_S", 1.0)
    async with open_app() as screen:
        await delete_and_ask_to_quit(screen)
        pending = screen.service.deletions.pending[0]
        await screen.until(lambda: screen.service.now() > pending.due_at)
        await screen.settle()
        assert server.count("/api/delete") == 0
        await screen.press("escape")
        await screen.until(lambda: server.store.find("qwen3:8b") is None)


@pytest.mark.usefixtures("_patient")
async def test_quitting_asks_about_downloads_and_deletes_together(
    open_app: OpenApp, server: SandboxServer
) -> None:
    server.faults.script_pull("qwen3:14b", [{"status": "pulling manifest"}])
    async with open_app(size=(80, 24)) as screen:
        screen.service.enqueue("qwen3:14b")
        await screen.service.deletions.delete_later(["qwen3:8b", "mistral:7b"])
        await screen.press("q")
        await screen.sees(
            "Quit and stop 1 download?",
            "mistral:7b",
            "They stay installed if you quit (q); d deletes them now and quits.",
            "The queue is not kept",
            "Stay (esc)",
            "Quit, keep them (q)",
            "Delete, quit (d)",
        )


async def test_those_that_are_not_in_memory_can_be_deleted_alone(
    open_app: OpenApp, server: SandboxServer
) -> None:
    async with open_app() as screen:
        await screen.sees("1 loaded")
        await screen.press("space", "space", "d")
        await screen.sees("Unload and delete (u)", "Delete the other 1 (y)")
        await screen.press("y")
        await screen.sees("30 of 30")
        assert "llama3.2:3b" in screen.names()
        assert "qwen3:8b" not in screen.names()


async def test_several_of_which_some_fail_are_told_apart(
    open_app: OpenApp, server: SandboxServer
) -> None:
    server.faults.set("/api/delete", EndpointMode.HTTP_500, times=1)
    async with open_app() as screen:
        await screen.press("j", "space", "space", "d")
        await screen.sees("Delete 2 models?")
        await screen.press("y")
        await screen.sees("Deleted 1 of 2 models", "qwen3:8b stays: Could not delete")


async def test_memory_that_cannot_be_asked_is_said_and_does_not_forbid(
    open_app: OpenApp, server: SandboxServer
) -> None:
    async with open_app() as screen:
        server.faults.set("/api/ps", EndpointMode.HTTP_500)
        await screen.press("j", "d")
        await screen.sees("Delete 1 model?", "Whether it is in memory cannot be known now.")
        await screen.press("y")
        await screen.until(lambda: server.store.find("qwen3:8b") is None)


async def test_a_second_name_frees_no_space_and_the_question_says_so(
    open_app: OpenApp, server: SandboxServer
) -> None:
    server.store.copy("qwen3:8b", "mine")
    async with open_app() as screen:
        await screen.press(*"j" * screen.names().index("mine:latest"), "d")
        await screen.sees("Delete 1 model?", "Frees no space: other models share its files.")


async def test_marks_that_a_filter_hides_are_told_before_a_delete(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.press("space", "slash")
        await screen.type("qwen3:8b")
        await screen.press("enter", "d")
        await screen.sees(
            "Delete 1 model?", "Marked, 1 of them hidden by the filter:", "llama3.2:3b"
        )


async def open_at(view: View, name: str) -> Screen:
    """The screen with its settings read, and the cursor on a model."""
    screen = view.screen
    await screen.until(lambda: screen.app.settings.effective is not None)
    await screen.until(lambda: name in screen.names())
    await screen.press(*"j" * screen.names().index(name))
    return screen


async def test_the_question_offers_to_switch_the_default_and_deletes_nothing_then(
    open_view: OpenView, server: SandboxServer
) -> None:
    async with open_view() as view:
        screen = await open_at(view, "llama3.1:8b")
        await screen.press("d")
        told = await screen.sees("Delete 1 model?", "model.default names llama3.1:8b; s has it")
        assert "Switch default (s)" in told
        general = (await screen.service.consequences(["llama3.1:8b"])).routing
        await screen.press("s")
        await screen.sees("enter saves", f"default: {general.successor}")
        await screen.press("enter")
        await screen.sees(f"The default is {general.successor} now; d asks again.")
        assert f"default: {general.successor}  # the usual" in view.user.read_text()
        assert screen.service.deletions.pending == ()
        assert server.count("/api/delete") == 0


@pytest.mark.parametrize(("more", "is_offered"), [((), True), (("space", "space"), False)])
async def test_every_answer_has_room_on_a_small_terminal(
    open_view: OpenView, more: tuple[str, ...], is_offered: bool
) -> None:
    text = "model: {default: 'llama3.2:3b'}"  # which is in memory
    async with open_view(user_text=text, size=(80, 24)) as view:
        screen = await open_at(view, "llama3.2:3b")
        await screen.sees("1 loaded")
        await screen.press(*more, "d")
        told = await screen.sees("model.default names llama3.2:3b", "Keep (esc)", "delete (u)")
        assert ("Switch default (s)" in told) is is_offered
        assert ("Delete the other 1 (y)" in told) is not is_offered


async def test_overrides_that_would_name_nothing_are_told_before_a_delete(
    open_view: OpenView,
) -> None:
    text = "model: {routing: {overrides: {code: 'codellama:7b', fast: 'codellama:7b'}}}"
    async with open_view(user_text=text) as view:
        screen = await open_at(view, "codellama:7b")
        await screen.press("d")
        told = await screen.sees(
            "Delete 1 model?", "The overrides of code, fast would name what is not installed."
        )
        assert "Switch default" not in told


@pytest.mark.parametrize("key", ["escape", "n", "enter"])
async def test_the_answer_at_hand_deletes_nothing(
    open_app: OpenApp, server: SandboxServer, key: str
) -> None:
    async with open_app() as screen:
        await screen.press("j", "d")
        await screen.sees("Delete 1 model?", "Keep (esc)", "Delete (y)")
        await screen.press(key)
        await screen.misses("Delete 1 model?")
        assert screen.service.deletions.pending == ()
    assert server.count("/api/delete") == 0
