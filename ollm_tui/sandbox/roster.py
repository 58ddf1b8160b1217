"""Which made-up models there are: those of roster.txt, synthetic ones, hostile ones.

Knows nothing of servers.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from ollm_tui.sandbox.models import SandboxModel

_TABLE = Path(__file__).with_name("roster.txt")
_HOUR_S = 3600.0
_TUTOR = "You tutor people who study at night. Be brief, be kind, and end with one question."
DEMO_LOADED = ("llama3.2:3b", "nomic-embed-text:latest")
"""What is in memory when the demo opens."""


def installed_models() -> tuple[SandboxModel, ...]:
    """Return the models that are there at the start, newest first."""
    return _table()["installed"]


def catalogue_models() -> tuple[SandboxModel, ...]:
    """Return the models that can be pulled besides those installed."""
    return _table()["catalogue"]


def model_like(
    name: str,
    family: str,
    parameter_count: int,
    context_length: int,
    capabilities: tuple[str, ...],
    quantization: str = "Q4_K_M",
) -> SandboxModel:
    """Return a model of these facts, in other respects like the built-in one nearest in size."""
    alike = [
        model
        for model in installed_models() + catalogue_models()
        if not model.remote and model.embedding == ("completion" not in capabilities)
    ]
    nearest = min(alike, key=lambda model: abs(model.parameter_count - parameter_count))
    return replace(
        nearest,
        name=name,
        family=family,
        parameter_count=parameter_count,
        parameter_size="",
        context_length=context_length,
        capabilities=capabilities,
        quantization=quantization,
        weights_key=name,
        system="",
        age_s=0.0,
    )


def synthetic_models(count: int) -> tuple[SandboxModel, ...]:
    """Return `count` different models, spread over families and over the past year."""
    bases = [model for model in installed_models() if not model.remote and "/" not in model.name]
    return tuple(
        replace(
            base,
            name=f"{base.name.partition(':')[0]}-{number:05d}:{base.name.partition(':')[2]}",
            weights_key=f"synthetic {number}",
            age_s=_HOUR_S + number * 365 * 24 * _HOUR_S / count,
        )
        for number, base in ((n, bases[n % len(bases)]) for n in range(count))
    )


def hostile_models() -> tuple[SandboxModel, ...]:
    """Return models whose every text attacks a terminal, a markup parser or a path."""
    base = installed_models()[0]
    return tuple(
        replace(
            base,
            name=name,
            family=name[:200],
            parameter_size=name[:200],
            quantization=name[:200],
            system=f"{name}\n{name}",
            weights_key=f"hostile {number}",
            age_s=number * _HOUR_S,
        )
        for number, name in enumerate(HOSTILE_NAMES)
    )


HOSTILE_NAMES = (
    "esc\x1b[2J\x1b[31mred:latest",
    "title\x1b]0;owned\x07:latest",
    "link\x1b]8;;http://example.com\x1b\\click\x1b]8;;\x1b\\:latest",
    "c1\x9b31m\x90q\x9c:latest",
    "close[/x]:latest",
    "open[bold:latest",
    "click[@click=app.quit]me[/]:latest",
    "line\nbreak\r\nagain\ttab:latest",
    "bidi\u202etxt.exe\u2066:latest",
    "zero\u200bwidth\ufeff:latest",
    "family\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466:latest",
    "marks" + "e\u0301\u0302\u0303\u0304" * 20 + ":latest",
    "wide漢字テスト:latest",
    "percent%s%d%n{0}{name}:latest",
    "../../../etc/passwd",
    "nul\x00byte:latest",
    "backspace\x08\x08\x7f:latest",
    " leading and trailing ",
    "long" + "x" * 10_240 + ":latest",
    "",
)


@cache
def _table() -> dict[str, tuple[SandboxModel, ...]]:
    sections: dict[str, list[SandboxModel]] = {}
    rows: list[SandboxModel] = []
    by_name: dict[str, SandboxModel] = {}
    for columns in _rows():
        if columns[0].startswith("["):
            rows = sections.setdefault(columns[0].strip("[]"), [])
            continue
        if columns[1] == "=":
            model = replace(by_name[columns[2]], name=columns[0], age_s=float(columns[3]) * _HOUR_S)
        else:
            model = _model(columns)
        by_name[model.name] = model
        rows.append(model)
    return {section: tuple(models) for section, models in sections.items()}


def _rows() -> Iterator[list[str]]:
    for line in _TABLE.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line.split()


def _model(columns: list[str]) -> SandboxModel:
    name, family, *numbers = columns[:8]
    count, context, embedding, blocks, heads, heads_kv = (int(number) for number in numbers)
    quantization, capabilities, license_id, age_h = columns[8:]
    return SandboxModel(
        name=name,
        family=family,
        parameter_count=count,
        context_length=context,
        embedding_length=embedding,
        block_count=blocks,
        head_count=heads,
        head_count_kv=heads_kv,
        quantization=quantization,
        capabilities=tuple(capabilities.split(",")),
        license_id=license_id,
        age_s=float(age_h) * _HOUR_S,
        system=_TUTOR if "tutor" in name else "",
    )
