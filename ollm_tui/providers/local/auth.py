"""What a registry asks for before it answers, and with what. Pure.

A registry can only ask for credentials in its own name: a realm on another host is refused.

Source: reference/ollama.md 3.7 and 7.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from ollm_tui.core.error import DownloadFailed
from ollm_tui.core.text import clean_line

_PARAMETER = re.compile(r'([A-Za-z]+)\s*=\s*(?:"([^"]*)"|([^\s,"]+))')


@dataclass(frozen=True, slots=True)
class Credentials:
    """Name and password for one registry; for requests only, never shown."""

    user: str = field(repr=False)
    password: str = field(repr=False)
    """Empty = not known."""
    variable: str = ""
    """The environment variable that the password is from, for people."""

    @property
    def basic(self) -> str:
        """The value of an Authorization header."""
        pair = f"{self.user}:{self.password}".encode("utf-8", "surrogateescape")
        return f"Basic {base64.b64encode(pair).decode()}"


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a 401 asks for."""

    scheme: str
    parameters: Mapping[str, str]


def parse_challenge(header: str) -> Challenge:
    """Read a WWW-Authenticate header."""
    scheme, _, rest = header.strip().partition(" ")
    found = _PARAMETER.findall(rest)
    return Challenge(scheme.lower(), {name.lower(): quoted or bare for name, quoted, bare in found})


def token_url(challenge: Challenge, registry_url: str, what: str) -> str:
    """Where to get the token that a challenge asks for.

    Args:
        registry_url: scheme and host of the registry that asks.
        what: the model, for people.

    Raises:
        DownloadFailed: the realm is not on the registry's own host, or less safe than it.
    """
    realm = challenge.parameters.get("realm", "")
    registry = urlsplit(registry_url)
    try:
        target = urlsplit(realm)
        own = (target.scheme, target.netloc.lower()) == (registry.scheme, registry.netloc.lower())
    except ValueError:
        own = False
    if not own:
        raise DownloadFailed(
            f"Could not download {what}",
            cause=f"the registry asks to sign in at another address: {clean_line(realm, 200)!r}",
            actions=("Do not trust this registry: it asks for credentials in another's name.",),
            retryable=False,
        )
    query = [("service", challenge.parameters.get("service", ""))]
    query += [("scope", scope) for scope in challenge.parameters.get("scope", "").split()]
    separator = "&" if target.query else "?"
    return f"{realm}{separator}{urlencode([pair for pair in query if pair[1]])}"
