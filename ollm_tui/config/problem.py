"""What is wrong with a configuration, where, and what to do; one problem for each mistake.

Every text in it is safe to print and free of secrets.
"""

import dataclasses
from dataclasses import dataclass
from enum import StrEnum

from ollm_tui.config.snippet import snippet
from ollm_tui.core.text import clean_line

MAX_PROBLEMS = 100
"""Shown of one source: who has more has the wrong file."""


class Origin(StrEnum):
    """The kind of source that a value comes from, strongest first."""

    FLAG = "flag"
    ENV = "env"
    FILE = "file"
    """Named by --config."""
    WORKSPACE = "workspace"
    USER = "user"
    DEFAULT = "default"


class Severity(StrEnum):
    """How bad a problem is."""

    ERROR = "error"
    """The value, or the whole file, is not used."""
    WARNING = "warning"
    """Probably not what was meant."""
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was written: a file with line and column, a flag or a variable."""

    source: str
    line: int = 0
    """From 1; 0 = not a place in a file."""
    column: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One mistake.

    `sentence`, `detail`, place and `remedy` read in this order make the message.
    """

    sentence: str
    place: Place
    severity: Severity = Severity.ERROR
    detail: str = ""
    remedy: str = ""
    field: str = ""
    """The dotted key as its author spelt it, or empty."""
    value: object = None
    """The offending value, masked where it is a secret."""
    origin: Origin | None = None
    source: str = dataclasses.field(default="", repr=False, compare=False)
    """The text of the file that it is in, if it is in one."""

    def __post_init__(self) -> None:
        for name in ("sentence", "detail", "remedy", "field"):
            object.__setattr__(self, name, clean_line(getattr(self, name)))

    @property
    def snippet(self) -> tuple[str, ...]:
        """The lines around it with a caret, without secrets; nothing when it is in no file."""
        return snippet(self.source, self.place.line, self.place.column) if self.source else ()

    @property
    def message(self) -> str:
        """Everything in one line, the place included."""
        text = self.sentence.rstrip(".") + "."
        if self.detail:
            text += f" {self.detail.rstrip('.')}"
            text += f" ({self.place})."
        else:
            text += f" See {self.place}."
        return f"{text} {self.remedy}" if self.remedy else text
