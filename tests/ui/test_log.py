"""The log of this run, and the end after a crash."""

import logging
import sys
from pathlib import Path

import pytest

from ollm_tui.cli.crash import crash_error
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.ui.error_log import KEPT, ErrorLog
from tests.terminal import Terminal
from tests.ui.conftest import OpenApp

_CRASHING = """
from ollm_tui.ui.panes.inspector import InspectorPane
def action_section(self, by):
    secret = "hunter2"
    raise RuntimeError("the section \\x1b[31m fell off")
InspectorPane.action_section = action_section
from ollm_tui.cli.main import run
run()
"""


async def test_the_log_keeps_what_went_wrong_with_its_time(
    open_app: OpenApp, server: SandboxServer
) -> None:
    async with open_app() as screen:
        await screen.press("ctrl+l")
        await screen.sees("Nothing has gone wrong in this run.")
        await screen.press("escape")
        server.faults.set("/api/tags", "http500")
        await screen.press("r")
        await screen.until(lambda: len(screen.app.errors) > 0)
        await screen.press("ctrl+l")
        await screen.sees("since the start", "warning", "HTTP 500")
        await screen.press("y")
        await screen.sees("Copied 1 of the log.")
        assert "HTTP 500" in screen.app.clipboard
        await screen.press("Y")
        await screen.until(lambda: screen.app.clipboard.count("\n") == len(screen.app.errors) - 1)


def test_the_log_is_bounded_latest_first_and_safe() -> None:
    log = ErrorLog()
    logger = logging.getLogger("ollm_tui.test_log")
    logger.addHandler(log)
    logger.propagate = False
    try:
        for number in range(KEPT + 5):
            logger.warning("fault %d \x1b[2J", number)
        logger.info("nothing")
        try:
            raise ValueError("why")
        except ValueError:
            logger.exception("it broke")
    finally:
        logger.removeHandler(log)
    entries = list(log)
    assert (len(entries), log.total) == (KEPT, KEPT + 6)
    assert entries[0].level == "error"
    assert "why" in entries[0].text
    assert entries[1].text == f"fault {KEPT + 4} �[2J"
    assert entries[1].place == "test_log"


def test_a_crash_restores_the_terminal_and_says_where_the_log_is(tmp_path: Path) -> None:
    command = (sys.executable, "-c", _CRASHING, "--demo")
    with Terminal(command, environment={"OLLM_HOME": str(tmp_path)}) as terminal:
        terminal.wait_for("31 of 31")
        terminal.send("3]")
        assert terminal.wait_end() == 4
        raw = bytes(terminal.raw)
        assert raw.rfind(b"\x1b[?1049l") > raw.rfind(b"\x1b[?1049h")
        said = raw[raw.rfind(b"\x1b[?1049l") :].decode()
        assert "The screen has crashed" in said
        assert "Traceback" not in said
        assert "hunter2" not in said
        assert "fell off" in said
    log = tmp_path / "crash.log"
    assert str(log) in said.replace("\r\n", "")
    assert log.stat().st_mode & 0o777 == 0o600
    text = log.read_text()
    assert "Traceback" in text
    assert "action_section" in text
    assert "\x1b" not in text
    assert "hunter2" not in text.replace('secret = "hunter2"', "")


@pytest.mark.parametrize("is_writable", [True, False])
def test_where_no_log_can_be_written_that_is_told(tmp_path: Path, is_writable: bool) -> None:
    folder = tmp_path / "ollm"
    if not is_writable:
        folder.write_text("a file")
    error = crash_error(RuntimeError("x"), None, folder)
    if is_writable:
        assert str(folder / "crash.log") in error.actions[0]
    else:
        assert "no log could be written" in error.actions[0]
    assert "given.log" in crash_error(RuntimeError("x"), "given.log", folder).actions[0]
