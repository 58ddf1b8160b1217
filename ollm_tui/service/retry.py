"""Whether a broken download is tried again, and when. Source: decision P13, rulings Z21 and Z22."""

from collections.abc import Callable

from ollm_tui.core.error import (
    DownloadFailed,
    OllmError,
    ProviderError,
    ProviderOffline,
    ProviderRefused,
)

TRIES = 5
"""So many in a row without any byte more end it."""
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 30.0
LONGEST_ASKED_WAIT_S = 120.0
_PASSING_STATUSES = (408, 425, 429, 500, 502, 503, 504)


def may_pass(error: OllmError, *, has_begun: bool) -> bool:
    """Whether trying again can help without anybody changing anything.

    Args:
        has_begun: whether the provider has ever reported on this download. A server that nobody
            could reach in the first place is for the user to start, and at once.
    """
    match error:
        case DownloadFailed():
            return error.retryable
        case ProviderOffline():
            return has_begun
        case ProviderRefused():
            return error.status in _PASSING_STATUSES
    return False


def wait_s(error: OllmError, failed_tries: int, dice: Callable[[], float]) -> float:
    """How long to wait before the next try: the back-off with full jitter, or longer if asked to.

    Args:
        failed_tries: in a row without progress, 0 or more.
        dice: 0 <= result < 1.
    """
    longest = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** max(failed_tries - 1, 0))
    asked = error.retry_after_s if isinstance(error, ProviderError) else None
    return max(longest * dice(), min(asked or 0.0, LONGEST_ASKED_WAIT_S))


def roll() -> float:
    """Real dice."""
    from random import random  # rarely needed, and not cheap

    return random()
