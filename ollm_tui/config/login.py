"""Who the user is for one registry. Loaded only where one is configured."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RegistryLogin:
    """Who the user is for one registry."""

    user: str
    password: str | None = field(repr=False)
    """None where no variable is named, or the one named is not set."""
    variable: str
    """The environment variable that holds the password, for people; empty where none is named."""
