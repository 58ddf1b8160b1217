"""The screen under load and under signals: many models, a slow server, stop and go on, no input."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.sandbox.timing import INSTANT
from tests.faults.conftest import Fault
from tests.faults.proxy import Break, Kind, tcp_proxy
from tests.terminal import OLLM_TUI, Terminal

ENTERED = b"\x1b[?1049h"
RSS_MIB = 200
BLOCKED_S = 0.5
"""A key seen later than this on a machine that is busy with other tests was held up."""


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    with SandboxServer(timing=INSTANT) as sandbox:
        yield sandbox


@pytest.mark.timeout(300)
def test_ten_thousand_models_fit_into_memory(fault: Fault) -> None:
    """Row 22; how fast they are is measured by `make bench`."""
    count = 10_000 if fault.is_full else 2_000
    with SandboxServer(models=count, timing=INSTANT) as big:
        for _ in fault.dice(full=5, short=1):
            with Terminal((*OLLM_TUI, "--no-config", "--host", big.host)) as terminal:
                terminal.wait_for(f"{count:,} of {count:,}", timeout_s=60)
                terminal.send("G")
                terminal.wait_for("▸")
                fault.saw("memory", terminal.rss_mib, "MiB")
                assert terminal.rss_mib < RSS_MIB


def test_a_server_of_a_byte_a_moment_holds_up_no_key(fault: Fault, server: SandboxServer) -> None:
    """Row 23: keys, dialogs and esc work while the list trickles in."""
    slow = Break(Kind.TRICKLE, 300, 0.05)
    with tcp_proxy(int(server.host.rpartition(":")[2]), lambda _: slow) as proxy:
        for _ in fault.dice(full=5, short=1):
            with Terminal((*OLLM_TUI, "--no-config", "--host", proxy.netloc)) as terminal:
                terminal.wait_for("Asking the server", "palette")
                for _turn in range(10 if fault.is_full else 3):
                    for key, seen in (("?", "Show all keys"), ("\x1b", "Asking the server")):
                        sent_s = time.monotonic()
                        terminal.send(key)
                        terminal.wait_for(seen)
                        took_s = time.monotonic() - sent_s
                        fault.saw("until a key was seen", took_s, "s")
                        # The figure is that of the full form, which has the machine to itself.
                        limit_s = BLOCKED_S if fault.is_full else 4 * BLOCKED_S
                        assert took_s < limit_s + (0.5 if key == "\x1b" else 0)
                os.kill(terminal.pid, signal.SIGTERM)
                assert terminal.wait_end(3.0) == 128 + signal.SIGTERM


def wait_stopped(terminal: Terminal) -> None:
    """Draw until the process is stopped."""
    end_s = time.monotonic() + 10
    while Path(f"/proc/{terminal.pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
        terminal.read()
        assert time.monotonic() < end_s, "never stopped"


def test_stopped_and_gone_on_the_screen_is_there_again(fault: Fault, server: SandboxServer) -> None:
    """Row 28: stopped as a shell or a debugger does it, or only told to go on, while it draws."""
    with Terminal((*OLLM_TUI, "--no-config", "--host", server.host)) as terminal:
        terminal.wait_for("31 of 31")
        is_cooked = [terminal.is_cooked]
        for number, chance in enumerate(fault.dice(full=10, short=3)):
            stop = (signal.SIGSTOP, signal.SIGTSTP, None)[number % 3]
            if stop is not None:
                os.kill(terminal.pid, stop)
                wait_stopped(terminal)
            if stop is not signal.SIGTSTP:  # what is typed then is the shell's
                terminal.send("j" * chance.randint(1, 5))
            time.sleep(chance.random() * 0.2)
            terminal.resize(80 + chance.randrange(60), 24 + chance.randrange(20))
            entered = terminal.raw.count(ENTERED)
            os.kill(terminal.pid, signal.SIGCONT)
            terminal.resize(120, 40)
            end_s = time.monotonic() + 10
            while terminal.raw.count(ENTERED) == entered:  # what was typed before is dropped
                terminal.read()
                assert time.monotonic() < end_s
            terminal.wait_for("1 Installed", "4 Router", "ctrl+p palette")
            terminal.send("?")
            terminal.wait_for("Show all keys")
            terminal.send("\x1b")
            terminal.wait_gone("Show all keys")  # an escape and a letter at once are another key
            terminal.wait_for("1 Installed", "4 Router")
        terminal.send("q")
        assert terminal.wait_end() == 0
        is_cooked.append(terminal.is_cooked)
        assert is_cooked == [False, True]
        assert terminal.raw.rfind(b"\x1b[?1049l") > terminal.raw.rfind(ENTERED)
