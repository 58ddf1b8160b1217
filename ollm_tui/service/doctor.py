"""How the provider is, for who wants to know what is wrong."""

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
        summary = f"none; the store {server.host} is used directly (--provider ollama asks one)"
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


def check_no_store(error: OllmError) -> Check:
    """Why no store was looked through; one that is out of reach is nothing wrong."""
    return Check(STORE, isinstance(error, Unsupported), str(error), error.actions)


def _failed(error: OllmError) -> Check:
    return Check(SERVER, False, str(error), error.actions)
