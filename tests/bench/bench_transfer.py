"""How long a large blob takes into the store, as a ratio to what people would do by hand.

A run of ours stands beside one of `curl` + `openssl dgst` + `sync` on the same registry and disk,
and one of `dd`; the medians of the pairs' ratios count. Needs docker-registry, curl and openssl.
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
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.docker_registry import DockerRegistry, docker_registry
from tests.store_builder import made_model
from tests.terminal import ROOT

SIZE_MIB = 2048
PAIRS = 7
MIB = 1024 * 1024
NAME = "library/big:latest"
FLOOR_S = 1.6
"""Where `dd` is faster than network, hash and disk on two cores can be, it is no measure."""
_CHILD = "from tests.bench.bench_transfer import pull_here; pull_here()"


class Run(NamedTuple):
    """One pull in a process of its own."""

    wall_s: float
    cpu_s: float
    rss_above_idle_mib: float
    lag_p99_ms: float


class Row(NamedTuple):
    """One line of the table: `value` must not exceed `bar`."""

    name: str
    text: str
    value: float
    bar: float


def rows(size_mib: int = SIZE_MIB, pairs: int = PAIRS) -> list[Row]:
    """Measure, in interleaved pairs."""
    ours: list[Run] = []
    curl_s: list[float] = []
    dd_s: list[float] = []
    aria2_s: list[float] = []
    with (
        tempfile.TemporaryDirectory(prefix="ollm-bench-") as place,
        _registry(Path(place), size_mib) as (registry, digest),
    ):
        for _ in range(pairs):
            ours.append(_pull(registry, Path(place) / "store"))
            curl_s.append(_curl(registry, digest, Path(place)))
            dd_s.append(_dd(size_mib, Path(place)))
            if shutil.which("aria2c"):
                aria2_s.append(_aria2(registry, digest, Path(place)))
    by_curl = [run.wall_s / other_s for run, other_s in zip(ours, curl_s, strict=True)]
    by_dd = [run.wall_s / max(other_s, FLOOR_S) for run, other_s in zip(ours, dd_s, strict=True)]
    size = f"{size_mib} MiB"
    found = [
        _row(f"{size} verified, wall over curl + openssl + sync", by_curl, 0.70),
        _row(f"{size} verified, wall over dd conv=fdatasync", by_dd, 1.25),
        _row("memory above idle, MiB", [run.rss_above_idle_mib for run in ours], 80.0),
        _row("loop lag p99 meanwhile, ms", [run.lag_p99_ms for run in ours], 10.0),
        _row("wall, s", [run.wall_s for run in ours], float("inf")),
        _row("CPU, s", [run.cpu_s for run in ours], float("inf")),
        _row("curl + openssl + sync, s", curl_s, float("inf")),
        _row("dd, s", dd_s, float("inf")),
    ]
    return [*found, _row("aria2c, s", aria2_s, float("inf"))] if aria2_s else found


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
        lags: list[float] = []
        ticker = asyncio.create_task(tick(lags))
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        async for _ in provider.pull(sys.argv[2]):
            pass
        wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
        ticker.cancel()
        await provider.close()
        lag = statistics.quantiles(lags, n=100)[98]
        return Run(wall_s, cpu_s, _peak_mib() - idle_mib, lag)

    print(*asyncio.run(main()))


def _pull(registry: DockerRegistry, store: Path) -> Run:
    command = (sys.executable, "-c", _CHILD, str(store), f"http://{registry.netloc}/{NAME}")
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    shutil.rmtree(store)
    return Run(*map(float, done.stdout.split()))


def _curl(registry: DockerRegistry, digest: str, place: Path) -> float:
    target = place / "curl"
    url = f"http://{registry.netloc}/v2/library/big/blobs/{digest}"
    script = f"curl -s -o '{target}' '{url}' && openssl dgst -sha256 '{target}' && sync '{target}'"
    return _timed(["sh", "-c", f"{script} && mv '{target}' '{target}.done'"], f"{target}.done")


def _aria2(registry: DockerRegistry, digest: str, place: Path) -> float:
    url = f"http://{registry.netloc}/v2/library/big/blobs/{digest}"
    verify = ["--checksum=" + digest.replace("sha256:", "sha-256="), "--file-allocation=falloc"]
    command = ["aria2c", "-q", "--no-conf", *verify, "-d", str(place), "-o", "aria2", url]
    return _timed(command, str(place / "aria2"))


def _dd(size_mib: int, place: Path) -> float:
    target = place / "dd"
    command = ["dd", "if=/dev/zero", f"of={target}", "bs=1M", f"count={size_mib}"]
    return _timed([*command, "conv=fdatasync"], str(target))


def _timed(command: Sequence[str], target: str) -> float:
    before_s = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
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
    return Row(name, f"{middle:.2f} [{low:.2f}-{high:.2f}]", middle, bar)


if __name__ == "__main__":
    for row in rows(*map(int, sys.argv[1:])):
        verdict = "ok " if row.value <= row.bar else "MISSED"
        print(f"{verdict} {row.name}: {row.text}, bar {row.bar:g}")
