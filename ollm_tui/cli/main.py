"""The command: reads the flags, opens the screen or runs a verb, and turns errors into exit codes.

0 done, 1 a negative answer, 2 wrong usage or configuration, 3 provider unreachable, 4 failed,
130 interrupted. Imports nothing heavy: `--help` and `--version` answer at once.
"""

import gc
import sys
from collections.abc import Sequence

from ollm_tui.core.error import (
    ConfigError,
    InvalidName,
    ModelNotFound,
    OllmError,
    PatternSyntaxError,
    ProviderOffline,
    RoutingError,
    UnknownProfile,
)

DONE, NEGATIVE, USAGE, OFFLINE, FAILED, INTERRUPTED = 0, 1, 2, 3, 4, 130


def run() -> None:
    """The console script."""
    # Nearly all that starting allocates stays, and looking through it for garbage takes a tenth of
    # the time; the screen turns collection on again with its first frame.
    gc.disable()
    sys.exit(main(sys.argv[1:]))


def main(arguments: Sequence[str]) -> int:
    """Run the program and return its exit status."""
    from ollm_tui.cli.arguments import parse_arguments

    options = parse_arguments(arguments)
    try:
        if options.verb is None:
            from ollm_tui.cli.screen import open_screen

            return open_screen(options)
        gc.enable()
        import asyncio

        from ollm_tui.cli.verbs import run_verb

        return asyncio.run(run_verb(options))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has heard enough; keep the interpreter from flushing into it.
        sys.stdout = None
        return DONE
    except OllmError as error:
        print_error(error)
        return exit_status(error)


def exit_status(error: OllmError) -> int:
    """The exit status that an error means."""
    match error:
        case InvalidName() | ConfigError() | UnknownProfile() | PatternSyntaxError():
            return USAGE
        case ModelNotFound() | RoutingError():
            return NEGATIVE
        case ProviderOffline():
            return OFFLINE
        case _:
            return FAILED


def print_error(error: OllmError) -> None:
    """Say on stderr what failed, why, and what to do next."""
    lines = [f"ollm-tui: {error.message}"]
    if error.cause:
        lines.append(f"  because: {error.cause}")
    lines.extend(f"  try: {action}" for action in error.actions)
    sys.stderr.write("\n".join(lines) + "\n")
