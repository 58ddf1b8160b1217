"""Generation options: from the names of the configuration file to those of Ollama's API. Pure."""

import math
from collections.abc import Mapping

from ollm_tui.core.error import ConfigError
from ollm_tui.core.text import clean_line

WIRE_NAMES: Mapping[str, str] = {
    "draftNumPredict": "draft_num_predict",
    "frequencyPenalty": "frequency_penalty",
    "mainGpu": "main_gpu",
    "maxTokens": "num_predict",
    "max_tokens": "num_predict",
    "minP": "min_p",
    "numBatch": "num_batch",
    "numCtx": "num_ctx",
    "numGpu": "num_gpu",
    "numKeep": "num_keep",
    "numPredict": "num_predict",
    "numThread": "num_thread",
    "presencePenalty": "presence_penalty",
    "repeatLastN": "repeat_last_n",
    "repeatPenalty": "repeat_penalty",
    "topK": "top_k",
    "topP": "top_p",
    "typicalP": "typical_p",
    "useMmap": "use_mmap",
}
"""A name that is not here is sent as it is written: seed, stop, num_ctx, and any to come."""


def wire_options(options: Mapping[str, object]) -> dict[str, object]:
    """Return `options` under the names that Ollama knows; values are not touched.

    Raises:
        ConfigError: two spellings of one option, or a value that JSON does not have.
    """
    written: dict[str, str] = {}
    result: dict[str, object] = {}
    for name, value in options.items():
        wire_name = WIRE_NAMES.get(name, name)
        if wire_name in written:
            first = written[wire_name]
            raise ConfigError(
                f"The options {first} and {name} are the same",
                cause=f"both mean {wire_name}",
                actions=(f"Keep one of them: {clean_line(first)} or {clean_line(name)}.",),
            )
        try:
            result[wire_name] = _plain(value)
        except ValueError as error:
            raise ConfigError(
                f"The option {name} cannot be sent",
                cause=f"{value!r} is not a number, a text, true, false or a list of them",
                actions=(f"Correct {clean_line(name)} in the configuration, or remove it.",),
            ) from error
        written[wire_name] = name
    return result


def _plain(value: object) -> object:
    """The same value in the types that JSON is written from.

    Raises:
        ValueError: JSON has nothing for it.
    """
    match value:
        case float() if not math.isfinite(value):
            raise ValueError(value)
        case None | bool() | int() | float() | str():
            return value
        case list() | tuple():
            return [_plain(item) for item in value]
        case Mapping():
            if not all(isinstance(key, str) for key in value):
                raise ValueError(value)
            return {key: _plain(item) for key, item in value.items()}
    raise ValueError(value)
