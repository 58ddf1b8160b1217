"""Trying a prompt, key by key: the answer, its options and speed, and whatever can go wrong."""

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from textual.app import App, ComposeResult

from ollm_tui.core.generation import EffectiveOptions, OptionInForce
from ollm_tui.providers.ollama import OllamaProvider
from ollm_tui.sandbox.faults import CUT
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.service.service import ModelService
from ollm_tui.ui import answer
from ollm_tui.ui.answer import AnswerView
from ollm_tui.ui.app import OllmApp
from ollm_tui.ui.screens.try_prompt import Answer, TryPromptScreen
from tests.ui.conftest import OpenApp
from tests.ui.screen import Screen
from tests.unit.service.fake import FakeProvider, model

OpenDialog = Callable[..., AbstractAsyncContextManager[Screen]]
MODEL = "codellama:7b"


def said(content: str = "", **more: object) -> Mapping[str, object]:
    return {"message": {"role": "assistant", "content": content}, "done": False, **more}


DONE = said(done=True, done_reason="stop", prompt_eval_count=3)


def options_for(name: str) -> EffectiveOptions:
    who = OptionInForce("topK", 4, "options.topK", "user", "~/.ollm/config.yaml:3:9")
    return EffectiveOptions({"topK": 4}, {}, (who,))


@pytest.fixture
def open_dialog(server: SandboxServer) -> OpenDialog:
    """Opens the dialog for the profile `code`, through the Router pane, unless told otherwise."""

    @asynccontextmanager
    async def opened(
        dialog: Callable[[ModelService], TryPromptScreen] | None = None,
        *,
        size: tuple[int, int] = (120, 40),
        provider: FakeProvider | None = None,
    ) -> AsyncIterator[Screen]:
        service = ModelService(provider or OllamaProvider(server.host), options_for=options_for)
        app = OllmApp(service)
        async with app.run_test(size=size, notifications=True) as pilot:
            screen = Screen(app, pilot)
            await screen.until(lambda: service.models.as_of is not None)
            if dialog is None:
                await screen.press("4")
                await screen.sees("general →")
                await screen.press("right", "t")
            else:
                app.push_screen(dialog(service))
            await screen.sees("Try a prompt")
            yield screen

    return opened


async def send(screen: Screen, prompt: str = "hello") -> None:
    await screen.type(prompt)
    await screen.press("enter")


def asked(server: SandboxServer) -> list[Mapping[str, object]]:
    """The bodies of the chats that the server was asked for."""
    return [
        item.body
        for item in server.requests
        if item.path == "/api/chat" and isinstance(item.body, dict)
    ]


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_a_prompt_is_answered_by_the_routed_model_with_its_options(
    open_dialog: OpenDialog, server: SandboxServer, size: tuple[int, int]
) -> None:
    async with open_dialog(size=size) as screen:
        await screen.sees(
            f"Try a prompt ─ code → {MODEL}",
            f"{MODEL}, because codellama is the 1st choice of code",
            "with topK 4 (~/.ollm/config.yaml:3:9)",
            "enter sends",
        )
        await send(screen, "why is it so")
        text = await screen.sees("Answer ─ done", "You asked about “why is it so”", "y copy")
        for part in ("first token after", "tokens/s", "prompt 5 tokens", "context 4,096"):
            assert part in text
        await screen.sees("was given 4,096 tokens of context", "set numCtx: 16384")
        (body,) = asked(server)
        assert body == {
            "model": MODEL,
            "messages": [{"role": "user", "content": "why is it so"}],
            "stream": True,
            "options": {"top_k": 4},
        }


async def test_the_answer_is_shown_as_it_comes_and_esc_cancels_before_it_closes(
    open_dialog: OpenDialog, server: SandboxServer
) -> None:
    script = server.faults.script_chat(MODEL, [said("Half an"), said(" answer"), DONE])
    async with open_dialog() as screen:
        await send(screen)
        await screen.sees("no token yet after", "esc cancels the answer")
        script.advance(1)
        await screen.sees("Half an", "Answer ─ answering", "first token after")
        await screen.press("right")  # another profile has to wait
        await screen.sees("esc cancels the answer first")
        await screen.press("escape")
        await screen.sees("Answer ─ cancelled", "Half an", "The answer was cancelled.")
        assert await script.until_ended()
        assert script.sent == 1
        await screen.press("escape")
        await screen.misses("Try a prompt ─")


