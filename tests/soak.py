"""`make soak`: downloads, cancels, refreshes, reconnects and dialogs for half an hour.

    make soak               30 minutes
    make soak ARGS=10       so many minutes

The dialogs are opened once before, since what their first use loads stays, whenever that is. After
a fifth of the time the memory of the program, its descriptors and its threads are taken as what
they should be at the end: memory may grow by 5 %, the others not at all but for a few that come and
go. Exit status 1 when they do.
"""

import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ollm_tui.sandbox.roster import catalogue_models
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.sandbox.timing import Timing
from tests.terminal import OLLM_TUI, Terminal

PARTS = 10
WARM = 2
"""The part of which the figures are what those of the last one are compared with."""
GROWTH = 1.05
COME_AND_GO = 3
"""Connections kept alive, and threads of a pool that grows once."""
DIALOGS = ("c", "?", "\x0c", "\x10", "1d", "2\r")
"""What opens the configuration, the keys, the log, the palette, a question and a download."""
NAMES = [model.name for model in catalogue_models()]


class Reading(NamedTuple):
    """What the program has of the machine."""

    rss_mib: float
    descriptors: int
    threads: int


def read(terminal: Terminal) -> Reading:
    process = Path(f"/proc/{terminal.pid}")
    return Reading(
        terminal.rss_mib, len(os.listdir(process / "fd")), len(os.listdir(process / "task"))
    )


def median(readings: Sequence[Reading]) -> Reading:
    """Of each figure."""
    rss, descriptors, threads = zip(*readings, strict=True)
    return Reading(
        statistics.median(rss),
        round(statistics.median(descriptors)),
        round(statistics.median(threads)),
    )


def act(terminal: Terminal, server: SandboxServer, chance: random.Random) -> None:
    """Do one thing that a user, or the world, does."""
    whats = ["pull", "pull", "cancel", "refresh", "view", "filter", "dialog", "away", "drop"]
    what = chance.choice(whats)
    match what:
        case "pull":
            pull(terminal, chance.choice(NAMES))
        case "cancel":
            terminal.send("2xC1")
        case "refresh":
            terminal.send("r")
        case "view":
            terminal.send("".join(chance.choices("1234jkgG", k=8)))
        case "filter":
            terminal.send("1/")
            if appears(terminal, "Filter; enter keeps"):
                terminal.send("qwen\r")
                linger(terminal, 0.3)
                terminal.send("\x1b")
        case "dialog":
            terminal.send(chance.choice(DIALOGS))
        case "drop":
            server.drop_connections()
        case "away":
            server.stop()
            linger(terminal, 1.0)
            server.start()
            terminal.send("r")
    linger(terminal, 0.5)
    terminal.send("\x1b")  # out of any dialog
    linger(terminal, 0.2)
    for name in chance.sample(NAMES, 3):  # so that there is always something to pull
        server.store.remove(name)


def pull(terminal: Terminal, name: str) -> None:
    """Ask for a download."""
    terminal.send("p")
    if appears(terminal, "enter pulls"):  # else its letters would be keys
        terminal.send(f"{name}\r")


def appears(terminal: Terminal, text: str) -> bool:
    """Draw until this is on the screen; whether it ever was."""
    for _ in range(20):
        if text in terminal.text:
            return True
        linger(terminal, 0.1)
    return False


def linger(terminal: Terminal, seconds: float) -> None:
    """Let it draw."""
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        terminal.read(0.05)
        terminal.raw.clear()


def main(minutes: float, seed: str) -> int:
    """Soak, and tell."""
    chance = random.Random(seed)
    timing = Timing(pull_speed_bytes_per_s=2e9, connect_delay_s=0, verify_delay_s=0.1)
    sys.stdout.write(f"soak: {minutes:g} minutes, seed {seed}\n")
    parts: list[list[Reading]] = [[] for _ in range(PARTS)]
    actions = 0
    with (
        tempfile.TemporaryDirectory() as home,
        SandboxServer(timing=timing) as server,
        Terminal(
            (*OLLM_TUI, "--no-config", "--host", server.host), environment={"OLLM_HOME": home}
        ) as terminal,
    ):
        terminal.wait_for("31 of 31")
        pull(terminal, NAMES[0])  # so that there is a download to be shown
        for keys in DIALOGS:
            linger(terminal, 1.0)
            terminal.send(keys)
            linger(terminal, 2.0)
            terminal.send("\x1b")
        began_s = time.monotonic()
        while (share := (time.monotonic() - began_s) / (60 * minutes)) < 1:
            act(terminal, server, chance)
            actions += 1
            if terminal.poll() is not None:
                sys.stdout.write(f"it ended with {terminal.status}:\n{terminal.text}\n")
                return 1
            parts[min(int(share * PARTS), PARTS - 1)].append(read(terminal))
    medians = [median(part) for part in parts]
    for number, found in enumerate(medians):
        rss_mib, descriptors, threads = found
        sys.stdout.write(f"{number}/{PARTS}: {rss_mib:.1f} MiB, {descriptors}, {threads}\n")
    sys.stdout.write(f"{actions} actions; of each part: memory, descriptors, threads\n")
    before, after = medians[WARM], medians[-1]
    growth = after.rss_mib / before.rss_mib
    is_fine = (
        growth < GROWTH
        and after.descriptors <= before.descriptors + COME_AND_GO
        and after.threads <= before.threads + COME_AND_GO
    )
    sys.stdout.write(f"{'ok' if is_fine else 'MISSED'}: memory x {growth:.3f}, bar {GROWTH}\n")
    return int(not is_fine)


if __name__ == "__main__":
    given = sys.argv[1:]
    sys.exit(main(float(given[0] if given else 30), given[1] if len(given) > 1 else "1"))
