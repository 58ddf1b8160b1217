"""The Router pane, question by question, on a made-up server; every view at both sizes."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from ollm_tui.cli.setup import Setup
from ollm_tui.core.model import ModelInfo
from ollm_tui.providers.ollama import OllamaProvider
from ollm_tui.routing.router import Router
from ollm_tui.routing.scenario import CaseResult, read_scenarios, run_scenarios
from ollm_tui.routing.situation import Situation
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.sandbox.timing import INSTANT
from ollm_tui.service.service import ModelService
from ollm_tui.ui.app import OllmApp
from ollm_tui.ui.panes.installed import InstalledPane
from ollm_tui.ui.panes.router import RouterPane
from ollm_tui.ui.simulator import slices
from tests.ui.configured import OpenView
from tests.ui.conftest import OpenApp
from tests.ui.screen import Screen

WIDE, NARROW = (120, 40), (80, 24)
both_sizes = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["120x40", "80x24"])


def pane(screen: Screen) -> RouterPane:
    """The router's pane."""
    return screen.app.screen_stack[0].query_one(RouterPane)


async def to_router(screen: Screen, *keys: str) -> None:
    """Go to the router, wait for its first answer, and press keys."""
    await screen.until(lambda: pane(screen).scene is not None)
    await screen.press("4", *keys)


def cursor_line(screen: Screen) -> str:
    """What the line under the cursor says."""
    router = pane(screen)
    assert router.item is not None
    return "".join(text for text, _ in router.pieces(router.item, 100))


async def move_to(screen: Screen, text: str) -> None:
    """Put the cursor on the first line that says `text`."""
    router = pane(screen)
    for index, line in enumerate(router.items):
        if text in "".join(piece for piece, _ in router.pieces(line, 100)):
            router.move_to(index)
            await screen.pilot.pause()
            return
    raise AssertionError(f"no line says {text!r}:\n{screen.text}")


@both_sizes
async def test_the_trace_says_the_rule_that_settled_each_model(
    open_app: OpenApp, size: tuple[int, int]
) -> None:
    async with open_app(size=size) as screen:
        await to_router(screen, "e")
        text = await screen.sees("explained", "SETTLED BY", "wins", "size: 8B")
        assert "1. general: ≥ 8,192 tokens" in text
        await screen.press("G")
        await screen.sees(
            "✘ nomic-embed-text:latest", "prompts: ", "EMBEDDING_ONLY: answers no prompts"
        )


@both_sizes
async def test_escape_leads_back_to_the_small_trace(
    open_app: OpenApp, size: tuple[int, int]
) -> None:
    async with open_app(size=size) as screen:
        await to_router(screen, "m")
        await screen.sees("─ matrix", "CHOSEN BY")
        await screen.press("escape")
        await screen.misses("─ matrix")
        if size == WIDE:
            await screen.sees("1 Installed ─")


