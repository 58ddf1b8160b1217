"""The header of a GGUF file, read within limits: whatever the file says, little time and memory.

Knows the format and nothing of what the values mean (see `weights`). Nothing is read beyond the
file's end, nothing allocated because a number in it is large, and what is not wanted is skipped.

Source: reference/ollama.md 5.1, and the limits of Ollama's fs/gguf.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO, NoReturn

from ollm_tui.core.error import StoreError

STRING_LIMIT_BYTES = 16 * 1024 * 1024
ARRAY_LIMIT = 64 * 1024 * 1024
HEADER_LIMIT_BYTES = 128 * 1024 * 1024  # the largest known take 20 MB, nearly all of it vocabulary
_VALUE_LIMIT = 65_536
_TENSOR_LIMIT = 131_072
_DIMENSION_LIMIT = 4
_KEY_LIMIT_BYTES = 1024
_LARGEST_COUNT = 2**63 - 1
# All strings of all arrays: four times the largest vocabulary with its merges.
_ARRAY_STRINGS_LIMIT = 2 * 1024 * 1024
# Names, texts and lists kept of one header; chat templates, the longest text, take some 10 KB.
_KEPT_LIMIT_BYTES = 4 * 1024 * 1024
_KEPT_LIST_LENGTH = 1024
_KEPT_NUMBER_BYTES = 32
_FIRST_READ_BYTES = 4096
_LARGEST_READ_BYTES = 256 * 1024

_SCALARS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}
_STRING = 8
_ARRAY = 9
_VOCABULARY = "tokenizer."
_ARCHITECTURE = "general.architecture"


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What a header says. Strings are as they are in the file: sanitise them before showing."""

    version: int
    tensor_count: int
    values: Mapping[str, object]
    """Scalars, texts, and lists of up to 1,024 numbers; None for what was only skipped over."""
    parameter_count: int | None = None
    """None when the header was read up to the vocabulary only."""
    is_complete: bool = False


def read_header(file: BinaryIO, size_bytes: int, *, whole: bool = True) -> GgufHeader:
    """Read a header from an open file, from its beginning.

    Args:
        file: seekable; best unbuffered, since reading ahead is done here.
        size_bytes: of the whole file.
        whole: False stops at the vocabulary, a few KB in: enough for the architecture's facts.

    Raises:
        StoreError: it is no GGUF file, is cut, or says what no model says.
    """
    cursor = _Cursor(file, size_bytes)
    magic = cursor.take(4)
    if magic not in (b"GGUF", b"FUGG"):
        _refuse("it does not begin as a GGUF file does")
    version = cursor.number("I")
    if magic == b"FUGG" or (version & 0xFFFF) == 0:
        cursor.order = ">"
        version = int.from_bytes(version.to_bytes(4, "little"), "big")
    if version not in (2, 3):
        _refuse(f"its version {version} is not one of those in use, 2 and 3")
    tensor_count, value_count = cursor.number("Q"), cursor.number("Q")
    if value_count > _VALUE_LIMIT or tensor_count > _TENSOR_LIMIT:
        _refuse(f"no model has {value_count} values and {tensor_count} tensors")
    values: dict[str, object] = {}
    for _ in range(value_count):
        key = cursor.key()
        if not whole and _ARCHITECTURE in values and key.startswith(_VOCABULARY):
            return GgufHeader(version, tensor_count, values)
        values[key] = cursor.value(cursor.number("I"))
    parameter_count = sum(cursor.tensor() for _ in range(tensor_count))
    return GgufHeader(version, tensor_count, values, parameter_count, is_complete=True)


