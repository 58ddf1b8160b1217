"""The table of what is fuzzed: a function that takes bytes and raises when something does not hold.

from tests.fuzz.targets import TARGETS, check
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.fuzz import settings_targets, store_targets, text_targets, wire_targets

CORPUS = Path(__file__).with_name("corpus")
LIMIT_S = 2.0
"""Of CPU for one input, which is of a few KB: all of them take milliseconds."""


class Target(NamedTuple):
    """One parser, or a few that read the same."""

    run: Callable[[bytes], None]
    words: str = ""
    """What the format is spelt with, blanks between: chance alone finds no key of ten letters."""


_JSON = '{" ": [] {} null true -1 1e999 NaN \\ud800 \\u001b'
_YAML = "&a *a !!str | > --- ... << : - [ ] { } # ' \" ? ~ \\x1b"

TARGETS: Mapping[str, Target] = {
    "answer": Target(
        wire_targets.answer,
        f"{_JSON} models name model size size_vram digest details family parameter_size 8x7B "
        "quantization_level context_length modified_at expires_at capabilities completion tools "
        "remote_host parameters num_ctx template system license modelfile requires model_info "
        "general.architecture general.parameter_count .context_length sha256: 2024-01-01T00:00:00Z",
    ),
    "refused": Target(
        wire_targets.refused,
        f"{_JSON} error signin_url <title> </title> <html &#27; text/html http:// https:// @ :0",
    ),
    "lines": Target(wire_targets.lines, f"{_JSON} \ufeff"),
    "pull": Target(
        wire_targets.pull,
        f"{_JSON} status digest total completed error message success verifying writing pulling "
        "unauthorized manifest: https://example.com/ x509 412 no\\u0020space\\u0020left "
        "server\\u0020gave\\u0020HTTP\\u0020response\\u0020to\\u0020HTTPS\\u0020client",
    ),
    "chat": Target(
        wire_targets.chat,
        f"{_JSON} message content thinking done done_reason prompt_eval_count eval_count "
        "load_duration eval_duration error",
    ),
    "manifest": Target(
        wire_targets.manifest,
        f"{_JSON} schemaVersion config layers mediaType digest size sha256:{'0' * 64} "
        "application/vnd.ollama.image.model application/vnd.docker.container.image.v1+json tensor",
    ),
    "model-config": Target(
        wire_targets.model_config,
        f"{_JSON} model_format model_family model_families model_type file_type context_length "
        "capabilities renderer parser requires remote_host remote_model stop",
    ),
    "challenge": Target(
        wire_targets.challenge,
        'Bearer realm= service= scope= " , https://registry.example @ \\ // ? #',
    ),
    "gguf": Target(
        store_targets.gguf,
        "GGUF FUGG general.architecture general.file_type tokenizer.ggml.tokens "
        "tokenizer.chat_template llama.context_length general.name",
    ),
    "journal": Target(store_targets.journal, f"{_JSON} digest size model etag boot sha256:"),
    "state": Target(
        store_targets.state_rows,
        f"{_JSON} lists queue history wishes shared as_of list models problems key place name "
        "state downloaded_bytes total_bytes ended_at error wish argument items taken id status "
        "percentage downloaded total speed at eta layers detail speeds log failed_tries "
        "next_try_at needed free unused queued paused downloading complete pull size_bytes "
        "metadata sources capabilities parameters_billions modified_at 2024-01-01T00:00:00+00:00",
    ),
    "text": Target(
        text_targets.text,
        "\x1b[ \x9b \u202e \u200d \ufe0f \u0301\u0301\u0301 \r\n "
        "\u0600 \u17b4 \U0001bca0 \ufff8 \u3164 \U000e0100",
    ),
    "name": Target(
        text_targets.name,
        "http:// https:// / : :latest :cloud -cloud :local .. @ registry.ollama.ai",
    ),
    "host": Target(
        text_targets.host, "http:// https:// : @ / [::1] 0.0.0.0 :: % %2f ollama.com localhost ] ["
    ),
    "filter": Target(
        text_targets.filter_text,
        "name family cap ctx size params quant arch is loaded remote marked broken embedding base "
        ": = == != < <= > >= - ! , 32k 10G 8b q4 tools",
    ),
    "pattern": Target(text_targets.pattern, "* ? [ ] [! [^ [a-z] ** llama :8b"),
    "yaml": Target(settings_targets.document, _YAML),
    "config": Target(
        settings_targets.config,
        f"{_YAML} provider: providers: ollama: local: openai: host: apiKeyEnv: headers: model: "
        "default: routing: enabled: profiles: overrides: options: temperature: topP: numCtx: "
        "models: registries: caFile: ui: keys: theme: downloads: concurrency:",
    ),
    "edit": Target(settings_targets.edit, f"{_YAML} options: temperature: provider: model: local"),
    "scenarios": Target(
        settings_targets.scenarios,
        f"{_YAML} models: installed memoryBudgetBytes: cases: name: profile: add: remove: "
        "overrides: expect: model: anyOf: family: resolvedProfile: via: reason: none: error: code "
        "file: contextWindow: capabilities: toolCalling: sizeBytes: parametersBillions:",
    ),
    "models": Target(
        settings_targets.models,
        f"{_JSON} models name family size_bytes parameters_billions quantization context_window "
        "max_output_tokens capabilities tool_calling toolCalling loaded remote sources",
    ),
}


def corpus_of(name: str) -> list[Path]:
    """The committed inputs of a target."""
    return sorted((CORPUS / name).glob("*"))


def check(name: str, data: bytes) -> None:
    """Give a target one input.

    Raises:
        Exception: something does not hold; that it takes too long is one such thing.
    """
    began_s = time.process_time()
    TARGETS[name].run(data)
    took_s = time.process_time() - began_s
    assert took_s < LIMIT_S, f"it takes {took_s:.1f} s"
