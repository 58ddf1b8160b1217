"""What the verbs print: JSON in the shapes that scripts rely on, tables for people.

Shapes are stable: fields are added, never renamed. Unknown values are null.
"""

import dataclasses
import json
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from unicodedata import combining, east_asian_width

from ollm_tui.core.error import InvalidName
from ollm_tui.core.event import ModelsState, ModelUpdate, ServerState
from ollm_tui.core.model import UNKNOWN_FAMILY, ModelDetails, ModelInfo, RunningModel
from ollm_tui.core.name import parse_name
from ollm_tui.core.progress import ProgressEvent
from ollm_tui.ui import format as words


def as_json(value: object) -> str:
    """One line of JSON. Raw names are in it, so what is not ASCII is escaped: a terminal that
    shows it obeys nothing of theirs, and a name that is no valid text survives."""
    return json.dumps(value)


def model_json(model: ModelInfo, memory_known: bool = True) -> dict[str, object]:
    """A model as `list --json` and `--models` have it.

    Args:
        memory_known: False: nobody could say what is loaded.
    """
    return {
        "name": model.name,
        "family": None if model.family == UNKNOWN_FAMILY else model.family,
        "size_bytes": model.size_bytes,
        "parameters_billions": model.parameters_billions,
        "quantization": model.quantization,
        "context_window": model.context_window,
        "max_output_tokens": model.max_output_tokens,
        "modified_at": rfc3339(model.modified_at),
        "digest": model.digest or None,
        "capabilities": dataclasses.asdict(model.capabilities) if model.capabilities else None,
        "loaded": model.loaded if memory_known else None,
        "remote": model.remote,
        "embedding_only": model.embedding_only,
        "base_model": model.base_model,
        "served_context_tokens": model.served_context_tokens,
        "architecture": model.architecture or None,
        "sources": dict(model.sources),
    }


def list_json(
    server: ServerState,
    state: ModelsState,
    models: Iterable[ModelInfo],
    memory_known: bool = True,
) -> dict[str, object]:
    """The answer of `list --json`."""
    return {
        "provider": server.provider,
        "host": server.host,
        "stale": state.stale,
        "as_of": rfc3339(state.as_of),
        "models": [model_json(model, memory_known) for model in models],
        "problems": [dataclasses.asdict(problem) for problem in state.problems],
    }


def details_json(details: ModelDetails, memory_known: bool = True) -> dict[str, object]:
    """The answer of `show --json`: the model, and the texts that only it has."""
    return {
        **model_json(details.info, memory_known),
        **_source_json(details.info.name),
        "parameters": [[name, value] for name, value in details.parameters],
        "template": details.template or None,
        "system": details.system or None,
        "license": details.license or None,
        "requires": details.requires or None,
        "metadata": dict(details.info.metadata),
    }


def _source_json(name: str) -> dict[str, object]:
    """Where a model is pulled from, by its name."""
    try:
        parsed = parse_name(name)
    except InvalidName:
        return {"registry": None, "namespace": None}
    return {"registry": parsed.host, "namespace": parsed.namespace}


def running_list_json(server: ServerState, models: Iterable[RunningModel]) -> dict[str, object]:
    """The answer of `ps --json`."""
    return {
        "provider": server.provider,
        "host": server.host,
        "models": [running_json(model) for model in models],
    }


def running_json(model: RunningModel) -> dict[str, object]:
    """A model of `ps --json`."""
    return {
        "name": model.name,
        "digest": model.digest or None,
        "size_bytes": model.size_bytes,
        "size_vram_bytes": model.size_vram_bytes,
        "context_tokens": model.context_tokens,
        "expires_at": rfc3339(model.expires_at),
    }


def progress_json(event: ProgressEvent) -> dict[str, object]:
    """A line of `pull --json`."""
    return {
        "model": event.model,
        "status": event.status.value,
        "percentage": round(event.percentage, 2),
        "downloaded_bytes": event.downloaded_bytes,
        "total_bytes": event.total_bytes,
        "download_speed": round(event.download_speed),
        "eta_s": None if event.eta_s is None else round(event.eta_s, 1),
        "timestamp": rfc3339(event.timestamp),
        "error": event.error,
    }


