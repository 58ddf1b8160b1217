"""The filter language of lists: parsed once, matched many times. Pure.

    coder family:qwen cap:tools ctx>=32k size<10G params<=8b quant:q4 loaded -remote

Terms with blanks between them, all of which must hold. A plain word matches names that have its
letters in that order; `-` or `!` before a term turns it round, and before a plain word leaves out
the names that contain it. Commas give a choice: `family:llama,qwen`. What nobody knows of a model
meets no condition.

Source: rulings Z12 and Z13; the rules of the screens.
"""

import re
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import NamedTuple

from ollm_tui.core.error import FilterError, closest
from ollm_tui.core.model import ModelInfo, Problem

_Test = Callable[[ModelInfo, Container[str]], bool]

EXAMPLE = "family:llama cap:tools ctx>=32k size<10G params<=8b quant:q4 loaded"
_OPERATORS = re.compile(r"([^<>=!:]*):?(<=|>=|!=|==|<|>|=|:)(.*)", re.DOTALL)
_BARE_SIZE = re.compile(r"[<>]=?[0-9.]+[gt]i?b?", re.IGNORECASE)
_NUMBER = re.compile(r"([0-9]+(?:\.[0-9]+)?)([a-z]*)")
_LONGEST_NUMBER = 30
_COMPARE: dict[str, Callable[[float, float], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}

_CAPABILITIES = {
    "tools": "tool_calling",
    "toolcalling": "tool_calling",
    "vision": "vision",
    "thinking": "thinking",
    "reasoning": "thinking",
    "streaming": "streaming",
    "completion": "streaming",
    "insert": "insert",
    "embedding": "embedding",
    "audio": "audio",
    "image": "image",
}
_SHOWN_CAPABILITIES = "tools, vision, thinking, streaming, insert, embedding, audio, image"

_FLAGS: dict[str, _Test] = {
    "loaded": lambda model, marked: model.loaded,
    "remote": lambda model, marked: model.remote,
    "marked": lambda model, marked: model.name in marked,
    "broken": lambda model, marked: False,
}
_STATES: dict[str, _Test] = {
    **_FLAGS,
    "embedding": lambda model, marked: model.embedding_only,
    "base": lambda model, marked: model.base_model,
}

_BYTES = {"k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}
_BYTE_UNITS = {
    **_BYTES,
    **{f"{unit}b": factor for unit, factor in _BYTES.items()},
    **{f"{unit}ib": 1024.0**power for power, unit in enumerate("kmgt", start=1)},
}
_TOKEN_UNITS = {"": 1.0, "k": 1e3, "m": 1e6}
_BILLION_UNITS = {"": 1.0, "k": 1e-6, "m": 1e-3, "b": 1.0, "t": 1e3}


class _Amount(NamedTuple):
    """A field that is compared as a number."""

    value: Callable[[ModelInfo], float | None]
    units: dict[str, float]
    example: str
    hint: str


_AMOUNTS = {
    "ctx": _Amount(
        lambda model: model.context_window,
        _TOKEN_UNITS,
        "ctx>=32k",
        "tokens: a number, k = 1000 or M = 1000000",
    ),
    "size": _Amount(
        # A stub of a few hundred bytes says nothing of a model that runs elsewhere.
        lambda model: None if model.remote else model.size_bytes,
        _BYTE_UNITS,
        "size<10G",
        "bytes with their unit: k, M, G or T",
    ),
    "params": _Amount(
        lambda model: _rounded(model.parameters_billions),
        _BILLION_UNITS,
        "params<=8b",
        "parameters: a number, M or B",
    ),
}
_TEXTS: dict[str, Callable[[ModelInfo], str]] = {
    "family": lambda model: model.family,
    "quant": lambda model: model.quantization or "",
    "name": lambda model: model.display_name,
    "arch": lambda model: model.architecture,
}
_TEXT_EXAMPLES = {
    "family": "family:llama",
    "quant": "quant:q4",
    "name": "name:coder",
    "arch": "arch:qwen2",
    "cap": "cap:tools",
    "is": "is:loaded",
}
_ALIASES = {
    "fam": "family",
    "context": "ctx",
    "caps": "cap",
    "capability": "cap",
    "parameters": "params",
    "param": "params",
    "quantization": "quant",
    "architecture": "arch",
}
_TELLING = 2  # letters, from which on a word may be the beginning of a field
FIELDS = ("name", "family", "cap", "ctx", "size", "params", "quant", "arch", "is")


@dataclass(frozen=True, slots=True, eq=False)
class Filter:
    """Conditions that must all hold."""

    text: str
    _tests: tuple[_Test, ...]
    asks_memory: bool
    """Whether it depends on what is loaded."""
    asks_marks: bool
    """Whether it depends on what is marked."""

    @classmethod
    def parse(cls, text: str) -> "Filter":
        """Read what a person typed; an empty text matches everything.

        Raises:
            FilterError: with the term that means nothing and what would be valid.
        """
        terms = text.split()
        folded = [term.casefold() for term in terms]
        return cls(
            text.strip(),
            tuple(_term(term) for term in terms),
            any("loaded" in term for term in folded),
            any("marked" in term for term in folded),
        )

    def matches(self, model: ModelInfo, marked: Container[str] = ()) -> bool:
        """Whether a model meets every condition.

        Args:
            marked: names of the models that are marked on screen.
        """
        return all(test(model, marked) for test in self._tests)

    def among(
        self, models: Iterable[ModelInfo], marked: Container[str] = ()
    ) -> Iterable[ModelInfo]:
        """Those that meet every condition, in their order; faster than one by one."""
        for test in self._tests:
            models = [model for model in models if test(model, marked)]
        return models

    def among_problems(self, problems: Sequence[Problem]) -> Sequence[Problem]:
        """The entries that nobody could read and that meet every condition, in their order.

        All that is known of one is its name, and that it is broken.
        """
        for term in self.text.split():
            test = _of_problem(term)
            problems = [problem for problem in problems if test(problem)]
        return problems


class Begun(NamedTuple):
    """A last word that may be the beginning of a condition, while somebody types."""

    before: str
    """The text without it."""
    word: str
    example: str
    """How it could go on."""


def begun(text: str) -> Begun | None:
    """The last word of a text, if a field or a state begins so; not a whole state, which is one."""
    before, _, word = text.rpartition(" ")
    start = word.lstrip("-!").casefold()
    if len(start) < _TELLING or start in _FLAGS:
        return None
    for name in (*FIELDS, *_ALIASES, *_FLAGS):
        if name.startswith(start):
            example = name if name in _FLAGS else _example(_ALIASES.get(name, name))
            return Begun(before, word, example)
    return None


def is_condition(term: str) -> bool:
    """Whether a term asks for a field by its name, so that it cannot be meant as a model's name."""
    split = _OPERATORS.fullmatch(_with_field(term.lstrip("-!")))
    if split is None:
        return False
    field = split[1].casefold()
    return _ALIASES.get(field, field) in FIELDS


def _term(term: str) -> _Test:
    bare = term.lstrip("-!")
    if not bare:
        raise FilterError(
            f"“{term}” needs a condition after it",
            actions=("Write what shall not be, such as -remote or -family:llama.",),
        )
    is_turned = (len(term) - len(bare)) % 2 == 1
    split = _OPERATORS.fullmatch(_with_field(bare))
    if split is None:
        test = _FLAGS.get(bare.casefold()) or _word(bare.casefold(), is_literal=is_turned)
    else:
        test = _condition(bare, *split.groups())
    return _not(test) if is_turned else test


def _of_problem(term: str) -> Callable[[Problem], bool]:
    bare = term.lstrip("-!")
    is_turned = (len(term) - len(bare)) % 2 == 1
    bare = bare.casefold()
    split = _OPERATORS.fullmatch(_with_field(bare))
    if split is not None and split[2] == "!=":
        is_turned = not is_turned
    written = "is" if split is None and bare in _FLAGS else split[1] if split else "name"
    field = _ALIASES.get(written, written)
    if field in FIELDS and field != "name":
        value = bare if split is None else split[3]
        is_met = field == "is" and "broken" in value.split(",")
        return lambda problem: is_met != is_turned
    test = _term(term)
    return lambda problem: test(ModelInfo(problem.subject), ())


def _with_field(bare: str) -> str:
    """A bare `<10G` can only mean the size; `>=32k` might be tokens, too."""
    return f"size{bare}" if _BARE_SIZE.fullmatch(bare) else bare


def _not(test: _Test) -> _Test:
    return lambda model, marked: not test(model, marked)


def _word(word: str, *, is_literal: bool) -> _Test:
    if is_literal:
        # Letters in order are in nearly every name, so leaving those out would surprise.
        return lambda model, marked: word in model.display_name.casefold()
    # No part can match in two ways, so a long name costs no more than its length a letter.
    in_order = re.compile("".join(f"[^{re.escape(letter)}]*{re.escape(letter)}" for letter in word))
    return lambda model, marked: in_order.match(model.display_name.casefold()) is not None


def _condition(term: str, written: str, operator: str, value: str) -> _Test:
    field = _ALIASES.get(written.casefold(), written.casefold())
    if field not in FIELDS:
        near = closest(written, FIELDS, count=1, cutoff=0.75) if len(written) < 20 else []
        if operator == ":" and not near:
            return _word(term.casefold(), is_literal=False)  # a name with its tag
        raise FilterError(
            f"There is no field “{written}”" + (f"; did you mean {near[0]}?" if near else ""),
            actions=(f"The fields are {', '.join(FIELDS)}.",),
        )
    if not value.strip(","):
        raise FilterError(f"{field} needs a value", actions=(f"For example {_example(field)}.",))
    if field in _AMOUNTS:
        return _amount(_AMOUNTS[field], field, operator, value.casefold())
    if operator not in (":", "=", "==", "!="):
        raise FilterError(
            f"{field} is no number, so {operator} means nothing",
            actions=(f"For example {_example(field)}.",),
        )
    choices = [choice for choice in value.casefold().split(",") if choice]
    tests = [_choice(field, choice, is_whole=operator != ":") for choice in choices]
    test = _any(tests)
    return _not(test) if operator == "!=" else test


def _choice(field: str, value: str, *, is_whole: bool) -> _Test:
    if field == "cap":
        return _capability(value)
    if field == "is":
        if value not in _STATES:
            raise FilterError(
                f"A model cannot be “{value}”", actions=(f"Valid are {', '.join(_STATES)}.",)
            )
        return _STATES[value]
    text = _TEXTS[field]
    if is_whole:
        return lambda model, marked: text(model).casefold() == value
    if field == "name":
        return lambda model, marked: value in text(model).casefold()
    return lambda model, marked: text(model).casefold().startswith(value)


def _any(tests: Iterable[_Test]) -> _Test:
    several = tuple(tests)
    if len(several) == 1:
        return several[0]
    return lambda model, marked: any(test(model, marked) for test in several)


def _capability(value: str) -> _Test:
    wanted = {field for word, field in _CAPABILITIES.items() if word.startswith(value)}
    if not wanted:
        near = closest(value, _CAPABILITIES, count=1) if len(value) < 20 else []
        raise FilterError(
            f"There is no capability “{value}”" + (f"; did you mean {near[0]}?" if near else ""),
            actions=(f"Valid are {_SHOWN_CAPABILITIES}.",),
        )

    def has(model: ModelInfo, marked: Container[str]) -> bool:
        if model.embedding_only and "embedding" in wanted:
            return True
        can = model.capabilities
        return can is not None and any(getattr(can, field) for field in wanted)

    return has


def _amount(amount: _Amount, field: str, operator: str, text: str) -> _Test:
    number = _NUMBER.fullmatch(text) if len(text) <= _LONGEST_NUMBER else None
    if number is None or (number[2] not in amount.units and text != "0"):
        raise FilterError(
            f"“{text[:_LONGEST_NUMBER]}” is no value of {field}",
            actions=(f"It takes {amount.hint}; for example {amount.example}.",),
        )
    unit = number[2]
    limit = float(number[1]) * amount.units.get(unit, 1.0)
    value = amount.value
    if field == "params":
        limit = round(limit, 1)
    limits = {limit}
    if field == "ctx" and unit:
        # 131072 is shown as 128k, and so it is found by that, and is neither more nor less.
        limits.add(float(number[1]) * {"k": 1024.0, "m": 1024.0**2}[unit])
    if operator in _COMPARE:
        compare = _COMPARE[operator]
        bound = max(limits) if operator in ("<=", ">") else min(limits)
        return lambda model, marked: (known := value(model)) is not None and compare(known, bound)
    test: _Test = lambda model, marked: value(model) in limits  # noqa: E731  (one of many lambdas)
    return _not(test) if operator == "!=" else test


def _rounded(billions: float | None) -> float | None:
    return None if billions is None else round(billions, 1)


def _example(field: str) -> str:
    return _AMOUNTS[field].example if field in _AMOUNTS else _TEXT_EXAMPLES[field]
