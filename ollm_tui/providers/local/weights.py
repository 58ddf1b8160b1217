"""What the values of a GGUF header mean: architecture, size, context, quantization. Pure.

Source: reference/ollama.md 5.2 and 5.3.
"""

import math
from collections.abc import Mapping

from ollm_tui.core.model import LARGEST_COUNT
from ollm_tui.core.text import clean_line
from ollm_tui.providers.local.gguf import GgufHeader
from ollm_tui.providers.ollama_json import as_count, as_line, as_text

CHAT_TEMPLATE = "tokenizer.chat_template"
_UNSHOWN = ("general.name", CHAT_TEMPLATE)
_FACT_LENGTH = 512

_FILE_TYPES = {
    0: "F32",
    1: "F16",
    2: "Q4_0",
    3: "Q4_1",
    7: "Q8_0",
    8: "Q5_0",
    9: "Q5_1",
    10: "Q2_K",
    11: "Q3_K_S",
    12: "Q3_K_M",
    13: "Q3_K_L",
    14: "Q4_K_S",
    15: "Q4_K_M",
    16: "Q5_K_S",
    17: "Q5_K_M",
    18: "Q6_K",
    19: "IQ2_XXS",
    20: "IQ2_XS",
    21: "Q2_K_S",
    22: "IQ3_XS",
    23: "IQ3_XXS",
    24: "IQ1_S",
    25: "IQ4_NL",
    26: "IQ3_S",
    27: "IQ3_M",
    28: "IQ2_S",
    29: "IQ2_M",
    30: "IQ4_XS",
    31: "IQ1_M",
    32: "BF16",
    36: "TQ1_0",
    37: "TQ2_0",
    38: "MXFP4_MOE",
    39: "NVFP4",
    40: "Q1_0",
}


def architecture(header: GgufHeader) -> str:
    """What the weights are built as, sanitised; or empty."""
    return as_line(header.values.get("general.architecture"))


def context_tokens(header: GgufHeader) -> int | None:
    """The trained context."""
    return _architecture_count(header, "context_length")


def embedding_length(header: GgufHeader) -> int | None:
    """The width of the model's vectors."""
    return _architecture_count(header, "embedding_length")


def has_key(header: GgufHeader, key: str) -> bool:
    """Whether the header has a value of the architecture's own, such as `pooling_type`."""
    return f"{_own_name(header)}.{key}" in header.values


def is_adapter(header: GgufHeader) -> bool:
    """Whether these are changes to another model and none by itself."""
    return header.values.get("general.type") == "adapter"


def chat_template(header: GgufHeader) -> str:
    """The Jinja template, as it is in the file; empty if there is none or it was not read."""
    return as_text(header.values.get(CHAT_TEMPLATE))


def file_type_name(file_type: object) -> str:
    """The quantization that a number of `general.file_type` means, or empty."""
    number = as_count(file_type)
    return "" if number is None else _FILE_TYPES.get(number, "")


def quantization(header: GgufHeader) -> str:
    """The quantization, or empty."""
    return file_type_name(header.values.get("general.file_type"))


def parameter_text(count: int) -> str:
    """A number of parameters as Ollama writes it: 8.0B, 270.12M, 2K. Exact thousands are short."""
    for unit, divisor, digits in (("B", 10**9, 1), ("M", 10**6, 2), ("K", 1000, 0)):
        if count >= divisor:
            digits = digits if count % divisor else 0
            return f"{count / divisor:.{digits}f}{unit}"
    return str(count)


def shown_values(header: GgufHeader) -> Mapping[str, object]:
    """The header's facts for people: sanitised, without long texts and what cannot be shown."""
    facts: dict[str, object] = {}
    for key, value in header.values.items():
        if key not in _UNSHOWN and (fact := _fact(value)) is not None:
            facts[clean_line(key)] = fact
    if header.parameter_count is not None:
        facts["general.parameter_count"] = header.parameter_count
    return facts


def _fact(value: object) -> object:
    match value:
        case str():
            return clean_line(value, _FACT_LENGTH)
        case float():
            return value if math.isfinite(value) else None
        case int():
            return value if abs(value) <= LARGEST_COUNT else None
        case [_, *_] if all(isinstance(item, int) for item in value):
            return tuple(value)
    return None


def _own_name(header: GgufHeader) -> str:
    return as_text(header.values.get("general.architecture"))


def _architecture_count(header: GgufHeader, key: str) -> int | None:
    return as_count(header.values.get(f"{_own_name(header)}.{key}")) or None
