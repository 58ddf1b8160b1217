"""httpx without its command line, which is more than half of the time it takes to import.

Wherever click happens to be installed, `import httpx` also imports `httpx._main` with click,
pygments and rich, to offer a program that nobody here calls. A None in `sys.modules` tells Python
that a module is not to be had; httpx allows for that and goes on without.
"""

import sys

_COMMAND_LINE = "httpx._main"

if "httpx" not in sys.modules:
    sys.modules[_COMMAND_LINE] = None  # type: ignore[assignment]

import httpx as httpx  # noqa: E402

if sys.modules.get(_COMMAND_LINE, httpx) is None:
    del sys.modules[_COMMAND_LINE]
