"""`make fuzz`: inputs that nobody thought of, bred by what they reach in the parsers.

    make fuzz                    every target for 5 seconds
    make fuzz ARGS=60            every target for 60 seconds
    make fuzz ARGS="gguf 300"    one target, or several, for 300 seconds

What is reached is kept in .venv/fuzzed, where the next run begins. An input that fails is made
smaller and put into tests/fuzz/corpus, where `make test` tries it from then on.

Exit status 1: an input failed. 0 with the reason where the fuzzer cannot be had.
"""

import hashlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.fuzz.targets import CORPUS, TARGETS, corpus_of

DEFAULT_S = 5
ROOT = Path(__file__).parents[2]
KEPT = ROOT / ".venv/fuzzed"
LONGEST_BYTES = 4096
HANG_S = 10
"""Of an input's run, for what holds the interpreter itself up, such as a regular expression."""
_TRACE_LINES = 30
_STATUS = re.compile(r"^#(\d+)\s.* cov: (\d+) ft: (\d+)", re.MULTILINE)
_EXECUTED = re.compile(r"^stat::number_of_executed_units:\s*(\d+)", re.MULTILINE)


_FUZZERS_OWN = re.compile(r"^(?:==|ALARM|MS: )", re.MULTILINE)


class Outcome(NamedTuple):
    """What came of one target."""

    executions: int
    edges: int
    """Ways through the program that some input took, as the fuzzer counts them."""
    failing: Path | None
    trace: str


def main(arguments: Sequence[str]) -> int:
    """Fuzz the targets asked for, and tell."""
    names = [argument for argument in arguments if argument in TARGETS] or list(TARGETS)
    numbers = [int(argument) for argument in arguments if argument.isdecimal()]
    unknown = [one for one in arguments if one not in TARGETS and not one.isdecimal()]
    if unknown:
        print(f"There is no target {unknown[0]}; there are {', '.join(TARGETS)}", file=sys.stderr)
        return 2
    try:
        import atheris  # noqa: F401  (only whether it can be had; `one` uses it)
    except ImportError as error:
        print(f"fuzz: skipped: atheris cannot be loaded: {error}", file=sys.stderr)
        return 0
    failures = 0
    print(f"{'target':14} {'executions':>11} {'edges':>7}  failures", flush=True)
    for name in names:
        outcome = fuzz(name, numbers[0] if numbers else DEFAULT_S)
        failures += outcome.failing is not None
        verdict = outcome.failing.relative_to(ROOT) if outcome.failing else "none"
        print(f"{name:14} {outcome.executions:11,} {outcome.edges:7,}  {verdict}", flush=True)
        if outcome.failing:
            print(outcome.trace, flush=True)
    return int(failures > 0)


def fuzz(name: str, seconds: int) -> Outcome:
    """Run one target."""
    kept = KEPT / name
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        words = place / "words"
        words.write_text("\n".join(dictionary(TARGETS[name].words)) + "\n", "ascii")
        smallest = place / "smallest"
        flags = (
            f"-max_total_time={seconds}",
            f"-timeout={HANG_S}",
            f"-max_len={LONGEST_BYTES}",
            "-rss_limit_mb=1024",
            "-print_final_stats=1",
            f"-dict={words}",
            f"-artifact_prefix={place}/failed-",
            str(kept),
            str(CORPUS / name),
        )
        run = subprocess.run(
            (sys.executable, "-m", "tests.fuzz.one", name, str(smallest), *flags),
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": "0"},
            capture_output=True,
            text=True,
            errors="replace",
        )
        told = run.stderr + run.stdout  # the second has the trace, if there is one
        found = [smallest] if smallest.exists() else sorted(place.glob("failed-*"))
        failing = None
        if found:
            failing = _put_into_corpus(name, found[0].read_bytes())
        elif run.returncode:
            raise SystemExit(f"{told[-4000:]}\nfuzz: the fuzzer itself ended with an error")
    status, executed = _STATUS.findall(told), _EXECUTED.findall(told)
    last = status[-1] if status else ("0", "0", "0")
    return Outcome(int((executed or [last[0]])[-1]), int(last[1]), failing, _trace(told))


def dictionary(words: str) -> Iterator[str]:
    """The words of a target as libFuzzer wants them."""
    for word in words.split(" "):
        if word:
            escaped = "".join(f"\\x{byte:02x}" for byte in word.encode("utf-8", "surrogateescape"))
            yield f'"{escaped}"'


def _put_into_corpus(name: str, data: bytes) -> Path:
    for path in corpus_of(name):
        if path.read_bytes() == data:
            return path
    path = CORPUS / name / f"failed-{hashlib.sha256(data).hexdigest()[:8]}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def _trace(told: str) -> str:
    """The end of the trace of what failed, without what the fuzzer says around it."""
    start = told.rfind("\n", 0, max(0, told.rfind("(most recent call")))
    lines = _FUZZERS_OWN.split(told[start + 1 :])[0].splitlines()
    return "\n".join(lines[-_TRACE_LINES:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
