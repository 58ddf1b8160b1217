"""Looking for updates from the screen: what the registries said, and which of it to pull."""

from collections import Counter
from collections.abc import Collection, Sequence

from textual.dom import DOMNode

from ollm_tui.core.event import ModelUpdate, UpdateVerdict
from ollm_tui.service.service import ModelService
from ollm_tui.ui import format as words
from ollm_tui.ui import work
from ollm_tui.ui.screens.confirm import Choice, ConfirmScreen

_LISTED = 8
_REASONS = 3


async def check(node: DOMNode, service: ModelService, marked: Collection[str]) -> None:
    """Compare every model with its registry, then ask which updates to queue.

    Args:
        marked: names that can be updated without the others.
    """
    found = await service.check_updates()
    outdated = [one for one in found if one.verdict is UpdateVerdict.OUTDATED]
    if not outdated:
        is_odd = any(one.verdict is UpdateVerdict.FAILED for one in found)
        node.app.notify(
            "\n".join([_summary(found), *_reasons(found)]),
            severity="warning" if is_odd else "information",
            timeout=work.TOAST_S,
            markup=False,
        )
        return
    chosen = [one for one in outdated if one.name in marked]
    choices = [Choice("a", f"Update all {len(outdated):,}" if len(outdated) > 1 else "Update")]
    if chosen and len(chosen) < len(outdated):
        choices.append(Choice("m", f"Update the {len(chosen):,} marked"))
    lines = [
        f"{one.display_name}  {words.size(one.missing_bytes)} to fetch"
        for one in outdated[:_LISTED]
    ]
    if (more := len(outdated) - _LISTED) > 0:
        lines.append(f"and {more:,} more")
    lines += ["", _summary(found), *_reasons(found)]

    def answered(answer: str | None) -> None:
        for one in {"a": outdated, "m": chosen}.get(answer or "", []):
            service.enqueue(one.name)

    question = f"Update {words.count(len(outdated), 'model')}?"
    node.app.push_screen(ConfirmScreen(question, lines, choices, stay="Later"), answered)


def _summary(found: Sequence[ModelUpdate]) -> str:
    counts = Counter(one.verdict for one in found)
    parts = [f"{counts[UpdateVerdict.CURRENT]:,} up to date"]
    if counts[UpdateVerdict.SKIPPED]:
        parts.append(f"{counts[UpdateVerdict.SKIPPED]:,} without a registry")
    if counts[UpdateVerdict.FAILED]:
        parts.append(f"{counts[UpdateVerdict.FAILED]:,} not answered")
    return ", ".join(parts)


def _reasons(found: Sequence[ModelUpdate]) -> list[str]:
    """Why some could not be compared; those that a registry failed first."""
    odd = [one for one in found if one.reason]
    odd.sort(key=lambda one: one.verdict is not UpdateVerdict.FAILED)
    lines = [f"{one.display_name}: {one.reason}" for one in odd[:_REASONS]]
    if (more := len(odd) - _REASONS) > 0:
        lines.append(f"and {more:,} more; `ollm-tui update --check` names all")
    return lines
