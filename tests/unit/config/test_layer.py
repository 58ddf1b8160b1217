"""What a source reports: how much at most, where, and with which value shown."""

import pytest

from ollm_tui.config.layer import Layer, shown_value
from ollm_tui.config.node import Node
from ollm_tui.config.problem import MAX_PROBLEMS, Origin, Severity


def test_past_the_limit_only_that_there_are_more_is_told() -> None:
    layer = Layer(Origin.USER)
    for number in range(MAX_PROBLEMS - 1):
        layer.report(f"wrong {number}", Node(1), ("a",))
    assert not layer.has_enough(Severity.ERROR)
    layer.report("the last", Node(1), ("a",))
    assert layer.has_enough(Severity.ERROR) is True
    for _ in range(3):
        layer.report("one more", Node(1), ("a",))
    assert len(layer.problems) == MAX_PROBLEMS + 1
    assert layer.problems[-1].sentence == (
        f"More than {MAX_PROBLEMS} problems of this kind; the rest are not shown"
    )


def test_already_a_single_one_too_many_is_told() -> None:
    layer = Layer(Origin.USER)
    for _ in range(MAX_PROBLEMS + 1):
        layer.report("wrong", Node(1), ("a",))
    assert layer.problems[-1].sentence.startswith(f"More than {MAX_PROBLEMS} problems")


def test_warnings_and_errors_are_counted_apart() -> None:
    layer = Layer(Origin.USER)
    for _ in range(MAX_PROBLEMS):
        layer.report("odd", Node(1), ("a",), severity=Severity.WARNING)
    assert layer.has_enough(Severity.WARNING)
    assert not layer.has_enough(Severity.ERROR)


def test_what_is_not_told_is_empty() -> None:
    layer = Layer(Origin.USER)
    layer.report("wrong", Node(1), ("a",))
    (problem,) = layer.problems
    assert (problem.detail, problem.remedy, problem.source) == ("", "", "")
    assert (problem.field, problem.value) == ("a", 1)


def test_a_layer_is_private_until_its_file_says_otherwise() -> None:
    assert Layer(Origin.USER).is_private


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"a": 1}, "a mapping"),
        ([1], "a list"),
        (7, 7),
        ("x" * 80, "x" * 80),
        ("x" * 81, "x" * 79 + "…"),
        ("esc\x1b", "esc\ufffd"),
    ],
)
def test_a_value_is_shown_short_and_safe(value: object, shown: object) -> None:
    assert shown_value(("a",), Node(value)) == shown
