"""The command line's grammar. Unset flags are None: they are unset, not defaults.

One parser is made for a run, that of the verb at hand: making all of them takes longer than
everything else up to the first frame.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple, NoReturn

from ollm_tui import __version__
from ollm_tui.core.text import clean_line

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
_SWITCHES = (
    ("--no-config", "read no configuration file"),
    ("--demo", "use a made-up server with made-up models"),
)
_VALUE_FLAGS = frozenset(flag for flag, _, _ in _FLAGS) | {"--models", "--junit"}
"""Those that take the next word with them."""


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line; wrong usage, --help and --version end the program here."""
    words = list(arguments)
    name = _take_verb(words)
    unset = argparse.Namespace(verb=name)
    if name is None:
        return _parser(None).parse_args(words, unset)
    # Flags may stand anywhere, also between two names.
    options = _parser(name).parse_intermixed_args(words, unset)
    if name == "route" and options.all and options.asked is not None:
        _parser(name).error("give either a profile or --all")
    if name == "doctor" and options.names and not options.repair:
        _parser(name).error("names are for --repair")
    return options


def _take_verb(words: list[str]) -> str | None:
    """Take the verb out of the words, of which it may be one or two; None = there is none."""
    at = _first_plain(words, 0)
    if at is None:
        return None
    name = words.pop(at)
    after = _first_plain(words, at)
    if after is not None and f"{name} {words[after]}" in VERBS:
        return f"{name} {words.pop(after)}"
    if name not in VERBS:
        seconds = [verb.removeprefix(f"{name} ") for verb in VERBS if verb.startswith(f"{name} ")]
        if seconds:
            _parser(None).error(f"{name} needs one of {', '.join(seconds)}")
        _parser(None).error(f"there is no verb {name!r}{_did_you_mean(name)}")
    return name


def _first_plain(words: Sequence[str], start: int) -> int | None:
    """The index of the first word that is neither a flag nor the value of one."""
    at = start
    while at < len(words):
        word = words[at]
        if not word.startswith("-") or word == "-":
            return at
        at += 2 if word in _VALUE_FLAGS else 1
    return None


def _did_you_mean(name: str) -> str:
    from ollm_tui.core.error import closest

    near = closest(name, (verb for verb in VERBS if " " not in verb), count=1)
    return f"; did you mean {near[0]!r}?" if near else "; --help lists them"


class _Parser(argparse.ArgumentParser):
    """Says what is wrong without what a hostile word would do to the terminal."""

    def error(self, message: str) -> NoReturn:
        if sys.stderr is not None:
            self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: {clean_line(message)}\n")


