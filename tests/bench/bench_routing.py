"""How long routing takes. `rows()` for `make bench`; run as a module it prints its own table.

Source: design, Performance Tests; the tighter bars are the project's own.
"""

import gc
import logging
import random
import statistics
import time
from collections.abc import Callable

from ollm_tui.core.model import ModelInfo
from ollm_tui.routing.database import ModelDatabase
from ollm_tui.routing.facts import enrich
from ollm_tui.routing.router import Router
from ollm_tui.routing.scenario import read_scenarios, run_scenarios
from tests.bench.row import Row as BenchRow
from tests.bench.row import in_milliseconds

Row = tuple[str, float, float]
"""What is measured, its median in seconds, the bar in seconds."""

FAMILIES = ("llama3.1", "qwen3", "phi4", "mistral", "codellama", "mystery")
CONTEXTS = (4_096, 8_192, 32_768, 131_072)


def rows() -> list[Row]:
    """Measure everything once; takes a few seconds."""
    logging.getLogger("ollm_tui.routing").setLevel(logging.ERROR)
    database = ModelDatabase()
    router = Router(database=database)
    installed = [enrich(model, database) for model in made_up_models(10_000)]
    hundred = installed[:100]
    return [
        ("explain, 100 models", median(lambda: router.explain("code", hundred), 200), 0.001),
        ("select, 100 models", median(lambda: router.select_model("code", hundred), 200), 0.005),
        ("explain, 10,000 models", median(lambda: router.explain("code", installed), 9), 0.1),
        ("lookup, cached", median(cached_lookups(database), 200) / 1_000, 2e-6),
        ("lookup, 1,000 patterns, uncached", median(uncached_lookups(), 20) / 100, 200e-6),
        ("scenarios, 10,000 cases", median(scenarios(router), 1), 10.0),
    ]


def median(action: Callable[[], object], repeats: int) -> float:
    """Return the median time of an action, in seconds."""
    action()
    gc.collect()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        action()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def made_up_models(count: int) -> list[ModelInfo]:
    """Distinct models of several families, sizes and contexts; the same every time."""
    draw = random.Random(1)
    return [
        ModelInfo(
            name=f"user{index}/{draw.choice(FAMILIES)}:{index % 90 + 1}b",
            size_bytes=index * 10**6,
            context_window=draw.choice(CONTEXTS),
        )
        for index in range(count)
    ]


def cached_lookups(database: ModelDatabase) -> Callable[[], None]:
    """A thousand lookups of one name."""

    def action() -> None:
        for _ in range(1_000):
            database.get_model_limits("llama3.1:8b")

    return action


def uncached_lookups() -> Callable[[], None]:
    """A hundred lookups against a thousand patterns that all have to be tried."""
    database = ModelDatabase({f"*m{i}[a-z]?:*": {"contextWindow": i + 1} for i in range(1_000)})
    names = [f"some-model-{i}:7b" for i in range(100)]

    def action() -> None:
        for name in names:
            database.matching(name)

    return action


def scenarios(router: Router) -> Callable[[], None]:
    """Ten thousand cases on twenty models, reading included."""
    models = [{"name": f"llama3.1:{i}b"} for i in range(1, 21)]
    case = {"profile": "code", "overrides": {"fast": "x"}, "expect": {"model": "llama3.1:20b"}}
    data = {"models": models, "cases": [case] * 10_000}

    def action() -> None:
        results = run_scenarios(read_scenarios(data), router)
        assert not any(result.failures for result in results)

    return action


def bench_rows() -> list[BenchRow]:
    """For the table of `make bench`."""
    return in_milliseconds(rows())


if __name__ == "__main__":
    for name, seconds, bar in rows():
        print(f"{name:34} {seconds * 1e6:12,.1f} µs   bar {bar * 1e6:12,.1f} µs")
