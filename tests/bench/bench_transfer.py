"""How long a large blob takes into the store, as a ratio to what people would do by hand.

A run of ours stands beside one of `curl` + `openssl dgst` + `sync` on the same registry and disk,
and one of `dd`; the medians of the pairs' ratios count. Needs docker-registry, curl and openssl.
Other downloaders stand beside them for a few rounds, without a bar: aria2c where it is installed,
and huggingface_hub after `make bench-peers`; both verify and sync, too.
"""

import asyncio
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.bench.peers import LIBRARIES
from tests.bench.row import Row as BenchRow
from tests.docker_registry import DockerRegistry, docker_registry
from tests.store_builder import made_model
from tests.terminal import ROOT

SIZE_MIB = 2048
PAIRS = 7
MIB = 1024 * 1024
NAME = "library/big:latest"
FLOOR_S = 1.6
"""Where `dd` is faster than network, hash and disk on two cores can be, it is no measure."""
IDLE_S = 2.0
PEER_ROUNDS = 3
_PEER_HINTS = {"aria2c": "apt-get install aria2", "huggingface_hub": "make bench-peers"}
_CHILD = "from tests.bench.bench_transfer import pull_here; pull_here()"
_HUGGINGFACE = """
import hashlib, os, sys
from huggingface_hub.file_download import http_get
url, target, digest = sys.argv[1:]
with open(target, "wb") as file:
    http_get(url, file)
    file.flush()
    os.fsync(file.fileno())
with open(target, "rb") as file:
    assert hashlib.file_digest(file, "sha256").hexdigest() == digest
"""


class Run(NamedTuple):
    """One pull in a process of its own."""

    wall_s: float
    cpu_s: float
    rss_above_idle_mib: float
    lag_p99_ms: float
    idle_lag_p99_ms: float
    """The same just before, with nothing to do: what the machine's other work costs."""


class Row(NamedTuple):
    """One line of the table: `value` must not exceed `bar`."""

    name: str
    text: str
    value: float
    bar: float
    """Infinite for what only stands beside the others."""
    reference: str = ""
    quartiles: tuple[float, float] | None = None

    @property
    def for_table(self) -> BenchRow:
        """As the common table has it."""
        low, high = self.quartiles or (None, None)
        bar = None if self.bar == float("inf") else self.bar
        note = "" if self.quartiles else self.text
        return BenchRow(self.name, self.value, bar, "", self.reference, low, high, note)

    @property
    def shown(self) -> str:
        """The value, and the bar if there is one."""
        return self.text if self.bar == float("inf") else f"{self.text}, bar {self.bar:g}"


def rows(size_mib: int = SIZE_MIB, pairs: int = PAIRS) -> list[Row]:
    """Measure, in interleaved pairs."""
    ours: list[Run] = []
    curl_s: list[float] = []
    dd_s: list[float] = []
    peers_s: dict[str, list[float]] = {}
    with (
        tempfile.TemporaryDirectory(prefix="ollm-bench-") as place,
        _registry(Path(place), size_mib) as (registry, digest),
    ):
        url = f"http://{registry.netloc}/v2/library/big/blobs/{digest}"
        for number in range(pairs):
            ours.append(_pull(registry, Path(place) / "store"))
            curl_s.append(_curl(url, Path(place)))
            dd_s.append(_dd(size_mib, Path(place)))
            for name, peer in _peers().items() if number < PEER_ROUNDS else ():
                peers_s.setdefault(name, []).append(peer(url, digest, Path(place)))
    by_curl = [run.wall_s / other_s for run, other_s in zip(ours, curl_s, strict=True)]
    by_dd = [run.wall_s / max(other_s, FLOOR_S) for run, other_s in zip(ours, dd_s, strict=True)]
    size = f"{size_mib} MiB"
    return [
        _row(f"{size} verified, wall over curl + openssl + sync", by_curl, 0.70),
        _row(f"{size} verified, wall over dd conv=fdatasync", by_dd, 1.25),
        _row("memory above idle, MiB", [run.rss_above_idle_mib for run in ours], 80.0),
        _row("loop lag p99 meanwhile, ms", [run.lag_p99_ms for run in ours], 10.0),
        _row("loop lag p99 before, ms", [run.idle_lag_p99_ms for run in ours], float("inf")),
        _row("wall, s", [run.wall_s for run in ours], float("inf")),
        _row("CPU, s", [run.cpu_s for run in ours], float("inf")),
        _row("curl + openssl + sync, s", curl_s, float("inf")),
        _row("dd, s", dd_s, float("inf")),
        *(_peer_row(name, hint, peers_s.get(name)) for name, hint in _PEER_HINTS.items()),
    ]


