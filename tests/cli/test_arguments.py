"""The command line's grammar."""

import pytest

from ollm_tui.cli.arguments import VERBS, parse_arguments
from tests.cli.conftest import Cli

FLAGS = {
    "--model": "m",
    "--profile": "code",
    "--temperature": "0.3",
    "--max-tokens": "100",
    "--context-size": "8192",
    "--host": "h:1",
    "--provider": "local",
    "--config": "c.yaml",
    "--log-file": "l.log",
}
WORDS = {
    "list": [],
    "show": ["m"],
    "ps": [],
    "status": ["m"],
    "pull": ["m"],
    "load": ["m"],
    "stop": ["m"],
    "cp": ["a", "b"],
    "rm": ["m"],
    "update": ["m"],
    "search": ["m"],
    "doctor": ["--repair", "m"],
    "route": ["code"],
    "route test": ["f.yaml"],
    "run": ["Hello", "there"],
    "config show": [],
    "config check": [],
    "config init": [],
    "config path": [],
    "config trust": [],
}


def test_without_arguments_there_is_no_verb_and_every_flag_is_unset() -> None:
    options = parse_arguments([])
    assert options.verb is None
    assert all(getattr(options, flag[2:].replace("-", "_")) is None for flag in FLAGS)
    assert not options.demo
    assert not options.no_config


@pytest.mark.parametrize("verb", VERBS)
def test_every_flag_stands_before_or_after_every_verb(verb: str) -> None:
    flags = [word for pair in FLAGS.items() for word in pair] + ["--demo", "--no-config"]
    before = parse_arguments([*flags, *verb.split(), *WORDS[verb]])
    after = parse_arguments([*verb.split(), *WORDS[verb], *flags])
    between = parse_arguments([*verb.split(), *flags, *WORDS[verb]])
    assert vars(before) == vars(after) == vars(between)
    assert before.verb == verb
    for flag, value in FLAGS.items():
        assert getattr(before, flag[2:].replace("-", "_")) == value
    assert before.demo
    assert before.no_config


def test_a_flag_may_stand_between_two_names() -> None:
    options = parse_arguments(["pull", "a", "--json", "b", "--host=h", "c"])
    assert (options.names, options.json, options.host) == (["a", "b", "c"], True, "h")


def test_the_last_of_two_equal_flags_counts() -> None:
    assert parse_arguments(["--host", "a", "list", "--host", "b"]).host == "b"


def test_the_value_of_a_flag_is_no_verb() -> None:
    options = parse_arguments(["--profile", "list", "--log-file", "ps", "show", "rm"])
    assert (options.verb, options.profile, options.log_file, options.name) == (
        "show", "list", "ps", "rm",
    )  # fmt: skip
    assert parse_arguments(["--models", "test", "route", "test", "f"]).verb == "route test"


def test_the_word_test_is_a_verb_only_after_route() -> None:
    assert parse_arguments(["route", "test", "a.yaml", "b.yaml"]).files == ["a.yaml", "b.yaml"]
    assert parse_arguments(["route", "code"]).asked == "code"
    assert parse_arguments(["show", "test"]).name == "test"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lst"], "there is no verb 'lst'; did you mean 'list'?"),
        (["xyzzy"], "there is no verb 'xyzzy'; --help lists them"),
        (["--hots", "h"], "there is no verb 'h'"),
        (["list", "--hots"], "unrecognized arguments: --hots"),
        (["list", "--yes"], "unrecognized arguments: --yes"),
        (["status", "m", "--json"], "unrecognized arguments: --json"),
        (["show"], "the following arguments are required: NAME"),
        (["show", "a", "b"], "unrecognized arguments: b"),
        (["pull", "--json"], "the following arguments are required: NAME"),
        (["cp", "a"], "the following arguments are required: DESTINATION"),
        (["route", "test"], "the following arguments are required: FILE"),
        (["route", "code", "--all"], "give either a profile or --all"),
        (["list", "--host"], "argument --host: expected one argument"),
        (["--hos", "h", "list"], "there is no verb 'h'"),
        (["list", "--hos", "h"], "unrecognized arguments: --hos"),
    ],
)
def test_wrong_usage_is_named_and_exits_2(cli: Cli, arguments: list[str], said: str) -> None:
    result = cli(*arguments)
    assert result.status == 2
    assert result.out == ""
    assert said in result.err
    assert result.err.startswith("usage: ollm-tui")


def test_a_hostile_word_does_not_reach_the_terminal_raw(cli: Cli) -> None:
    for arguments in (["\x1b[31m"], ["list", "--\x1b]0;x\x07"], ["show", "a", "\x9b2J"]):
        result = cli(*arguments)
        assert result.status == 2
        assert not set("\x1b\x07\x9b") & set(result.err)


def test_help_names_every_verb_and_exits_0(cli: Cli) -> None:
    result = cli("--help")
    assert result.status == 0
    assert all(f"  {verb} " in result.out for verb in VERBS)
    assert all(flag in result.out for flag in FLAGS)


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_names_what_it_takes(cli: Cli, verb: str) -> None:
    result = cli(*verb.split(), "--help")
    assert result.status == 0
    assert result.out.startswith(f"usage: ollm-tui {verb}")
    usage, _, rest = result.out.partition("\n")
    taken = usage.removeprefix(f"usage: ollm-tui {verb}").removesuffix("[FLAGS]")
    for word in taken.translate(dict.fromkeys(map(ord, "[]|."), " ")).split():
        assert word in rest


def test_the_version_can_be_asked_for_anywhere(cli: Cli) -> None:
    for arguments in (["--version"], ["list", "--version"], ["--demo", "--version"]):
        assert cli(*arguments).out.startswith("ollm-tui ")
