"""What the first frame and the list of models cost, as a ratio to parllama, a program of the kind.

parllama is a Textual program for models of Ollama, too, with chats and other providers besides.
Both ask the same made-up server for its models, each from an empty home. Each run of ours stands
between two of the other, and the median of the ratios counts. parllama after
`make bench-peers ARGS=parllama`.
"""

import json
import sys
import tempfile
from pathlib import Path

from tests.bench.peers import PARLLAMA, absent
from tests.bench.row import Row, row_of
from tests.bench.startup import FIRST, OLLM_TUI, Start, sandbox, watch

MODELS = 100
RUNS = 5
REFERENCE = "parllama"
NAMES = (
    "first frame, CPU over parllama",
    "first frame, resident memory over parllama",
    f"{MODELS} models asked from a server, CPU over parllama",
)
_FRAME = ("PAR LLAMA", "Quit")
"""Its title and its foot: what is between them is often covered at first, until it has loaded."""
_CARD = "Digest:"
"""Of a model; parllama puts all of them into its list at once, and then draws those in sight."""
_SETTINGS = {
    "schema_version": 2,
    # Its welcome covers the list at the first start.
    "ui": {"show_first_run": False, "check_for_updates": False},
    # The only others it asks without a key, at fixed ports of this machine.
    "provider": {"disabled_providers": {"LiteLLM": True, "LlamaCpp": True}},
}
_TIMEOUT_S = 90
"""The first start after the install reads hundreds of megabytes from the disk."""


def bench_rows() -> list[Row]:
    """CPU and memory at the first frame, and CPU at the list, over parllama's."""
    if not (PARLLAMA / "parllama").is_dir():
        hint = "make bench-peers ARGS=parllama"
        return [absent(name, REFERENCE, hint) for name in NAMES]
    with sandbox("--models", str(MODELS)) as address:
        _ours(address)
        _parllama(address)  # from here on both are in the disk cache
        before = _parllama(address)
        ratios: list[tuple[float, float, float]] = []
        for _ in range(RUNS):
            run, after = _ours(address), _parllama(address)
            ratios.append(_ratios(run, before, after))
            before = after
    columns = zip(*ratios, strict=True)
    return [
        row_of(name, values, None, reference=REFERENCE)
        for name, values in zip(NAMES, columns, strict=True)
    ]


def _ratios(run: Start, before: Start, after: Start) -> tuple[float, float, float]:
    first, memory, listed = (
        2 * ours / (one + other)
        for ours, one, other in zip(_figures(run), _figures(before), _figures(after), strict=True)
    )
    return first, memory, listed


def _figures(start: Start) -> tuple[float, float, float]:
    assert start.list_cpu_s is not None
    return start.first_cpu_s, start.first_rss_mib, start.list_cpu_s


def _ours(address: str) -> Start:
    command = (*OLLM_TUI, "--no-config", "--host", address)
    with tempfile.TemporaryDirectory() as home:
        return watch(command, FIRST, f"{MODELS} of {MODELS}", {"OLLM_HOME": home})


def _parllama(address: str) -> Start:
    with tempfile.TemporaryDirectory() as home:
        data = Path(home) / "data"
        data.mkdir()
        (data / "settings.json").write_text(json.dumps(_SETTINGS), "utf-8")
        server = ("--data-dir", str(data), "--ollama-url", f"http://{address}")
        program = (sys.executable, "-m", "parllama", "--starting-tab", "local", *server)
        # Nothing of the caller's: a key of some provider would have it ask that provider.
        command = ("/usr/bin/env", "-i", *_environment(home), *program)
        return watch(command, _FRAME, _CARD, {}, timeout_s=_TIMEOUT_S)


def _environment(home: str) -> list[str]:
    variables = {
        "HOME": home,
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "PYTHONPATH": str(PARLLAMA),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else it fetches a list when it is imported
        "HTTPS_PROXY": "http://127.0.0.1:9",  # nobody is there, so nothing else leaves, either
    }
    return [f"{name}={value}" for name, value in variables.items()]
