"""The first list of a start, asked for with the standard library while httpx is not loaded yet.

Importing httpx takes as much CPU as half the rest of the start, and a start needs one plain GET.
Only a whole answer counts here: after anything else the caller asks again with httpx, whose
failures are told in words. So there is one place for those, and it is not this one.
"""

import contextlib
import http.client
import socket
import threading
import time

from ollm_tui import __version__
from ollm_tui.providers.ollama_answer import Answer
from ollm_tui.providers.ollama_host import Host


def first_answer(host: Host, path: str, *, timeout_s: float, limit_bytes: int) -> Answer | None:
    """GET `path` once, in this thread; None when httpx had better ask.

    Args:
        timeout_s: for all of it.
        limit_bytes: longest body that is read.
    """
    end_s = time.monotonic() + timeout_s
    connection = http.client.HTTPConnection(host.host, host.port, timeout=timeout_s)
    # The socket's own limit begins anew with every byte, and a server may send one a second.
    limit = threading.Timer(timeout_s, _shut_down, [connection])
    limit.daemon = True
    limit.start()
    try:
        headers = {"Accept": "application/json", "User-Agent": f"ollm-tui/{__version__}"}
        connection.request("GET", host.path + path, headers=headers)
        response = connection.getresponse()
        if response.getheader("Content-Encoding"):
            return None
        body = response.read(limit_bytes + 1)
        if len(body) > limit_bytes:
            return None
        # Whole are only answers that say how long they are: the end of a connection, which may
        # come in the middle of the head, is for this client the end of any.
        is_whole = response.chunked or response.length == 0
        if not is_whole or time.monotonic() >= end_s:
            return None
        return Answer(
            response.status,
            body,
            reason=response.reason,
            content_type=response.getheader("Content-Type", ""),
            location=response.getheader("Location", ""),
            retry_after=response.getheader("Retry-After", ""),
            server=response.getheader("Server", ""),
        )
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        limit.cancel()
        connection.close()


def _shut_down(connection: http.client.HTTPConnection) -> None:
    """Wake the thread that reads from it."""
    if connection.sock is not None:
        with contextlib.suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)
