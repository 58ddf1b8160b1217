"""Opens the screen."""

import argparse
import os
from functools import partial

from ollm_tui.cli.compose import make_service, names_to_pull, opened_setup
from ollm_tui.core.error import ConfigError
from ollm_tui.ui import terminal


def open_screen(options: argparse.Namespace) -> int:
    """Run the screen until it is left; returns the exit status."""
    # Textual waits this long after escape to see whether a key sequence follows.
    os.environ.setdefault("ESCDELAY", "25")
    if not terminal.has_terminal():
        raise ConfigError(
            "The screen needs a terminal",
            cause="input or output is not one",
            actions=("Use a verb instead, for example `ollm-tui list`; see --help.",),
        )
    with opened_setup(options) as setup:
        service = make_service(setup)
        from ollm_tui.ui.app import OllmApp

        app = OllmApp(
            service,
            is_demo=options.demo,
            settings=setup,
            suggest=partial(names_to_pull, service),
        )
        app.run()
    return app.return_code or 0
