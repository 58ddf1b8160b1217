"""Opens the screen."""

import argparse
import os
from functools import partial

from ollm_tui.cli.compose import log_to, make_service, names_to_pull, server_address
from ollm_tui.core.error import OllmError


def open_screen(options: argparse.Namespace) -> int:
    """Run the screen until it is left; returns the exit status."""
    # Textual waits this long after escape to see whether a key sequence follows.
    os.environ.setdefault("ESCDELAY", "25")
    log_to(options.log_file)
    with server_address(options) as address:
        service = make_service(address)
        from ollm_tui.ui import terminal
        from ollm_tui.ui.app import OllmApp

        if not terminal.has_terminal():
            raise OllmError(
                "The screen needs a terminal",
                cause="input or output is not one",
                actions=("Use a verb instead, for example `ollm-tui list`; see --help.",),
            )
        app = OllmApp(service, is_demo=options.demo, suggest=partial(names_to_pull, service))
        app.run()
    return app.return_code or 0
