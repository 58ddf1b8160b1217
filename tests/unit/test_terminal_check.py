"""How the terminal is judged, from its facts alone."""

import pytest

from ollm_tui.ui.terminal_check import judge_terminal

XTERM = {"TERM": "xterm-256color"}


def test_a_usual_terminal_is_fine_and_named() -> None:
    check = judge_terminal(XTERM | {"COLORTERM": "truecolor"}, (120, 40), "UTF-8")
    assert check.is_healthy
    assert check.summary == "xterm-256color, 120x40, 16 million colours, UTF-8"


def test_output_to_no_terminal_is_nothing_wrong() -> None:
    assert judge_terminal({}, None, "ascii").is_healthy


@pytest.mark.parametrize(
    ("environment", "size", "encoding", "action"),
    [
        ({"TERM": "dumb"}, (80, 24), "UTF-8", "Set TERM"),
        ({}, (80, 24), "UTF-8", "Set TERM"),
        (XTERM, (79, 24), "UTF-8", "Make the window"),
        (XTERM, (200, 23), "UTF-8", "Make the window"),
        (XTERM, (80, 24), "ANSI_X3.4-1968", "Choose a UTF-8 locale"),
    ],
)
def test_what_hinders_the_screen_comes_with_its_remedy(
    environment: dict[str, str], size: tuple[int, int], encoding: str, action: str
) -> None:
    check = judge_terminal(environment, size, encoding)
    assert not check.is_healthy
    assert check.actions[0].startswith(action)


def test_no_colour_is_a_choice() -> None:
    check = judge_terminal(XTERM | {"NO_COLOR": "1"}, (80, 24), "utf8")
    assert check.is_healthy
    assert "NO_COLOR" in check.summary
