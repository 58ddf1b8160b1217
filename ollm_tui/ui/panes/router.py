"""Which model a routing profile would pick, and why each other one is not it."""

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from textual.content import Content

from ollm_tui.core.event import ModelsState
from ollm_tui.core.model import ModelInfo
from ollm_tui.core.text import clean_line
from ollm_tui.service.service import ModelService
from ollm_tui.ui import format as words
from ollm_tui.ui import keymap, work
from ollm_tui.ui.rows import Piece, RowList, fit_name, fit_text

if TYPE_CHECKING:
    from ollm_tui.routing.decision import Candidate, Decision

_GLYPHS: dict[str, Piece] = {
    "selected": ("✔", "good"),
    "eligible": ("•", ""),
    "dropped": ("✘", "bad"),
}
_WIDEST_NAME = 30


class _Line(NamedTuple):
    """A line of the trace: words, or one candidate."""

    number: int
    text: str = ""
    style: str = ""
    candidate: "Candidate | None" = None


class RouterPane(RowList[_Line]):
    """Pane 4."""

    BINDINGS = keymap.bindings(keymap.ROUTER)
    HEADER = False

    def __init__(self, service: ModelService) -> None:
        super().__init__(id="router", key=lambda line: line.number, classes="pane")
        self._service = service
        self._profile = ""
        self._is_ready = False
        self._models: tuple[ModelInfo, ...] | None = None
        self.border_title = Content("4 Router")

    def show(self, state: ModelsState) -> None:
        """Ask the router again, if the models are others; once the list of them is drawn."""
        if state.as_of is None:
            self.set_items((), [("Waiting for the models …", "dim")])
        elif state.models is not self._models and not state.loading:
            self._models = state.models
            self.call_after_refresh(lambda: work.run(self, self._prepare(), "route"))

    def action_profile(self, by: int) -> None:
        """Ask for the next profile, or the previous one."""
        if not self._is_ready:
            return
        names = [profile.name for profile in self._service.router.list_profiles()]
        at = names.index(self._profile) if self._profile in names else -1
        self._profile = names[(at + by) % len(names)]
        self._decide()
        self.action_jump(0)

    def action_try_prompt(self) -> None:
        """Send a prompt to the model that the profile picks."""
        from ollm_tui.ui.screens.try_prompt import TryPromptScreen

        self.app.push_screen(TryPromptScreen(self._service, self._profile or None))

    def on_resize(self) -> None:
        super().on_resize()
        # The sentence is wrapped to the pane.
        if self._models is not None:
            self._decide()

    def pieces(self, line: _Line, width: int) -> list[Piece]:
        candidate = line.candidate
        if candidate is None:
            return [(fit_text(line.text, width), line.style)]
        glyph, style = _GLYPHS[candidate.verdict.value]
        name_width = min(_WIDEST_NAME, max(8, width * 2 // 5))
        name = fit_name(clean_line(candidate.model), name_width)
        context = words.context(candidate.context_window).rjust(5)
        said = candidate.detail
        if candidate.verdict.value != "dropped" and candidate.slot is not None:
            said = f"{candidate.family} slot {candidate.slot}  {said}"
        room = max(0, width - name_width - 9)
        return [
            (f"{glyph} ", style),
            (f"{name} ", "" if style != "bad" else "dim"),
            (f"{context} ", "dim"),
            (fit_text(said, room), "dim"),
        ]

    async def _prepare(self) -> None:
        await self._service.prepare_router()
        self._is_ready = True
        self._decide()

    def _decide(self) -> None:
        if not self._is_ready:
            return
        self._profile = self._profile or self._service.router.config.default_profile
        decision = self._service.explain(self._profile)
        model = "nothing fits" if decision.model is None else clean_line(decision.model)
        self.border_title = Content(f"4 Router ─ {clean_line(decision.profile)} → {model}")
        trace = enumerate(self._trace(decision))
        self.set_items([line._replace(number=number) for number, line in trace])

    def _trace(self, decision: "Decision") -> Iterator[_Line]:
        width = max(10, self.room - 1)

        def say(text: str, style: str = "") -> Iterator[_Line]:
            return (_Line(0, line, style) for line in textwrap.wrap(text, width))

        yield from say(decision.summary, "" if decision.model else "bad")
        if decision.error is not None:
            for action in decision.error.actions:
                yield from say(action, "accent")
        for warning in decision.warnings:
            yield from say(f"⚠ {warning.message}", "warn")
        for hop in decision.hops:
            profile = hop.profile
            needs = [f"≥ {profile.min_context_window:,} tokens", *profile.required_capabilities]
            yield _Line(0)
            yield from say(f"{clean_line(profile.name)}: {', '.join(needs)}", "accent")
            for candidate in hop.candidates:
                yield _Line(0, candidate=candidate)
