"""Server addresses as people write them, made into one URL.

Source: Ollama's envconfig/config.go; ruling K7. Imports next to nothing: it is on the way to the
first request.
"""

import re

DEFAULT_PORT = 11434
DEFAULT_HOST = f"http://127.0.0.1:{DEFAULT_PORT}"

_REST = re.compile(
    r"(?P<user>[^/@\s]*@)?(?P<host>\[[0-9A-Fa-f:.%]+\]|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*"
    r"|[^/:@\s\[\]]*)(?::(?P<port>[^/]*))?(?P<path>/[^\s?#]*)?"
)
_NAME = re.compile(r"[A-Za-z0-9_.-]*|\[.*\]|[0-9A-Fa-f:.]+", re.ASCII)
_REACHABLE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "[::]": "[::1]"}
"""What a client connects to where a server would listen everywhere."""


def normalise_host(text: str, *, lenient: bool = False) -> str:
    """Return the URL to send requests to, without a slash at the end.

    A bare host gets http and port 11434; a URL keeps its scheme's own port.

    Args:
        text: `host`, `host:port`, `[::1]:port` or a URL with http or https.
        lenient: read a bad port as the default one, as Ollama does with OLLAMA_HOST.

    Raises:
        ValueError: what is wrong, as half a sentence.
    """
    trimmed = text.strip().strip("\"'")
    if not trimmed and not lenient:
        raise ValueError("it is empty")
    scheme, separator, rest = trimmed.rpartition("://")
    scheme = scheme.lower()
    if separator and scheme not in ("http", "https"):
        raise ValueError("the scheme must be http or https")
    match = _REST.fullmatch(rest)
    if match is None or not _NAME.fullmatch(match["host"]):
        raise ValueError("it is not an address such as localhost:11434 or https://example.com")
    host = match["host"]
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    host = _REACHABLE.get(host, host)
    default_port = "" if separator else f":{DEFAULT_PORT}"
    port = default_port if match["port"] is None else _port(match["port"], default_port, lenient)
    path = (match["path"] or "").rstrip("/")
    return f"{scheme or 'http'}://{match['user'] or ''}{host}{port}{path}"


def _port(text: str, default: str, lenient: bool) -> str:
    if text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) <= 65535:
        return f":{int(text)}"
    if lenient:
        return default
    raise ValueError("the port must be a number from 1 to 65535")
