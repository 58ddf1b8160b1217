"""The installed models as the verbs need them: listed, found by name, with what memory says."""

from dataclasses import replace

from ollm_tui.cli.output import warn
from ollm_tui.core.error import ModelNotFound, OllmError, ProviderGarbled, closest
from ollm_tui.core.model import ModelInfo
from ollm_tui.core.name import name_key, parse_reference
from ollm_tui.service.service import ModelService


async def list_installed(service: ModelService) -> tuple[ModelInfo, ...]:
    """The installed models as the provider says now; for verbs that change something.

    Raises:
        ProviderGarbled: there are entries, and not one of them is a model.
        ProviderError: nobody answers, or not as promised.
    """
    models = await _listed(service)
    state = service.models
    if state.stale and state.error is not None:
        raise state.error
    return models


async def _listed(service: ModelService) -> tuple[ModelInfo, ...]:
    models = await service.list_models()
    problems = service.models.problems
    if problems and not models:
        first = problems[0]
        raise ProviderGarbled(
            f"Nothing that {service.server.host} lists can be read as a model",
            cause=f"the first of {len(problems):,}: {first.subject}: {first.reason}",
        )
    return models


async def last_known(service: ModelService) -> tuple[ModelInfo, ...]:
    """As `list_installed`, but while nobody answers what was known before, with a warning.

    For verbs that only read. Source: ruling Z15.
    """
    models = await _listed(service)
    state = service.models
    if state.stale and state.as_of is not None:
        why = state.error or "Nobody answers"
        warn(f"{why}; this is what was there at {state.as_of.astimezone():%Y-%m-%d %H:%M}")
    return models


def find(name: str, models: tuple[ModelInfo, ...]) -> ModelInfo:
    """The model that a person means by a name.

    Raises:
        InvalidName: no model can have that name.
        ModelNotFound: with similar names.
    """
    key = parse_reference(name).key
    for model in models:
        if name_key(model.name) == key:
            return model
    near = closest(name, (model.display_name for model in models))
    hint = (f"Did you mean {' or '.join(near)}?",) if near else ()
    raise ModelNotFound(f"{name} is not installed", actions=(*hint, *ModelNotFound.default_actions))


async def see_memory(service: ModelService) -> bool:
    """Learn what is loaded; returns whether that is known now."""
    if service.models.stale:
        return False
    try:
        await service.refresh_running()
    except OllmError as error:
        warn(f"which models are loaded is unknown: {error}")
        return False
    return True


def with_memory(shown: ModelInfo, service: ModelService) -> ModelInfo:
    """A model as /api/show tells it, with what memory says of it."""
    key = name_key(shown.name)
    for running in service.running.models:
        if name_key(running.name) == key:
            served = running.context_tokens or shown.served_context_tokens
            return replace(shown, loaded=True, served_context_tokens=served)
    return shown
