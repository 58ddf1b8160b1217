"""Pure text for numbers: bytes, speed, time left, age, context. Units and rounding live here only.

Own few lines rather than humanize for what the first frame shows: importing it costs more than
drawing the frame's list.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ollm_tui.core.error import InvalidName
from ollm_tui.core.name import parse_name
from ollm_tui.ui.keymap import named

if TYPE_CHECKING:
    from ollm_tui.core.diagnosis import StoreReport
    from ollm_tui.core.model import ModelInfo
    from ollm_tui.core.store import Leftover
    from ollm_tui.core.unused import UnusedModel
    from ollm_tui.service.freed import Freed

_BYTE_STEPS = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
_AGE_STEPS = (
    (31_557_600, "year"),
    (2_629_800, "month"),
    (604_800, "week"),
    (86_400, "day"),
    (3_600, "hour"),
    (60, "min"),
)
UNKNOWN = "–"
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_BARS = "▁▂▃▄▅▆▇█"


def size(size_bytes: float) -> str:
    """Decimal bytes with one decimal place: 5.2 GB."""
    for step, unit in _BYTE_STEPS:
        # 999.95 would round to 1000.0 of the smaller unit.
        if abs(size_bytes) >= step * 0.99995:
            return f"{size_bytes / step:.1f} {unit}"
    return f"{size_bytes:.0f} B"


def frees(freed: "Freed") -> str:
    """What a delete that is asked about would free, a sentence."""
    if not freed.size_bytes:
        return "Frees no space: other models share its files."
    if freed.is_exact:
        return f"Frees {size(freed.size_bytes)}."
    return f"Frees up to {size(freed.size_bytes)}; files that other models share stay."


def room_missing(needed_bytes: int, free_bytes: int | None) -> str:
    """What a download needs of the disk: needs 17.0 GB, 9.0 GB free; what is known of it."""
    needs = f"needs {size(needed_bytes)}"
    return needs if free_bytes is None else f"{needs}, {size(free_bytes)} free"


def unused(models: "Sequence[UnusedModel]") -> str:
    """What could be deleted: llama3.3:70b (43.2 GB), a:1 with b:1 (9.0 GB); empty for nothing."""
    return ", ".join(f"{' with '.join(one.names)} ({size(one.size_bytes)})" for one in models)


def not_in_use(models: "Sequence[UnusedModel]") -> str:
    """The same as a sentence to go on with, without its full stop."""
    return f"not in use, and no profile's choice: {unused(models)}"


def room_lines(models: "Sequence[UnusedModel] | None") -> list[str]:
    """What to do about a disk that is too full, on screen; nothing when there is nothing."""
    if not models:
        return []
    told = not_in_use(models)
    mark, delete = named("installed.mark"), named("installed.delete")
    keys = f"{named('pane.installed')} goes to the models, {mark} marks, {delete} deletes"
    return [
        f"{told[0].upper()}{told[1:]}.",
        f"Deleting some makes room: {keys}.",
    ]


def speed(speed_bytes_per_s: float) -> str:
    """Bytes per second: 38.2 MB/s."""
    return f"{size(speed_bytes_per_s)}/s"


def share(done_bytes: int, total_bytes: int) -> str:
    """Bytes of bytes in the unit of the total: 5.8/9.3 GB; with no total, what is there."""
    if not total_bytes:
        return size(done_bytes) if done_bytes else ""
    for step, unit in _BYTE_STEPS:
        if total_bytes >= step * 0.99995:
            return f"{done_bytes / step:.1f}/{total_bytes / step:.1f} {unit}"
    return f"{done_bytes}/{total_bytes} B"


def duration(seconds: float) -> str:
    """Time left: 12s, 2m48s, 3h05m, 4d02h."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    if whole < 86_400:
        return f"{whole // 3600}h{whole % 3600 // 60:02}m"
    if whole < 100 * 86_400:
        return f"{whole // 86_400}d{whole % 86_400 // 3600:02}h"
    return "> 99 d"