def bench_rows() -> list[BenchRow]:
    """For the table of `make bench`."""
    return [row.for_table for row in rows()]


def pull_here() -> None:
    """Pull into argv[1] from argv[2], and print a Run; in a process of its own."""
    from ollm_tui.providers.local.provider import LocalProvider

    async def tick(lags: list[float]) -> None:
        loop = asyncio.get_running_loop()
        while True:
            before_s = loop.time()
            await asyncio.sleep(0.005)
            lags.append(1000 * (loop.time() - before_s - 0.005))

    async def main() -> Run:
        provider = LocalProvider(Path(sys.argv[1]))
        await provider.plan(sys.argv[2])  # so that idle means with httpx loaded
        idle_mib = _peak_mib()
        idle_lags: list[float] = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(IDLE_S):
                await tick(idle_lags)
        lags: list[float] = []
        ticker = asyncio.create_task(tick(lags))
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        async for _ in provider.pull(sys.argv[2]):
            pass
        wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
        ticker.cancel()
        await provider.close()
        lag, idle_lag = (statistics.quantiles(found, n=100)[98] for found in (lags, idle_lags))
        return Run(wall_s, cpu_s, _peak_mib() - idle_mib, lag, idle_lag)

    print(*asyncio.run(main()))


def _pull(registry: DockerRegistry, store: Path) -> Run:
    command = (sys.executable, "-c", _CHILD, str(store), f"http://{registry.netloc}/{NAME}")
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    shutil.rmtree(store)
    return Run(*map(float, done.stdout.split()))


def _curl(url: str, place: Path) -> float:
    target = place / "curl"
    script = f"curl -s -o '{target}' '{url}' && openssl dgst -sha256 '{target}' && sync '{target}'"
    return _timed(["sh", "-c", f"{script} && mv '{target}' '{target}.done'"], f"{target}.done")


def _peers() -> dict[str, Callable[[str, str, Path], float]]:
    """The other downloaders that are here, by name."""
    found: dict[str, Callable[[str, str, Path], float]] = {}
    if shutil.which("aria2c"):
        found["aria2c"] = _aria2
    if (LIBRARIES / "huggingface_hub").is_dir():
        found["huggingface_hub"] = _huggingface
    return found


def _aria2(url: str, digest: str, place: Path) -> float:
    target = place / "aria2"
    verify = f"--checksum={digest.replace('sha256:', 'sha-256=')} --file-allocation=falloc"
    script = f"aria2c -q --no-conf {verify} -d '{place}' -o aria2 '{url}' && sync '{target}'"
    return _timed(["sh", "-c", script], str(target))


def _huggingface(url: str, digest: str, place: Path) -> float:
    target = str(place / "huggingface")
    command = [sys.executable, "-c", _HUGGINGFACE, url, target, digest.removeprefix("sha256:")]
    settings = {"PYTHONPATH": str(LIBRARIES), "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    return _timed(command, target, settings)


def _dd(size_mib: int, place: Path) -> float:
    target = place / "dd"
    command = ["dd", "if=/dev/zero", f"of={target}", "bs=1M", f"count={size_mib}"]
    return _timed([*command, "conv=fdatasync"], str(target))


def _timed(command: Sequence[str], target: str, settings: Mapping[str, str] | None = None) -> float:
    before_s = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, **(settings or {})})
    took_s = time.perf_counter() - before_s
    os.unlink(target)
    return took_s


@contextlib.contextmanager
def _registry(place: Path, size_mib: int) -> Iterator[tuple[DockerRegistry, str]]:
    (place / "registry").mkdir()
    with docker_registry(place / "registry") as registry:
        block = os.urandom(MIB)
        model = made_model(weights=block * size_mib)
        registry.push(NAME, model)
        yield registry, max(model.blobs.items(), key=lambda item: len(item[1]))[0]


def _peak_mib() -> float:
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))


def _row(name: str, values: Sequence[float], bar: float) -> Row:
    low, middle, high = statistics.quantiles(values, n=4)
    text = f"{middle:.2f} [{low:.2f}-{high:.2f}]"
    reference = name.partition(" over ")[2]
    return Row(name, text, middle, bar, reference, (low, high))


def _peer_row(name: str, hint: str, values: Sequence[float] | None) -> Row:
    if not values:
        return Row(f"{name}, s", f"not installed ({hint})", 0.0, float("inf"))
    return Row(f"{name}, s", f"{statistics.median(values):.2f}", 0.0, float("inf"))


if __name__ == "__main__":
    for row in rows(*map(int, sys.argv[1:])):
        verdict = "ok " if row.value <= row.bar else "MISSED"
        print(f"{verdict} {row.name}: {row.shown}")
