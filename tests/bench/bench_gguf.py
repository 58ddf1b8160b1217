"""How long reading the metadata of a GGUF file takes, as a ratio to gguf.GGUFReader.

The file has the vocabulary of a large model of today: tokens, their types, merges. Both readers
run by turns in one process. GGUFReader makes arrays of every text, which takes it seconds; ours
keeps what the program shows and steps over the vocabulary, which is most of the difference.
gguf after `make bench-peers`.
"""

import importlib
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.peers import LIBRARIES, absent
from tests.bench.row import Row, row_of
from tests.gguf_writer import gguf
from tests.terminal import ROOT

TOKENS = 128_256
MERGES = 280_147
LAYERS = 32
RUNS = 3
OURS_PER_RUN = 15
"""It is so short that what else the machine does would be half of a single one."""
REFERENCE = "gguf.GGUFReader"
NAME = f"GGUF metadata, {TOKENS:,} tokens, CPU over gguf"
_CHILD = "from tests.bench.bench_gguf import read_here; read_here()"
_CONTEXT = "llama.context_length"
_PARTS = (
    *("attn_k", "attn_norm", "attn_output", "attn_q", "attn_v"),
    *("ffn_down", "ffn_gate", "ffn_norm", "ffn_up"),
)
_SHAPE = (64, 64)


def bench_rows() -> list[Row]:
    """CPU of reading a header, over GGUFReader's."""
    if not (LIBRARIES / "gguf").is_dir():
        return [absent(NAME, REFERENCE, "make bench-peers")]
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "model.gguf"
        path.write_bytes(_model())
        paths = os.pathsep.join((str(ROOT), str(LIBRARIES)))
        done = subprocess.run(
            (sys.executable, "-c", _CHILD, str(path)),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            env={**os.environ, "PYTHONPATH": paths},
        )
    return [row_of(NAME, [float(line) for line in done.stdout.split()], None, "", REFERENCE)]


def read_here() -> None:
    """Read argv[1] with each reader, and print the ratio of each run; in a process of its own."""
    from ollm_tui.providers.local.gguf import read_header

    reader = importlib.import_module("gguf").GGUFReader
    path = Path(sys.argv[1])

    def ours() -> object:
        with path.open("rb", buffering=0) as file:
            return read_header(file, path.stat().st_size).values[_CONTEXT]

    def theirs() -> object:
        return reader(path).fields[_CONTEXT].contents()

    assert ours() == theirs()
    for _ in range(RUNS):
        our_s = statistics.median(_cpu_s(ours) for _ in range(OURS_PER_RUN))
        print(our_s / _cpu_s(theirs))


def _cpu_s(read: Callable[[], object]) -> float:
    before_s = time.process_time()
    read()
    return time.process_time() - before_s


def _model() -> bytes:
    """A header as long as that of Llama 3 with 8 billion parameters, before little data."""
    values: dict[str, object] = {
        "general.architecture": "llama",
        "general.file_type": 15,
        "llama.block_count": LAYERS,
        _CONTEXT: 131_072,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.tokens": [f"token{number}" for number in range(TOKENS)],
        "tokenizer.ggml.token_type": [("i32", 1)] * TOKENS,
        "tokenizer.ggml.merges": [f"left{number} right" for number in range(MERGES)],
        "tokenizer.chat_template": "{{ messages }}" * 300,
    }
    names = [f"blk.{layer}.{part}.weight" for layer in range(LAYERS) for part in _PARTS]
    # All of them lie at the data's beginning, which is as long as one.
    return gguf(values, [(name, _SHAPE) for name in names], data=bytes(4 * math.prod(_SHAPE)))
