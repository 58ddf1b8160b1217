"""What the program tells its caller in one number."""

from ollm_tui.core.error import (
    ConfigError,
    FilterError,
    InvalidName,
    ModelNotFound,
    OllmError,
    PatternSyntaxError,
    ProviderOffline,
    RoutingError,
    ScenarioError,
    UnknownProfile,
)

DONE, NEGATIVE, USAGE, OFFLINE, FAILED, INTERRUPTED = 0, 1, 2, 3, 4, 130


def exit_status(error: OllmError) -> int:
    """The exit status that an error means."""
    match error:
        case InvalidName() | ConfigError() | UnknownProfile() | PatternSyntaxError():
            return USAGE
        case FilterError() | ScenarioError():
            return USAGE
        case ModelNotFound() | RoutingError():
            return NEGATIVE
        case ProviderOffline():
            return OFFLINE
        case _:
            return FAILED
