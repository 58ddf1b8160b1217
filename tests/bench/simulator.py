"""How long the simulator takes to answer, with 1,000 models and 20 profiles, in a real terminal.

From the write of the key to the arrival of the bytes that draw its effect. `rows()` for
`make bench`.
"""

import statistics
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.bench.keys import Row, p99, settle, time_key
from tests.bench.row import Row as BenchRow
from tests.bench.row import in_milliseconds
from tests.bench.startup import OLLM_TUI, sandbox
from tests.terminal import Terminal

MODELS = 1_000
PROFILES = 16  # beside the four that are built in
EDITS = 120
ROUNDS = 10


def rows() -> Iterator[Row]:
    """Measure; takes half a minute."""
    with tempfile.TemporaryDirectory() as folder, sandbox("--models", str(MODELS)) as address:
        config = Path(folder, "config.yaml")
        config.write_text(_profiles())
        command = (*OLLM_TUI, "--config", str(config), "--host", address)
        with Terminal(command, environment={"OLLM_HOME": folder}) as terminal:
            terminal.wait_for(f"{MODELS:,} of {MODELS:,}", timeout_s=60)
            terminal.wait_for("4 Router ─ general →", timeout_s=60)
            terminal.send("4w")
            terminal.wait_for("What decides for general")
            settle(terminal)
            edits = []
            for _ in range(EDITS // 2):
                for key, tokens in (("+", "16,384"), ("-", "8,192")):
                    edits.append(time_key(terminal, key, partial(_has, tokens)))
                    settle(terminal)
            yield "simulator, an edit to the answer, p99", p99(edits), 0.05
            fixes, moves = [], []
            for _ in range(ROUNDS):
                terminal.send("\x1b")
                settle(terminal)
                fixes.append(time_key(terminal, "f", lambda seen: "Reorder the" in seen))
                settle(terminal)
            yield "simulator, fixes of the rows in sight, median", statistics.median(fixes), 0.3
            matrices = []
            for _ in range(ROUNDS):
                terminal.send("\x1b")
                settle(terminal)
                terminal.send("w+")  # another situation, so that nothing is known of it
                settle(terminal)
                matrices.append(time_key(terminal, "m", lambda seen: "orphan" in seen))
                moves.append(time_key(terminal, "j", lambda seen: "▸" in seen))
                settle(terminal)
            yield (
                "simulator, matrix of 1,000 models and 20 profiles, median",
                statistics.median(matrices),
                0.25,
            )
            yield "simulator, a key meanwhile", max(moves), 0.05


def _profiles() -> str:
    lines = ["model:", "  routing:", "    profiles:"]
    for number in range(PROFILES):
        lines += [
            f"      p{number}:",
            "        preferredFamilies: [qwen, phi]",
            f"        minContextWindow: {4096 * (number + 1)}",
            "        requiredCapabilities: [streaming]",
            "        fallbackProfile: general",
        ]
    return "\n".join(lines) + "\n"


def bench_rows() -> list[BenchRow]:
    """For the table of `make bench`."""
    return in_milliseconds(rows())


def _has(part: str, seen: str) -> bool:
    return part in seen


if __name__ == "__main__":
    for name, seconds, bar_s in rows():
        print(f"{name}: {seconds * 1000:.1f} ms, bar {bar_s * 1000:.0f} ms")
