"""The cache against a model of it that fits on one page."""

import asyncio
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ollm_tui.core.error import OllmError
from ollm_tui.service.cache import TTLCache
from tests.unit.service.fake import FakeClock, settle

TTL_S = 60.0
KEYS = ("a", "b")


@dataclass
class Flight:
    """A question under way, as the model sees it."""

    key: str
    counts: bool = True
    """Whether nothing has been invalidated since."""
    callers: list["asyncio.Task[int]"] = field(default_factory=list)
    leavers: list["asyncio.Task[int]"] = field(default_factory=list)
    answer: "asyncio.Future[int] | None" = None


class CacheMachine(RuleBasedStateMachine):
    """Feature: stage-07-model-management, Property 2: Model List Caching.

    Also Properties 5, 21 and 22: whatever callers, answers, failures, invalidations and time do,
    a value is served without a question exactly while it is younger than its time to live, each
    key has at most one question that counts, and no answer from before an invalidation is kept.
    """

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = FakeClock()
        self.cache: TTLCache[str, int] = TTLCache(TTL_S, self.clock)
        self.stored: dict[str, tuple[int, float]] = {}
        self.flights: list[Flight] = []
        self.fetches: list[asyncio.Future[int]] = []
        self.next_value = 1

    def run(self) -> None:
        self.loop.run_until_complete(settle())

    def is_fresh(self, key: str) -> bool:
        entry = self.stored.get(key)
        return entry is not None and self.clock.now_s - entry[1] < TTL_S

    async def fetch(self) -> int:
        answer: asyncio.Future[int] = self.loop.create_future()
        self.fetches.append(answer)
        return await answer

    @rule(key=st.sampled_from(KEYS), refresh=st.booleans())
    def get(self, key: str, refresh: bool) -> None:
        task = self.loop.create_task(self.cache.get(key, self.fetch, refresh=refresh))
        questions = len(self.fetches)
        self.run()
        if self.is_fresh(key) and not refresh:
            assert task.result() == self.stored[key][0]
            assert len(self.fetches) == questions
            return
        flight = next((item for item in self.flights if item.key == key and item.counts), None)
        if flight is None:
            flight = Flight(key)
            self.flights.append(flight)
            assert len(self.fetches) == questions + 1
            flight.answer = self.fetches[-1]
        else:
            assert len(self.fetches) == questions
        flight.callers.append(task)

    @precondition(lambda self: self.flights)
    @rule(data=st.data(), fails=st.booleans())
    def answer(self, data: st.DataObject, fails: bool) -> None:
        flight = self.flights.pop(data.draw(st.integers(0, len(self.flights) - 1)))
        assert flight.answer is not None
        if fails:
            error = OllmError("no")
            flight.answer.set_exception(error)
            self.run()
            assert all(caller.exception() is error for caller in flight.callers)
        else:
            value, self.next_value = self.next_value, self.next_value + 1
            flight.answer.set_result(value)
            self.run()
            assert all(caller.result() == value for caller in flight.callers)
            if flight.counts:
                self.stored[flight.key] = value, self.clock.now_s
        assert all(leaver.cancelled() for leaver in flight.leavers)

    @precondition(lambda self: any(flight.callers for flight in self.flights))
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        flight = data.draw(st.sampled_from([item for item in self.flights if item.callers]))
        caller = flight.callers.pop()
        caller.cancel()
        flight.leavers.append(caller)
        self.run()

    @rule(key=st.sampled_from(KEYS))
    def invalidate(self, key: str) -> None:
        self.cache.invalidate(key)
        self.stored.pop(key, None)
        for flight in self.flights:
            flight.counts = flight.counts and flight.key != key

    @rule()
    def clear(self) -> None:
        self.cache.clear()
        self.stored.clear()
        for flight in self.flights:
            flight.counts = False

    @rule(seconds=st.sampled_from([0.0, 1.0, 59.9, 60.1]))
    def wait(self, seconds: float) -> None:
        self.clock.now_s += seconds

    @invariant()
    def only_what_is_fresh_is_served(self) -> None:
        for key in KEYS:
            expected = self.stored[key][0] if self.is_fresh(key) else None
            assert self.cache.fresh(key) == expected

    def teardown(self) -> None:
        self.loop.run_until_complete(self.cache.close())
        self.run()
        assert not asyncio.all_tasks(self.loop)
        self.loop.close()


CacheMachine.TestCase.settings = settings(
    max_examples=max(100, settings().max_examples // 2), stateful_step_count=30
)
TestCacheMachine = CacheMachine.TestCase
