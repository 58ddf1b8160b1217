"""The pull dialog: what it completes from, and what it says before anything is asked for."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from textual.widgets import Input, OptionList

from ollm_tui.core.model import ModelCapabilities, ModelInfo
from ollm_tui.core.progress import PullState
from ollm_tui.providers.local.provider import LocalProvider
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.service.queue_store import EndedDownload
from ollm_tui.service.service import ModelService
from ollm_tui.ui import format as words
from ollm_tui.ui.app import OllmApp
from ollm_tui.ui.panes.inspector import InspectorPane
from tests.store_builder import install, made_model
from tests.ui.conftest import OpenApp
from tests.ui.screen import Screen

GB = 10**9
BIG = ModelInfo("qwen3:14b", size_bytes=9_300_000_000, context_window=40_960)


def known(name: str) -> ModelInfo | None:
    return BIG if name == BIG.name else None


async def test_installed_names_complete_and_say_so(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.press("p")
        await screen.type("llava")
        await screen.sees("llava:7b", "installed, 4.7 GB; pulls its update")
        await screen.press("down", "tab")
        await screen.sees("llava:7b ")


async def test_recent_names_come_first(open_app: OpenApp, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_app() as screen:
        ended = EndedDownload(
            "hf.co/me/own:q4", PullState.CANCELLED, 0, datetime(2026, 1, 1, tzinfo=UTC)
        )

        async def history(count: int) -> tuple[EndedDownload, ...]:
            return (ended,)

        monkeypatch.setattr(screen.service.downloads, "history", history)
        await screen.press("p")
        text = await screen.sees("hf.co/me/own:q4", "cancelled ", " ago")
        assert text.index("hf.co/me/own:q4") < text.index("~9.3 GB")


async def test_fit_is_told_although_the_memory_became_known_with_the_dialog_open(
    open_app: OpenApp,
) -> None:
    async with open_app() as screen:
        screen.app._known = known
        await screen.press("p")
        await screen.sees("qwen3:14b: about 9.3 GB")
        screen.app._main.query_one(InspectorPane).know_memory(24 * GB)
        await screen.type("qwen3:14b")
        await screen.sees("fits in 24.0 GB of memory at 4k")


async def test_size_and_fit_are_told_before_confirming(
    open_app: OpenApp, server: SandboxServer
) -> None:
    async with open_app() as screen:
        screen.app._known = known
        screen.app._main.query_one(InspectorPane).know_memory(24 * GB)
        await screen.press("p")
        await screen.sees("qwen3:14b: about 9.3 GB", "free space unknown")
        await screen.sees("fits in 24.0 GB of memory at 4k")
        await screen.type("qwen3:14b nobody:1b")
        await screen.sees("2 models: about 9.3 GB and 1 model of unknown size")
        assert server.count("/api/pull") == 0


async def test_too_little_room_is_asked_about_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "registry.ollama.ai/library/one/latest", made_model())
    service = ModelService(LocalProvider(tmp_path))

    async def free_bytes() -> int:
        return 5 * GB

    monkeypatch.setattr(service, "free_bytes", free_bytes)
    asked: list[str] = []
    monkeypatch.setattr(service, "enqueue", asked.append)
    app = OllmApp(service, known=known)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = Screen(app, pilot)
        await screen.sees("1 of 1")
        await screen.press("p")
        await screen.type("qwen3:14b")
        await screen.sees("5.0 GB free")
        await screen.press("enter")
        await screen.sees("About 9.3 GB are needed on disk, and 5.0 GB are free. Enter again")
        assert not asked
        await screen.press("enter")
        await screen.misses("Pull models")
        assert asked == ["qwen3:14b"]


async def test_what_would_never_run_here_is_asked_about_once(open_app: OpenApp) -> None:
    async with open_app() as screen:
        screen.app._known = known
        screen.app._main.query_one(InspectorPane).know_memory(10 * GB)
        await screen.press("p")
        await screen.type("phi3:mini qwen3:14b")
        await screen.press("enter")
        await screen.sees("qwen3:14b needs about 10.2 GB of memory, and there are 10.0 GB. Enter")
        assert not screen.service.queue.items
        await screen.press("enter")
        await screen.until(lambda: queued(screen) == {"phi3:mini", "qwen3:14b"})


async def test_a_question_that_was_typed_over_is_asked_again(open_app: OpenApp) -> None:
    async with open_app() as screen:
        screen.app._known = known
        screen.app._main.query_one(InspectorPane).know_memory(10 * GB)
        await screen.press("p")
        await screen.type("qwen3:14b")
        await screen.press("enter")
        await screen.sees("Enter again")
        await screen.press("backspace")
        await screen.misses("Enter again")
        await screen.press("b", "enter")
        await screen.sees("Enter again")
        assert not screen.service.queue.items


async def test_what_is_asked_about_one_model_is_no_answer_for_another_of_its_size(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def free_bytes() -> int:
        return 5 * GB

    async with open_app() as screen:
        names = ["qwen3:14b", "qwen3:14b-fp16"]
        screen.app._known = lambda name: replace(BIG, name=name) if name in names else None
        screen.app._suggest = lambda word: [(name, "") for name in names]
        monkeypatch.setattr(screen.service, "free_bytes", free_bytes)
        await screen.press("p")
        await screen.sees("5.0 GB free")
        await screen.press("down", "up", "enter")
        await screen.sees("Enter again")
        await screen.press("down", "enter")
        await screen.settle()
        await screen.sees("Pull models")
        assert not screen.service.queue.items
        await screen.press("enter")
        await screen.until(lambda: queued(screen) == {names[1]})


async def test_what_barely_fits_is_pulled_at_once(open_app: OpenApp) -> None:
    async with open_app() as screen:
        screen.app._known = known
        screen.app._main.query_one(InspectorPane).know_memory(11 * GB)
        await screen.press("p")
        await screen.type("qwen3:14b")
        await screen.sees("tight in 11.0 GB")
        await screen.press("enter")
        await screen.until(lambda: queued(screen) == {"qwen3:14b"})


async def test_too_little_room_and_memory_are_one_question(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def free_bytes() -> int:
        return 5 * GB

    async with open_app() as screen:
        screen.app._known = known
        screen.app._main.query_one(InspectorPane).know_memory(10 * GB)
        monkeypatch.setattr(screen.service, "free_bytes", free_bytes)
        await screen.press("p")
        await screen.sees("5.0 GB free")
        await screen.type("qwen3:14b")
        await screen.press("enter")
        await screen.sees("needs about 10.2 GB of memory", "on disk, and 5.0 GB are free")
        await screen.press("enter")
        await screen.until(lambda: queued(screen) == {"qwen3:14b"})


async def test_too_little_room_names_what_could_be_deleted_until_something_else_is_said(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def free_bytes() -> int:
        return 5 * GB

    async with open_app(size=(80, 24)) as screen:
        screen.app._known = known
        monkeypatch.setattr(screen.service, "free_bytes", free_bytes)
        unused = await screen.service.unused_models()
        assert len(unused) == 3
        await screen.press("p")
        await screen.type("qwen3:14b")
        await screen.sees("5.0 GB free")
        await screen.press("enter")
        text = await screen.sees("Not in use, and no profile's choice: ", "makes room: 1 goes to")
        joined = " ".join(line.strip("│ ") for line in text.splitlines())
        assert all(name in joined for one in unused for name in one.names)
        assert words.unused(unused) in joined  # all of it, though it takes two lines
        await screen.press("backspace")
        await screen.misses("Not in use")
        await screen.sees("enter pulls, several by")


async def test_a_store_tells_its_free_space(tmp_path: Path) -> None:
    service = ModelService(LocalProvider(tmp_path))
    free_bytes = await service.free_bytes()
    assert free_bytes is not None
    assert free_bytes > 0
    await service.close()


async def test_several_are_queued_at_once(open_app: OpenApp, server: SandboxServer) -> None:
    async with open_app() as screen:
        await screen.press("p")
        await screen.type("qwen3:14b phi3:mini")
        await screen.press("enter")
        await screen.until(lambda: len(screen.service.queue.items) == 2)


@pytest.mark.parametrize(
    "typed", ["qwen3:14b,phi3:mini", "qwen3:14b, phi3:mini", ",qwen3:14b,,phi3:mini "]
)
async def test_commas_part_names_as_well(open_app: OpenApp, typed: str) -> None:
    async with open_app() as screen:
        await screen.press("p")
        await screen.type(typed)
        await screen.press("enter")
        await screen.until(lambda: queued(screen) == {"qwen3:14b", "phi3:mini"})


async def test_a_comma_begins_the_next_name(open_app: OpenApp) -> None:
    async with open_app() as screen:
        screen.app._suggest = lambda word: [("qwen3:14b", "")] if word == "qw" else []
        await screen.press("p")
        await screen.type("phi3:mini,qw")
        await screen.sees("qwen3:14b")
        await screen.press("tab", "enter")
        await screen.until(lambda: queued(screen) == {"qwen3:14b", "phi3:mini"})


@pytest.mark.parametrize("word", ["picture", "wen"])
async def test_a_word_that_no_name_begins_with_is_looked_for_and_not_pulled(
    open_app: OpenApp, word: str
) -> None:
    async with open_app() as screen:
        screen.app._suggest = lambda word: [("qwen3:14b", "sees pictures")]
        await screen.press("p")
        await screen.type(word)
        await screen.sees(f"  {word} ")
        await screen.settle()
        assert "qwen3:14b: 1 model of unknown size" in screen.text  # as enter takes that
        await screen.press("ctrl+u")
        await screen.type(f"phi3:mini {word}")
        await screen.press("enter")
        await screen.sees("phi3:mini qwen3:14b", f"“{word}” finds this", f"{word}:latest")
        assert not screen.service.queue.items
        await screen.press("enter")
        await screen.until(lambda: queued(screen) == {"phi3:mini", "qwen3:14b"})


@pytest.mark.parametrize("typed", ["picture ", "picture, phi3:mini", "phi3:mini picture cap:tools"])
async def test_a_word_before_the_last_is_asked_about_if_it_finds_models_and_names_none(
    open_app: OpenApp, typed: str
) -> None:
    async with open_app() as screen:
        screen.app._suggest = lambda word: (
            [("qwen3:14b", "sees pictures")] if word == "picture" else []
        )
        await screen.press("p")
        await screen.type(typed)
        await screen.press("enter")
        await screen.sees("No known model is named picture; the word finds qwen3:14b. Enter again")
        assert not screen.service.queue.items
        await screen.press("enter")
        await screen.until(lambda: "picture:latest" in queued(screen))


def about_pictures(words: str) -> list[tuple[str, str]]:
    """A catalogue of two, searched as the real one is."""
    texts = {"qwen3:14b": "sees small pictures", "llava:13b": "sees pictures"}
    return [
        (name, text)
        for name, text in texts.items()
        if all(word in f"{name} {text}" for word in words.split())
    ]


@pytest.mark.parametrize(
    ("typed", "left"),
    [
        ("small pictures", "qwen3:14b"),
        ("phi3:mini small pictures", "phi3:mini qwen3:14b"),
        ("phi3:mini pictures small", "phi3:mini qwen3:14b"),
        ("size<10G small cap:streaming pictures", "qwen3:14b"),
        ("pictures size<10G", "qwen3:14b"),
        ("qwen size<10G", "qwen3:14b"),
        ("small,pictures", "small qwen3:14b"),  # a comma parts names
        ("qwen3 small", "qwen3 qwen3:14b"),  # a name begins so
        ("small phi3:mini,pictures", "small phi3:mini qwen3:14b"),
    ],
)
async def test_several_words_are_looked_for_together(
    open_app: OpenApp, typed: str, left: str
) -> None:
    capable = replace(BIG, capabilities=ModelCapabilities(streaming=True))
    async with open_app() as screen:
        screen.app._suggest = about_pictures
        screen.app._known = lambda name: capable if name == BIG.name else None
        await screen.press("p")
        await screen.type(typed)
        await screen.press("enter")
        field = screen.app.screen.query_one(Input)
        await screen.until(lambda: field.value == left)
        assert not screen.service.queue.items


async def test_a_name_of_ones_own_is_pulled_whatever_conditions_are_beside_it(
    open_app: OpenApp,
) -> None:
    async with open_app() as screen:
        screen.app._suggest = about_pictures
        await screen.press("p")
        await screen.type("mine size<10G")
        await screen.press("enter")
        await screen.until(lambda: queued(screen) == {"mine:latest"})


async def test_a_question_goes_with_the_names_it_was_about(open_app: OpenApp) -> None:
    async with open_app() as screen:
        other = ModelInfo("qwen3:15b", size_bytes=BIG.size_bytes)
        screen.app._suggest = lambda word: [(BIG.name, ""), (other.name, "")]
        screen.app._known = lambda name: {BIG.name: BIG, other.name: other}.get(name)
        screen.app._main.query_one(InspectorPane).know_memory(10 * GB)
        await screen.press("p")
        await screen.type("qwen3:14b")
        await screen.press("enter")
        await screen.sees("qwen3:14b needs about 10.2 GB", "Enter again")
        await screen.press("down")
        await screen.misses("Enter again")
        await screen.press("enter")
        await screen.sees("qwen3:15b needs about 10.2 GB", "Enter again")
        assert not screen.service.queue.items


async def test_a_name_with_its_tag_is_pulled_whatever_is_on_offer(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.press("p")
        await screen.type("picture:latest")
        await screen.press("enter")
        await screen.until(lambda: queued(screen) == {"picture:latest"})


async def test_conditions_leave_what_meets_them_and_enter_names_it_before_it_is_pulled(
    open_app: OpenApp,
) -> None:
    async with open_app() as screen:
        screen.app._known = known
        await screen.press("p")
        await screen.type("size<1G")
        await screen.misses("~9.3 GB")
        await screen.press("backspace", "backspace")
        await screen.type("10G")
        await screen.sees("~9.3 GB", "qwen3:14b: about 9.3 GB")
        await screen.press("enter")  # nobody has named a model yet
        await screen.sees("│ ▊  qwen3:14b", "qwen3:14b: about 9.3 GB")
        assert not screen.service.queue.items
        await screen.press("enter")
        await screen.until(lambda: [i.name for i in screen.service.queue.items] == ["qwen3:14b"])


async def test_a_condition_that_is_none_says_what_would_be_one(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.press("p")
        await screen.type("cap:tols")
        await screen.sees(
            "There is no capability “tols”; did you mean tools? Valid are tools, vision"
        )
        await screen.press("enter")
        await screen.sees("Pull models")
        assert not screen.service.queue.items


async def test_enter_takes_what_an_arrow_has_picked_else_what_is_typed(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await screen.press("p")
        await screen.type("phi3:mini qwen")
        await screen.sees("~9.3 GB")
        await screen.press("down", "up", "enter")
        await screen.until(lambda: queued(screen) == {"phi3:mini", "qwen3:14b"})
        await screen.press("p")
        await screen.type("qwen")
        await screen.press("enter")
        await screen.until(lambda: "qwen:latest" in queued(screen))


def queued(screen: Screen) -> set[str]:
    return {item.name for item in screen.service.queue.items}


@pytest.mark.parametrize(("size", "least", "most"), [((120, 40), 14, 14), ((80, 24), 7, 7)])
async def test_many_suggestions_make_the_dialog_no_taller_than_what_is_in_it(
    open_app: OpenApp, size: tuple[int, int], least: int, most: int
) -> None:
    async with open_app(size=size) as screen:
        screen.app._suggest = lambda word: [(f"model-{n:02}:1b", "one of many") for n in range(60)]
        await screen.press("p")
        await screen.sees("model-00:1b", "esc leaves")
        dialog = screen.app.screen.query_one(".dialog")
        assert least <= screen.app.screen.query_one(OptionList).size.height <= most
        in_it = sum(child.outer_size.height for child in dialog.children)
        assert dialog.size.height == in_it
