"""Opens the screen."""

import argparse
import os
from functools import partial
from typing import TYPE_CHECKING

from ollm_tui.cli.compose import known_to_pull, make_service, names_to_pull, opened_setup
from ollm_tui.core.error import ConfigError
from ollm_tui.ui import terminal

if TYPE_CHECKING:
    from ollm_tui.cli.setup import Setup
    from ollm_tui.ui.app import OllmApp


def make_app(setup: "Setup", options: argparse.Namespace) -> "OllmApp":
    """The screen on the service that the settings name, with everything that it can ask for."""
    service = make_service(setup)
    from ollm_tui.cli.servers import Servers
    from ollm_tui.ui.app import OllmApp
    from ollm_tui.ui.look import LookFile

    return OllmApp(
        service,
        is_demo=options.demo,
        settings=setup,
        suggest=partial(names_to_pull, service),
        scenarios=setup.scenario_book,
        known=known_to_pull,
        look=LookFile(setup.look_path),
        servers=None if options.demo else Servers(setup),
        log_file=options.log_file or "",
    )


def open_screen(options: argparse.Namespace) -> int:
    """Run the screen until it is left; returns the exit status."""
    # Textual waits this long after escape to see whether a key sequence follows.
    os.environ.setdefault("ESCDELAY", "25")
    if cause := terminal.why_no_screen():
        raise ConfigError(
            "The screen needs a terminal",
            cause=cause,
            actions=("Use a verb instead, for example `ollm-tui list`; see --help.",),
        )
    with opened_setup(options) as setup:
        app = make_app(setup, options)
        app.run()
        if app.crash is not None:
            from ollm_tui.cli.crash import crash_error

            raise crash_error(app.crash, options.log_file, setup.crash_folder)
    return app.return_code or 0
