"""The knobs: what shall go wrong, and where the server waits for a test. Turned from any thread.

Holds settings only; border.py and pull_faults.py act on them.
"""

import asyncio
import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, StrEnum

from ollm_tui.sandbox.gate import Gate
from ollm_tui.sandbox.names import parse

EVERY_PATH = "*"


class EndpointMode(StrEnum):
    """How an endpoint answers."""

    OK = "ok"
    HTTP_401 = "http401"
    """As a cloud model does when nobody is signed in."""
    HTTP_403 = "http403"
    """As a refused Host or Origin: no body."""
    HTTP_404 = "http404"
    """Plain text, as a route that is not there."""
    HTTP_500 = "http500"
    HTTP_503 = "http503"
    """Too many requests waiting."""
    HTML = "html"
    """A captive portal: 200 and a page."""
    EMPTY = "empty"
    """200 without a body."""
    GARBAGE = "garbage"
    """JSON that ends in the middle."""
    WRONG_SHAPE = "wrong_shape"
    """JSON of another shape; `variant` picks one of WRONG_SHAPES."""
    HUGE = "huge"
    """One JSON string of `size_bytes`."""
    SLOW = "slow"
    """The right answer, `delay_s` late."""
    HANG = "hang"
    """Accepted and never answered."""
    DROP = "drop"
    """Closed without an answer."""
    CUT = "cut"
    """Closed in the middle of the body."""


class PullMode(StrEnum):
    """How a pull goes. "At" means: once the stream has reported `at_bytes` in all."""

    NORMAL = "normal"
    """Small blobs send nothing, no event is at its total: as the server really does."""
    NO_BLOB_EVENTS = "no_blob_events"
    BACKWARDS = "backwards"
    """At `at_bytes`, one event is 8 % lower than the one before."""
    CACHED = "cached"
    """Every blob is there already: one event each, complete."""
    TENSOR = "tensor"
    """Whole-model totals under a digest that is no hash, nothing verified."""
    ERROR = "error"
    """At `at_bytes`, an error line with `text`."""
    CUT = "cut"
    """At `at_bytes`, the connection closes."""
    SILENCE = "silence"
    """At `at_bytes`, nothing for `silence_s`; then on."""
    NO_SUCCESS = "no_success"
    """Ends in order, without the last line."""
    JUNK_LINE = "junk_line"
    """The second line is no JSON."""
    WRONG_TYPES = "wrong_types"
    """The second line has numbers for texts and texts for numbers."""
    SPLIT_UTF8 = "split_utf8"
    """A line with umlauts, cut between the two bytes of one."""
    TWO_PER_CHUNK = "two_per_chunk"
    BLANK_LINES = "blank_lines"
    LONG_LINE = "long_line"
    """The second line is valid and longer than 1 MiB."""
    ENDLESS_LINE = "endless_line"
    """A line that does not end, up to 256 MiB."""
    NO_FINAL_NEWLINE = "no_final_newline"


NOT_FOUND = "pull model manifest: file does not exist"
PULL_ERRORS = {
    "not_found": NOT_FOUND,
    "needs_newer": (
        "pull model manifest: 412: \n\nThe model you are attempting to pull requires a newer "
        "version of Ollama.\n\nPlease download the latest version at:\n\n"
        "\thttps://ollama.com/download\n\n"
    ),
    "disk_full": "write /models/blobs/sha256-0-partial: no space left on device",
    "max_retries": "max retries exceeded: EOF",
    "digest_mismatch": (
        "digest mismatch, file must be downloaded again: "
        f"want sha256:{'a' * 64}, got sha256:{'b' * 64}"
    ),
    "no_such_host": (
        'pull model manifest: Get "https://registry.ollama.ai/v2/library/x/manifests/latest": '
        "dial tcp: lookup registry.ollama.ai: no such host"
    ),
    "unauthorized": "unauthorized: access denied",
    "eof": "EOF",
    "needs_mlx": "this model requires MLX support, but the MLX runtime is not available",
}
"""Texts for PullMode.ERROR, by what happened."""

WRONG_SHAPES = (
    b"[]",
    b"null",
    b'"models"',
    b"{}",
    b'{"models":null}',
    b'{"models":"none"}',
    b'{"models":[null,1,"x",[]]}',
    b'{"models":[{"name":5,"model":null,"size":"big","digest":7,"modified_at":0,"details":[]}]}',
    b'{"models":[{"name":"a:b","size":-1,"modified_at":"yesterday","details":null}]}',
    b'{"models":[{}]}',
    b'{"version":33,"details":"x","model_info":[],"capabilities":"tools","parameters":{}}',
)


@dataclass(frozen=True, slots=True)
class EndpointFault:
    """One endpoint's fault and how often it still happens."""

    mode: EndpointMode
    delay_s: float = 1.0
    variant: int = 0
    size_bytes: int = 80 * 2**20
    text: str = ""
    times: int | None = None


@dataclass(frozen=True, slots=True)
class PullFault:
    """One way for pulls to go."""

    mode: PullMode = PullMode.NORMAL
    at_bytes: int = 0
    silence_s: float = math.inf
    text: str = NOT_FOUND
    times: int | None = None


class Cut(Enum):
    """In a script: close the connection here."""

    CUT = "cut"


CUT = Cut.CUT
ScriptItem = Mapping[str, object] | str | bytes | Cut