async def test_the_key_of_a_view_leads_back_too(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await to_router(screen, "e")
        await screen.sees("explained")
        await screen.press("e")
        await screen.misses("explained")


@both_sizes
async def test_a_fix_is_tried_and_gives_the_promised_winner(
    open_app: OpenApp, size: tuple[int, int]
) -> None:
    async with open_app(size=size) as screen:
        await to_router(screen, "f")
        await screen.sees("Smallest change", "mistral:7b", "Reorder the families")
        await screen.misses("asking the router")
        await move_to(screen, "qwen3:8b")
        await screen.press("enter")
        await screen.sees("general → qwen3:8b", "what if: 1 change", "1. Reorder the families")
        await screen.press("u")
        await screen.sees("general → llama3.3:70b", "nothing is saved")


@both_sizes
async def test_the_ends_of_the_form_keep_the_answer_in_sight(
    open_app: OpenApp, size: tuple[int, int]
) -> None:
    async with open_app(size=size) as screen:
        await to_router(screen, "w")
        await screen.sees("What decides for general")
        assert cursor_line(screen).startswith(" context")
        await move_to(screen, "needs vision")
        await screen.press("space", "G")
        await screen.sees("now llama3.3:70b → what if gemma3:12b")
        assert cursor_line(screen).startswith(" memory")
        await screen.press("g")  # past the answers, on which enter does nothing
        await screen.until(lambda: cursor_line(screen).startswith(" context"))
        await screen.sees("now llama3.3:70b → what if", "llama3.3:70b, because")


async def test_the_form_has_the_cursor_when_something_is_tried_already(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await to_router(screen, "w")
        await move_to(screen, "needs vision")
        await screen.press("space")
        await screen.sees("→ gemma3:12b")
        await screen.press("escape", "w")
        await screen.sees("→ gemma3:12b")
        await screen.until(lambda: cursor_line(screen).startswith(" context"))
        await screen.press("k")  # the answers can be gone to all the same
        assert cursor_line(screen).startswith("general")


async def test_what_refuses_a_key_takes_the_place_of_what_refused_the_last(
    open_app: OpenApp,
) -> None:
    async with open_app() as screen:
        await to_router(screen, "w")
        await move_to(screen, "needs vision")
        await screen.press("x")
        await screen.sees("nothing to take out")
        await screen.press("J")
        await screen.sees("Only a preferred family")
        await screen.misses("nothing to take out")
        await screen.press("2", "x")
        await screen.sees("Nothing is being downloaded.")
        await screen.misses("Only a preferred family")


@both_sizes
async def test_the_legend_of_the_matrix_is_in_sight_with_it(
    open_app: OpenApp, size: tuple[int, int]
) -> None:
    async with open_app(size=size) as screen:
        await to_router(screen, "m")
        text = await screen.sees("✔ chosen", "C context too small")
        assert text.index("✔ chosen") < text.index("▸")
        await screen.press("G")
        await screen.sees("no profile picks it; E embedding only")


@both_sizes
async def test_what_would_need_too_much_memory_says_so_in_every_view(
    open_view: OpenView, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Setup, "memory_bytes", lambda _: 24 * 10**9)
    limit = "the limit is 18.0 GB, three"
    async with open_view(size=size) as view:
        screen = view.screen
        await to_router(screen, "f")
        await screen.sees("Prefer command in general")
        (row,) = screen.lines("Prefer command in general")
        assert "⚠" in row
        assert not any("⚠" in line for line in screen.lines("Prefer phi in general"))
        await screen.sees("Raise the memory budget")
        assert not any("⚠" in line for line in screen.lines("Raise the memory budget"))
        await move_to(screen, "Prefer command in general")
        await screen.sees("⚠ command-r:35b needs about")
        await screen.press("enter")
        text = await screen.sees("─ what if", "⚠ command-r:35b needs about", limit)
        assert text.index("⚠") < text.index("What decides for")
        await screen.press("f")
        await screen.sees("─ fixes", "⚠ command-r:35b needs about", limit)


async def test_enter_on_a_model_of_the_trace_asks_why_not(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await to_router(screen)
        await move_to(screen, "codellama:7b")
        await screen.press("enter")
        await screen.sees("─ fixes", "Make codellama:7b the override of general.")
        item = pane(screen).item
        assert item is not None
        assert item.key == ("fix", "codellama:7b", 0)


async def test_a_model_that_nothing_makes_win_is_said_so(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await to_router(screen)
        await move_to(screen, "nomic-embed-text")
        await screen.press("enter")
        await screen.sees("No single change makes nomic-embed-text:latest win.")


@both_sizes
async def test_the_form_steps_switches_moves_and_takes_back(
    open_app: OpenApp, size: tuple[int, int]
) -> None:
    async with open_app(size=size) as screen:
        await to_router(screen, "w")
        await screen.sees("nothing is saved", "What decides for general", "context")
        await screen.press("plus")
        await screen.sees("≥ 16,384 tokens", "Raise minContextWindow", "what if: 1 change")
        await screen.press("minus")
        await screen.press("minus")
        await screen.sees("≥ 4,096 tokens")
        await move_to(screen, "needs vision")
        await screen.press("space")
        await screen.sees("Require vision for general", "general → gemma3:12b")
        await screen.press("backspace")
        await screen.sees("nothing is saved", "general → llama3.3:70b")
        await move_to(screen, "family 2")
        await screen.press("K")
        await screen.sees("general → mistral", "Reorder the families of general: mistral, llama")
        await screen.press("x")
        await screen.sees("general → llama3.3:70b")
        await screen.press("u", "ctrl+r")
        await screen.sees("what if: 2 changes")


async def test_a_field_takes_what_is_typed_and_refuses_nonsense(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await to_router(screen, "w", "enter")
        await screen.sees("Context that general asks for")
        await screen.type("abc")
        await screen.press("enter")
        await screen.sees("Give a number of tokens, such as 16k")
        await screen.press("ctrl+u")
        await screen.type("100k")
        await screen.press("enter")
        await screen.sees("≥ 100,000 tokens", "what if: 1 change")


async def test_a_model_is_tried_without_a_download_and_taken_out(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await to_router(screen, "w")
        await move_to(screen, "add model")
        await screen.press("enter")
        await screen.sees("without a download")
        await screen.type("qwen3:14b")
        await screen.press("enter")
        await screen.sees("Install qwen3:14b", "tried, not installed")
        await move_to(screen, "+ model")
        await screen.press("x")
        await screen.misses("tried, not installed")
        await move_to(screen, "without")
        await screen.press("enter")
        await screen.type("llama3.3:70b")
        await screen.press("enter")
        await screen.sees("Delete llama3.3:70b", "creative", "llama3.1:8b")
        assert "qwen3:14b" not in screen.names()
        assert "llama3.3:70b" in [model.name for model in screen.service.models.models]


async def test_routing_off_answers_with_the_default_or_says_there_is_none(
    open_app: OpenApp,
) -> None:
    async with open_app() as screen:
        await to_router(screen, "w")
        await move_to(screen, "routing")
        await screen.press("space")
        await screen.sees("general → nothing fits", "model.default is not set")


@both_sizes
async def test_the_matrix_marks_winners_and_orphans(
    open_app: OpenApp, size: tuple[int, int]
) -> None:
    async with open_app(size=size) as screen:
        await to_router(screen, "m")
        await screen.sees("fast", "general", "code", "creative", "CHOSEN BY", "orphan")
        row = next(line for line in screen.lines("llama3.3:70b") if "✔" in line)
        assert row.count("✔") == 2
        await screen.sees("✔ chosen", "• would do", "C context too small")
        await move_to(screen, "codellama:7b")
        await screen.press("enter")
        await screen.sees("explained")
        item = pane(screen).item
        assert item is not None
        assert item.item.model == "codellama:7b"


@both_sizes
async def test_breakpoints_are_a_strip_and_numbers_and_can_be_tried(
    open_app: OpenApp, size: tuple[int, int]
) -> None:
    async with open_app(size=size) as screen:
        await to_router(screen, "right", "b")
        await screen.sees("▲ 16k asked for", "◆ ", "code → codellama:7b")
        await move_to(screen, "32,769 to")
        await screen.press("enter")
        await screen.sees("▲ 32769 asked for", "code → deepseek-r1:14b", "what if: 1 change")


async def test_the_difference_names_every_profile_that_changes(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await to_router(screen, "d")
        await screen.sees("Nothing is tried yet")
        await screen.press("w")
        await move_to(screen, "without")
        await screen.press("enter")
        await screen.type("llama3.3:70b")
        await screen.press("enter")
        await screen.sees("what if: 1 change")
        await screen.press("d")
        await screen.sees("general", "creative", "llama3.3:70b is not installed any more")
        await move_to(screen, "creative")
        await screen.press("enter")
        await screen.sees("what if: 1 change ─ crea")


async def test_what_is_tried_stays_when_the_models_are_others(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await to_router(screen, "w", "plus")
        await screen.sees("what if: 1 change")
        await screen.service.delete_model("llama3.3:70b")
        await screen.sees("what if: 1 change", "general → llama3.1:8b")


async def test_the_list_of_models_is_back_when_one_leaves_a_view(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await to_router(screen, "e")
        await screen.misses("2 Downloads ─")
        await screen.press("1")
        await screen.sees("1 Installed ─", "2 Downloads ─")


async def test_u_and_x_are_the_forms_only_in_the_form(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await to_router(screen, "x", "u", "space", "plus")
        assert pane(screen).scene is not None
        assert not pane(screen).scene.what_if.trials  # type: ignore[union-attr]  # just asserted


@both_sizes
@pytest.mark.parametrize("pause_s", [slices.SLICE_S, 0.0], ids=["as ever", "drawn at each find"])
async def test_what_is_found_later_has_the_cursor_on_its_first_line(
    open_app: OpenApp, size: tuple[int, int], pause_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "SLICE_S", pause_s)
    monkeypatch.setattr(slices, "SHOW_EVERY_S", pause_s)
    async with open_app(size=size) as screen:
        await to_router(screen, "f")
        await screen.sees("▸mistral:7b", "Reorder the families")
        await screen.press("enter")  # without a step down first
        await screen.sees("general → mistral:7b", "what if: 1 change")


async def test_what_is_tried_leaves_the_cursor_where_it_is_tried(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await to_router(screen)
        while "code → codellama:7b" not in screen.text:
            await screen.press("right")
            await screen.settle()
        await screen.press("w")
        await screen.sees("▸ context")
        for step, tokens in enumerate(("32,768", "65,536"), start=1):
            await screen.press("plus")
            await screen.sees(f"what if: {step} change", f"≥ {tokens} tokens", "code now drops")
            await screen.sees("▸*context")


async def test_cases_that_are_in_no_file_are_not_offered_to_scripts(open_app: OpenApp) -> None:
    book = Book()
    book.is_file = False
    async with open_app(scenarios=lambda: book) as screen:
        await to_router(screen, "T")
        await screen.sees("No cases in cases.yaml yet")
        assert "Scripts run them" not in screen.text


class Book:
    """Cases in memory."""

    path = "cases.yaml"
    is_file = True

    def __init__(self) -> None:
        self.cases: list[Mapping[str, object]] = []

    def run(self, router: Router, models: Sequence[ModelInfo]) -> Sequence[CaseResult]:
        if not self.cases:
            return ()
        return run_scenarios(read_scenarios({"cases": self.cases}), router, models)

    def record(self, case: Mapping[str, object]) -> None:
        self.cases.append(case)


@both_sizes
async def test_a_decision_is_kept_as_a_case_and_fails_when_something_else_is_tried(
    open_app: OpenApp, size: tuple[int, int]
) -> None:
    book = Book()
    async with open_app(size=size, scenarios=lambda: book) as screen:
        await to_router(screen, "T")
        await screen.sees("No cases in cases.yaml yet", "R keeps the decision", "Scripts run them")
        await screen.press("escape", "R")
        await screen.sees("Keep as a case: general → llama3.3:70b")
        await screen.press("enter")
        await screen.sees("1 case of cases.yaml: all pass", "✔ general gets llama3.3:70b")
        await screen.press("w")
        await move_to(screen, "without")
        await screen.press("enter")
        await screen.type("llama3.3:70b")
        await screen.press("enter")
        await screen.sees("what if: 1 change")
        await screen.press("T")
        await screen.sees("1 case of cases.yaml: 1 failed", "model: expected llama3.3:70b, got")


async def test_lint_has_nothing_to_say_of_the_shipped_profiles(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await to_router(screen, "i")
        await screen.sees("Nothing to find fault with")


async def test_the_decision_is_copied_in_four_forms(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_app() as screen:
        copied: list[str] = []
        monkeypatch.setattr(screen.app, "copy_to_clipboard", copied.append)
        await to_router(screen, "y")
        await screen.until(lambda: len(copied) == 1)
        assert "✔ llama3.3:70b" in copied[0]
        for number, key in enumerate(("j", "m", "y"), 2):
            await screen.press("P")
            await screen.sees("Copy the decision as", "Markdown (m)")
            await screen.press(key)
            await screen.until(lambda number=number: len(copied) == number)  # type: ignore[misc]
        assert '"model": "llama3.3:70b"' in copied[1]
        assert "| " in copied[2]
        assert "preferredFamilies" in copied[3]


async def test_what_is_tried_is_saved_with_its_consequences_shown_first(
    open_view: OpenView,
) -> None:
    async with open_view() as view:
        screen = view.screen
        await screen.until(lambda: screen.app.settings.effective is not None)
        await to_router(screen, "w")
        await move_to(screen, "family 2")
        await screen.press("K", "P")
        await screen.sees("Save what is tried, or copy?", "Save (s)")
        await screen.press("s")
        text = await screen.sees("Save 1 change", "general would choose mistral", "enter saves")
        assert "model.routing.profiles.general.preferredFamilies = [mistral, llama, qwen]" in text
        assert "profiles" not in view.user.read_text()
        await screen.press("enter")
        await screen.sees("Saved to ~/.ollm/config.yaml", "general → mistral")
        await screen.misses("what if: 1 change")
        assert "# the usual" in view.user.read_text()
        assert "preferredFamilies" in view.user.read_text()


async def test_a_model_becomes_the_override_of_the_profile_shown(open_view: OpenView) -> None:
    async with open_view() as view:
        screen = view.screen
        await screen.until(lambda: screen.app.settings.effective is not None)
        await to_router(screen, "right", "1")
        await screen.sees("code → codellama:7b")
        rows = screen.app.screen.query_one(InstalledPane)
        rows.move_to([model.name for model in rows.items].index("qwen2.5-coder:7b"))
        await screen.press("o")
        await screen.sees(
            "model.routing.overrides.code = qwen2.5-coder:7b",
            "code would choose qwen2.5-coder:7b instead of codellama:7b",
        )
        await screen.press("enter")
        await screen.sees("code → qwen2.5-coder:7b", "because an override")


async def test_a_save_that_is_left_changes_nothing(open_view: OpenView) -> None:
    async with open_view() as view:
        screen = view.screen
        await screen.until(lambda: screen.app.settings.effective is not None)
        before = view.user.read_text()
        await to_router(screen, "w", "plus", "P")
        await screen.sees("Save (s)")
        await screen.press("s")
        await screen.sees("Save 1 change", "enter saves")
        await screen.press("escape")
        await screen.sees("what if: 1 change")
        assert view.user.read_text() == before


async def test_a_virtual_model_is_no_setting(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await to_router(screen, "w")
        await move_to(screen, "without")
        await screen.press("enter")
        await screen.type("phi3:mini")
        await screen.press("enter")
        await screen.sees("what if: 1 change")
        await screen.press("P")
        await screen.sees("Copy the decision as", "1 change is no setting and cannot be saved.")


async def test_a_prompt_goes_to_the_model_that_is_being_tried(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await to_router(screen, "f")
        await screen.misses("asking the router")
        await move_to(screen, "qwen3:8b")
        await screen.press("enter")
        await screen.sees("general → qwen3:8b")
        await screen.press("t")
        await screen.sees("qwen3:8b", "Prompt", "enter sends")


async def test_no_prompt_goes_to_a_model_that_is_not_installed(open_app: OpenApp) -> None:
    async with open_app() as screen:
        await to_router(screen, "w")
        await move_to(screen, "add model")
        await screen.press("enter")
        await screen.type("llama3.1:405b")
        await screen.press("enter")
        await screen.sees("general → llama3.1:405b")
        await screen.press("t")
        await screen.sees("is only tried, not installed")


async def test_z11_an_old_servers_decision_is_provisional_until_the_details_are_in() -> None:
    with SandboxServer(timing=INSTANT, version="0.5") as server:
        gate = server.faults.hold("/api/show")
        service = ModelService(OllamaProvider(server.host))
        app = OllmApp(service)
        async with app.run_test(size=WIDE) as pilot:
            screen = Screen(app, pilot)
            await to_router(screen, "e")
            await screen.sees("Provisional: details of some models are still to come.")
            assert service.is_provisional
            gate.open()
            await screen.misses("Provisional")
            assert not service.is_provisional


async def test_a_profile_asked_for_while_the_router_is_asked_anew_stays(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_app() as screen:
        await screen.sees("4 Router ─ general →")
        situation, goes_on = screen.service.situation, asyncio.Event()

        async def ask_slowly(profile: str | None = None) -> Situation:
            found = await situation(profile)
            await goes_on.wait()
            return found

        monkeypatch.setattr(screen.service, "situation", ask_slowly)
        pane(screen).ask_again()
        await screen.press("4", "right")
        await screen.sees("4 Router ─ code →")
        goes_on.set()
        await screen.until(lambda: "route" not in {worker.group for worker in screen.app.workers})
        await screen.settle()
        assert "4 Router ─ code →" in screen.text


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("x", "There is nothing to take out on this line."),
        ("J", "Only a preferred family can be moved up or down."),
        ("plus", "This line has no next value"),
    ],
)
async def test_a_key_that_means_nothing_on_a_line_of_the_form_says_so(
    open_app: OpenApp, key: str, reason: str
) -> None:
    async with open_app() as screen:
        await to_router(screen, "w")
        await move_to(screen, "add family")
        await screen.press(key)
        await screen.sees(reason)