async def test_an_answer_can_be_asked_for_again_at_once(
    open_dialog: OpenDialog, server: SandboxServer
) -> None:
    script = server.faults.script_chat(MODEL, [said("first"), said("never")])
    script.advance(1)
    async with open_dialog() as screen:
        await send(screen)
        await screen.sees("first")
        server.faults.script_chat(MODEL, [said("second"), DONE]).advance(2)
        await screen.press("escape", "r")
        await screen.sees("second", "Answer ─ done")
        assert "first" not in screen.text.replace("first token", "")
        assert await script.until_ended()
        assert [body["messages"] for body in asked(server)] == [
            [{"role": "user", "content": "hello"}]
        ] * 2


@pytest.mark.parametrize(
    ("end", "words"),
    [(CUT, "broke"), ({"error": "out of memory"}, "out of memory")],
)
async def test_an_answer_that_breaks_off_stays_with_what_went_wrong_and_can_be_tried_again(
    open_dialog: OpenDialog, server: SandboxServer, end: object, words: str
) -> None:
    items = [said("Half an answer"), end]
    server.faults.script_chat(MODEL, items).advance(2)  # type: ignore[arg-type]
    async with open_dialog() as screen:
        await send(screen)
        await screen.sees("Answer ─ failed", "Half an answer", words)
        server.faults.script_chat(MODEL, [said("All of it"), DONE]).advance(2)
        await screen.press("r")
        text = await screen.sees("Answer ─ done", "All of it")
        assert words not in text


async def test_a_model_that_vanishes_is_told_and_the_next_try_routes_anew(
    open_dialog: OpenDialog, server: SandboxServer
) -> None:
    async with open_dialog() as screen:
        await screen.sees(f"code → {MODEL}")
        assert server.store.remove(MODEL)
        await send(screen)
        await screen.sees("Answer ─ failed", f"{MODEL} is not installed")
        await screen.until(lambda: MODEL not in {m.name for m in screen.service.models.models})
        await screen.press("r")
        await screen.sees("code → codellama:latest", "Answer ─ done")


async def test_a_provider_that_answers_nothing_says_what_to_start(
    open_dialog: OpenDialog,
) -> None:
    async with open_dialog(TryPromptScreen, provider=FakeProvider(model("qwen3:8b"))) as screen:
        await screen.sees("Prompts cannot be answered here", "ollama serve")
        await send(screen)
        await screen.sees("Answer ─ failed")
        await screen.press("escape")
        await screen.misses("Prompts cannot be answered here")


async def test_a_server_that_has_gone_is_told(
    open_dialog: OpenDialog, server: SandboxServer
) -> None:
    async with open_dialog() as screen:
        await screen.sees(MODEL)
        server.stop()
        await send(screen)
        await screen.sees("Answer ─ failed", "ollama serve")


async def test_nothing_that_fits_names_the_next_step(
    open_dialog: OpenDialog, server: SandboxServer
) -> None:
    async with open_dialog(
        lambda s: TryPromptScreen(s, "code", s.explain(model="nothing:1b"))
    ) as screen:
        await screen.sees("nothing fits", "nothing:1b is not installed", "ollm-tui pull nothing:1b")
        await send(screen)
        await screen.sees("Answer ─ failed")
        assert asked(server) == []


