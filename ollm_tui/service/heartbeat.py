"""The pulse of the downloads that run: tells how they get on, and notices those that do not."""

import asyncio
from collections.abc import Awaitable, Callable, Collection

from ollm_tui.core.progress import PullState
from ollm_tui.service.download import Download

HEARTBEAT_S = 1.0
PUBLISH_EVERY_S = 0.2  # of bytes; states are told at once. A bar that moves needs no more


class Heartbeat:
    """Beats while any download is active.

    Args:
        downloads: all there are now.
        publish: called when anything was told.
        clock: monotonic seconds.
        sleep: waits for seconds of that clock.
    """

    def __init__(
        self,
        downloads: Callable[[], Collection[Download]],
        publish: Callable[[], None],
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._downloads = downloads
        self._publish = publish
        self._clock = clock
        self._sleep = sleep
        self._ticker: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Beat from now on, if there is anything to beat for."""
        if self._has_active() and (self._ticker is None or self._ticker.done()):
            self._ticker = asyncio.create_task(self._tick(), name="download ticker")

    async def close(self) -> None:
        """Beat no more."""
        if self._ticker is not None:
            self._ticker.cancel()
            await asyncio.gather(self._ticker, return_exceptions=True)

    async def _tick(self) -> None:
        sample_at_s = self._clock() + 1.0
        while self._has_active():
            await self._sleep(PUBLISH_EVERY_S)
            is_sample_due = self._clock() >= sample_at_s
            if is_sample_due:
                sample_at_s = self._clock() + 1.0
            if self.beat(is_sample_due=is_sample_due):
                self._publish()

    def beat(self, *, is_sample_due: bool) -> bool:
        """Tell of every active download that has news or whose heartbeat is due."""
        has_told = False
        for download in tuple(self._downloads()):
            if not download.state.is_active:
                continue
            state = download.active_state
            if download.is_news or self._clock() - download.told_at_s >= HEARTBEAT_S:
                download.tell(state)
                has_told = True
            if state is PullState.STALLED:
                download.break_off()
            if is_sample_due:
                download.sample_speed()
        return has_told

    def _has_active(self) -> bool:
        return any(download.state.is_active for download in self._downloads())
