"""What every error of ours promises."""

import inspect

import pytest

from ollm_tui.core import error as errors
from ollm_tui.core.error import OllmError, ProviderOffline, closest


def _classes() -> list[type[OllmError]]:
    found = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]
    return [kind for kind in found if issubclass(kind, OllmError)]


def test_every_error_is_drawn_in_the_tree() -> None:
    drawn = errors.__doc__ or ""
    assert [kind.__name__ for kind in _classes() if kind.__name__ not in drawn] == []


@pytest.mark.parametrize("kind", _classes())
def test_every_error_knows_a_next_step(kind: type[OllmError]) -> None:
    assert kind.default_actions
    assert all(action.endswith((".", "?")) for action in kind.default_actions)


def test_an_error_says_what_and_why() -> None:
    error = ProviderOffline("No answer from host:1", cause="connection refused", actions=("Look.",))
    assert str(error) == "No answer from host:1 (connection refused)"
    assert error.actions == ("Look.",)
    assert str(OllmError("Just this")) == "Just this"


def test_what_servers_say_in_errors_cannot_act_on_a_terminal() -> None:
    error = OllmError("a\x1b[2J", cause="b\x07\nc", actions=("d\x9b",))
    assert (error.message, error.cause, error.actions) == ("a�[2J", "b� c", ("d�",))
    assert "\x1b" not in str(error)


def test_the_closest_names_come_first_whatever_their_case() -> None:
    assert closest("Lama3.1", ["mistral", "LLama3.1", "llama3.2"])[0] == "LLama3.1"
    assert closest("zzz", ["mistral"]) == []


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OllmError("It failed", actions=("Try.", "Ask.")), "It failed. Try."),
        (OllmError("It failed", cause="why", actions=("Try.",)), "It failed (why). Try."),
        (OllmError("No x; did you mean y?", actions=("Try.",)), "No x; did you mean y? Try."),
    ],
)
def test_in_words_ends_no_sentence_twice(error: OllmError, said: str) -> None:
    assert error.in_words == said
