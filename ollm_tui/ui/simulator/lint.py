"""What is hardly meant in profiles, overrides and entries, each with its remedy."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ollm_tui.core.text import clean_line
from ollm_tui.ui.columns import Piece, fit_text
from ollm_tui.ui.simulator.view import Line, Scene, Stage, View, wrapped

if TYPE_CHECKING:
    from ollm_tui.routing.lint import Finding


class LintView(View):
    """Enter tries the remedy, where a change is one."""

    name = "lint"

    def lines(self, scene: Scene, width: int) -> Sequence[Line]:
        from ollm_tui.routing.lint import lint

        found = lint(scene.now.router, scene.now.models, scene.now.catalogue)
        if not found:
            note = "Nothing to find fault with: profiles, overrides and entries all make sense."
            return list(wrapped("nothing", note, width, "good"))
        lines: list[Line] = []
        for number, finding in enumerate(found):
            lines.append(Line((finding.code, finding.subject, number), item=finding))
            lines += wrapped(("message", number), f"  {finding.message}", width)
            if finding.remedy:
                lines += wrapped(("remedy", number), f"  → {finding.remedy}", width, "dim")
        return lines

    def pieces(self, line: Line, width: int) -> list[Piece]:
        if line.item is None:
            return list(line.pieces)
        finding: Finding = line.item
        return [(fit_text(clean_line(finding.subject), width), "warn")]

    def choose(self, stage: Stage, scene: Scene, line: Line) -> None:
        finding: Finding | None = line.item
        if finding is not None and finding.change is not None:
            stage.do(finding.change)
            stage.show_view("what_if")

    def about(self, line: Line) -> str:
        finding: Finding | None = line.item
        if finding is None:
            return ""
        return f"{finding.code}; enter tries the remedy" if finding.change else str(finding.code)
