"""Sends a prompt to the model that a profile picks, and shows the answer as it comes.

Who answers and why, with which options and who set them, how fast: all in one dialog. Whatever
happens to the answer is told here; leaving ends it.
"""

import asyncio
import time
from contextlib import aclosing
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static, TextArea
from textual.worker import Worker, get_current_worker

from ollm_tui.core.error import OllmError
from ollm_tui.core.generation import AnswerPart
from ollm_tui.core.text import clean_line
from ollm_tui.service.service import ModelService
from ollm_tui.ui import work
from ollm_tui.ui.answer import AnswerView
from ollm_tui.ui.answer_text import measures_text, options_text
from ollm_tui.ui.screens.dialog import Dialog

if TYPE_CHECKING:
    from ollm_tui.routing.decision import Decision
    from ollm_tui.service.generation import PromptPlan

DRAW_EVERY_S = 0.1
COPIED_CHARACTERS = 1_000_000
"""Of an answer, its end; a terminal takes no more anyway."""
_TYPING = "enter sends   ctrl+j new line   tab to the answer and the profiles   esc closes"
_READING = "←→ profile   r again   y copy   tab to the prompt   esc closes"
_RUNNING = "esc cancels the answer"


class PromptField(TextArea):
    """Several lines; enter sends them."""

    class Submitted(Message):
        """The prompt is to be sent."""

    async def _on_key(self, event: events.Key) -> None:
        # Enter cannot be told from shift+enter on most terminals, but from ctrl+j on all.
        if event.key == "enter":
            event.prevent_default()
            event.stop()
            self.post_message(self.Submitted())
        elif event.key == "ctrl+j":
            event.prevent_default()
            event.stop()
            self.insert("\n")
        else:
            await super()._on_key(event)


