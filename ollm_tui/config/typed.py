"""What a person types for a setting: as in the file, or simply as text where text is meant."""

from ollm_tui.config.check import check_keys, check_values
from ollm_tui.config.document import parse_document
from ollm_tui.config.layer import Layer
from ollm_tui.config.node import Path, dotted, planted
from ollm_tui.config.problem import ConfigProblem, Origin, Severity
from ollm_tui.config.shape import Kind, shape_at
from ollm_tui.core.error import ConfigError


def typed_value(path: Path, text: str) -> object:
    """The value that `text` stands for.

    Args:
        text: YAML on one line, such as `0.7`, `[llama, phi]` or `12G`; quotes may be left out
            where the setting is text, even when it has a colon or starts with a bracket.

    Raises:
        ConfigError: nothing was typed, or the value is not allowed there; in the words of the
            schema.
    """
    text = text.strip()
    if not text:
        raise ConfigError(
            "Nothing is typed", cause="", actions=("Type a value; unset takes the key out.",)
        )
    document = parse_document(text, dotted(path))
    problem = document.problems[0] if document.problems else None
    if problem is None:
        problem = _problem(path, document.data)
        if problem is None:
            return document.data
    shape = shape_at(path)
    if shape is not None and shape.kind is Kind.LEAF and not isinstance(document.data, bool):
        if _problem(path, text) is None:
            return text
    raise ConfigError(problem.sentence, cause=problem.detail, actions=(problem.remedy,))


def _problem(path: Path, value: object) -> ConfigProblem | None:
    """The first error of a configuration that says nothing but this."""
    data = value
    for key in reversed(path):
        data = {key: data}
    layer = Layer(Origin.FILE, planted(data, label="what is typed"))
    if value is None:
        return ConfigProblem(
            f"{dotted(path)} would have no value",
            layer.place(layer.root),
            remedy="Type a value; unset takes the key out.",
        )
    check_keys(layer)
    check_values(layer)
    for problem in layer.problems:
        if problem.severity is not Severity.NOTICE:
            return problem
    return None
