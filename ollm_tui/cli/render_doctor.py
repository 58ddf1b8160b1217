"""What `doctor` prints: JSON in a stable shape, and a report for people."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from ollm_tui.cli.render import rfc3339
from ollm_tui.core.diagnosis import Check, StoreReport
from ollm_tui.core.error import OllmError
from ollm_tui.core.store import Finding, Leftover
from ollm_tui.ui import format as words

_WIDTH = 15


def as_object(
    checks: Sequence[Check],
    report: StoreReport | None,
    repairs: Mapping[str, OllmError | None],
    freed_bytes: int | None,
    now: datetime,
) -> dict[str, object]:
    """The answer of `doctor --json`.

    Args:
        repairs: model to what stood in the way of its repair, None = it is whole.
        freed_bytes: by reclaiming; None = that was not asked for.
    """
    is_healthy = all(check.is_healthy for check in checks) and (not report or report.is_healthy)
    return {
        "healthy": is_healthy,
        "checks": [
            {
                "area": check.area,
                "healthy": check.is_healthy,
                "present": check.is_there,
                "summary": check.summary,
                "actions": list(check.actions),
            }
            for check in checks
        ],
        "store": None if report is None else _store(report, now),
        "repairs": [
            {
                "model": name,
                "repaired": error is None,
                "error": None if error is None else str(error),
            }
            for name, error in repairs.items()
        ],
        "freed_bytes": freed_bytes,
    }


def as_text(checks: Sequence[Check], report: StoreReport | None, now: datetime) -> str:
    """The report for people: a line about each part, then what is wrong with the store."""
    return "\n".join(_lines(checks, report, now))


def _lines(checks: Sequence[Check], report: StoreReport | None, now: datetime) -> Iterator[str]:
    for check in checks:
        yield _line(words.judged(check.is_healthy, check.is_there), check.area, check.summary)
        for action in check.actions:
            yield f"  {'':{_WIDTH}}→ {action}"
    if report is None:
        return
    sign = words.judged(report.is_healthy, report.place.exists)
    yield _line(sign, "store", words.store(report))
    for found in report.findings:
        yield f"  {'':{_WIDTH}}{found.kind}: {found.subject}: {found.reason}"
        yield f"  {'':{_WIDTH}}→ {found.fix}"
    if report.repairable:
        yield f"  {'':{_WIDTH}}→ `ollm-tui doctor --repair` repairs what can be."
    old = set(report.reclaimable)
    for item in report.usage.leftovers:
        yield f"  {'':{_WIDTH}}left over: {words.leftover(item, now)}"
        if action := leftover_action(item, is_old=item in old, has_server=report.place.has_server):
            yield f"  {'':{_WIDTH}}→ {action}"


def leftover_action(item: Leftover, *, is_old: bool, has_server: bool) -> str:
    """What to do about a leftover; empty while it is best left alone."""
    reclaim = "`ollm-tui doctor --reclaim` removes it"
    if item.is_active:
        return ""
    if item.model:
        return f"`ollm-tui pull {item.model}` goes on with it" + (
            f"; {reclaim}." if is_old else "."
        )
    if is_old:
        return f"{reclaim}."
    return "The server removes it when it starts, once it is an hour old." if has_server else ""


def _line(sign: str, area: str, summary: str) -> str:
    return f"{sign} {area:{_WIDTH}}{summary}"


def _store(report: StoreReport, now: datetime) -> dict[str, object]:
    place, usage = report.place, report.usage
    old = set(report.reclaimable)
    return {
        "path": place.path,
        "source": place.source,
        "exists": place.exists,
        "writable": place.is_writable,
        "has_server": place.has_server,
        "verified": report.is_verified,
        "models": [
            {
                "name": model.name,
                "unique_bytes": model.unique_bytes,
                "shared_bytes": model.shared_bytes,
            }
            for model in usage.models
        ],
        "blob_bytes": usage.blob_bytes,
        "partial_bytes": usage.partial_bytes,
        "orphaned_bytes": usage.orphaned_bytes,
        "free_bytes": usage.free_bytes,
        "findings": [_finding(found) for found in report.findings],
        "leftovers": [_leftover(item, item in old, now) for item in usage.leftovers],
    }


def _finding(found: Finding) -> dict[str, object]:
    return {
        "kind": found.kind.value,
        "subject": found.subject,
        "reason": found.reason,
        "fix": found.fix,
        "model": found.model or None,
    }


def _leftover(item: Leftover, is_reclaimable: bool, now: datetime) -> dict[str, object]:
    return {
        "kind": item.kind.value,
        "name": item.name,
        "digest": item.digest or None,
        "model": item.model or None,
        "size_bytes": item.size_bytes,
        "completed_bytes": item.completed_bytes,
        "total_bytes": item.total_bytes or None,
        "modified_at": rfc3339(item.modified_at),
        "age_s": round(item.age_s(now)),
        "active": item.is_active,
        "reclaimable": is_reclaimable,
    }