class _Cursor:
    """A place in the file, and a window of bytes already read after it."""

    def __init__(self, file: BinaryIO, size_bytes: int) -> None:
        self.order = "<"
        self._file = file
        self._size = size_bytes
        self._window = b""
        self._start = 0  # of the window, in the file
        self._at = 0  # in the window
        self._next_read = _FIRST_READ_BYTES
        self._kept_left_bytes = _KEPT_LIMIT_BYTES
        self._array_strings_left = _ARRAY_STRINGS_LIMIT

    def take(self, count: int) -> bytes:
        """The next bytes."""
        self._ensure(count)
        self._at += count
        return self._window[self._at - count : self._at]

    def number(self, code: str) -> int:
        """The next whole number, of a type of `struct`."""
        value: int = struct.unpack(self.order + code, self.take(struct.calcsize(code)))[0]
        return value

    def key(self) -> str:
        """The name of the next value."""
        name = self._name()
        if not self._keep(len(name)):
            _refuse("the names of its values are longer than those of any model")
        return name.decode("utf-8", "replace")

    def value(self, kind: int) -> object:
        """The next value, or None for one that is skipped because nobody needs it."""
        if kind == _STRING:
            return self._string()
        if kind == _ARRAY:
            return self._array()
        code = _SCALARS.get(kind)
        if code is None:
            _refuse(f"it has a value of the unknown type {kind}")
        scalar: object = struct.unpack(self.order + code, self.take(struct.calcsize(code)))[0]
        return scalar

    def tensor(self) -> int:
        """Skip the description of the next tensor; returns how many parameters it has."""
        self._name()
        dimensions = self.number("I")
        if dimensions > _DIMENSION_LIMIT:
            _refuse(f"a tensor in it has {dimensions} dimensions")
        count = 1
        for _ in range(dimensions):
            count *= self.number("Q")
        if count > _LARGEST_COUNT:
            _refuse("a tensor in it is larger than any disk")
        self.number("I")
        if self.number("Q") > self._size:
            _refuse("a tensor lies beyond its end; it is cut or altered")
        return count

    def _keep(self, count: int) -> bool:
        """Whether there is room to keep this many bytes more."""
        if count > self._kept_left_bytes:
            return False
        self._kept_left_bytes -= count
        return True

    def _name(self) -> bytes:
        length = self.number("Q")
        if length > _KEY_LIMIT_BYTES:
            _refuse(f"a name in it is said to be {length} bytes long")
        return self.take(length)

    def _string(self) -> str | None:
        length = self.number("Q")
        if length > STRING_LIMIT_BYTES:
            _refuse(f"a text in it is said to be {length} bytes long")
        if not self._keep(length):
            self._skip(length)
            return None
        return self.take(length).decode("utf-8", "replace")

    def _array(self) -> object:
        kind, count = self.number("I"), self.number("Q")
        if count > ARRAY_LIMIT:
            _refuse(f"a list in it is said to have {count} entries")
        if kind == _STRING:
            self._skip_strings(count)
            return None
        code = _SCALARS.get(kind)
        if code is None:
            _refuse(f"it has a list of the unknown type {kind}")
        size = count * struct.calcsize(code)
        if count > _KEPT_LIST_LENGTH or not self._keep(count * _KEPT_NUMBER_BYTES):
            self._skip(size)
            return None
        return struct.unpack(f"{self.order}{count}{code}", self.take(size))

    def _skip_strings(self, count: int) -> None:
        self._array_strings_left -= count
        if self._array_strings_left < 0:
            _refuse("its lists hold more texts than any vocabulary")
        unpack = struct.Struct(self.order + "Q").unpack_from
        while count:
            self._ensure(8)
            window, at, last = self._window, self._at, len(self._window) - 8
            while count and at <= last:
                at += 8 + unpack(window, at)[0]
                count -= 1
            if at - len(window) > STRING_LIMIT_BYTES:
                _refuse("a text in a list of it is longer than any can be")
            self._move(at)

    def _skip(self, count: int) -> None:
        self._move(self._at + count)

    def _move(self, at: int) -> None:
        """Go to a place at or after this one, given relative to the window."""
        self._check_end(self._start + at)
        if at <= len(self._window):
            self._at = at
        else:
            self._start, self._window, self._at = self._start + at, b"", 0

    def _ensure(self, count: int) -> None:
        """Have at least `count` bytes in the window."""
        if self._at + count <= len(self._window):
            return
        self._check_end(self._start + self._at + count)
        kept = self._window[self._at :]
        self._start += self._at
        self._at = 0
        try:
            self._file.seek(self._start + len(kept))
            wanted = max(count - len(kept), self._next_read)
            self._window = kept + self._file.read(wanted)
        except OSError as error:
            raise _refusal(f"it cannot be read: {error.strerror}") from error
        self._next_read = min(2 * self._next_read, _LARGEST_READ_BYTES)
        if len(self._window) < count:
            _refuse("it ends in the middle of its header")

    def _check_end(self, end: int) -> None:
        if end > self._size:
            _refuse("it ends in the middle of its header")
        if end > HEADER_LIMIT_BYTES:
            _refuse("its header is longer than that of any model")


def _refuse(why: str) -> NoReturn:
    raise _refusal(why)


def _refusal(why: str) -> StoreError:
    return StoreError(
        "The file is not one of model weights that can be read",
        cause=why,
        actions=("Check the model's files, and pull it again if they are damaged.",),
    )
