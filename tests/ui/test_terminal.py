"""The program in a real terminal: whole sessions by key, hostile bytes, and ending well."""

import os
import random
import re
import signal
import sys
import time
from collections.abc import Iterator

import pytest

from ollm_tui.sandbox.roster import hostile_models
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.sandbox.timing import INSTANT
from tests.terminal import OLLM_TUI, Terminal

ENTERED = b"\x1b[?1049h"
LEFT = b"\x1b[?1049l"
MOUSE_OFF = b"\x1b[?1000l"

# What Textual itself sends: colours and cursor, modes, title and palette, character sets, queries.
_OWN = re.compile(
    rb"\x1b\[[0-9;:?<>=]*[ -/]*[@-~]|\x1b[()][A-Z0-9]|\x1b[=>78M]|\x1b\]22;[a-z]*(?:\x1b\\|\x07)"
    rb"|\x1bP[^\x1b]*\x1b\\|\x1b_G[^\x1b]*\x1b\\"
)


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    with SandboxServer(timing=INSTANT) as sandbox:
        yield sandbox


@pytest.mark.parametrize(("columns", "rows"), [(120, 40), (80, 24)])
def test_a_whole_session_by_key(columns: int, rows: int) -> None:
    with Terminal((*OLLM_TUI, "--demo"), columns=columns, rows=rows) as terminal:
        terminal.wait_for("31 of 31", "DEMO", "llama3.2:3b")
        terminal.send("p")
        terminal.wait_for("Pull models", "esc leaves")
        terminal.send("qwen3:14b\r")
        terminal.wait_for("1 active", "qwen3:14b", "MB/s")
        terminal.send("x")
        terminal.wait_for("cancelled", "R resumes")
        terminal.send("1jd")
        terminal.wait_for("Delete 1 model?", "qwen3:8b")
        terminal.send("y")
        terminal.wait_for("30 of 30")
        terminal.send("4")
        terminal.wait_for("4 Router ─ general →", "family")
        terminal.send("\x1b[C")
        terminal.wait_for("4 Router ─ code → codellama:7b")
        terminal.send("q")
        assert terminal.wait_end() == 0
        assert LEFT in terminal.raw
        assert MOUSE_OFF in terminal.raw


def test_no_byte_of_a_hostile_name_reaches_the_terminal() -> None:
    with (
        SandboxServer(models=hostile_models(), timing=INSTANT) as hostile,
        Terminal((*OLLM_TUI, "--host", hostile.host)) as terminal,
    ):
        terminal.wait_for("1 Installed ─", "unreadable")
        for keys in (
            "jjjj",
            "3]]]]",
            "4",
            "2",
            "1",
            "/a\x1b",
            "sSs",
            " ad",
            "\x1b",
            "G",
            "?",
            "\x1b",
        ):
            terminal.send(keys)
            settled_s = time.monotonic() + 0.25
            while time.monotonic() < settled_s:
                terminal.read()
        assert "1 Installed" in terminal.text  # [@click=app.quit] has not quit
        os.kill(terminal.pid, signal.SIGTERM)  # a key could meet a dialog that is just opening
        assert terminal.wait_end() == 128 + signal.SIGTERM
        # Only now, since until the end the last sequence may be there in part.
        text = _OWN.sub(b"", bytes(terminal.raw)).decode("utf-8", "strict")
        assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", text), repr(text[-400:])
        assert not re.search("[\u200b-\u200f\u202a-\u202e\u2066-\u2069]", text)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_with_the_terminal_restored(
    server: SandboxServer, number: signal.Signals
) -> None:
    with Terminal((*OLLM_TUI, "--host", server.host)) as terminal:
        terminal.wait_for("31 of 31")
        os.kill(terminal.pid, number)
        assert terminal.wait_end(2.0) == 128 + number
        assert terminal.raw.rfind(LEFT) > terminal.raw.rfind(ENTERED)
        assert MOUSE_OFF in terminal.raw


def test_a_signal_during_a_download_closes_its_stream(server: SandboxServer) -> None:
    steps = [{"status": "pulling manifest"}, {"status": "success"}]
    script = server.faults.script_pull("qwen3:14b", steps)
    with Terminal((*OLLM_TUI, "--host", server.host)) as terminal:
        terminal.wait_for("31 of 31")
        terminal.send("p")
        terminal.wait_for("esc leaves")
        terminal.send("qwen3:14b\r")
        script.advance()
        terminal.wait_for("pulling manifest")  # so there is a stream; it opens after the row shows
        os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.wait_end(2.0) == 128 + signal.SIGTERM
    assert script.ended.wait(2.0)


def test_a_closed_terminal_ends_it(server: SandboxServer) -> None:
    with Terminal((*OLLM_TUI, "--host", server.host)) as terminal:
        terminal.wait_for("31 of 31")
        terminal.hang_up()
        end_s = time.monotonic() + 2.0
        while terminal.poll() is None:
            assert time.monotonic() < end_s, "still running two seconds after its terminal went"
            time.sleep(0.01)


