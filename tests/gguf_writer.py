"""Writes GGUF files for tests, from the format's description; shares nothing with the reader."""

import struct
from collections.abc import Mapping, Sequence

Number = tuple[str, float]
"""A type of the format and a value, such as ("u32", 7)."""
_CODES = {
    "u8": (0, "B"),
    "i8": (1, "b"),
    "u16": (2, "H"),
    "i16": (3, "h"),
    "u32": (4, "I"),
    "i32": (5, "i"),
    "f32": (6, "f"),
    "bool": (7, "?"),
    "u64": (10, "Q"),
    "i64": (11, "q"),
    "f64": (12, "d"),
}


def gguf(
    values: Mapping[str, object],
    tensors: Sequence[tuple[str, tuple[int, ...]]] = (),
    *,
    version: int = 3,
    order: str = "<",
    data: bytes = b"",
) -> bytes:
    """A whole file; an int becomes a u32, a list has its first entry's type."""
    out = bytearray(b"GGUF")
    out += struct.pack(order + "IQQ", version, len(tensors), len(values))
    for key, value in values.items():
        out += _text(key, order) + _value(value, order)
    for name, shape in tensors:
        out += _text(name, order) + struct.pack(order + "I", len(shape))
        out += struct.pack(f"{order}{len(shape)}Q", *shape) + struct.pack(order + "IQ", 0, 0)
    return bytes(out + b"\0" * (-len(out) % 32) + data)


def llama(**more: object) -> bytes:
    """A small model with what a real one has: facts, vocabulary, template, tensors."""
    values: dict[str, object] = {
        "general.architecture": "llama",
        "general.file_type": 15,
        "llama.context_length": 8192,
        "llama.embedding_length": 64,
        "llama.attention.head_count_kv": [8, 8, 4],
        "llama.rope.freq_base": ("f32", 10000.0),
        "tokenizer.ggml.tokens": [f"token{number}" for number in range(500)],
        "tokenizer.ggml.scores": [("f32", 0.5)] * 1500,
        "tokenizer.chat_template": "{% if tools %}{{ tools }}{% endif %}",
    }
    values.update(more)
    tensors = [("output.weight", (64, 500)), ("blk.0.ffn_up.weight", (64, 128)), ("norm", (64,))]
    return gguf(values, tensors, data=bytes(4096))


def _text(text: str, order: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    return struct.pack(order + "Q", len(data)) + data


def _value(value: object, order: str) -> bytes:
    kind, data = _encoded(value, order)
    if isinstance(value, list):
        element = _encoded(value[0], order)[0] if value else 4
        body = b"".join(_encoded(item, order)[1] for item in value)
        return struct.pack(order + "IIQ", 9, element, len(value)) + body
    return struct.pack(order + "I", kind) + data


def _encoded(value: object, order: str) -> tuple[int, bytes]:
    match value:
        case str():
            return 8, _text(value, order)
        case (str(name), number):
            kind, code = _CODES[name]
            return kind, struct.pack(order + code, number)
        case bool():
            return 7, struct.pack("?", value)
        case int():
            return 4, struct.pack(order + "I", value)
    return 0, b""
