"""How long the questions of the simulator take; 1,000 models and 20 profiles."""

import gc
import logging
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from ollm_tui.catalogue.catalogue import catalogue
from ollm_tui.routing.breakpoints import breakpoints
from ollm_tui.routing.database import ModelDatabase
from ollm_tui.routing.facts import enrich
from ollm_tui.routing.fixes import fixes, install_advice
from ollm_tui.routing.matrix import matrix
from ollm_tui.routing.model_changes import RemoveModel
from ollm_tui.routing.profile import BUILT_IN_PROFILES
from ollm_tui.routing.settings import RoutingConfig
from ollm_tui.routing.situation import Situation
from ollm_tui.routing.what_if import preview
from tests.bench.bench_routing import Row, made_up_models, median
from tests.bench.row import Row as BenchRow
from tests.bench.row import in_milliseconds

VISIBLE = 20
ROUNDS = 15


def rows() -> list[Row]:
    """Measure everything once; takes a few seconds."""
    logging.getLogger("ollm_tui.routing").setLevel(logging.ERROR)
    plain = situation(None)
    limited = situation(300_000_000)
    removal = RemoveModel(plain.decide().model or "")
    return [
        ("fixes of 20 rows", median(lambda: list(visible(plain)), ROUNDS), 0.3),
        ("fixes of 20 rows, memory limited", median(lambda: list(visible(limited)), ROUNDS), 0.3),
        ("fixes, longest step", longest_step(lambda: visible(limited)), 0.05),
        ("matrix", median(lambda: list(matrix(limited)), ROUNDS), 0.25),
        ("matrix, longest step", longest_step(lambda: matrix(limited)), 0.05),
        ("preview on all profiles", median(lambda: list(preview(plain, removal)), ROUNDS), 0.25),
        ("install advice", median(lambda: list(install_advice(plain)), ROUNDS), 0.1),
        ("explain and breakpoints", median(lambda: explained(limited), ROUNDS), 0.05),
    ]


def situation(budget_bytes: int | None) -> Situation:
    """A thousand models, and the built-in profiles with sixteen that are like them."""
    database = ModelDatabase()
    more = (
        replace(BUILT_IN_PROFILES[i % 4], name=f"task-{i}", min_context_window=1_000 * i)
        for i in range(16)
    )
    return Situation(
        "code",
        tuple(enrich(model, database) for model in made_up_models(1_000)),
        (*BUILT_IN_PROFILES, *more),
        RoutingConfig(memory_budget_bytes=budget_bytes),
        database,
        catalogue(),
    )


def visible(asked: Situation) -> Iterable[object]:
    """The fixes of what a screen shows: half of it eligible, half dropped."""
    decision = asked.decide()
    names = [candidate.model for candidate in decision.hops[-1].candidates[1:]]
    half = VISIBLE // 2
    return fixes(asked, names[:half] + names[-half:], decision)


def explained(asked: Situation) -> object:
    """A trace and its strip."""
    return asked.decide(), breakpoints(asked)


def longest_step(search: Callable[[], Iterable[object]]) -> float:
    """Return the median, over several runs, of the longest wait between two steps, in seconds."""
    gc.collect()
    longest = []
    for _ in range(ROUNDS):
        waits = []
        started = time.perf_counter()
        for _ in search():
            now = time.perf_counter()
            waits.append(now - started)
            started = now
        longest.append(max(waits))
    return statistics.median(longest)


def bench_rows() -> list[BenchRow]:
    """For the table of `make bench`."""
    return in_milliseconds(rows())


if __name__ == "__main__":
    for name, seconds, bar in rows():
        print(f"{name:34} {seconds * 1e3:8,.1f} ms   bar {bar * 1e3:8,.1f} ms")
