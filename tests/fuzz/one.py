"""One target under the fuzzer, in a process of its own, since that never gives control back.

python -m tests.fuzz.one TARGET SMALLEST FLAGS...    the flags are those of libFuzzer
"""

import faulthandler
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import atheris

from tests.fuzz.reducing import reduced

_CORPUS_S = 60
"""For all that is committed: what once hung must not hang this."""


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

        faulthandler.dump_traceback_later(_CORPUS_S, exit=True)
        for path in corpus_of(name):  # loads what is imported only when it is first needed
            attempt(path.read_bytes())
        faulthandler.cancel_dump_traceback_later()
    atheris.Setup([sys.argv[0], *flags], attempt)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
