"""Newline-delimited JSON, taken apart as its bytes come in. Knows nothing of what it says."""

import json
from collections.abc import Iterator

from ollm_tui.core.error import ProviderGarbled

LINE_LIMIT_BYTES = 1024 * 1024
JUNK_LIMIT = 3
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class NdjsonReader:
    """Turns chunks of bytes, cut anywhere, into the objects of complete lines.

    A stream is worth more than one bad line of it, so junk is skipped; the third junk line ends it.
    """

    def __init__(
        self, *, line_limit_bytes: int = LINE_LIMIT_BYTES, junk_limit: int = JUNK_LIMIT
    ) -> None:
        self._line_limit_bytes = line_limit_bytes
        self._junk_limit = junk_limit
        self._junk = 0
        self._tail = bytearray()

    def feed(self, chunk: bytes) -> Iterator[dict[str, object]]:
        """Take the next bytes and yield the objects that they complete, in order.

        Raises:
            ProviderGarbled: a line beyond the limit, or one junk line too many; after the objects
                before it have been yielded.
        """
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            line = self._line(chunk[start:end])
            start = end + 1
            message = _parse(line)
            if message is not None:
                yield message
            elif line.removeprefix(_BYTE_ORDER_MARK).strip():
                self._count_junk()
        if start < len(chunk):
            self._extend(chunk[start:])

    def finish(self) -> Iterator[dict[str, object]]:
        """Yield the object of a last line without its newline; a cut one counts for nothing."""
        message = _parse(bytes(self._tail))
        self._tail.clear()
        if message is not None:
            yield message

    def _line(self, end: bytes) -> bytes:
        """The line that ends so; most come whole in one chunk."""
        if not self._tail and len(end) <= self._line_limit_bytes:
            return end
        self._extend(end)
        line = bytes(self._tail)
        self._tail.clear()
        return line

    def _extend(self, part: bytes) -> None:
        if len(self._tail) + len(part) > self._line_limit_bytes:
            raise ProviderGarbled(
                "The server's answer cannot be read",
                cause=f"a line of it is longer than {self._line_limit_bytes:,} bytes",
            )
        self._tail += part

    def _count_junk(self) -> None:
        self._junk += 1
        if self._junk >= self._junk_limit:
            raise ProviderGarbled(
                "The server's answer cannot be read",
                cause=f"{self._junk} lines of it are not JSON objects",
            )


def _parse(line: bytes) -> dict[str, object] | None:
    try:
        value = json.loads(line.removeprefix(_BYTE_ORDER_MARK).decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