async def test_what_is_tried_decides_until_another_profile_is_chosen(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.press("4")
        while "code → codellama:7b" not in screen.text:
            await screen.press("right")
            await screen.settle()
        await screen.press("w")
        await screen.sees("▸ context")
        await screen.press("plus", "t")
        await screen.sees("Try a prompt ─ code → qwen2.5-coder:7b", "By what is tried")
        await screen.misses("asked for by name")
        await screen.press("tab", "right")
        await screen.misses("By what is tried")
        await screen.press("left")
        await screen.sees("Try a prompt ─ code → codellama:7b")


async def test_enter_sends_and_ctrl_j_begins_a_line(
    open_dialog: OpenDialog, server: SandboxServer
) -> None:
    async with open_dialog() as screen:
        await screen.press("enter")
        await screen.sees("Type a prompt first")
        await screen.type("one")
        await screen.press("ctrl+j")
        await send(screen, "two")
        await screen.sees("Answer ─ done")
        assert asked(server)[0]["messages"] == [{"role": "user", "content": "one\ntwo"}]


async def test_y_copies_the_answer_without_the_thinking(
    open_dialog: OpenDialog, server: SandboxServer
) -> None:
    thought = {"message": {"content": "", "thinking": "hm"}, "done": False}
    server.faults.script_chat(MODEL, [thought, said("The an"), said("swer"), DONE]).advance(4)
    async with open_dialog() as screen:
        await screen.press("tab", "y")
        await screen.sees("There is no answer to copy yet")
        await screen.press("tab")
        await send(screen)
        await screen.sees("Answer ─ done", "hm", "The answer")
        await screen.press("y")
        await screen.sees("Copied the answer")
        assert screen.app.clipboard == "The answer"


async def test_what_a_model_says_is_drawn_as_it_is(
    open_dialog: OpenDialog, server: SandboxServer
) -> None:
    hostile = "[bold]a[/x] [@click=app.quit]b[/] \x1b]0;t\x07\u202e 漢字 e" + "\u0301" * 50
    server.faults.script_chat(MODEL, [said(hostile), DONE]).advance(2)
    async with open_dialog() as screen:
        await send(screen)
        text = await screen.sees("[bold]a[/x] [@click=app.quit]b[/] �]0;t�� 漢字 e")
        assert "\x1b" not in text
        assert "\u202e" not in text


async def test_however_fast_an_answer_comes_it_is_drawn_ten_times_a_second(
    open_dialog: OpenDialog, server: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    added: list[str] = []
    add = AnswerView.add

    def counted(self: AnswerView, text: str, style: str = "") -> None:
        added.append(text)
        add(self, text, style)

    monkeypatch.setattr(Answer, "add", counted)
    pieces = [said(f"{number} ") for number in range(400)]
    script = server.faults.script_chat(MODEL, [*pieces, DONE])
    async with open_dialog() as screen:
        await send(screen)
        began_s = time.monotonic()
        script.advance(401)
        await screen.sees("Answer ─ done")
        elapsed_s = time.monotonic() - began_s
    assert "".join(added).startswith("".join(f"{number} " for number in range(400)))
    assert len(added) <= elapsed_s / 0.1 + 3  # and one for the end, one for its warning


async def test_a_key_pressed_while_an_answer_comes_is_answered(
    open_dialog: OpenDialog, server: SandboxServer
) -> None:
    lines = [said(f"line {number}\n") for number in range(100)]
    script = server.faults.script_chat(MODEL, [*lines, said("one more\n"), said("the last"), DONE])
    script.advance(100)
    async with open_dialog() as screen:
        await send(screen)
        await screen.sees("line 99")  # it stays at the end by itself
        await screen.press("g")
        await screen.sees("line 0")
        script.advance(1)
        await screen.until(lambda: "one more" in screen.app.screen.query_one(Answer).text)
        await screen.pilot.pause()
        assert "one more" not in screen.text  # whoever reads above is left alone
        await screen.press("G")
        await screen.sees("one more")
        script.advance(1)
        await screen.sees("the last")


async def test_leaving_the_program_ends_the_answer(
    open_dialog: OpenDialog, server: SandboxServer
) -> None:
    script = server.faults.script_chat(MODEL, [said("a"), said("never")])
    script.advance(1)
    async with open_dialog() as screen:
        await send(screen)
        await screen.sees("Answer ─ answering")
        screen.app.exit()
    assert await script.until_ended()


async def test_before_the_models_are_known_the_dialog_asks_for_them(
    open_app: OpenApp, server: SandboxServer
) -> None:
    server.faults.hold("/api/tags")
    async with open_app(wait=False) as screen:
        screen.app.push_screen(TryPromptScreen(screen.service, "code"))
        await screen.sees("Try a prompt")
        server.faults.free("/api/tags")
        await screen.sees(f"code → {MODEL}")


class _Page(App[None]):
    def compose(self) -> ComposeResult:
        yield AnswerView(id="answer")


async def test_an_endless_answer_takes_bounded_memory_and_keeps_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(answer, "KEPT_CHARACTERS", 2000)
    monkeypatch.setattr(answer, "KEPT_LINES", 50)
    async with _Page().run_test(size=(40, 12)) as pilot:
        view = pilot.app.query_one(AnswerView)
        for number in range(1000):
            view.add(f"line {number} ")
            view.add("\n" if number % 3 else "thought\n", "" if number % 2 else "dim")
        view.add("x" * 5000 + "end")
        assert len(view.text) <= 2000 + 1003
        assert view.text.endswith("xend")
        assert len(view.items) <= 53
        assert view.items[0][0].startswith("… what came before")
        await pilot.resize_terminal(60, 12)
        await pilot.pause()
        assert len(view.items) <= 53
        assert view.items[-1][0].endswith("end")
        view.clear()
        assert (view.text, len(view.items)) == ("", 0)