class PullScript:
    """What a pull of one name, or a chat with it, sends: line by line, let out by the test."""

    def __init__(self, items: Sequence[ScriptItem]) -> None:
        self.items = tuple(items)
        self.gate = Gate()
        self.sent = 0
        """How many items have gone out, over all requests."""
        self.ended = threading.Event()
        """Set once a stream is over: sent, cut, or left by the client."""

    def advance(self, count: int = 1) -> None:
        """Let the next `count` items out."""
        self.gate.release(count)

    async def until_ended(self, timeout_s: float = 5.0) -> bool:
        """Wait for `ended` without blocking the caller's loop; return whether it was in time."""
        return await asyncio.to_thread(self.ended.wait, timeout_s)


class Faults:
    """All knobs of one server."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._endpoints: dict[str, EndpointFault] = {}
        self._gates: dict[str, Gate] = {}
        self._pulls: dict[str, PullFault] = {}
        self._pull_gates: dict[str, Gate] = {}
        self._scripts: dict[str, PullScript] = {}
        self._chats: dict[str, PullScript] = {}

    def set(
        self,
        path: str,
        mode: EndpointMode | str,
        *,
        delay_s: float = 1.0,
        variant: int = 0,
        size_bytes: int = 80 * 2**20,
        text: str = "",
        times: int | None = None,
    ) -> None:
        """Make an endpoint misbehave.

        Args:
            path: such as "/api/tags", or "*" for those not named.
            delay_s: for SLOW.
            variant: for WRONG_SHAPE, an index into WRONG_SHAPES.
            size_bytes: for HUGE.
            text: replaces the body or error text of the HTTP_* modes, HTML and GARBAGE.
            times: how many requests it hits; None = all.
        """
        fault = EndpointFault(EndpointMode(mode), delay_s, variant, size_bytes, text, times)
        with self._lock:
            self._endpoints[path] = fault

    def hold(self, path: str) -> Gate:
        """Make every further request to `path` wait at the returned gate, before any fault."""
        with self._lock:
            return self._gates.setdefault(path, Gate())

    def release(self, path: str, count: int = 1) -> None:
        """Let `count` requests to a held `path` through."""
        self.hold(path).release(count)

    def free(self, path: str) -> None:
        """Take the gate at `path` away and let everybody through."""
        with self._lock:
            gate = self._gates.pop(path, None)
        if gate:
            gate.open()

    def pull(
        self,
        mode: PullMode | str,
        name: str = EVERY_PATH,
        *,
        at_bytes: int = 0,
        silence_s: float = math.inf,
        text: str = NOT_FOUND,
        times: int | None = None,
    ) -> None:
        """Make pulls of `name` (default: of every name not named) go as `mode` says."""
        fault = PullFault(PullMode(mode), at_bytes, silence_s, text, times)
        with self._lock:
            self._pulls[_key(name)] = fault

    def hold_pull(self, name: str = EVERY_PATH) -> Gate:
        """Make every line of a pull but the first wait at the returned gate."""
        with self._lock:
            return self._pull_gates.setdefault(_key(name), Gate())

    def script_pull(self, name: str, items: Sequence[ScriptItem]) -> PullScript:
        """Make pulls of `name` send exactly these items, one for each permit.

        Args:
            items: a mapping is sent as a JSON line, text and bytes as they are, CUT closes the
                connection. The stream ends after the last one. When that is success, and the
                catalogue has the model, it is installed.
        """
        script = PullScript(items)
        with self._lock:
            self._scripts[_key(name)] = script
        return script

    def script_chat(self, name: str, items: Sequence[ScriptItem]) -> PullScript:
        """Make chats with an installed model send exactly these items; as `script_pull`."""
        script = PullScript(items)
        with self._lock:
            self._chats[_key(name)] = script
        return script

    def clear(self) -> None:
        """Turn every knob back and open every gate."""
        with self._lock:
            gates = [*self._gates.values(), *self._pull_gates.values()]
            scripts = [*self._scripts.values(), *self._chats.values()]
            gates += [script.gate for script in scripts]
            self._endpoints.clear()
            self._gates.clear()
            self._pulls.clear()
            self._pull_gates.clear()
            self._scripts.clear()
            self._chats.clear()
        for gate in gates:
            gate.open()

    def gate_at(self, path: str) -> Gate | None:
        """Return the gate at `path`. For the server."""
        with self._lock:
            return self._gates.get(path)

    def take_endpoint(self, path: str) -> EndpointFault | None:
        """Return the fault that hits this request, and count it. For the server."""
        with self._lock:
            key = path if path in self._endpoints else EVERY_PATH
            fault = self._endpoints.get(key)
            if fault is None:
                return None
            if fault.times is not None:
                if fault.times <= 0:
                    return None
                self._endpoints[key] = replace(fault, times=fault.times - 1)
            return fault

    def take_pull(self, name: str) -> PullFault:
        """Return how this pull goes, and count it. For the server."""
        with self._lock:
            key = _key(name) if _key(name) in self._pulls else EVERY_PATH
            fault = self._pulls.get(key, PullFault())
            if fault.times is not None:
                if fault.times <= 0:
                    return PullFault()
                self._pulls[key] = replace(fault, times=fault.times - 1)
            return fault

    def pull_gate(self, name: str) -> Gate | None:
        """Return the gate that each line of this pull waits at. For the server."""
        with self._lock:
            return self._pull_gates.get(_key(name)) or self._pull_gates.get(EVERY_PATH)

    def script(self, name: str) -> PullScript | None:
        """Return the script for pulls of a name. For the server."""
        with self._lock:
            return self._scripts.get(_key(name))

    def chat_script(self, name: str) -> PullScript | None:
        """Return the script for chats with a model. For the server."""
        with self._lock:
            return self._chats.get(_key(name))


def _key(name: str) -> str:
    parsed = parse(name)
    return parsed.display.lower() if parsed else name
