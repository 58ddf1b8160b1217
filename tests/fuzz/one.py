"""One target under the fuzzer, in a process of its own, since that never gives control back.

python -m tests.fuzz.one TARGET SMALLEST FLAGS...    the flags are those of libFuzzer
"""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import atheris

from tests.fuzz.reducing import reduced


def main(arguments: Sequence[str]) -> None:
    """Fuzz until the flags say to stop, or an input fails: then leave it, made smaller."""
    name, smallest, *flags = arguments
    logging.disable()  # a line for each of a million inputs helps nobody
    with atheris.instrument_imports(include=["ollm_tui"]):
        from tests.fuzz.targets import check, corpus_of

        def attempt(data: bytes) -> None:
            try:
                check(name, data)
            except Exception:
                Path(smallest).write_bytes(reduced(data, lambda part: check(name, part)))
                raise

        for path in corpus_of(name):  # loads what is imported only when it is first needed
            attempt(path.read_bytes())
    atheris.Setup([sys.argv[0], *flags], attempt)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
