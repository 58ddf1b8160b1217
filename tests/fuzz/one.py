"""One target under the fuzzer, in a process of its own, since that never gives control back.

python -m tests.fuzz.one TARGET SMALLEST FLAGS...    the flags are those of libFuzzer
"""

import logging
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import atheris

_MINIMISING_S = 20


def main(arguments: Sequence[str]) -> None:
    """Fuzz until the flags say to stop, or an input fails: then leave it, made smaller."""
    name, smallest, *flags = arguments
    logging.disable()  # a line for each of a million inputs helps nobody
    with atheris.instrument_imports(include=["ollm_tui"]):
        from tests.fuzz.targets import check, corpus_of

        for path in corpus_of(name):  # loads what is imported only when it is first needed
            _reduced_if_failing(check, name, path.read_bytes(), Path(smallest))

    def attempt(data: bytes) -> None:
        _reduced_if_failing(check, name, data, Path(smallest))

    atheris.Setup([sys.argv[0], *flags], attempt)
    atheris.Fuzz()


def _reduced_if_failing(
    check: Callable[[str, bytes], None], name: str, data: bytes, smallest: Path
) -> None:
    try:
        check(name, data)
    except Exception as error:
        kind = type(error)

        def fails(part: bytes) -> bool:
            try:
                check(name, part)
            except Exception as same:
                return isinstance(same, kind)
            return False

        smallest.write_bytes(reduced(data, fails))
        raise


def reduced(data: bytes, fails: Callable[[bytes], bool]) -> bytes:
    """A part of `data` that fails as well, from which no piece can be left out, if time allows."""
    until_s = time.monotonic() + _MINIMISING_S
    size = max(1, len(data) // 2)
    while True:
        at = 0
        is_smaller = False
        while at < len(data):
            if time.monotonic() > until_s:
                return data
            part = data[:at] + data[at + size :]
            if fails(part):
                data, is_smaller = part, True
            else:
                at += size
        if size == 1 and not is_smaller:
            return data
        size = max(1, size // 2)


if __name__ == "__main__":
    main(sys.argv[1:])