class Answer(AnswerView):
    """The answer, and the keys for when it has the focus."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "screen.profile(-1)", show=False),
        Binding("right", "screen.profile(1)", show=False),
        Binding("r,enter", "screen.send", show=False),
        Binding("y", "screen.copy", show=False),
        Binding("q", "screen.leave", show=False),
    ]


class TryPromptScreen(Dialog[None]):
    """A prompt and its answer.

    Args:
        service: routes, sends and measures.
        profile: whose model answers at first; None = the default profile's.
        tried: decides instead of the profile as it is, until another profile is chosen.
    """

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False)]

    def __init__(
        self, service: ModelService, profile: str | None = None, tried: "Decision | None" = None
    ) -> None:
        super().__init__()
        self._service = service
        self._profile = profile
        self._tried = tried
        self._answering: Worker[None] | None = None
        self._timer: Timer | None = None
        self._sent_at_s = 0.0
        self._last: AnswerPart | None = None
        self._waiting: list[tuple[str, str]] = []
        """Pieces that have come since the last drawing, each with its style."""
        self._text = ""
        self._state = ""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(id="plan", markup=False)
            yield PromptField(id="prompt", show_line_numbers=False, soft_wrap=True)
            yield Answer(id="answer")
            yield Static(id="measures", markup=False)
            yield Static(Content(_TYPING), classes="hint", markup=False)

    def on_mount(self) -> None:
        field = self.query_one(PromptField)
        field.border_title = "Prompt"
        self.set_focus(field)  # at once, for what is typed meanwhile
        self.query_one(Answer).border_title = "Answer"
        self._title(None)
        self._replan()

    def on_unmount(self) -> None:
        if self._answering is not None:
            self._answering.cancel()

    # Keys.

    def action_leave(self) -> None:
        """Cancel the answer; with none under way, close."""
        if self._answering is None:
            self.dismiss()
        else:
            self._answering.cancel()
            self._end("cancelled", "The answer was cancelled.", "warn")

    def action_profile(self, by: int) -> None:
        """Have the next profile pick the model, or the previous one."""
        if self._answering is not None:
            self.notify("esc cancels the answer first", timeout=2)
            return
        work.run(self, self._turn_profile(by), "prompt plan", exclusive=True)

    @on(PromptField.Submitted)
    def action_send(self) -> None:
        """Send the prompt."""
        prompt = self.query_one(PromptField).text
        if self._answering is not None:
            return
        if not prompt.strip():
            self.notify("Type a prompt first", timeout=2)
            self.query_one(PromptField).focus()
            return
        self.query_one(Answer).clear()
        self.query_one(Answer).focus()
        self._last, self._text, self._state = None, "", "waiting"
        self._sent_at_s = time.monotonic()
        self._timer = self.set_interval(DRAW_EVERY_S, self._draw)
        self._answering = work.run(self, self._answer(prompt), "prompt", exclusive=True)
        self._hint()
        self._draw()

    def action_copy(self) -> None:
        """Copy the answer, without the thinking."""
        if not self._text:
            self.notify("There is no answer to copy yet", timeout=2)
            return
        self.app.copy_to_clipboard(self._text)
        self.notify("Copied the answer", timeout=2)

    @on(events.DescendantFocus)
    def _focus_moved(self) -> None:
        self._hint()

    # Who would answer.

    def _replan(self) -> None:
        work.run(self, self._show_plan(), "prompt plan", exclusive=True)

    async def _turn_profile(self, by: int) -> None:
        await self._service.prepare_router()
        router = self._service.router
        names = [profile.name for profile in router.list_profiles()]
        current = self._profile or router.config.default_profile
        at = names.index(current) if current in names else -1
        self._profile, self._tried = names[(at + by) % len(names)], None
        await self._show_plan()

    async def _show_plan(self) -> None:
        try:
            await self._plan()
        except OllmError as error:
            self._show_reasons([(error.message, "bold $text-error")], error)

    async def _plan(self) -> "PromptPlan":
        """Decide by what is known now, and show that.

        Raises:
            OllmError: nobody can answer.
        """
        service = self._service
        await service.prompts.support()
        if service.models.as_of is None:
            await service.list_models()
        await service.prepare_router()
        decision = self._tried or service.explain(self._profile)
        self._title(decision)
        plan = await service.prompts.plan(decision)
        lines = [(decision.summary, "")]
        if self._tried is not None:
            lines.append(
                ("By what is tried in the simulator; nothing of it is saved.", "$text-warning")
            )
        lines += [(f"⚠ {remark.message}", "$text-warning") for remark in decision.warnings]
        self._show_reasons([*lines, (options_text(plan.options), "$text-muted")])
        return plan

    def _title(self, decision: "Decision | None") -> None:
        title = "Try a prompt"
        if decision is not None:
            model = "nothing fits" if decision.model is None else clean_line(decision.model)
            title += f" ─ {clean_line(decision.profile)} → {model}"
        self.query_one(".dialog").border_title = Content(title)

    def _show_reasons(self, lines: list[tuple[str, str]], error: OllmError | None = None) -> None:
        if error is not None:
            lines = [*lines, (error.cause, "$text-muted")]
            lines += [(action, "$text-accent") for action in error.actions]
        shown = [Content.styled(text, style) for text, style in lines if text]
        self.query_one("#plan", Static).update(Content("\n").join(shown))

    # The answer.

    async def _answer(self, prompt: str) -> None:
        worker = get_current_worker()
        state, words = "failed", ""
        try:
            plan = await self._plan()
            async with aclosing(self._service.prompts.send(plan, prompt)) as parts:
                async for part in parts:
                    self._take(part)
            state = "done"
        except OllmError as error:
            words = "\n".join(_lines(error))
        except asyncio.CancelledError:
            state = ""  # whoever cancelled it says so
            raise
        finally:
            if state and self._answering is worker:
                self._end(state, words, "bad")

    def _take(self, part: AnswerPart) -> None:
        """Keep a piece for the next drawing."""
        self._last = part
        self._state = "thinking" if part.thinking else "answering"
        for text, style in ((part.thinking, "dim"), (part.text, "")):
            if text:
                self._waiting.append((text, style))

    def _end(self, state: str, words: str = "", style: str = "") -> None:
        """Draw what is left, and what to know of it."""
        self._answering = None
        if self._timer is not None:
            self._timer.stop()
        self._state = state
        for warning in self._last.warnings if self._last else ():
            self._waiting.append((f"\n⚠ {warning.message}", "warn"))
        if words:
            self._waiting.append((f"\n{words}", style))
        self._draw()
        self._hint()

    def _draw(self) -> None:
        """Show what has come; ten times a second at most, however fast it comes."""
        view = self.query_one(Answer)
        waiting, self._waiting = self._waiting, []
        for style, text in _joined(waiting):
            view.add(text, style)
        self._text = (self._text + "".join(text for text, style in waiting if not style))[
            -COPIED_CHARACTERS:
        ]
        view.border_title = Content(f"Answer ─ {self._state}")
        facts = measures_text(self._last.measures) if self._last is not None else []
        if self._last is None and self._answering is not None:
            elapsed_s = time.monotonic() - self._sent_at_s
            facts = [f"no token yet after {elapsed_s:.1f} s; a model that is loading takes longer"]
        measures = self.query_one("#measures", Static)
        measures.update(Content("\n".join(_filled(facts, measures.content_size.width))))

    def _hint(self) -> None:
        if self._answering is not None:
            text = _RUNNING
        else:
            text = _TYPING if isinstance(self.focused, PromptField) else _READING
        self.query_one(".hint", Static).update(Content(text))


def _filled(facts: list[str], width: int) -> list[str]:
    """As many facts to a line as fit, none of them broken."""
    lines: list[str] = []
    for fact in facts:
        if lines and len(lines[-1]) + len(fact) + 2 <= width:
            lines[-1] += f", {fact}"
        else:
            lines.append(fact)
    return lines


def _joined(pieces: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Neighbours of one style as one, style first."""
    joined: list[tuple[str, list[str]]] = []
    for text, style in pieces:
        if joined and joined[-1][0] == style:
            joined[-1][1].append(text)
        else:
            joined.append((style, [text]))
    return [(style, "".join(texts)) for style, texts in joined]


def _lines(error: OllmError) -> list[str]:
    return [line for line in (error.message, error.cause, *error.actions) if line]
