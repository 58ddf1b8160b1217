"""How long a key takes to be seen, with ten thousand models, in a real terminal.

From the write of the key to the arrival of the bytes that draw its effect. `rows()` for
`make bench`.
"""

import re
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from ollm_tui.core.error import FilterError
from ollm_tui.core.filter import Filter, begun
from tests.bench.row import Row as BenchRow
from tests.bench.row import in_milliseconds
from tests.bench.startup import OLLM_TUI, sandbox
from tests.terminal import Terminal

MODELS = 10_000
ROUNDS = 12
WORDS = ("llama cap:to", "qwen ctx>=32k", "size<10G q4", "xcoder -7b")
MOVES = 300
EARLY_MOVES = 60

Row = tuple[str, float, float]
"""What is measured, seconds, the bar in seconds."""

EARLY = (
    "for two seconds threads look ten thousand models up, keep the list and decide, and share "
    "the interpreter with the thread that draws"
)
"""Why keys wait right after the start."""

_ESCAPES = re.compile(rb"\x1b\[[0-9;?<>=]*[a-zA-Z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")


def rows() -> Iterator[Row]:
    """Measure; takes half a minute."""
    with sandbox("--models", str(MODELS)) as address:
        command = (*OLLM_TUI, "--no-config", "--host", address)
        with Terminal(command) as terminal:
            terminal.wait_for(f"{MODELS:,} of {MODELS:,}", timeout_s=60)
            settle(terminal)
            is_moved = partial(contains, text="▸")
            # Meanwhile the first decision is made, the list kept and the rest of the program read.
            early = [time_key(terminal, "j", is_moved) for _ in range(EARLY_MOVES)]
            yield "key to changed row right after the start, p99", p99(early), 0.05
            yield "key to changed row right after the start, median", statistics.median(early), 0.05
            settle(terminal, quiet_s=1.0)
            moves = [time_key(terminal, "j", is_moved) for _ in range(MOVES)]
            yield "key to changed row, p99", p99(moves), 0.05
            yield "filter keystroke, p99", p99(list(_typing(terminal))), 0.06


def _typing(terminal: Terminal) -> Iterator[float]:
    for word in WORDS * (ROUNDS // len(WORDS)):
        terminal.send("/")
        terminal.wait_for("Filter; enter keeps")
        settle(terminal)
        typed = told = ""
        for letter in word:
            typed += letter
            told, before = _told(typed), told
            # A filter that is not one yet is told below the line instead of in the title, once.
            wanted = told or f"· /{typed.strip()} "
            if told and told == before:
                wanted = typed
            # So is half a condition, unless it is in a name; that is for the program to find out.
            half = begun(typed)
            instead = wanted if half is None else f"“{half.word}”"
            if letter != " ":
                yield time_key(terminal, letter, partial(contains_one, texts=(wanted, instead)))
            else:
                terminal.send(letter)
            settle(terminal)
        terminal.send("\x1b")
        terminal.wait_for(f"{MODELS:,} of {MODELS:,}")
        settle(terminal)


def _told(typed: str) -> str:
    """What is wrong with a filter so far; empty for nothing."""
    try:
        Filter.parse(typed)
    except FilterError as error:
        return error.message
    return ""


def contains(seen: str, text: str) -> bool:
    """Whether a text has been drawn."""
    return text in seen


def contains_one(seen: str, texts: Iterable[str]) -> bool:
    """Whether one of several texts has been drawn."""
    return any(contains(seen, text) for text in texts)


def time_key(terminal: Terminal, key: str, is_seen: Callable[[str], object]) -> float:
    """Seconds from a key's write until what `is_seen` looks for has arrived."""
    terminal.send(key)
    sent_s = time.perf_counter()
    seen = bytearray()
    while time.perf_counter() < sent_s + 10:
        seen += terminal.read_raw(0.005)
        if is_seen(_ESCAPES.sub(b"", bytes(seen)).decode(errors="replace")):
            return time.perf_counter() - sent_s
    raise SystemExit(f"never seen after {key!r}: {bytes(seen)[-500:]!r}")


def settle(terminal: Terminal, quiet_s: float = 0.12) -> None:
    """Let the program finish what it has begun; the default is longer than the inspector waits."""
    while terminal.read(quiet_s):
        pass


def p99(values: list[float]) -> float:
    """The 99th percentile."""
    return statistics.quantiles(values, n=100)[98]


def bench_rows() -> list[BenchRow]:
    """For the table of `make bench`."""
    measured = in_milliseconds((f"{MODELS:,} models, {name}", s, bar) for name, s, bar in rows())
    return [
        row._replace(cause=EARLY) if "right after the start" in row.name else row
        for row in measured
    ]


if __name__ == "__main__":
    for name, seconds, bar_s in rows():
        print(f"{name}: {seconds * 1000:.1f} ms, bar {bar_s * 1000:.0f} ms")
