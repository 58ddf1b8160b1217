"""The command: reads the flags, opens the screen or runs a verb, and turns errors into exit codes.

0 done, 1 a negative answer, 2 wrong usage or configuration, 3 provider unreachable, 4 failed,
130 interrupted. Imports nothing heavy: `--help` and `--version` answer at once.
"""

import gc
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ollm_tui.cli.exit_status import DONE, FAILED, INTERRUPTED, exit_status
from ollm_tui.cli.output import flush, print_error
from ollm_tui.core.error import OllmError

if TYPE_CHECKING:
    import argparse


def run() -> None:
    """The console script."""
    # Nearly all that starting allocates stays, and looking through it for garbage takes a tenth of
    # the time; the screen turns collection on again with its first frame.
    gc.disable()
    try:
        status = main(sys.argv[1:])
    finally:
        flush()
    sys.exit(status)


def main(arguments: Sequence[str]) -> int:
    """Run the program and return its exit status.

    Raises:
        SystemExit: --help, --version, or wrong usage.
    """
    from ollm_tui.cli.arguments import parse_arguments

    options = parse_arguments(arguments)
    try:
        return _open(options)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return DONE  # whoever reads our output has heard enough
    except OllmError as error:
        print_error(error)
        return exit_status(error)
    except Exception as bug:  # the last border, see ruling Z27
        from ollm_tui.cli.log import LOG
        from ollm_tui.service.subscriber import as_bug

        LOG.error("this should not have happened", exc_info=bug)
        print_error(as_bug(bug))
        return FAILED


def _open(options: "argparse.Namespace") -> int:
    from ollm_tui.cli.log import log_to

    log_to(options.log_file)
    if options.verb is None:
        from ollm_tui.cli.screen import open_screen

        return open_screen(options)
    gc.enable()
    import asyncio

    from ollm_tui.cli.verbs import run_verb

    return asyncio.run(run_verb(options))
