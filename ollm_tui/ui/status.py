"""The first and the last line of the screen: is the server up, what is there, what can I press."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content, Span
from textual.style import Style

from ollm_tui.core.event import ServerHealth
from ollm_tui.core.progress import PullState
from ollm_tui.service.service import ModelService
from ollm_tui.ui import format as words
from ollm_tui.ui import keymap
from ollm_tui.ui.possible import Situation, why_not

if TYPE_CHECKING:
    from ollm_tui.config.problem import ConfigProblem

_ROOMY = 100
_ESSENTIAL = ("app.pull", "app.filter", "app.help", "app.quit")
_HEALTH = {
    ServerHealth.CONNECTING: ("○", "$text-muted", "connecting"),
    ServerHealth.ONLINE: ("●", "$text-success", ""),
    ServerHealth.OFFLINE: ("✗", "$text-error", "offline"),
    ServerHealth.BROKEN: ("✗", "$text-error", "wrong answer"),
}


def status_line(
    service: ModelService, width: int, *, is_demo: bool, config: str = "", deleting: str = ""
) -> Content:
    """The first line. What matters least goes first when the line is short.

    Args:
        deleting: what is about to be deleted, and how to take that back.
        config: how the configuration is, for the right end of the line.
    """
    server, models = service.server, service.models
    glyph, style, word = _HEALTH[server.health]
    parts: list[Content] = []
    spare: list[Content] = []  # what can be left out, the first of them first
    if is_demo:
        label = " DEMO: made-up models " if width >= _ROOMY else " DEMO "
        parts.append(Content.styled(label, "bold reverse $text-warning"))
    if deleting:
        parts.append(Content.styled(deleting, "bold $text-warning"))
    name = " ".join(part for part in (server.provider, server.version, word) if part)
    parts.append(named := Content.assemble((glyph, style), f" {name}"))
    parts.append(host := Content.styled(server.host, "$text-muted"))
    spare.append(host)
    if models.as_of is not None:
        total = sum(model.size_bytes for model in models.models)
        parts.append(Content(words.count(len(models.models), "model")))
        parts.append(size := Content(words.size(total)))
        spare.insert(0, size)
    loaded = len(service.running.models)
    if loaded:
        parts.append(memory := Content.styled(f"{loaded} loaded", "$text-success"))
        spare.append(memory)
    downloads = [item for item in service.queue.items if item.progress.status.is_active]
    if downloads:
        speed = sum(item.progress.download_speed for item in downloads)
        is_stalled = all(item.progress.status is PullState.STALLED for item in downloads)
        parts.append(
            Content.styled("↓ stalled", "$text-warning")
            if is_stalled
            else Content.styled(f"↓ {words.speed(speed)}", "$text-accent")
        )
    line = Content.styled(" ollm-tui", "bold $primary")
    while spare and _length(line, *parts) > width:
        dropped = spare.pop(0)
        parts = [part for part in parts if part is not dropped]
    if server.version and _length(line, *parts) > width:
        bare = Content.assemble((glyph, style), f" {' '.join((server.provider, word)).strip()}")
        parts = [bare if part is named else part for part in parts]
    for part in parts:
        if line.cell_length + part.cell_length + 3 > width:
            break
        line = Content.assemble(line, "   ", part)
    gap = width - line.cell_length - len(config) - 1
    if config and gap > 0:
        style = "$text-error" if "✗" in config else "$text-muted"
        line = Content.assemble(line, " " * gap, (config, style))
    return line


def _length(*parts: Content) -> int:
    return sum(part.cell_length + 3 for part in parts) - 3


def config_banner(errors: "Sequence[ConfigProblem]") -> str:
    """What is wrong with the configuration, and where; empty when nothing is."""
    if not errors:
        return ""
    first, more = errors[0], len(errors) - 1
    text = f"✗ {first.place}: {first.sentence.rstrip('.')}"
    press = f"press {keymap.named('app.config')}"
    return f"{text}, +{more:,}; {press}" if more else f"{text}; {press}"


def filter_footer(keys: Sequence[keymap.Key], width: int) -> Content:
    """The last line while a filter is typed, to which every letter belongs."""
    pieces = (("enter", "keep"), ("esc", "clear"), ("↓", "keep, go to the list"))
    line = Content.assemble(
        *(part for cap, label in pieces for part in (" ", (cap, "bold $accent"), f" {label} "))
    )
    return _with_palette(line, keys, width)


def footer_line(keys: Sequence[keymap.Key], where: str, width: int, now: Situation) -> Content:
    """The last line: the keys that apply here, each one clickable; dim if it cannot act now."""
    shown = [
        key
        for key in keys
        if key.footer
        and key.keys
        and (key.where in (where, keymap.EVERYWHERE) or key.id in keymap.ALSO.get(where, ()))
    ]
    # The pane's own keys come first, the ones that work anywhere after them.
    shown.sort(key=lambda key: key.where == keymap.EVERYWHERE)
    text = ""
    spans: list[Span] = []
    for key in _that_fit(shown, width - len(_palette(keys, width))):
        cap = keymap.cap(key)
        piece = _piece(key)
        start = len(text) + 1
        if why_not(key.id, now):
            spans.append(Span(start, start + len(piece) - 2, "dim $text-muted"))
        else:
            spans.append(Span(start, start + len(cap), "bold $accent"))
        target = "focused" if key.where != keymap.EVERYWHERE else "app"
        spans.append(
            Span(
                start, start + len(piece) - 2, Style.from_meta({"@click": f"{target}.{key.action}"})
            )
        )
        text += piece
    return _with_palette(Content(text, spans), keys, width)


def _palette(keys: Sequence[keymap.Key], width: int) -> str:
    label = "palette " if width >= _ROOMY else ""
    return " ".join((*(keymap.cap(key) for key in keys if key.id == "app.palette"), label))


def _with_palette(line: Content, keys: Sequence[keymap.Key], width: int) -> Content:
    """The line with the palette's key at its end."""
    palette = _palette(keys, width)
    cap = palette.removesuffix("palette ")
    gap = " " * max(1, width - line.cell_length - len(palette))
    tail = Content.assemble((cap, "bold $accent"), palette[len(cap) :]).stylize(
        Style.from_meta({"@click": "app.command_palette"})
    )
    return Content.assemble(line, gap, tail)


def _that_fit(keys: Sequence[keymap.Key], width: int) -> list[keymap.Key]:
    """Those there is room for, in their order; what nobody can do without has room first."""
    kept = set()
    for key in sorted(keys, key=lambda key: key.id not in _ESSENTIAL):
        if len(_piece(key)) <= width:
            width -= len(_piece(key))
            kept.add(key.id)
    return [key for key in keys if key.id in kept]


def _piece(key: keymap.Key) -> str:
    return f" {keymap.cap(key)} {key.label} "


def tab_line(panes: Sequence[str], active: str) -> Content:
    """The panes by number, for when only one has room; each one clickable."""
    parts: list[Content] = []
    for number, pane in enumerate(panes, start=1):
        style = "bold reverse" if pane == active else "$text-muted"
        text = Content.styled(f" {number} {pane.capitalize()} ", style)
        parts.append(text.stylize(Style.from_meta({"@click": f"app.pane('{pane}')"})))
    return Content(" ").join(parts)
