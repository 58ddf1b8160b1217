"""Files that a verb is given to read, within limits."""

from ollm_tui.core.error import ConfigError

LIMIT_BYTES = 64 * 2**20
"""Source: ruling Z23."""
LIMIT_NODES = 5_000_000


def read_input(path: str) -> bytes:
    """The whole file.

    Raises:
        ConfigError: it cannot be read, or is too large.
    """
    try:
        with open(path, "rb") as file:
            raw = file.read(LIMIT_BYTES + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigError(
            f"{path} cannot be read", cause=why or "", actions=("Check the path.",)
        ) from error
    if len(raw) > LIMIT_BYTES:
        raise ConfigError(
            f"{path} is too large",
            cause=f"more than {LIMIT_BYTES // 2**20} MiB",
            actions=("Check that it is the file you meant.",),
        )
    return raw
