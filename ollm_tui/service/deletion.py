"""Deleting models: what stands against it, what it frees, and a while to take it back.

Servers delete loaded models without a word, so the guard is ours. Source: decisions A5.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta

from ollm_tui.core.error import ModelInUse, OllmError, Unsupported
from ollm_tui.core.event import PendingDeletion, PendingDeletions
from ollm_tui.core.model import RunningModel
from ollm_tui.core.name import name_key
from ollm_tui.providers.base import Provider
from ollm_tui.service.downloads import Downloads
from ollm_tui.service.freed import Freed, freed_by
from ollm_tui.service.installed import InstalledModels
from ollm_tui.service.running import RunningModels

UNDO_S = 5.0

Errors = dict[str, OllmError]


class PendingDelete:
    """Models that will be deleted unless that is taken back in time.

    Attributes:
        names: of the models.
        due_at: when they are deleted, aware; while it is held, when they would have been.
        is_held: whether its time stands still, for somebody is asked about it.
    """

    def __init__(self, names: Sequence[str], due_at: datetime) -> None:
        self.names = tuple(names)
        self.due_at = due_at
        self._task: asyncio.Task[Errors] | None = None
        self._nap: asyncio.Future[None] | None = None
        self._let_go = asyncio.Event()
        self._let_go.set()
        self._is_due = self._has_begun = False

    @property
    def is_held(self) -> bool:
        return not self._let_go.is_set()

    def undo(self) -> bool:
        """Take it back; whether that was in time, so that nothing is deleted."""
        if self._task is None or self._has_begun or self._task.cancelling():
            return False
        return self._task.cancel()

    def hold(self) -> None:
        """Do not begin, however late it gets, until `go_on` or `hurry`."""
        self._let_go.clear()

    def go_on(self) -> None:
        """Be held no longer; it begins anew if its time has run out meanwhile."""
        self._let_go.set()

    def hurry(self) -> None:
        """Begin now, held or not."""
        self._is_due = True
        self._let_go.set()
        if self._nap is not None:
            self._nap.cancel()

    async def wait(self) -> Errors | None:
        """Wait until they are deleted and return what went wrong, by name; None if taken back."""
        assert self._task is not None
        await asyncio.wait([self._task])
        return None if self._task.cancelled() else self._task.result()

    def begin(
        self,
        sleep: Callable[[], Awaitable[None]],
        again: Callable[[], None],
        delete: Callable[[], Awaitable[Errors]],
    ) -> "asyncio.Task[Errors]":
        """Start the time that is left.

        Args:
            sleep: waits for all of it.
            again: called when it begins anew, after having been held for longer than it had.
        """
        self._task = asyncio.create_task(self._run(sleep, again, delete), name="pending delete")
        return self._task

    async def _run(
        self,
        sleep: Callable[[], Awaitable[None]],
        again: Callable[[], None],
        delete: Callable[[], Awaitable[Errors]],
    ) -> Errors:
        while not self._is_due:
            self._nap = asyncio.ensure_future(sleep())
            try:
                await asyncio.wait([self._nap])
            finally:
                self._nap.cancel()
                self._nap = None
            if not self.is_held:
                break
            await self._let_go.wait()
            if not self._is_due:
                again()  # who was asked about it has not had the time to take it back
        self._has_begun = True
        return await delete()


class Deletions:
    """Deletes the models of one provider.

    Args:
        provider: whom to ask.
        installed, running, downloads: what is known of them.
        refresh: starts to ask for all anew; what it returns is done when that is.
        on_change: told what can still be taken back, whenever that changes.
        sleep: waits for seconds.
        now: the wall clock.
    """

    def __init__(
        self,
        provider: Provider,
        *,
        installed: InstalledModels,
        running: RunningModels,
        downloads: Downloads,
        refresh: Callable[[], asyncio.Future[None]],
        on_change: Callable[[PendingDeletions], None],
        sleep: Callable[[float], Awaitable[None]],
        now: Callable[[], datetime],
    ) -> None:
        self._provider = provider
        self._installed = installed
        self._running = running
        self._downloads = downloads
        self._refresh = refresh
        self._on_change = on_change
        self._sleep = sleep
        self._now = now
        self._pending: dict[PendingDelete, asyncio.Task[Errors]] = {}
        self._tasks: set[asyncio.Task[Errors]] = set()

    @property
    def pending(self) -> tuple[PendingDelete, ...]:
        """Those that can still be taken back, oldest first."""
        return tuple(self._pending)

    @property
    def state(self) -> PendingDeletions:
        """Those that can still be taken back, as others see them."""
        return PendingDeletions(
            tuple(PendingDeletion(one.names, one.due_at, one.is_held) for one in self._pending)
        )

    def undo(self) -> tuple[str, ...]:
        """Take back the last delete that can be; returns the names, none if it is too late."""
        for pending in reversed(self.pending):
            if pending.undo():
                return pending.names
        return ()

    def hold(self) -> None:
        """Let no time pass for those that can be taken back: somebody is asked about them."""
        for pending in self._pending:
            pending.hold()
        self._on_change(self.state)

    def go_on(self) -> None:
        """Let their time pass again."""
        for pending in self._pending:
            pending.go_on()
        self._on_change(self.state)

    async def hurry(self) -> bool:
        """Delete now what can still be taken back; whether all of it went well.

        What went wrong is told by `PendingDelete.wait`.
        """
        hurried = self.pending
        for pending in hurried:
            pending.hurry()
        results = await asyncio.gather(*(pending.wait() for pending in hurried))
        return not any(results)

    async def delete(
        self, names: Sequence[str], *, force: bool = False, unload: bool = False
    ) -> Errors:
        """Remove models one after the other; returns what went wrong, by name.

        Args:
            force: also while they are loaded.
            unload: take those that are loaded out of memory first.
        """
        errors: Errors = {}
        try:
            for name in names:
                try:
                    if unload:
                        await self._unload(name)
                    await self._delete(name, force=force or unload)
                except OllmError as error:
                    errors[name] = error
        finally:
            refreshed = self._refresh()
        await refreshed
        return errors

    async def delete_later(
        self,
        names: Sequence[str],
        *,
        delay_s: float | None = None,
        force: bool = False,
        unload: bool = False,
    ) -> PendingDelete:
        """Remove models after a while in which that can be taken back; `close` drops it.

        Raises:
            ModelInUse, ProviderError: at once, for what stands against it now.
        """
        for name in names:
            await self._refuse(name, force=force or unload)
        wait_s = UNDO_S if delay_s is None else delay_s
        pending = PendingDelete(names, self._now() + timedelta(seconds=wait_s))

        async def delete() -> Errors:
            self._drop(pending)  # from now on it cannot be taken back
            return await self.delete(names, force=force, unload=unload)

        def again() -> None:
            pending.due_at = self._now() + timedelta(seconds=wait_s)
            self._on_change(self.state)

        task = pending.begin(lambda: self._sleep(wait_s), again, delete)
        self._pending[pending] = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: self._drop(pending))
        self._on_change(self.state)
        return pending

    async def freed(self, names: Collection[str]) -> Freed:
        """What deleting these models would free; never raises."""
        return await freed_by(self._provider, names, self._installed.state.models)

    async def close(self) -> None:
        """Take back what is pending, and finish what has begun."""
        tasks = tuple(self._tasks)
        for pending in self.pending:
            pending.undo()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _drop(self, pending: PendingDelete) -> None:
        if self._pending.pop(pending, None) is not None:
            self._on_change(self.state)

    async def _unload(self, name: str) -> None:
        known = self._installed.find(name)
        digest = known.digest if known else ""
        for running in await self._running.ask_anew():
            if is_loaded_as(name, digest, running):
                await self._running.unload(running.name)

    async def _delete(self, name: str, *, force: bool) -> None:
        await self._refuse(name, force=force)
        try:
            await self._provider.delete(name)
        finally:
            # Also after a failure: servers remove the manifest before they fail on the blobs.
            self._installed.forget(name)

    async def _refuse(self, name: str, *, force: bool) -> None:
        if self._downloads.is_pending(name):
            raise ModelInUse(
                f"{name} is being downloaded", actions=("Cancel the download first (x).",)
            )
        if force:
            return
        known = self._installed.find(name)
        try:
            # Asked right before, for what was known may be a minute old.
            running = await self._running.ask_anew()
        except Unsupported:
            return  # an old server cannot tell, and neither can anyone else
        refuse_if_loaded(name, known.digest if known else "", running)


def refuse_if_loaded(name: str, digest: str, running: Iterable[RunningModel]) -> None:
    """Raise ModelInUse if the model is in memory, be it under another name.

    Args:
        digest: the model's, or empty when unknown.
        running: what is in memory right now.
    """
    for model in running:
        if is_loaded_as(name, digest, model):
            is_same_name = name_key(model.name) == name_key(name)
            raise ModelInUse(
                f"{name} is loaded in memory",
                cause="" if is_same_name else f"as {model.display_name}",
                actions=(f"Unload it first (`ollm-tui stop {model.display_name}`), then delete.",),
            )


def is_loaded_as(name: str, digest: str, running: RunningModel) -> bool:
    """Whether a model in memory is this one, be it under another name."""
    return name_key(running.name) == name_key(name) or bool(digest and running.digest == digest)
