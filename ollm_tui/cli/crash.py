"""The end that should not have happened: a short message, and a file with all there is to know."""

import traceback
from datetime import UTC, datetime
from pathlib import Path

from ollm_tui import __version__
from ollm_tui.core.error import OllmError
from ollm_tui.core.text import clean_block

CRASH_NAME = "crash.log"


def crash_error(crash: BaseException, log_file: str | None, folder: Path) -> OllmError:
    """What to tell of a crash, once it is written down.

    Args:
        log_file: where the log goes, which has it already; None = it goes nowhere.
        folder: where a file about it is written then.
    """
    place = log_file
    if place is None:
        path = folder / CRASH_NAME
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _write(path, crash)
        except OSError as error:
            place = ""
            reason = f"; no log could be written: {error.strerror}"
        else:
            place = str(path)
    report = f"Please report it, with {place}." if place else f"Please report it{reason}."
    return OllmError(
        "The screen has crashed; downloads go on at the next start",
        cause=str(crash) or type(crash).__name__,
        actions=(report, "Every verb works without the screen, for example `ollm-tui list`."),
    )


def _write(path: Path, crash: BaseException) -> None:
    # Without local variables, which may hold keys.
    text = "".join(traceback.format_exception(crash))
    head = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}Z ollm-tui {__version__}\n"
    path.touch(mode=0o600)
    path.write_text(head + clean_block(text), "utf-8")
