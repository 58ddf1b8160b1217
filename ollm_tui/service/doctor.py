"""How the provider is, for who wants to know what is wrong."""

from collections.abc import Sequence

from ollm_tui.core.diagnosis import Check
from ollm_tui.core.error import OllmError, Unsupported
from ollm_tui.service.service import ModelService

SERVER = "server"
STORE = "store"


async def check_server(service: ModelService) -> Check:
    """Ask the provider for its models and its version, and say in a line how that went."""
    try:
        models = await service.list_models(refresh=True)
    except OllmError as error:
        return _failed(error)
    state, server = service.models, service.server
    if state.stale and state.error is not None:
        return _failed(state.error)
    if server.provider == "local":
        summary = "none; the store is used directly (--provider ollama asks one)"
        return Check(SERVER, True, summary)
    try:
        version = await service.version()
    except OllmError as error:
        return _failed(error)
    named = " ".join(part for part in (server.provider, version, "at", server.host) if part)
    count = f"{len(models):,} model{'' if len(models) == 1 else 's'}"
    if not state.problems:
        return Check(SERVER, True, f"{named}, {count}")
    return Check(
        SERVER,
        False,
        f"{named}, {count}; {len(state.problems):,} more cannot be read",
        ("`ollm-tui list` names them; pull or delete each.",),
    )


def check_no_store(error: OllmError, checks: Sequence[Check] = ()) -> Check:
    """Why no store was looked through; one that is out of reach is nothing wrong.

    Args:
        checks: what is known to be wrong already, which is not said again.
    """
    if any(not check.is_healthy and check.summary == str(error) for check in checks):
        summary = "not looked at: it takes an answer of the server"
        return Check(STORE, True, summary, is_there=False)
    is_absent = isinstance(error, Unsupported)
    return Check(STORE, is_absent, str(error), error.actions, is_there=not is_absent)


def _failed(error: OllmError) -> Check:
    return Check(SERVER, False, str(error), error.actions)
