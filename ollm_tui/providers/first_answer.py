"""The first list of a start, asked for with the standard library while httpx is not loaded yet.

Importing httpx takes as much CPU as half the rest of the start, and a start needs one plain GET.
Only a whole answer counts here: after anything else the caller asks again with httpx, whose
failures are told in words. So there is one place for those, and it is not this one.
"""

import http.client
import time

from ollm_tui import __version__
from ollm_tui.providers.ollama_answer import Answer
from ollm_tui.providers.ollama_host import Host

_CHUNK_BYTES = 1 << 20


def first_answer(host: Host, path: str, *, timeout_s: float, limit_bytes: int) -> Answer | None:
    """GET `path` once, in this thread; None when httpx had better ask.

    Args:
        timeout_s: for all of it.
        limit_bytes: longest body that is read.
    """
    end_s = time.monotonic() + timeout_s
    connection = http.client.HTTPConnection(host.host, host.port, timeout=timeout_s)
    try:
        headers = {"Accept": "application/json", "User-Agent": f"ollm-tui/{__version__}"}
        connection.request("GET", host.path + path, headers=headers)
        response = connection.getresponse()
        if response.getheader("Content-Encoding"):
            return None
        body = bytearray()
        while chunk := response.read(_CHUNK_BYTES):
            body += chunk
            if len(body) > limit_bytes or time.monotonic() > end_s:
                return None
        if response.length:  # bytes that were promised and did not come
            return None
        return Answer(
            response.status,
            bytes(body),
            reason=response.reason,
            content_type=response.getheader("Content-Type", ""),
            location=response.getheader("Location", ""),
            retry_after=response.getheader("Retry-After", ""),
        )
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()
