"""Whether the provider answers; while it does not, finds out by itself when it does again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from ollm_tui.core.error import OllmError, ProviderOffline, ProviderRefused
from ollm_tui.core.event import ServerHealth, ServerState
from ollm_tui.providers.base import Provider

_LOG = logging.getLogger(__name__)

PROBE_AFTER_S = 5.0
PROBE_AT_MOST_EVERY_S = 60.0
PROBE_LIMIT_S = 2.0
_GATEWAY_STATUSES = (502, 503, 504)


def is_unreachable(error: OllmError) -> bool:
    """Whether an error says that nobody is there, rather than what somebody thinks.

    Source: decisions C3.
    """
    if isinstance(error, ProviderRefused):
        return error.status in _GATEWAY_STATUSES
    return isinstance(error, ProviderOffline)


class ServerWatch:
    """How the provider answers, and the probe that notices its return.

    Args:
        provider: whom to ask.
        on_change: told every new state.
        on_return: asks for everything once the provider answers again.
        sleep: waits for seconds.
    """

    def __init__(
        self,
        provider: Provider,
        *,
        on_change: Callable[[ServerState], None],
        on_return: Callable[[], Awaitable[None]],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._provider = provider
        self._on_change = on_change
        self._on_return = on_return
        self._sleep = sleep
        self._is_probing_wanted = False
        self._probe: asyncio.Task[None] | None = None
        self._is_probe_asleep = False
        self.state = ServerState(provider.kind, provider.host)
        """The provider as last seen."""

    def start(self) -> None:
        """Probe from now on whenever the provider does not answer."""
        self._is_probing_wanted = True
        self._probe_if_needed()

    async def close(self) -> None:
        """Probe no more."""
        self._is_probing_wanted = False
        if self._probe is not None:
            self._probe.cancel()
            await asyncio.gather(self._probe, return_exceptions=True)

    async def version(self) -> str:
        """Ask the provider for its version."""
        with self.noticing():
            version = await self._provider.version()
        self._set(self.state._replace(version=version))
        return version

    def answered(self, error: OllmError | None = None) -> None:
        """Take in how the list of models was answered, which decides how the provider does."""
        if error is None:
            self._set(self._named(ServerHealth.ONLINE, None))
            if self._probe is not None and self._is_probe_asleep:
                self._probe.cancel()
                self._probe = None
            return
        health = ServerHealth.OFFLINE if is_unreachable(error) else ServerHealth.BROKEN
        self._set(self._named(health, error))
        self._probe_if_needed()

    def _named(self, health: ServerHealth, error: OllmError | None) -> ServerState:
        """The state, with the provider's name as it is now: it may be made on first use."""
        return self.state._replace(
            provider=self._provider.kind, host=self._provider.host, health=health, error=error
        )

    @contextmanager
    def noticing(self) -> Iterator[None]:
        """Around any other question: notice when nobody is there to answer it."""
        try:
            yield
        except OllmError as error:
            if is_unreachable(error):
                self.answered(error)
            raise

    def _set(self, state: ServerState) -> None:
        if state != self.state:
            self.state = state
            self._on_change(state)

    def _probe_if_needed(self) -> None:
        is_down = self.state.health in (ServerHealth.OFFLINE, ServerHealth.BROKEN)
        is_probing = self._probe is not None and not self._probe.done()
        if self._is_probing_wanted and is_down and not is_probing:
            self._probe = asyncio.create_task(self._keep_probing(), name="recovery probe")

    async def _keep_probing(self) -> None:
        wait_s = PROBE_AFTER_S
        while self.state.health is not ServerHealth.ONLINE:
            self._is_probe_asleep = True
            await self._sleep(wait_s)
            self._is_probe_asleep = False
            wait_s = min(2 * wait_s, PROBE_AT_MOST_EVERY_S)
            if await self._is_back():
                await self._on_return()

    async def _is_back(self) -> bool:
        """Ask for the least there is: a list would show that it is loading each time."""
        try:
            async with asyncio.timeout(PROBE_LIMIT_S):
                await self._provider.version()
        except TimeoutError:
            return False
        except OllmError as error:
            _LOG.info("probe: %s", error)
            return False
        return True