def _parser(name: str | None) -> argparse.ArgumentParser:
    if name is None:
        parser = _Parser(
            prog="ollm-tui",
            usage="ollm-tui [FLAGS] [VERB ...]",
            description="See, fetch, inspect and route the language models on your own machine. "
            "Without a verb it opens the screen.",
            epilog=_epilog(),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        flags: argparse._ActionsContainer = parser
    else:
        verb = VERBS[name]
        parser = _Parser(
            prog=f"ollm-tui {name}",
            usage=f"ollm-tui {name} {verb.usage}".rstrip() + " [FLAGS]",
            description=f"{verb.text[0].upper()}{verb.text[1:]}.",
            allow_abbrev=False,
        )
        verb.add(parser)
        flags = parser.add_argument_group("flags of every verb")
    for flag, metavar, text in _FLAGS:
        flags.add_argument(flag, metavar=metavar, help=text)
    for flag, text in _SWITCHES:
        flags.add_argument(flag, action="store_true", help=text)
    flags.add_argument("--version", action="version", version=f"ollm-tui {__version__}")
    return parser


def _epilog() -> str:
    width = max(len(name) for name in VERBS) + 2
    verbs = "\n".join(f"  {name:<{width}}{verb.text}" for name, verb in VERBS.items())
    return (
        f"verbs (`ollm-tui VERB --help` says more):\n{verbs}\n\n"
        "exit status: 0 done, 1 negative answer, 2 wrong usage or configuration,\n"
        "  3 provider unreachable, 4 operation failed, 130 interrupted"
    )


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME")


def _names(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="+", metavar="NAME")


def _list(parser: argparse.ArgumentParser) -> None:
    _json(parser)
    parser.add_argument(
        "filter", nargs="*", metavar="FILTER", help="words of the name, cap:tools, ctx>=32k …"
    )


def _show(parser: argparse.ArgumentParser) -> None:
    _json(parser)
    _name(parser)


def _pull(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON event a line")
    _names(parser)


def _copy(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="SOURCE")
    parser.add_argument("destination", metavar="DESTINATION")


def _remove(parser: argparse.ArgumentParser) -> None:
    _names(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--force", action="store_true", help="also models in use")


def _doctor(parser: argparse.ArgumentParser) -> None:
    _json(parser)
    parser.add_argument("--verify", action="store_true", help="also hash every file of the store")
    parser.add_argument(
        "--repair", action="store_true", help="fetch what is missing or bad again, nothing else"
    )
    parser.add_argument(
        "--reclaim", action="store_true", help="remove what is left over; shows it and asks first"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="repair only these; with http:// for a registry without https",
    )


def _update(parser: argparse.ArgumentParser) -> None:
    _json(parser)
    parser.add_argument("names", nargs="*", metavar="NAME", help="default: every installed model")
    parser.add_argument("--check", action="store_true", help="only say which differ")


def _search(parser: argparse.ArgumentParser) -> None:
    _json(parser)
    parser.add_argument("words", nargs="*", metavar="WORDS", help="all of them have to occur")


def _models(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--models", metavar="FILE", help="output of `list --json`, instead of asking a provider"
    )


def _route(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("asked", nargs="?", metavar="PROFILE", help="default: the default profile")
    parser.add_argument("--all", action="store_true", help="every profile")
    parser.add_argument("--explain", action="store_true", help="what became of every model")
    _models(parser)
    _json(parser)


def _run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "prompt", nargs="*", metavar="PROMPT", help="- or nothing = what is piped in"
    )
    parser.add_argument(
        "--verbose", action="store_true", help="also the thinking, each option and each measure"
    )
    _json(parser)


def _route_test(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="scenario file")
    parser.add_argument("--junit", metavar="OUT", help="also write the results as JUnit XML")
    parser.add_argument(
        "--update", action="store_true", help="make what is decided now what is expected"
    )
    _models(parser)
    _json(parser)


def _config_show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--origin", action="store_true", help="also who set it, and where")
    _json(parser)


def _config_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--strict", action="store_true", help="warnings count as errors")
    _models(parser)


def _nothing(parser: argparse.ArgumentParser) -> None:
    """A verb without arguments of its own."""


class _Verb(NamedTuple):
    text: str
    usage: str
    add: Callable[[argparse.ArgumentParser], None]


VERBS = {
    "list": _Verb("installed models", "[--json] [FILTER ...]", _list),
    "show": _Verb("one model in full", "[--json] NAME", _show),
    "ps": _Verb("models in memory", "[--json]", _json),
    "status": _Verb("print available, downloading or not_found", "NAME", _name),
    "pull": _Verb("download models", "[--json] NAME ...", _pull),
    "load": _Verb("load a model into memory", "NAME", _name),
    "stop": _Verb("unload models", "NAME ...", _names),
    "cp": _Verb("give a model a second name", "SOURCE DESTINATION", _copy),
    "rm": _Verb("delete models; asks first", "[--yes] [--force] NAME ...", _remove),
    "update": _Verb(
        "pull models that their registry has anew", "[--check] [--json] [NAME ...]", _update
    ),
    "search": _Verb("models that could be pulled", "[--json] [WORDS ...]", _search),
    "route": _Verb(
        "which model a profile picks",
        "[PROFILE | --all] [--explain] [--json] [--models FILE]",
        _route,
    ),
    "route test": _Verb(
        "run scenario files",
        "[--models FILE] [--json] [--junit OUT] [--update] FILE ...",
        _route_test,
    ),
    "run": _Verb(
        "route a prompt, send it, stream the answer",
        "[--profile P] [--model M] [--verbose] [--json] PROMPT",
        _run,
    ),
    "doctor": _Verb(
        "what is wrong with server, store, configuration and terminal",
        "[--json] [--verify] [--repair [NAME ...]] [--reclaim [--yes]]",
        _doctor,
    ),
    "config show": _Verb("the settings in force", "[--origin] [--json]", _config_show),
    "config check": _Verb(
        "what is wrong with the configuration", "[--strict] [--models FILE]", _config_check
    ),
    "config init": _Verb("write a commented example, over nothing", "", _nothing),
    "config path": _Verb("which files are read", "", _nothing),
    "config trust": _Verb("let this workspace's file name servers and keys", "", _nothing),
}
