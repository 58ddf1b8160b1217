"""What servers of different ages say: the fields that came with later versions."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """One version of the server."""

    version: str
    tags_facts: bool
    """The list has capabilities, context and embedding lengths."""
    show_capabilities: bool
    ps_context: bool
    remote_stubs: bool
    status_route: bool


PROFILES = {
    "0.5": Profile("0.5.7", False, False, False, False, False),
    "0.12": Profile("0.12.6", False, True, True, True, False),
    "0.33": Profile("0.33.0", True, True, True, True, True),
}
