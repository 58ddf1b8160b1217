"""A file of the configuration as it would be."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Draft:
    """A file's content as it would be, to see what it would change."""

    path: str
    content: bytes = field(repr=False)
    trusted: bool = True
    """Whether it would be allowed to name servers and credentials."""
