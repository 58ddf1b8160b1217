"""Everything about the model under the cursor, section by section."""

from collections.abc import Iterator
from datetime import datetime

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from ollm_tui.core.error import OllmError
from ollm_tui.core.model import UNKNOWN_FAMILY, ModelDetails, ModelInfo
from ollm_tui.service.service import ModelService
from ollm_tui.ui import format as words
from ollm_tui.ui import keymap

SECTIONS = ("Overview", "Parameters", "Template", "Licence", "Metadata")
_LABEL = 10


class InspectorPane(VerticalScroll, can_focus=True):
    """Pane 3."""

    BINDINGS = keymap.bindings(keymap.INSPECTOR)

    def __init__(self, service: ModelService) -> None:
        super().__init__(id="inspector", classes="pane")
        self._service = service
        self._model: ModelInfo | None = None
        self._details: ModelDetails | None = None
        self._error: OllmError | None = None
        self._section = 0
        self._body = Static(markup=False)
        self.border_title = Content("3 Inspector")

    def compose(self) -> ComposeResult:
        yield self._body

    def show(
        self,
        model: ModelInfo | None,
        details: ModelDetails | None = None,
        error: OllmError | None = None,
    ) -> None:
        """Draw one model: what the list says at once, the details when they are in."""
        if model is None or self._model is None or model.name != self._model.name:
            self.scroll_home(animate=False)
        if details is None and error is None and _is_same(model, self._model):
            details = self._details  # what is on screen stays until there is news
        self._model, self._details, self._error = model, details, error
        self._draw()

    async def load(self, model: ModelInfo) -> None:
        """Ask for the details of a model and draw them, or why there are none."""
        try:
            details = await self._service.show_model(model.name)
        except OllmError as error:
            self.show(model, error=error)
        else:
            self.show(model, details)

    def action_section(self, by: int) -> None:
        self._section = (self._section + by) % len(SECTIONS)
        self.scroll_home(animate=False)
        self._draw()

    def _draw(self) -> None:
        model = self._model
        if model is None:
            self.border_title = Content("3 Inspector")
            self._body.update(Content.styled("Nothing selected.", "$text-muted"))
            return
        section = SECTIONS[self._section]
        where = f" ─ {section} {self._section + 1}/{len(SECTIONS)}" if self._section else ""
        self.border_title = Content(f"3 Inspector ─ {model.display_name}{where}")
        self._body.update(Content("\n").join(self._lines(section, model)))

    def _lines(self, section: str, model: ModelInfo) -> Iterator[Content]:
        if section == "Overview":
            yield from _overview(
                self._details.info if self._details else model, model, self._service.now()
            )
            if self._error is not None:
                yield Content("")
                yield from _failure(self._error)
            elif self._details is not None:
                yield from _asides(self._details)
                yield Content("")
                yield Content.styled("[ ]  parameters, template, licence …", "$text-muted")
            return
        if self._details is None:
            yield from (_failure(self._error) if self._error else [Content("asking …")])
            return
        yield from _section(section, self._details)


def _is_same(left: ModelInfo | None, right: ModelInfo | None) -> bool:
    if left is None or right is None:
        return left is right
    return (left.name, left.digest) == (right.name, right.digest)


def _field(label: str, value: str | Content, style: str = "") -> Content:
    text = value if isinstance(value, Content) else Content.styled(value, style)
    return Content.assemble((label.ljust(_LABEL), "$text-muted"), text)


def _overview(info: ModelInfo, listed: ModelInfo, now: datetime) -> Iterator[Content]:
    yield Content.styled(info.display_name, "bold")
    facts = [
        None if info.family == UNKNOWN_FAMILY else info.family,
        None if info.parameters_billions is None else words.parameters(info.parameters_billions),
        info.quantization,
        "runs elsewhere" if listed.remote else f"{words.size(listed.size_bytes)} on disk",
    ]
    yield Content(" · ".join(fact for fact in facts if fact))
    yield Content("")
    yield _field("context", _context(info, listed))
    for label, line in zip(("can", ""), _capabilities(info), strict=False):
        yield _field(label, line)
    if info.embedding_only:
        yield _field("", "for embeddings only", "$text-warning")
    if info.base_model:
        yield _field("", "a base model: continues text, does not chat", "$text-warning")
    yield _field("memory", "loaded ●" if listed.loaded else "not loaded")
    if info.architecture and info.architecture != info.family:
        yield _field("built as", info.architecture)
    if info.modified_at is not None:
        ago = words.age(info.modified_at, now)
        yield _field("changed", f"{info.modified_at.astimezone():%Y-%m-%d %H:%M}, {ago} ago")
    if listed.digest:
        yield _field("digest", listed.digest[:12])


def _context(info: ModelInfo, listed: ModelInfo) -> Content:
    if info.context_window is None:
        return Content("unknown")
    parts: list[Content | tuple[str, str]] = [Content(f"{info.context_window:,} trained")]
    served = listed.served_context_tokens or info.served_context_tokens
    if served:
        is_less = served < info.context_window
        parts.append((f" · {served:,} served{' ⚠' if is_less else ''}", "$text-warning" * is_less))
    if info.sources.get("context_window") == "default":
        parts.append((" assumed", "$text-warning"))
    return Content.assemble(*parts)


def _capabilities(info: ModelInfo) -> list[Content]:
    can = info.capabilities
    if can is None:
        return [Content("unknown")]
    marks = [
        Content.styled(f"{name} {'✓' if has else '–'}", "" if has else "$text-muted")
        for name, has in (
            ("tools", can.tool_calling),
            ("vision", can.vision),
            ("streaming", can.streaming),
            ("thinking", can.thinking),
        )
    ]
    return [Content("  ").join(marks[:2]), Content("  ").join(marks[2:])]


def _asides(details: ModelDetails) -> Iterator[Content]:
    if details.requires:
        yield _field("requires", f"Ollama {details.requires}")
    if details.system:
        yield _field("system", details.system.splitlines()[0])
    if details.license:
        yield _field("licence", details.license.strip().splitlines()[0])


def _section(section: str, details: ModelDetails) -> Iterator[Content]:
    if section == "Parameters":
        width = max((len(name) for name, _ in details.parameters), default=0) + 2
        for name, value in details.parameters:
            yield Content.assemble((name.ljust(width), "$text-muted"), value)
        if not details.parameters:
            yield Content("This model sets no parameters of its own.")
    elif section == "Metadata":
        for name, fact in sorted(details.info.metadata.items()):
            yield Content.assemble((f"{name} ", "$text-muted"), str(fact))
        if not details.info.metadata:
            yield Content("The server tells no metadata.")
    else:
        text = details.template if section == "Template" else details.license
        yield Content(text or f"This model has no {section.lower()}.")


def _failure(error: OllmError) -> Iterator[Content]:
    yield Content.styled(error.message, "$text-error")
    if error.cause:
        yield Content(error.cause)
    for action in error.actions:
        yield Content.styled(action, "$text-muted")
