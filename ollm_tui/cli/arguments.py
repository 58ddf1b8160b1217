"""The command line's grammar. Unset flags are None: they are unset, not defaults."""

import argparse
from collections.abc import Sequence

from ollm_tui import __version__

_FLAGS: tuple[tuple[str, str, str], ...] = (
    ("--model", "NAME", "use this model, whatever the profile says"),
    ("--profile", "NAME", "routing profile for this run"),
    ("--temperature", "NUMBER", "0.0 to 2.0"),
    ("--max-tokens", "NUMBER", "longest answer in tokens"),
    ("--context-size", "NUMBER", "context window to ask for, in tokens"),
    ("--host", "ADDRESS", "server to ask, such as 192.168.1.5:11434"),
    ("--provider", "NAME", "provider to use"),
    ("--config", "FILE", "read this configuration file instead of the usual ones"),
    ("--log-file", "FILE", "write the log there"),
)


VERBS = ("list", "show", "ps", "status", "pull", "load", "stop", "cp", "rm")


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line; wrong usage, --help and --version end the program here."""
    parser = _parser()
    # The verbs' parsers take longer to make than everything else up to the first frame.
    if any(argument in VERBS for argument in arguments) or not _is_plain(arguments):
        _add_verbs(parser)
    options = parser.parse_args(arguments, argparse.Namespace(verb=None))
    return options


def _is_plain(arguments: Sequence[str]) -> bool:
    """Whether there is nothing but flags with their values, so that no help or error is due."""
    asks_help = any(argument in ("-h", "--help") for argument in arguments)
    return not asks_help and (not arguments or arguments[0].startswith("-"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ollm-tui",
        description="See, fetch, inspect and route the language models on your own machine. "
        "Without a verb it opens the screen.",
        epilog="Exit status: 0 done, 1 negative answer, 2 wrong usage or configuration, "
        "3 provider unreachable, 4 operation failed, 130 interrupted.",
    )
    parser.add_argument("--version", action="version", version=f"ollm-tui {__version__}")
    _add_flags(parser, default=None)
    return parser


def _add_verbs(parser: argparse.ArgumentParser) -> None:
    common = argparse.ArgumentParser(add_help=False)
    # The flags stand before or after the verb; suppressed, the later parser undoes nothing.
    _add_flags(common, default=argparse.SUPPRESS)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB")

    def verb(name: str, text: str, *, json: bool = False) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=text, description=text, parents=[common])
        if json:
            added.add_argument("--json", action="store_true", help="print JSON")
        return added

    verb("list", "installed models", json=True).add_argument(
        "filter", nargs="*", metavar="FILTER", help="words that the name has"
    )
    verb("show", "one model in full", json=True).add_argument("name", metavar="NAME")
    verb("ps", "models in memory", json=True)
    verb("status", "print available, downloading or not_found").add_argument("name", metavar="NAME")
    verb("pull", "download models", json=True).add_argument("names", nargs="+", metavar="NAME")
    verb("load", "load a model into memory").add_argument("name", metavar="NAME")
    verb("stop", "unload models").add_argument("names", nargs="+", metavar="NAME")
    copy = verb("cp", "give a model a second name")
    copy.add_argument("source", metavar="SOURCE")
    copy.add_argument("destination", metavar="DESTINATION")
    remove = verb("rm", "delete models; asks first")
    remove.add_argument("names", nargs="+", metavar="NAME")
    remove.add_argument("--yes", action="store_true", help="do not ask")
    remove.add_argument("--force", action="store_true", help="also models in use")


def _add_flags(parser: argparse.ArgumentParser, default: str | None) -> None:
    for flag, metavar, text in _FLAGS:
        parser.add_argument(flag, metavar=metavar, help=text, default=default)
    for flag, text in (
        ("--no-config", "read no configuration file"),
        ("--demo", "use a made-up server with made-up models"),
    ):
        parser.add_argument(
            flag, action="store_true", help=text, default=default if default else False
        )
