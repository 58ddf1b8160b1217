"""Which model wins as more context is asked for: a strip, then its pieces in numbers."""

from collections.abc import Iterator, Sequence
from math import log2
from typing import TYPE_CHECKING

from ollm_tui.core.text import clean_line
from ollm_tui.ui import format as words
from ollm_tui.ui.columns import Piece, fit_name, fit_text
from ollm_tui.ui.simulator.view import Line, Scene, Stage, View, blank, heading, wrapped

if TYPE_CHECKING:
    from ollm_tui.routing.breakpoints import Segment

_NAME = 30
_RANGE = 24
_LEAST = 1024  # where the strip begins, in tokens


class BreakpointsView(View):
    """Enter tries the minimum at which a piece begins."""

    name = "breakpoints"

    def lines(self, scene: Scene, width: int) -> Sequence[Line]:
        from ollm_tui.routing.breakpoints import breakpoints

        segments = breakpoints(scene.now)
        profile = scene.now.find_profile(scene.now.profile)
        asked = profile.min_context_window if profile else 0
        lines = list(_strip(segments, asked, width))
        title = f"Winner of {clean_line(scene.now.profile)} by the context it asks for"
        lines += heading("head", title, width)
        for segment in segments:
            lines.append(Line(("piece", segment.from_tokens), item=(segment, asked)))
        if any(segment.resolved_profile not in (None, scene.now.profile) for segment in segments):
            note = "A fallback asks for its own minimum, however much more was asked for first."
            lines += [blank("note"), *wrapped("note", note, width, "dim")]
        return lines

    def pieces(self, line: Line, width: int) -> list[Piece]:
        if line.item is None:
            return list(line.pieces)
        segment, asked = line.item
        is_now = _holds(segment, asked)
        name = "no model" if segment.model is None else clean_line(segment.model)
        name_width = min(_NAME, max(8, width - _RANGE - 4))
        via = f"via {segment.via}" if segment.via and segment.via.value != "profile" else ""
        if segment.via and segment.via.value == "fallback":
            via = f"through {clean_line(segment.resolved_profile or '')}"
        return [
            ("◆ " if is_now else "  ", "accent"),
            (fit_text(_range(segment), _RANGE) + " ", "accent" if is_now else "dim"),
            (fit_name(name, name_width) + " ", "bad" if segment.model is None else ""),
            (fit_text(via, max(0, width - _RANGE - name_width - 4)), "dim"),
        ]

    def about(self, line: Line) -> str:
        if line.item is None:
            return ""
        segment, asked = line.item
        return "asked for now" if _holds(segment, asked) else "enter tries it"

    def choose(self, stage: Stage, scene: Scene, line: Line) -> None:
        from ollm_tui.routing.profile_changes import SetMinContext

        if line.item is not None:
            segment, _ = line.item
            stage.do(SetMinContext(scene.now.profile, segment.from_tokens))


def _holds(segment: "Segment", tokens: int) -> bool:
    return segment.from_tokens <= tokens and (
        segment.to_tokens is None or tokens <= segment.to_tokens
    )


def _range(segment: "Segment") -> str:
    if segment.to_tokens is None:
        return f"{segment.from_tokens:,} and more"
    return f"{segment.from_tokens:,} to {segment.to_tokens:,}"


def _strip(segments: "Sequence[Segment]", asked: int, width: int) -> Iterator[Line]:
    """The pieces side by side on a scale that doubles, and a mark where the profile stands."""
    last = max([segment.from_tokens for segment in segments] + [asked, _LEAST * 2])
    octaves = log2(last / _LEAST) + 1.5
    room = max(10, width - 1)

    def cell(tokens: int) -> int:
        return min(room, round(max(0.0, log2(max(tokens, 1) / _LEAST) + 0.5) / octaves * room))

    names: list[Piece] = []
    bars: list[Piece] = []
    mark = 0
    for number, segment in enumerate(segments):
        start = cell(segment.from_tokens) if segment.from_tokens else 0
        end = room if segment.to_tokens is None else cell(segment.to_tokens + 1)
        if end <= start:
            continue
        style = "bad" if segment.model is None else ("accent", "good", "warn")[number % 3]
        label = "none" if segment.model is None else clean_line(segment.model)
        if _holds(segment, asked):
            mark = max(start, min(end - 2, cell(asked)))
        names.append((fit_name(label, end - start - 1) + " ", style))
        bars.append(("█" * (end - start - 1) + "│", style))
    yield Line("names", tuple(names))
    yield Line("bars", tuple(bars))
    yield Line("mark", ((" " * mark + f"▲ {words.context(asked)} asked for", "accent"),))
