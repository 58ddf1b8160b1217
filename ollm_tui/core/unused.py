"""What could be deleted to make room: facts, which `ui` and `cli` put into words."""

from typing import NamedTuple


class UnusedModel(NamedTuple):
    """An installed model that is not in memory and that no profile would choose."""

    names: tuple[str, ...]
    """All names of it, for its space is free only when all of them are deleted. Sanitised."""
    size_bytes: int
    """At most so much becomes free: files that other models share stay."""
