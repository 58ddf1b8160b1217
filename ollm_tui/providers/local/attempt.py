"""How long a transfer waits, how often it tries again, and when it gives up."""

import random
from dataclasses import dataclass

from ollm_tui.core.error import DownloadFailed
from ollm_tui.providers.local.stop import StopSignal

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class TransferPolicy:
    """The numbers of the engine. Source: rulings Z21 and Z22, decision P13."""

    connect_timeout_s: float = 5.0
    stall_s: float = 30.0
    """Without a byte for this long, the connection is given up for a new one."""
    tries: int = 5
    """Without a byte of progress between them."""
    backoff_s: float = 1.0
    backoff_limit_s: float = 30.0
    retry_after_limit_s: float = 120.0
    sync_bytes: int = 64 * MIB
    """What a power cut may cost at most."""
    sync_s: float = 5.0
    buffer_bytes: int = MIB
    """What a kill may cost at most."""
    buffer_count: int = 4


class TryAgain(Exception):
    """Something failed that may work the next time.

    Attributes:
        reason: for people, sanitised.
        after_s: when the other side asks to be left alone until then.
    """

    def __init__(self, reason: str, after_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after_s = after_s


class Attempts:
    """Counts failures without progress, and waits between tries."""

    def __init__(self, what: str, policy: TransferPolicy, stop: StopSignal) -> None:
        self._what = what
        self._policy = policy
        self._stop = stop
        self._failures = 0
        self.last_reason = ""

    def failed(self, failure: TryAgain, *, progressed: bool = False) -> None:
        """Wait before the next try.

        Args:
            progressed: whether anything new has arrived since the last failure.

        Raises:
            DownloadFailed: there is no next try.
            Stopped: asked for meanwhile.
        """
        self._failures = 1 if progressed else self._failures + 1
        self.last_reason = failure.reason
        if self._failures >= self._policy.tries:
            raise DownloadFailed(f"Could not download {self._what}", cause=failure.reason)
        self._stop.wait(self._pause_s(failure.after_s))

    def _pause_s(self, after_s: float | None) -> float:
        if after_s is not None:
            return min(after_s, self._policy.retry_after_limit_s)
        longest_s = self._policy.backoff_s * 2.0 ** (self._failures - 1)
        # Anywhere up to it, so that many clients do not come back at the same moment.
        return random.uniform(0, min(longest_s, self._policy.backoff_limit_s))
