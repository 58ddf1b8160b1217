"""The address of an Ollama server: what a person writes, read as Ollama itself reads OLLAMA_HOST.

Standard library only, because settings are read before any client exists. Knows nothing of HTTP.

Source: Ollama's envconfig/config.go, Host and ConnectableHost.
"""

import ipaddress
import logging
import re
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote, unquote

from ollm_tui.core.error import ConfigError
from ollm_tui.core.text import clean_line, is_visible

DEFAULT_PORT = 11434
LOOPBACK = "127.0.0.1"

_SCHEME_PORTS: dict[str, int] = {"http": 80, "https": 443}
_HOSTED = "ollama.com"
_HOST_NAME = re.compile(r"[^\x00-\x20\x7f/\\?#@:\[\]<>^`{|}\"%]+")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Host:
    """Where to connect. Credentials serve requests only and are never printed."""

    scheme: Literal["http", "https"] = "http"
    host: str = LOOPBACK
    """A name or an address; IPv6 without brackets. One that can be connected to."""
    port: int = DEFAULT_PORT
    path: str = ""
    """Joined before every endpoint: empty, or with a slash in front and none behind."""
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @property
    def base_url(self) -> str:
        """The address for requests, without credentials and without a slash at its end."""
        return f"{self.scheme}://{self.netloc}{self.path}"

    @property
    def netloc(self) -> str:
        """host:port, with IPv6 in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def display(self) -> str:
        """The address for people: sanitised, without credentials, the scheme only if https."""
        return clean_line(self.base_url.removeprefix("http://"))

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine, so that no proxy lies between and plain http is harmless."""
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        address = _ip_address(self.host)
        return address is not None and address.is_loopback


def parse_host(text: str) -> Host:
    """Read an address such as `example.com`, `:1234`, `[::1]:80` or `https://host/path`.

    Without a scheme the port is 11434; `http://` means port 80 and `https://` 443. A port that is
    none falls back to that, as in Ollama. Addresses that mean "all interfaces" become loopback.

    Raises:
        ConfigError: no client can connect to what is written.
    """
    trimmed = text.strip().strip("\"'").strip()
    scheme, default_port, rest = _split_scheme(trimmed)
    authority, slash, path = rest.partition("/")
    userinfo, _, hostport = authority.rpartition("@")
    name, port = _split_port(hostport, default_port)
    user, _, password = userinfo.partition(":")
    return Host(
        scheme=scheme,
        host=_connectable(name),
        port=port,
        path=_clean_path(slash + path),
        user=unquote(user),
        password=unquote(password),
    )


def _split_scheme(text: str) -> tuple[Literal["http", "https"], int, str]:
    if "://" not in text:
        if text == _HOSTED:
            return "https", _SCHEME_PORTS["https"], text
        return "http", DEFAULT_PORT, text
    scheme, _, rest = text.partition("://")
    match scheme.lower():
        case "http":
            return "http", _SCHEME_PORTS["http"], rest
        case "https":
            return "https", _SCHEME_PORTS["https"], rest
    raise unusable_address(f"the scheme can be http or https, not {scheme!r}")


def _split_port(hostport: str, default_port: int) -> tuple[str, int]:
    """Split as Go's net.SplitHostPort does: what cannot be split is a host without a port."""
    bracketed = re.fullmatch(r"\[([^\[\]]*)\]:(.*)", hostport)
    if bracketed:
        name, port = bracketed.groups()
    elif hostport.count(":") == 1 and "[" not in hostport:
        name, _, port = hostport.partition(":")
    else:
        return hostport.strip("[]"), default_port
    if re.fullmatch(r"[0-9]{1,9}", port) and int(port) <= 65535:
        return name, int(port)
    # What is written there is not repeated: it can be a part of a password with a slash in it.
    _log.warning("the port in the server's address is none; using %d", default_port)
    return name, default_port


def _connectable(name: str) -> str:
    if not name:
        return LOOPBACK
    address = _ip_address(name)
    if address is None:
        if not _is_word(name):
            raise unusable_address(f"{name!r} is neither a host name nor an address")
        return name
    zone = name.partition("%")[2]
    if zone and not _is_word(zone):  # of which `ipaddress` accepts anything
        raise unusable_address(f"{zone!r} is not the name of a network interface")
    if address.is_unspecified:
        return LOOPBACK if address.version == 4 else "::1"
    return str(address)


def _is_word(text: str) -> bool:
    return _HOST_NAME.fullmatch(text) is not None and all(map(is_visible, text))


def _ip_address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _clean_path(path: str) -> str:
    """Escape what has no place in a request line; keep what is escaped already."""
    plain = path.rstrip("/").encode("utf-8", "replace")
    return quote(plain, safe="/%:@!$&()*+,;=~-._")


def unusable_address(why: str) -> ConfigError:
    """Return the error of an address that no client can connect to."""
    return ConfigError(
        "The server's address cannot be used",
        cause=why,
        actions=("Write it as host, host:port or https://host/path (--host, OLLAMA_HOST).",),
    )
