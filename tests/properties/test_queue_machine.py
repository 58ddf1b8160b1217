"""The download queue under everything that users, providers, time and crashes can do to it."""

import asyncio
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ollm_tui.core.error import DownloadFailed, ModelNotFound
from ollm_tui.core.event import QueueItem
from ollm_tui.core.progress import ProgressEvent, PullState
from ollm_tui.service.retry import may_pass
from ollm_tui.service.service import ModelService
from tests.unit.service.fake import FakeClock, FakeProvider, FakePull, Recorder, layer, settle

NAMES = ("a", "A:latest", "b", "c:1b", "d")
TOTAL = 1000
MEMORY = "/dev/shm"  # a disk would wait for itself after each example


class QueueMachine(RuleBasedStateMachine):
    """Whatever happens, the queue stays whole.

    Places are neither exceeded nor left empty, each active entry has at most one open stream and
    no other has any, no model is in the queue twice, percentages never fall, nobody hears two
    ends, and a crash neither loses nor doubles what is unfinished.
    """

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory(dir=MEMORY if Path(MEMORY).is_dir() else None)
        self.clock = FakeClock()
        self.concurrency = 2
        self.recorders: list[Recorder] = []
        self.callers: list[asyncio.Task[None]] = []
        self.begin()

    def begin(self) -> None:
        """A run of the program."""
        self.provider = FakeProvider()
        self.service = ModelService(
            self.provider,
            state_path=Path(self.folder.name, "state.db"),
            concurrency=self.concurrency,
            clock=self.clock,
            sleep=self.clock.sleep,
            now=self.clock.wall,
            dice=lambda: 0.5,
        )

    def run(self) -> None:
        self.loop.run_until_complete(settle())

    @property
    def items(self) -> tuple[QueueItem, ...]:
        return self.service.queue.items

    @property
    def open_pulls(self) -> list[FakePull]:
        return [pull for pull in self.provider.pulls if not pull.is_closed]

    def pick(self, data: st.DataObject) -> int:
        return data.draw(st.sampled_from([item.id for item in self.items]))

    def pick_pull(self, data: st.DataObject) -> FakePull:
        return data.draw(st.sampled_from(self.open_pulls))

    @initialize()
    def start(self) -> None:
        self.loop.run_until_complete(self.service.start())
        self.run()

    @rule(name=st.sampled_from(NAMES))
    def enqueue(self, name: str) -> None:
        async def enqueue() -> None:
            self.recorders.append(Recorder())
            self.service.enqueue(name, self.recorders[-1].on_progress)
            await settle()

        self.loop.run_until_complete(enqueue())

    @rule(name=st.sampled_from(NAMES))
    def pull(self, name: str) -> None:
        self.recorders.append(Recorder())
        pulling = self.service.pull_model(name, self.recorders[-1].on_progress)
        self.callers.append(self.loop.create_task(pulling))
        self.run()

    @precondition(lambda self: self.callers)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        caller = data.draw(st.sampled_from(self.callers))
        caller.cancel()
        self.callers.remove(caller)
        self.run()

    @precondition(lambda self: self.items)
    @rule(data=st.data(), first=st.sampled_from("pc"), second=st.sampled_from("pcr-"))
    def stop(self, data: st.DataObject, first: str, second: str) -> None:
        """Pause or cancel, and something else before that has come to its end."""
        number = self.pick(data)

        async def both() -> None:
            stops = {"p": self.service.pause, "c": self.service.cancel}
            jobs = [asyncio.ensure_future(stops[first](number))]
            await asyncio.sleep(0)
            if second in stops:
                jobs.append(asyncio.ensure_future(stops[second](number)))
            elif second == "r":
                self.service.resume(number)
            await asyncio.gather(*jobs)
            await settle()

        self.loop.run_until_complete(both())

    @precondition(lambda self: self.items)
    @rule(data=st.data(), how=st.sampled_from(["resume", "retry", "up", "down", "clear"]))
    def turn(self, data: st.DataObject, how: str) -> None:
        number = self.pick(data)

        async def turn() -> None:
            match how:
                case "resume":
                    self.service.resume(number)
                case "retry":
                    self.service.retry(number)
                case "up" | "down":
                    self.service.move(number, -1 if how == "up" else 1)
                case "clear":
                    self.service.clear_finished()
            await settle()

        self.loop.run_until_complete(turn())

    @rule(concurrency=st.integers(1, 3))
    def widen(self, concurrency: int) -> None:
        self.concurrency = max(self.concurrency, concurrency)

        async def widen() -> None:
            self.service.set_concurrency(self.concurrency)
            await settle()

        self.loop.run_until_complete(widen())

    @precondition(lambda self: self.open_pulls)
    @rule(data=st.data(), completed=st.integers(0, TOTAL))
    def report(self, data: st.DataObject, completed: int) -> None:
        pull = self.pick_pull(data)
        self.loop.run_until_complete(pull.report(layer("x", completed, TOTAL)))

    @precondition(lambda self: self.open_pulls)
    @rule(data=st.data(), how=st.sampled_from(["cut", "end", "no", "bug", "success"]))
    def end(self, data: st.DataObject, how: str) -> None:
        pull = self.pick_pull(data)

        async def end() -> None:
            match how:
                case "cut":
                    await pull.fail(DownloadFailed("cut"))
                case "end":
                    await pull.just_end()
                case "no":
                    await pull.fail(ModelNotFound("no"))
                case "bug":
                    await pull.fail(ValueError("bug"))
                case "success":
                    await pull.succeed()

        self.loop.run_until_complete(end())

    @rule(seconds=st.sampled_from([0.1, 1.0, 5.0, 31.0]))
    def wait(self, seconds: float) -> None:
        self.loop.run_until_complete(self.clock.advance(seconds))

    @rule()
    def crash(self) -> None:
        """The process is killed, and the program started again."""
        unfinished = [_essence(item) for item in self.items if _is_to_be_gone_on_with(item)]
        self.loop.run_until_complete(self.kill())
        self.begin()
        self.start()
        assert [_essence(item) for item in self.items] == unfinished

    async def kill(self) -> None:
        """End the service without a word to its memory."""
        memory = self.service._memory
        assert memory is not None
        await memory._file.run(lambda _file: None, None)
        self.service.downloads._memory = None
        await self.service.close()
        await settle()
        self.forget_callers()
        self.recorders.clear()

    def forget_callers(self) -> None:
        for caller in self.callers:
            caller.exception()  # all have ended, and their errors are seen
        self.callers.clear()

    @invariant()
    def places_are_used_and_not_exceeded(self) -> None:
        states = [item.progress.status for item in self.items]
        active = sum(state.is_active for state in states)
        assert active <= self.concurrency
        if PullState.QUEUED in states:
            assert active == self.concurrency

    @invariant()
    def streams_belong_to_active_entries(self) -> None:
        active = [item.name for item in self.items if item.progress.status.is_active]
        transferring = [pull.name for pull in self.open_pulls]
        assert len(set(transferring)) == len(transferring)
        assert set(transferring) <= set(active)

    @invariant()
    def no_model_is_there_twice(self) -> None:
        names = [item.name for item in self.items if not item.progress.status.is_final]
        assert len(set(map(str.lower, names))) == len(names)

    @invariant()
    def what_was_told_holds(self) -> None:
        for recorder in self.recorders:
            _check(recorder.progress)

    def teardown(self) -> None:
        self.loop.run_until_complete(self.service.close())
        self.run()
        self.forget_callers()
        assert all(pull.is_closed for pull in self.provider.pulls)
        assert not asyncio.all_tasks(self.loop)
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()
        self.folder.cleanup()


def _check(events: list[ProgressEvent]) -> None:
    percentages = [event.percentage for event in events]
    assert percentages == sorted(percentages)
    assert not any(event.status.is_final for event in events[:-1])
    for event in events:
        assert (event.percentage == 100) == (event.status is PullState.COMPLETE)


def _is_to_be_gone_on_with(item: QueueItem) -> bool:
    if item.progress.status is PullState.ERROR:
        return item.error is not None and may_pass(item.error, has_begun=True)
    return not item.progress.status.is_final


def _essence(item: QueueItem) -> tuple[str, bool]:
    return item.name, item.progress.status is PullState.PAUSED


QueueMachine.TestCase.settings = settings(
    max_examples=max(50, settings().max_examples // 4), stateful_step_count=20
)
TestQueueMachine = QueueMachine.TestCase
