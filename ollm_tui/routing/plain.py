"""Reads plain mappings, as a YAML or JSON parser yields them, field by field.

Keys may be camelCase, as in the configuration, or snake_case, as in JSON output. What is wrong
is collected, not raised, so that one bad field never takes the rest with it.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from math import isfinite
from typing import Any

from ollm_tui.core.error import closest
from ollm_tui.core.model import LARGEST_COUNT, Problem
from ollm_tui.core.text import clean_line
from ollm_tui.routing.capability import CAPABILITY_NAMES, capability_field

TOKENS_LIMIT = 2**31 - 1

Parser = Callable[[object], Any]
"""Turns a value into what a field holds, or raises ValueError saying what it should be."""

Report = Callable[[str, str], None]
"""Told a key as written and what is wrong with it."""

_HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")


def snake(key: str) -> str:
    """minContextWindow and min_context_window both give min_context_window."""
    return _HUMP.sub(r"_\1", key).lower()


def camel(key: str) -> str:
    """min_context_window gives minContextWindow."""
    head, *rest = key.split("_")
    return head + "".join(word.capitalize() for word in rest)


def read_fields(
    mapping: Mapping[Any, object],
    parsers: Mapping[str, Parser],
    report: Report,
) -> dict[str, Any]:
    """Return the fields that could be read, by snake_case name; null means "not given".

    Args:
        mapping: the data; keys in either style.
        parsers: by snake_case name.
        report: told what could not be read.
    """
    values: dict[str, Any] = {}
    for key, value in mapping.items():
        name = snake(str(key))
        if name not in parsers:
            report(str(key), unknown_key(str(key), parsers))
        elif name in values:
            report(str(key), f"is given twice, the other time as {camel(name)} or {name}")
        elif value is not None:
            try:
                parsed = parsers[name](value)
            except ValueError as error:
                report(str(key), f"{error}, not {clean_line(repr(value), 60)}")
            else:
                if parsed is not None:
                    values[name] = parsed
    return values


def report_to(problems: list[Problem], subject: str) -> Report:
    """Return a report that adds to `problems` what is wrong with `subject`."""

    def report(key: str, what: str) -> None:
        problems.append(Problem(subject, f"{clean_line(key)} {what}"))

    return report


def unknown_key(key: str, known: Iterable[str]) -> str:
    """Say that a key is unknown, and which one may be meant."""
    names = [camel(name) for name in known]
    near = closest(key, names, count=1)
    return (
        f"is unknown; did you mean {near[0]}?" if near else f"is unknown; known: {', '.join(names)}"
    )


def text(value: object) -> str:
    """A string that is not blank, trimmed and safe to print."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("should be text")
    return clean_line(value.strip())


def name(value: object) -> str:
    """A model name, exactly as written: it is a key."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("should be a model name")
    return value


def name_list(value: object) -> tuple[str, ...]:
    """A list of model names."""
    if not isinstance(value, list | tuple):
        raise ValueError("should be a list of model names")
    return tuple(name(item) for item in value)


def name_map(value: object) -> dict[str, str]:
    """A mapping of profile names to model names."""
    if not isinstance(value, Mapping):
        raise ValueError("should be a mapping such as {code: codellama:7b}")
    return {text(key): name(model) for key, model in value.items()}


def text_list(value: object) -> tuple[str, ...]:
    """A list of strings, safe to print; blank ones are kept, for others to judge."""
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise ValueError("should be a list of texts")
    return tuple(clean_line(item) for item in value)


def flag(value: object) -> bool:
    """True or false, nothing that merely looks like it."""
    if not isinstance(value, bool):
        raise ValueError("should be true or false")
    return value


def tokens(value: object) -> int:
    """A positive number of tokens."""
    number = whole(value)
    if not 0 < number <= TOKENS_LIMIT:
        raise ValueError("should be a whole number above 0")
    return number


def minimum(value: object) -> int:
    """A number of tokens; 0 = no minimum."""
    number = whole(value)
    if not 0 <= number <= TOKENS_LIMIT:
        raise ValueError("should be a whole number, 0 or more")
    return number


def whole(value: object) -> int:
    """A whole number; 4096.0 is one, true and "4096" are not."""
    if isinstance(value, float) and isfinite(value) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("should be a whole number")
    return value


def count(value: object) -> int:
    """A whole number, 0 or more."""
    number = whole(value)
    if not 0 <= number <= LARGEST_COUNT:
        raise ValueError("should be a whole number, 0 or more")
    return number


def number(value: object) -> float:
    """A finite number above 0."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("should be a number")
    if not 0 < value <= LARGEST_COUNT:  # also false for NaN
        raise ValueError("should be a number above 0")
    return float(value)


def capability_flags(value: object) -> dict[str, bool] | None:
    """Capability names to true or false, by field of `ModelCapabilities`; None for none given."""
    if not isinstance(value, Mapping):
        raise ValueError("should be a mapping such as {toolCalling: true}")
    flags = {}
    for name, given in value.items():
        field = capability_field(str(name))
        if field is None:
            near = closest(str(name), CAPABILITY_NAMES, count=1) or CAPABILITY_NAMES
            raise ValueError(f"knows no {clean_line(str(name), 40)!r} (there is {', '.join(near)})")
        if given is not None:
            flags[field] = flag(given)
    return flags or None


def one_of(*choices: str) -> Parser:
    """Text out of a closed list."""

    def parse(value: object) -> str:
        if value not in choices:
            raise ValueError(f"should be {' or '.join(choices)}")
        return str(value)

    return parse
