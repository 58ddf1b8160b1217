"""How long a key takes to be seen, with ten thousand models, in a real terminal.

From the write of the key to the arrival of the bytes that draw its effect. `rows()` for
`make bench`.
"""

import re
import statistics
import time
from collections.abc import Callable, Iterator

from tests.bench.row import Row as BenchRow
from tests.bench.row import in_milliseconds
from tests.bench.startup import OLLM_TUI, sandbox
from tests.terminal import Terminal

MODELS = 10_000
ROUNDS = 12
WORDS = ("llama cap:to", "qwen ctx>=32k", "size<10G q4", "xcoder -7b")
MOVES = 120

Row = tuple[str, float, float]
"""What is measured, its 99th percentile in seconds, the bar in seconds."""

_ESCAPES = re.compile(rb"\x1b\[[0-9;?<>=]*[a-zA-Z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")


def rows() -> Iterator[Row]:
    """Measure; takes half a minute."""
    with sandbox("--models", str(MODELS)) as address:
        command = (*OLLM_TUI, "--no-config", "--host", address)
        with Terminal(command) as terminal:
            terminal.wait_for(f"{MODELS:,} of {MODELS:,}", timeout_s=60)
            settle(terminal)
            moves = [time_key(terminal, "j", lambda seen: "▸" in seen) for _ in range(MOVES)]
            yield "key to changed row, p99", p99(moves), 0.05
            yield "filter keystroke, p99", p99(list(_typing(terminal))), 0.06


def _typing(terminal: Terminal) -> Iterator[float]:
    for word in WORDS * (ROUNDS // len(WORDS)):
        terminal.send("/")
        terminal.wait_for("Filter; enter keeps")
        settle(terminal)
        typed = ""
        for letter in word:
            typed += letter
            # A filter that is not one yet is told below the line instead of in the title.
            wanted = re.compile(re.escape(f"· /{typed.strip()} ") + "|needs a|is no value")
            is_seen: Callable[[str], object] = wanted.search
            if letter != " ":
                yield time_key(terminal, letter, is_seen)
            else:
                terminal.send(letter)
            settle(terminal)
        terminal.send("\x1b")
        terminal.wait_for(f"{MODELS:,} of {MODELS:,}")
        settle(terminal)


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


def settle(terminal: Terminal) -> None:
    """Let the program finish what the last key began."""
    quiet_s = 0.12  # longer than the inspector waits
    while terminal.read(quiet_s):
        pass


def p99(values: list[float]) -> float:
    """The 99th percentile."""
    return statistics.quantiles(values, n=100)[98]


def bench_rows() -> list[BenchRow]:
    """For the table of `make bench`."""
    return in_milliseconds((f"{MODELS:,} models, {name}", s, bar) for name, s, bar in rows())


if __name__ == "__main__":
    for name, seconds, bar_s in rows():
        print(f"{name}: {seconds * 1000:.1f} ms, bar {bar_s * 1000:.0f} ms")