def updates_json(
    server: ServerState, found: Iterable[ModelUpdate], pulled: Collection[str]
) -> dict[str, object]:
    """The answer of `update --json`.

    Args:
        pulled: the names of those that have been updated by now.
    """
    return {
        "provider": server.provider,
        "host": server.host,
        "models": [
            {
                "name": one.name,
                "state": one.verdict.value,
                "digest": one.digest or None,
                "registry_digest": one.registry_digest or None,
                "total_bytes": one.total_bytes or None,
                "missing_bytes": one.missing_bytes if one.registry_digest else None,
                "reason": one.reason or None,
                "updated": one.name in pulled,
            }
            for one in found
        ],
    }


def model_table(models: Sequence[ModelInfo], now: datetime) -> str:
    """The models for people, one a line."""
    rows = [
        (
            model.display_name,
            "–" if model.family == UNKNOWN_FAMILY else model.family,
            words.parameters(model.parameters_billions),
            model.quantization or words.UNKNOWN,
            words.context(model.context_window),
            "remote" if model.remote else words.size(model.size_bytes),
            abilities(model),
            words.age(model.modified_at, now),
        )
        for model in models
    ]
    head = ("NAME", "FAMILY", "PARAMS", "QUANT", "CTX", "SIZE", "CAN", "MODIFIED")
    return table(head, rows, right={2, 4, 5})


def running_table(models: Sequence[RunningModel], now: datetime) -> str:
    """The models in memory for people, one a line."""
    rows = [
        (
            model.display_name,
            words.size(model.size_bytes),
            words.processor(model.size_bytes, model.size_vram_bytes),
            words.context(model.context_tokens),
            words.leaves_in(model.expires_at, now),
        )
        for model in models
    ]
    return table(("NAME", "MEMORY", "PROCESSOR", "CTX", "LEAVES IN"), rows, right={1, 3})


def details_text(details: ModelDetails, memory_known: bool = True) -> str:
    """One model for people."""
    info = details.info
    trained = words.UNKNOWN if info.context_window is None else f"{info.context_window:,} trained"
    served = info.served_context_tokens
    facts: list[tuple[str, str]] = [
        ("name", info.display_name),
        ("source", words.source(info.name) or words.UNKNOWN),
        ("family", info.family),
        ("architecture", info.architecture or words.UNKNOWN),
        ("parameters", words.parameters(info.parameters_billions)),
        ("quantization", info.quantization or words.UNKNOWN),
        ("size", "on another machine" if info.remote else words.size(info.size_bytes)),
        ("context", trained + (f", {served:,} served" if served else "")),
        ("can", abilities(info)),
        ("loaded", ("yes" if info.loaded else "no") if memory_known else words.UNKNOWN),
        ("changed", rfc3339(info.modified_at) or words.UNKNOWN),
        ("digest", info.digest or words.UNKNOWN),
    ]
    facts.extend((f"parameter {name}", value) for name, value in details.parameters)
    if details.requires:
        facts.append(("requires", f"Ollama {details.requires}"))
    if licence := details.license.strip():
        facts.append(("licence", licence.partition("\n")[0]))
    width = max(len(name) for name, _ in facts) + 2
    return "\n".join(f"{name:<{width}}{value}" for name, value in facts)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], right: Collection[int] = ()) -> str:
    """Columns as wide as their widest cell, two blanks apart.

    Args:
        right: indices of the columns that are aligned at their right.
    """
    lines = [tuple(head), *(tuple(row) for row in rows)]
    widths = [max(_cells(line[index]) for line in lines) for index in range(len(head))]

    def aligned(index: int, cell: str) -> str:
        blanks = " " * (widths[index] - _cells(cell))
        return blanks + cell if index in right else cell + blanks

    return "\n".join(
        "  ".join(aligned(index, cell) for index, cell in enumerate(line)).rstrip()
        for line in lines
    )


def _cells(text: str) -> int:
    """How many cells of a terminal a text takes."""
    if text.isascii():
        return len(text)
    wide = sum(1 for character in text if east_asian_width(character) in "WF")
    return len(text) + wide - sum(1 for character in text if combining(character))


def abilities(model: ModelInfo) -> str:
    """What a model can do, in short words."""
    can = model.capabilities
    if can is None:
        return "unknown"
    if model.embedding_only:
        return "embedding"
    named = (
        ("tools", can.tool_calling),
        ("vision", can.vision),
        ("thinking", can.thinking),
        ("streaming", can.streaming),
    )
    return ",".join(name for name, has in named if has) or "–"


def rfc3339(when: datetime | None) -> str | None:
    """A moment as JSON has it, in UTC; None stays."""
    return None if when is None else when.astimezone(UTC).isoformat().replace("+00:00", "Z")
