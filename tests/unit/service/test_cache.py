"""Freshness, single flight and generations of the cache."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from ollm_tui.core.error import OllmError
from ollm_tui.service.cache import TTLCache
from tests.unit.service.fake import FakeClock, settle


class Source:
    """Counts fetches; each waits until it is answered."""

    def __init__(self) -> None:
        self.fetches: list[asyncio.Future[str]] = []

    async def __call__(self) -> str:
        self.fetches.append(asyncio.get_running_loop().create_future())
        return await self.fetches[-1]


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
async def cache(clock: FakeClock) -> AsyncIterator[TTLCache[str, str]]:
    cache: TTLCache[str, str] = TTLCache(60.0, clock)
    yield cache
    await cache.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def fill(cache: TTLCache[str, str], value: str = "old") -> None:
    async def fetch() -> str:
        return value

    await cache.get("key", fetch, refresh=True)


@pytest.mark.parametrize(("age_s", "is_fresh"), [(0.0, True), (59.9, True), (60.1, False)])
async def test_a_value_is_fresh_for_its_time_to_live(
    cache: TTLCache[str, str], clock: FakeClock, age_s: float, is_fresh: bool
) -> None:
    await fill(cache)
    clock.now_s += age_s
    assert cache.fresh("key") == ("old" if is_fresh else None)


async def test_age_counts_from_the_answer_and_not_from_the_question(
    cache: TTLCache[str, str], clock: FakeClock, source: Source
) -> None:
    asking = asyncio.ensure_future(cache.get("key", source))
    await settle()
    clock.now_s += 40
    source.fetches[0].set_result("new")
    await asking
    clock.now_s += 59.9
    assert cache.fresh("key") == "new"


async def test_a_thousand_callers_make_one_fetch(cache: TTLCache[str, str], source: Source) -> None:
    callers = [asyncio.ensure_future(cache.get("key", source)) for _ in range(1000)]
    await settle()
    source.fetches[0].set_result("new")
    assert await asyncio.gather(*callers) == ["new"] * 1000
    assert len(source.fetches) == 1


async def test_keys_do_not_share_a_fetch(cache: TTLCache[str, str], source: Source) -> None:
    callers = [asyncio.ensure_future(cache.get(key, source)) for key in ("a", "b")]
    await settle()
    for number, future in enumerate(source.fetches):
        future.set_result(str(number))
    assert await asyncio.gather(*callers) == ["0", "1"]


@pytest.mark.parametrize("cancelled", [0, 1])
async def test_a_caller_that_leaves_does_not_take_the_fetch_with_it(
    cache: TTLCache[str, str], source: Source, cancelled: int
) -> None:
    callers = [asyncio.ensure_future(cache.get("key", source)) for _ in range(2)]
    await settle()
    callers[cancelled].cancel()
    await settle()
    source.fetches[0].set_result("new")
    assert await callers[1 - cancelled] == "new"
    assert callers[cancelled].cancelled()


async def test_a_fetch_that_everybody_left_is_still_stored(
    cache: TTLCache[str, str], source: Source
) -> None:
    caller = asyncio.ensure_future(cache.get("key", source))
    await settle()
    caller.cancel()
    await settle()
    source.fetches[0].set_result("new")
    await settle()
    assert cache.fresh("key") == "new"


async def test_an_error_goes_to_every_caller_and_is_not_kept(
    cache: TTLCache[str, str], source: Source
) -> None:
    callers = [asyncio.ensure_future(cache.get("key", source)) for _ in range(3)]
    await settle()
    error = OllmError("no")
    source.fetches[0].set_exception(error)
    assert await asyncio.gather(*callers, return_exceptions=True) == [error] * 3
    await fill(cache, "better")
    assert cache.fresh("key") == "better"


async def test_an_error_nobody_waits_for_is_no_warning(
    cache: TTLCache[str, str], source: Source
) -> None:
    caller = asyncio.ensure_future(cache.get("key", source))
    await settle()
    caller.cancel()
    source.fetches[0].set_exception(OllmError("no"))
    await settle()
    assert cache.fresh("key") is None


async def test_an_error_keeps_the_value_that_was_there(
    cache: TTLCache[str, str], source: Source
) -> None:
    await fill(cache)
    asking = asyncio.ensure_future(cache.get("key", source, refresh=True))
    await settle()
    source.fetches[0].set_exception(OllmError("no"))
    with pytest.raises(OllmError):
        await asking
    assert cache.fresh("key") == "old"


async def test_refresh_fetches_although_the_value_is_fresh(
    cache: TTLCache[str, str], source: Source
) -> None:
    await fill(cache)
    asking = asyncio.ensure_future(cache.get("key", source, refresh=True))
    await settle()
    source.fetches[0].set_result("new")
    assert await asking == "new"


@pytest.mark.parametrize("how", ["invalidate", "clear"])
async def test_a_fetch_from_before_an_invalidation_answers_its_callers_only(
    cache: TTLCache[str, str], source: Source, how: str
) -> None:
    early = asyncio.ensure_future(cache.get("key", source))
    await settle()
    cache.invalidate("key") if how == "invalidate" else cache.clear()
    late = asyncio.ensure_future(cache.get("key", source))
    await settle()
    source.fetches[1].set_result("after")
    source.fetches[0].set_result("before")
    assert (await early, await late) == ("before", "after")
    assert cache.fresh("key") == "after"


async def test_a_fetch_under_way_counts_although_its_key_is_outdated_meanwhile(
    cache: TTLCache[str, str], source: Source
) -> None:
    """The details of a removed model come back "not found" while the list is asked anew."""
    caller = asyncio.ensure_future(cache.get("key", source))
    await settle()
    cache.outdate("key")
    source.fetches[0].set_result("after")
    assert await caller == "after"
    assert cache.fresh("key") == "after"


async def test_an_outdated_value_is_fetched_again(
    cache: TTLCache[str, str], source: Source
) -> None:
    await fill(cache)
    cache.outdate("key")
    caller = asyncio.ensure_future(cache.get("key", source))
    await settle()
    source.fetches[0].set_result("new")
    assert await caller == "new"


async def test_a_fetch_knows_whether_it_counts(cache: TTLCache[str, str]) -> None:
    seen: list[bool] = []

    async def fetch() -> str:
        seen.append(cache.will_store("key"))
        cache.invalidate("key")
        seen.append(cache.will_store("key"))
        return "value"

    assert await cache.get("key", fetch) == "value"
    assert seen == [True, False]
    assert cache.fresh("key") is None


async def test_closing_ends_every_fetch_invalidated_ones_included(
    cache: TTLCache[str, str], source: Source
) -> None:
    callers = [asyncio.ensure_future(cache.get("key", source))]
    await settle()
    cache.invalidate("key")
    callers.append(asyncio.ensure_future(cache.get("key", source)))
    await settle()
    await cache.close()
    await asyncio.gather(*callers, return_exceptions=True)
    assert [future.cancelled() for future in source.fetches] == [True, True]


async def test_at_its_time_to_live_a_value_is_no_longer_fresh(
    cache: TTLCache[str, str], clock: FakeClock
) -> None:
    await fill(cache)
    clock.now_s += 60.0
    assert cache.fresh("key") is None


async def test_a_fresh_value_is_given_without_a_fetch_unless_one_asks_for_it(
    cache: TTLCache[str, str], source: Source
) -> None:
    await fill(cache)
    assert await cache.get("key", source) == "old"
    assert source.fetches == []


async def test_closing_waits_until_what_a_fetch_has_to_tidy_up_is_done() -> None:
    tidied = False

    async def fetch() -> str:
        nonlocal tidied
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            tidied = True
        return ""

    cache: TTLCache[str, str] = TTLCache(60.0, FakeClock())
    asking = asyncio.ensure_future(cache.get("key", fetch))
    await settle()
    await cache.close()
    assert tidied
    await asyncio.gather(asking, return_exceptions=True)