def test_a_closed_terminal_ends_it_even_when_hangups_are_ignored(server: SandboxServer) -> None:
    command = ("/bin/sh", "-c", 'trap "" HUP; exec "$@"', "sh", *OLLM_TUI, "--host", server.host)
    with Terminal(command) as terminal:
        terminal.wait_for("31 of 31")
        terminal.hang_up()
        end_s = time.monotonic() + 5.0
        while terminal.poll() is None:
            assert time.monotonic() < end_s, "spins on without a terminal"
            time.sleep(0.01)


def test_without_a_terminal_it_says_what_to_do_instead(server: SandboxServer) -> None:
    command = ("/bin/sh", "-c", '"$@" </dev/null', "sh", *OLLM_TUI, "--host", server.host)
    with Terminal(command) as terminal:
        assert terminal.wait_end() != 0
        assert "The screen needs a terminal" in terminal.text
        assert "standard input, which is no terminal" in terminal.text
        assert "ollm-tui list" in terminal.text


def test_a_thousand_models_in_a_real_terminal() -> None:
    with (
        SandboxServer(models=1000, timing=INSTANT) as big,
        Terminal((*OLLM_TUI, "--host", big.host), columns=80, rows=24) as terminal,
    ):
        terminal.wait_for("1,000 of 1,000")
        terminal.send("G")
        terminal.wait_for("▸")
        terminal.send("q")
        assert terminal.wait_end() == 0


@pytest.mark.parametrize(
    ("columns", "rows", "shown"),
    [
        (60, 20, ("1 Installed", "p pull")),
        (80, 24, ("1 Installed", "? help")),
        (120, 40, ("4 Router ─ general →", "ctrl+p palette")),
        (200, 60, ("4 Router ─ general →", "ctrl+p palette")),
    ],
)
def test_every_size_has_its_panes_and_fills_no_line_too_far(
    server: SandboxServer, columns: int, rows: int, shown: tuple[str, ...]
) -> None:
    with Terminal((*OLLM_TUI, "--host", server.host), columns=columns, rows=rows) as terminal:
        terminal.wait_for("31 of 31", *shown)
        for key, title in (("2", "2 Downloads ─"), ("3", "3 Inspector ─"), ("4", "4 Router ─")):
            terminal.send(key)
            terminal.wait_for(f"╭─ {title}")
        lines = terminal.text.splitlines()
        assert len(lines) == rows
        assert lines[-1].strip()  # the footer is the last line, and nothing has scrolled
        terminal.send("q")
        assert terminal.wait_end() == 0


def test_the_last_of_two_sizes_counts_though_its_signal_comes_during_that_of_the_first(
    server: SandboxServer,
) -> None:
    read_slowly = """
import time
from textual.drivers.linux_driver import LinuxDriver
read = LinuxDriver._get_terminal_size
def slowly(self):
    size = read(self)
    time.sleep(0.2)
    return size
LinuxDriver._get_terminal_size = slowly
from ollm_tui.cli.main import run
run()
"""
    with Terminal((sys.executable, "-c", read_slowly, "--host", server.host)) as terminal:
        terminal.wait_for("31 of 31", "general →", "palette")
        terminal.resize(90, 30)
        calm_s = time.monotonic() + 0.1  # half of what it takes to read a size
        while time.monotonic() < calm_s:
            terminal.read(0.01)
        terminal.resize(140, 45)
        terminal.wait_whole("╭─ 4 Router ─", "ctrl+p palette", timeout_s=15)


@pytest.mark.timeout(600)  # a busy machine draws two hundred sizes slowly
def test_a_storm_of_sizes_is_survived(server: SandboxServer) -> None:
    some = random.Random(8)
    with Terminal((*OLLM_TUI, "--host", server.host)) as terminal:
        terminal.wait_for("31 of 31", "general →")
        for keys, shown, gone in (
            ("", "general →", ()),
            ("4m", "─ matrix ─", ()),
            ("p", "Pull models", ()),
            ("\x1b", "─ matrix ─", ["Pull models"]),
            ("2", "╭─ 2 Downloads ─", ()),
            ("?", "esc closes", ()),
            ("q", "╭─ 2 Downloads ─", ["esc closes"]),
            ("1/qw", "/qw", ()),
        ):
            terminal.send(keys)
            for _ in range(25):
                terminal.resize(some.randrange(1, 240), some.randrange(1, 80))
                terminal.read(0.004)
            terminal.resize(120, 40)
            # Also so that escape and the next key are not read as one, however busy the machine.
            terminal.wait_whole(shown, "ctrl+p palette", gone=gone)
        terminal.send("\x1b")
        terminal.wait_whole("31 of 31", gone=["/qw"])
        terminal.send("q")
        assert terminal.wait_end(60) == 0
