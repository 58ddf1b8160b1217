"""How fast the made-up server is."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """Speeds and delays; the defaults look alive on a screen."""

    pull_speed_bytes_per_s: float = 140e6
    """Of each download; infinity = ten equal steps a blob, without a clock."""
    pull_tick_s: float = 0.06
    connect_delay_s: float = 0.25
    """From a blob's first event to its first byte."""
    verify_delay_s: float = 1.2
    load_delay_s: float = 1.5
    token_delay_s: float = 0.03

    @property
    def stepped(self) -> bool:
        """Whether downloads go by steps instead of by the clock."""
        return math.isinf(self.pull_speed_bytes_per_s)


INSTANT = Timing(math.inf, 0, 0, 0, 0, 0)
"""Waits for nothing: for tests."""