def age(then: datetime | None, now: datetime) -> str:
    """How long ago, in the largest unit: 5 hours, 2 days, 3 weeks."""
    if then is None:
        return UNKNOWN
    seconds = (now - then).total_seconds()
    for step, unit in _AGE_STEPS:
        count = int(seconds // step)
        if count >= 1:
            return f"{count} {unit}{'s' if count > 1 and unit != 'min' else ''}"
    return "now"


def ago(then: datetime | None, now: datetime) -> str:
    """As `age`, as part of a sentence: 5 hours ago, just now."""
    passed = age(then, now)
    return "just now" if passed == "now" else f"{passed} ago"


def context(context_tokens: int | None) -> str:
    """A context window, short: 128000 and 131072 both read 128k. Source: ruling Z12."""
    if context_tokens is None:
        return UNKNOWN
    for kilo in (1000, 1024):
        if context_tokens >= kilo and context_tokens % kilo == 0:
            thousands = context_tokens // kilo
            if thousands >= kilo and thousands % kilo == 0:
                return f"{thousands // kilo}M"
            return f"{thousands}k"
    return str(context_tokens)


def parameters(billions: float | None) -> str:
    """Parameter count: 8.2B, 270M."""
    if billions is None:
        return UNKNOWN
    if billions < 1:
        return f"{billions * 1000:.0f}M"
    return f"{billions:.1f}B"


def capabilities(model: "ModelInfo") -> str:
    """Capabilities in four cells: Tools, Vision, Reasoning, Streaming; E for embedding only."""
    can = model.capabilities
    if can is None:
        return "?"
    if model.embedding_only:
        return "E"
    letters = (("T", can.tool_calling), ("V", can.vision), ("R", can.thinking))
    return "".join(letter for letter, has in letters if has) + ("S" if can.streaming else "")


def bar(percentage: float, width: int) -> str:
    """A bar of `width` cells, drawn in eighths of a cell: ████████▌────."""
    eighths = round(max(0.0, min(100.0, percentage)) / 100 * width * 8)
    full, part = divmod(eighths, 8)
    head = "█" * full + (_EIGHTHS[part] if part else "")
    return head + "─" * (width - len(head))


def sparkline(values: tuple[float, ...], width: int) -> str:
    """The last `width` values as bars, scaled to their maximum."""
    recent = values[-width:]
    top = max(recent, default=0.0)
    if top <= 0:
        return " " * width
    text = "".join(_BARS[round(value / top * (len(_BARS) - 1))] for value in recent)
    return text.rjust(width)


def leftover(item: "Leftover", now: datetime) -> str:
    """A file that is part of no model: what it is, how large, since when, and whose."""
    what = str(item.kind)
    if item.total_bytes:
        what += f" of {item.model or item.digest[7:19]}, "
        what += f"{100 * item.completed_bytes // item.total_bytes}% there"
    else:
        what += f" {item.display_name[:26]}"
    since = age(item.modified_at, now)
    state = "just written" if since == "now" else f"{since} old"
    return f"{what}, {size(item.size_bytes)}, {'being written' if item.is_active else state}"


def count(number: int, noun: str) -> str:
    """A number and its noun: 1 model, 42 models."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def processor(size_bytes: int, size_vram_bytes: int) -> str:
    """Where a model in memory runs: GPU, CPU, or how it is split between them."""
    if not size_bytes or not size_vram_bytes:
        return "CPU"
    share = round(100 * size_vram_bytes / size_bytes)
    return "GPU" if share >= 100 else f"{share}% GPU, {100 - share}% CPU"


def leaves_in(expires_at: datetime | None, now: datetime) -> str:
    """How long a model stays in memory: 4m59s, stays, stopping."""
    if expires_at is None:
        return "stays"
    seconds = (expires_at - now).total_seconds()
    return duration(seconds) if seconds > 0 else "stopping"


def judged(is_healthy: bool, is_there: bool = True) -> str:
    """The sign of a part that was looked at: ✓, ✗, or – when there is none."""
    if not is_there:
        return UNKNOWN
    return "✓" if is_healthy else "✗"


def store(report: "StoreReport") -> str:
    """A store that was looked through, in a line."""
    place, usage = report.place, report.usage
    if not place.exists:
        return f"{place.path} ({place.source}) is not there yet; the first pull makes it"
    rights = "" if place.is_writable else ", not writable"
    parts = (
        f"{place.path} ({place.source}{', the server owns it' if place.has_server else rights})",
        count(len(usage.models), "model"),
        size(usage.blob_bytes),
        f"{size(usage.free_bytes)} free",
        "every file hashed" if report.is_verified else "sizes checked",
    )
    return ", ".join(parts)


def source(name: str) -> str:
    """Where a model is pulled from, by its name: registry and namespace; empty for no name."""
    try:
        parsed = parse_name(name)
    except InvalidName:
        return ""
    return f"{parsed.host}/{parsed.namespace}"
