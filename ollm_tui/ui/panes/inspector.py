"""Everything about the model under the cursor, section by section."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from textual.content import Content
from textual.timer import Timer

from ollm_tui.core.error import OllmError, ProviderError
from ollm_tui.core.event import ModelsState
from ollm_tui.core.model import UNKNOWN_FAMILY, ModelDetails, ModelFile, ModelInfo, Problem
from ollm_tui.service.service import ModelService
from ollm_tui.ui import format as words
from ollm_tui.ui import keymap, work
from ollm_tui.ui.fit_words import fit_lines, limit_words
from ollm_tui.ui.keymap import named
from ollm_tui.ui.no_answer import no_answer, ways_on
from ollm_tui.ui.panes import unread
from ollm_tui.ui.text_pane import Text, TextPane

RESTS_AFTER_S = 0.06
SECTIONS = ("Overview", "Parameters", "Template", "Licence", "Metadata", "Files")


class InspectorPane(TextPane):
    """Pane 3."""

    BINDINGS = keymap.bindings(keymap.INSPECTOR)

    def __init__(self, service: ModelService) -> None:
        super().__init__(id="inspector")
        self._service = service
        self._model: ModelInfo | None = None
        self._problem: Problem | None = None
        self._details: ModelDetails | None = None
        self._error: OllmError | None = None
        self._files: tuple[ModelFile, ...] | OllmError | None = None
        self.memory_bytes: int | None = None
        """Of the machine that runs the models; None = nobody knows."""
        self._budget_bytes: int | None = None
        self._section = 0
        self._resting: Timer | None = None
        self.border_title = Content("3 Inspector")

    @property
    def model(self) -> ModelInfo | None:
        """The model that is shown."""
        return self._model

    def follow(self, item: ModelInfo | Problem | None) -> None:
        """Show what is known of a row at once; ask for the rest when the cursor rests on it."""
        if self._resting is not None:
            self._resting.stop()
        self.show(item)
        if isinstance(item, ModelInfo):
            self._resting = self.set_timer(
                RESTS_AFTER_S,
                lambda: work.run(self, self.load(item), "inspect", exclusive=True),
            )

    async def load(self, model: ModelInfo) -> None:
        """Ask for the details of a model and draw them, or why there are none."""
        try:
            details = await self._service.show_model(model.name)
        except OllmError as error:
            self.show(model, error=error)
        else:
            self.show(model, details)

    def show(
        self,
        item: ModelInfo | Problem | None,
        details: ModelDetails | None = None,
        error: OllmError | None = None,
    ) -> None:
        """Draw one model: what the list says at once, the details when they are in.

        Args:
            item: a model, or what could not be read as one and why.
        """
        self._problem = item if isinstance(item, Problem) else None
        model = item if isinstance(item, ModelInfo) else None
        is_same = _is_same(model, self._model)
        if details is None and error is None and is_same:
            details = self._details  # what is on screen stays until there is news
        if not is_same:
            self.scroll_home(animate=False)
            self._files = None
        self._model, self._details, self._error = model, details, error
        self._draw()
        self._ask_files()

    def respell(self) -> None:
        self._draw()

    def know_memory(self, memory_bytes: int | None) -> None:
        """Learn how much memory there is where the models run; None = nobody knows."""
        self.memory_bytes = memory_bytes
        self._draw()

    def know_budget(self, budget_bytes: int | None) -> None:
        """Learn which limit is set for the memory of models; None = none is."""
        if budget_bytes != self._budget_bytes:
            self._budget_bytes = budget_bytes
            self._draw()

    def action_section(self, by: int) -> None:
        """Show the next section, or the previous one."""
        self._section = (self._section + by) % len(SECTIONS)
        self.scroll_home(animate=False)
        self._draw()
        self._ask_files()

    def _ask_files(self) -> None:
        """Ask for the files once their section is in view: it means reading every manifest."""
        model = self._model
        if model is not None and self._files is None and SECTIONS[self._section] == "Files":
            work.run(self, self._load_files(model), "files", exclusive=True)

    async def _load_files(self, model: ModelInfo) -> None:
        found: tuple[ModelFile, ...] | OllmError
        try:
            found = await self._service.model_files(model.name)
        except OllmError as error:
            found = error
        if _is_same(model, self._model):
            self._files = found
            self._draw()

    def _draw(self) -> None:
        model = self._model
        if model is None:
            self.border_title, self.border_subtitle = Content("3 Inspector"), Content("")
            if self._problem is None:
                self.set_text(_nothing(self._service.models))
            else:
                self.set_text(unread.about(self._problem))
            return
        following = SECTIONS[(self._section + 1) % len(SECTIONS)]
        self.border_subtitle = Content(f"{named('inspector.next')} {following}")
        section = SECTIONS[self._section]
        where = f"{section} {self._section + 1}/{len(SECTIONS)} ─ " if self._section else ""
        self.border_title = Content(f"3 Inspector ─ {where}{model.display_name}")
        self.set_text(self._text(section, model))

    def _text(self, section: str, model: ModelInfo) -> Iterator[Text]:
        if self._error is not None and section != "Files":
            # First, since in a small pane nothing below the facts is in sight.
            yield from _failure(self._error)
            yield Text("")
        if section == "Overview":
            info = self._details.info if self._details else model
            memory = self.memory_bytes, self._budget_bytes
            yield from _overview(info, model, self._service.now(), memory)
            if self._details is not None:
                yield from _asides(self._details)
        if section == "Files":
            yield from _file_texts(self._files)
        elif self._details is None:
            if self._error is None:
                yield Text("asking …", "dim")
        elif section != "Overview":
            yield from _section(section, self._details)


def _is_same(left: ModelInfo | None, right: ModelInfo | None) -> bool:
    if left is None or right is None:
        return left is right
    return (left.name, left.digest) == (right.name, right.digest)


def _overview(
    info: ModelInfo, listed: ModelInfo, now: datetime, memory: tuple[int | None, int | None]
) -> Iterator[Text]:
    yield Text(info.display_name, "accent")
    facts = [
        None if info.family == UNKNOWN_FAMILY else info.family,
        None if info.parameters_billions is None else words.parameters(info.parameters_billions),
        info.quantization,
        "on another machine" if listed.remote else f"{words.size(listed.size_bytes)} on disk",
    ]
    yield Text(" · ".join(fact for fact in facts if fact))
    yield Text("")
    yield from _context(info, listed)
    yield from _fit(info, listed, *memory)
    yield from _capabilities(info)
    yield Text("loaded ●" if listed.loaded else "not loaded", label="now")
    if info.architecture and info.architecture != info.family:
        yield Text(info.architecture, label="built as")
    if info.modified_at is not None:
        ago = words.ago(info.modified_at, now)
        yield Text(f"{info.modified_at.astimezone():%Y-%m-%d %H:%M}, {ago}", label="changed")
    if source := words.source(listed.name):
        yield Text(source, label="source")
    if listed.digest:
        yield Text(listed.digest[:12], label="digest")


def _context(info: ModelInfo, listed: ModelInfo) -> Iterator[Text]:
    trained = info.context_window
    if trained is None:
        yield Text("unknown", label="context")
        return
    is_assumed = info.sources.get("context_window") == "default"
    yield Text(f"{trained:,} {'assumed' if is_assumed else 'trained'}", label="context")
    served = listed.served_context_tokens or info.served_context_tokens
    if served and served < trained:
        yield Text(f"{served:,} served ⚠ longer prompts are cut", "warn", label=" ")
    elif served:
        yield Text(f"{served:,} served", label=" ")
    elif not listed.remote:
        yield Text("served: known when loaded", "dim", label=" ")


def _fit(
    info: ModelInfo, listed: ModelInfo, memory_bytes: int | None, budget_bytes: int | None
) -> Iterator[Text]:
    served = listed.served_context_tokens or info.served_context_tokens
    known = replace(
        info,
        size_bytes=listed.size_bytes or info.size_bytes,
        remote=listed.remote,
        served_context_tokens=served,
    )
    label = "memory"
    for text, style in fit_lines(known, memory_bytes):
        yield Text(text, style, label=label)
        label = " "
    if limit := limit_words(known, memory_bytes, budget_bytes):
        yield Text(limit, "dim", label="router")


def _file_texts(files: "tuple[ModelFile, ...] | OllmError | None") -> Iterator[Text]:
    if files is None:
        yield Text("asking …", "dim")
    elif isinstance(files, OllmError):
        yield from _failure(files)
    else:
        for file in files:
            yield Text(f"{words.size(file.size_bytes)}, {file.size_bytes:,} bytes", label=file.kind)
            yield Text(file.digest, "dim")
            if file.shared_with:
                yield Text(f"shared with {', '.join(file.shared_with)}", "accent")
        alone = sum(file.size_bytes for file in files if not file.shared_with)
        yield Text("")
        yield Text(f"{words.size(alone)} of it are this model's alone", "dim")


def _capabilities(info: ModelInfo) -> Iterator[Text]:
    can = info.capabilities
    if can is None:
        yield Text("unknown", label="can")
        return
    marks = [
        f"{name} {'✓' if has else '–'}"
        for name, has in (
            ("tools", can.tool_calling),
            ("vision", can.vision),
            ("streaming", can.streaming),
            ("thinking", can.thinking),
        )
    ]
    yield Text("  ".join(marks[:2]), label="can")
    yield Text("  ".join(marks[2:]), label=" ")
    if info.embedding_only:
        yield Text("for embeddings only", "warn", label=" ")
    if info.base_model:
        yield Text("a base model: continues text, does not chat", "warn", label=" ")


def _asides(details: ModelDetails) -> Iterator[Text]:
    if details.requires:
        yield Text(f"Ollama {details.requires}", label="requires")
    for label, text in (("system", details.system), ("licence", details.license)):
        if lines := text.strip().splitlines():
            yield Text(lines[0], label=label)


def _nothing(state: ModelsState) -> Iterator[Text]:
    """Why there is no model to show."""
    if state.models:
        yield Text("No model is under the cursor.", "dim")
    elif state.loading:
        yield Text("Asking the server …", "dim")
    elif state.error is not None:
        yield Text("No models to inspect.")
        yield from (Text(*line) for line in no_answer(state.error))
    else:
        yield Text("No models to inspect yet.")
        yield Text(f"{named('app.pull')} pulls one by name", "dim")


def _section(section: str, details: ModelDetails) -> Iterator[Text]:
    if section == "Parameters":
        for name, value in details.parameters:
            yield Text(f"{name} {value}")
        if not details.parameters:
            yield Text("This model sets no parameters of its own.", "dim")
    elif section == "Metadata":
        for name, fact in sorted(details.info.metadata.items()):
            yield Text(f"{name} {fact}")
        if not details.info.metadata:
            yield Text("The server tells no metadata.", "dim")
    else:
        text = details.template if section == "Template" else details.license
        yield Text(text or f"This model has no {section.lower()}.", "" if text else "dim")


def _failure(error: OllmError) -> Iterator[Text]:
    yield Text(error.message, "bad")
    if error.cause:
        yield Text(error.cause)
    for action in error.actions:
        yield Text(action, "dim")
    if isinstance(error, ProviderError):
        yield Text(ways_on(), "dim")
