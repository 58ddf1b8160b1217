"""Where the log goes: to a file, or nowhere. The terminal belongs to the screen and to data."""

import logging

from ollm_tui.core.error import ConfigError
from ollm_tui.core.text import clean_block

LOG = logging.getLogger("ollm_tui")


class _SafeFormatter(logging.Formatter):
    """Writes nothing that a terminal would obey when the file is looked at."""

    def format(self, record: logging.LogRecord) -> str:
        return clean_block(super().format(record))


def log_to(path: str | None) -> None:
    """Send the log to a file, or nowhere; in place of where it went before.

    Raises:
        ConfigError: the file cannot be written.
    """
    handler: logging.Handler
    try:
        handler = logging.NullHandler() if path is None else logging.FileHandler(path)
    except OSError as error:
        raise ConfigError(
            f"The log file {path} cannot be written",
            cause=error.strerror or str(error),
            actions=("Name a file in a folder of your own with --log-file.",),
        ) from error
    handler.setFormatter(_SafeFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    for previous in tuple(LOG.handlers):
        LOG.removeHandler(previous)
        previous.close()
    LOG.addHandler(handler)
    LOG.propagate = False
    LOG.setLevel(logging.INFO)
