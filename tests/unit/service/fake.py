"""A clock and a provider that stand still until a test moves them."""

import asyncio
import heapq
from collections import Counter
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

from ollm_tui.core.error import ModelNotFound, OllmError
from ollm_tui.core.event import Event
from ollm_tui.core.model import ModelDetails, ModelInfo, ModelList, RunningModel
from ollm_tui.core.name import name_key
from ollm_tui.core.progress import ProgressEvent, PullPhase, PullState, PullStep
from ollm_tui.routing.database import ModelDatabase
from ollm_tui.service.service import ModelService

GIB = 2**30
_DATABASE = ModelDatabase()  # it never changes, and remembers what it looked up
RESOLVING = PullStep(PullPhase.RESOLVING, "pulling manifest")
VERIFYING = PullStep(PullPhase.VERIFYING, "verifying sha256 digest")
WRITING = PullStep(PullPhase.FINISHING, "writing manifest")
SUCCESS = PullStep(PullPhase.SUCCESS, "success")


def layer(digest: str, completed: int, total: int) -> PullStep:
    return PullStep(PullPhase.TRANSFERRING, f"pulling {digest}", digest, total, completed)


def model(name: str, *, digest: str = "", size_bytes: int = GIB) -> ModelInfo:
    return ModelInfo(name, size_bytes=size_bytes, digest=digest or f"digest of {name}")


async def settle() -> None:
    """Let everything that can go on do so."""
    ready = vars(asyncio.get_running_loop())["_ready"]  # no public way to see that all wait
    while True:
        await asyncio.sleep(0)
        if not ready:
            return


class FakeClock:
    """Seconds that pass only when a test says so, and sleepers that wake in order."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    def __call__(self) -> float:
        return self.now_s

    def wall(self) -> datetime:
        return datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(seconds=self.now_s - 1000.0)

    async def sleep(self, seconds: float) -> None:
        self._count += 1
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now_s + seconds, self._count, future))
        await future

    async def advance(self, seconds: float) -> None:
        """Pass the time, waking each sleeper at its moment."""
        await settle()
        until_s = self.now_s + seconds
        while self._sleepers and self._sleepers[0][0] <= until_s + 1e-9:
            self.now_s, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.set_result(None)
                await settle()
        self.now_s = until_s

    @property
    def sleepers(self) -> int:
        return sum(not future.done() for _, _, future in self._sleepers)


class FakePull:
    """One pull as the provider sees it: the test puts in what it reports."""

    def __init__(self, name: str, script: tuple[PullStep, ...] = ()) -> None:
        self.name = name
        self.is_closed = False
        self._reports: asyncio.Queue[PullStep | BaseException | None] = asyncio.Queue()
        for step in script:
            self._reports.put_nowait(step)

    async def report(self, *steps: PullStep) -> None:
        for step in steps:
            self._reports.put_nowait(step)
        await settle()

    async def fail(self, error: BaseException) -> None:
        self._reports.put_nowait(error)
        await settle()

    async def just_end(self) -> None:
        self._reports.put_nowait(None)
        await settle()

    async def succeed(self) -> None:
        await self.report(VERIFYING, WRITING, SUCCESS)

    async def steps(self) -> AsyncGenerator[PullStep, None]:
        try:
            while (report := await self._next()) is not None:
                if isinstance(report, BaseException):
                    raise report
                yield report
        finally:
            await asyncio.sleep(0)  # closing a stream takes a moment, too
            self.is_closed = True

    async def _next(self) -> PullStep | BaseException | None:
        await asyncio.sleep(0)
        return await self._reports.get()


class FakeProvider:
    """A provider in memory. Questions are answered at once, unless their kind is held."""

    kind = "fake"
    host = "127.0.0.1:1"

    def __init__(self, *models: ModelInfo) -> None:
        self.models = {name_key(item.name): item for item in models}
        self.in_memory: list[RunningModel] = []
        self.asked: Counter[str] = Counter()
        self.errors: dict[str, OllmError] = {}
        """What a kind of question is answered with instead, until taken out."""
        self.pulls: list[FakePull] = []
        self.script: tuple[PullStep, ...] = ()
        """What every pull reports without being told to."""
        self.is_closed = False
        self._held: dict[str, list[asyncio.Future[None]]] = {}

    def hold(self, kind: str) -> None:
        """Let further questions of this kind wait."""
        self._held[kind] = []

    def waiting(self, kind: str) -> int:
        return len(self._held[kind])

    async def release(self, kind: str, index: int = 0) -> None:
        """Answer one of the waiting questions, with what is true by now."""
        self._held[kind].pop(index).set_result(None)
        await settle()

    def free(self, kind: str) -> None:
        for future in self._held.pop(kind):
            future.set_result(None)

    def install(self, name: str, *, digest: str = "") -> None:
        self.models[name_key(name)] = model(name, digest=digest)

    def load_into_memory(self, name: str, *, digest: str = "") -> None:
        self.in_memory.append(RunningModel(name, name, digest, context_tokens=4096))

    async def version(self) -> str:
        await self._asked("version")
        return "1.2.3"

    async def list_models(self) -> ModelList:
        models = tuple(self.models.values())  # as of the question: what a late answer tells
        await self._asked("list")
        return ModelList(models)

    async def show(self, name: str) -> ModelDetails:
        await self._asked("show")
        return ModelDetails(ModelInfo(self._required(name).name), license="MIT")

    async def pull(self, name: str) -> AsyncGenerator[PullStep, None]:
        pull = FakePull(name, self.script)
        self.pulls.append(pull)
        steps = pull.steps()
        try:
            await self._asked("pull")
            async for step in steps:
                if step.phase is PullPhase.SUCCESS:
                    self.install(name)
                yield step
        finally:
            await steps.aclose()
            pull.is_closed = True

    async def delete(self, name: str) -> None:
        await self._asked("delete")
        del self.models[name_key(self._required(name).name)]

    async def copy(self, source: str, destination: str) -> None:
        await self._asked("copy")
        self.install(destination, digest=self._required(source).digest)

    async def close(self) -> None:
        self.is_closed = True

    async def running(self) -> tuple[RunningModel, ...]:
        await self._asked("running")
        return tuple(self.in_memory)

    async def load(self, name: str, keep_alive: str | float | None = None) -> None:
        await self._asked("load")
        self.load_into_memory(self._required(name).name)

    async def unload(self, name: str) -> None:
        await self._asked("unload")
        self.in_memory = [item for item in self.in_memory if name_key(item.name) != name_key(name)]

    async def _asked(self, kind: str) -> None:
        self.asked[kind] += 1
        if kind in self._held:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._held[kind].append(future)
            await future
        if kind in self.errors:
            raise self.errors[kind]

    def _required(self, name: str) -> ModelInfo:
        if (found := self.models.get(name_key(name))) is None:
            raise ModelNotFound(f"{name} is not installed", cause="the fake has no such model")
        return found


def make_service(provider: FakeProvider, clock: FakeClock, concurrency: int = 2) -> ModelService:
    return ModelService(
        provider,
        make_database=lambda: _DATABASE,
        dice=lambda: 0.999,  # the longest wait, or nearly
        clock=clock,
        sleep=clock.sleep,
        now=clock.wall,
        concurrency=concurrency,
    )


class Recorder:
    """A subscriber that keeps every event, and what a download told."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.progress: list[ProgressEvent] = []

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    def on_progress(self, event: ProgressEvent) -> None:
        self.progress.append(event)

    @property
    def states(self) -> list[PullState]:
        return [event.status for event in self.progress]

    @property
    def finals(self) -> list[PullState]:
        return [state for state in self.states if state.is_final]
