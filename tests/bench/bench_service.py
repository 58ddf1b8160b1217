"""How long the service takes for what its cache answers, and how many requests that makes."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Coroutine

from ollm_tui.core.model import ModelInfo, ModelList
from ollm_tui.service.cache import TTLCache
from ollm_tui.service.service import ModelService
from tests.bench.row import Row as BenchRow
from tests.bench.row import in_milliseconds
from tests.unit.service.fake import FakeProvider, model

LOOK_UPS = 20_000
CALLERS = 1_000
ROUNDS = 9
MODELS = 1_000


class Counting(FakeProvider):
    """A provider with many models that counts how often it is asked for them."""

    def __init__(self) -> None:
        super().__init__()
        self._listed = ModelList(tuple(model(f"qwen3:{number}b") for number in range(MODELS)))

    async def list_models(self) -> ModelList:
        await self._asked("list")
        await asyncio.sleep(0.01)  # as long as it takes a server
        return self._listed


def rows() -> list[tuple[str, float, float]]:
    """Measure.

    Returns:
        What was measured, its median in seconds, and the most that is allowed.
    """
    return [
        ("service: a look-up in the cache", _median(_look_up), 5e-6),
        ("service: list_models from the cache, 1,000 models", _median(_list), 1e-3),
        ("service: show_model from the cache", _median(_show), 1e-3),
        (f"service: {CALLERS:,} callers of a list, one request", _median(_together), 1.0),
    ]


async def _look_up() -> float:
    cache: TTLCache[str, tuple[ModelInfo, ...]] = TTLCache(60.0, time.monotonic)

    async def fetch() -> tuple[ModelInfo, ...]:
        return (model("a"),)

    await cache.get("list", fetch)
    start = time.perf_counter()
    for _ in range(LOOK_UPS):
        cache.fresh("list")
    return (time.perf_counter() - start) / LOOK_UPS


async def _list() -> float:
    async with _Open() as service:
        await service.list_models()
        return await _seconds_each(service.list_models)


async def _show() -> float:
    provider = FakeProvider(model("qwen3:7b"))
    service = ModelService(provider)
    await service.list_models()
    await service.show_model("qwen3:7b")
    seconds = await _seconds_each(lambda: service.show_model("qwen3:7b"))
    assert provider.asked["show"] == 1
    await service.close()
    return seconds


async def _together() -> float:
    provider = Counting()
    service = ModelService(provider)
    start = time.perf_counter()
    answers = await asyncio.gather(*(service.list_models() for _ in range(CALLERS)))
    seconds = time.perf_counter() - start
    assert provider.asked["list"] == 1
    assert {len(answer) for answer in answers} == {MODELS}
    await service.close()
    return seconds


class _Open:
    """A service on many models, closed in the end."""

    async def __aenter__(self) -> ModelService:
        self._service = ModelService(Counting())
        return self._service

    async def __aexit__(self, *_: object) -> None:
        await self._service.close()


async def _seconds_each(action: Callable[[], Awaitable[object]], times: int = 2_000) -> float:
    start = time.perf_counter()
    for _ in range(times):
        await action()
    return (time.perf_counter() - start) / times


def _median(measure: Callable[[], Coroutine[object, object, float]]) -> float:
    return statistics.median(asyncio.run(measure()) for _ in range(ROUNDS))


def bench_rows() -> list[BenchRow]:
    """For the table of `make bench`."""
    return in_milliseconds(rows())


if __name__ == "__main__":
    for name, median_s, bar_s in rows():
        print(f"{name}: {median_s * 1e6:.2f} us, bar {bar_s * 1e6:.0f} us")
