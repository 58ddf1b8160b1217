"""Model names as this server reads them: its own reading of the grammar, on purpose.

Knows nothing of what is installed. Source: reference, 2.1 to 2.3 and 1.14.
"""

import re
from dataclasses import dataclass

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,79}")
_NAMESPACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_\-]{0,79}")
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:\-]{0,349}")
DEFAULT_HOST = "registry.ollama.ai"
DEFAULT_NAMESPACE = "library"


class SuffixConflictError(ValueError):
    """A name asks for the cloud and for this machine at once."""


@dataclass(frozen=True, slots=True)
class ParsedName:
    """The four parts of a valid name, defaults filled in."""

    host: str
    namespace: str
    model: str
    tag: str

    @property
    def display(self) -> str:
        """The shortest spelling that means the same; the tag is always there."""
        short = f"{self.model}:{self.tag}"
        if self.host != DEFAULT_HOST:
            return f"{self.host}/{self.namespace}/{short}"
        return short if self.namespace == DEFAULT_NAMESPACE else f"{self.namespace}/{short}"


def parse(text: str) -> ParsedName | None:
    """Return the parts of `text`, or None where the grammar says no. Parses from the right."""
    path, slash, last = text.rpartition("/")
    model, colon, tag = last.rpartition(":")
    if not colon:
        model, tag = last, "latest"
    host, namespace = DEFAULT_HOST, DEFAULT_NAMESPACE
    if slash:
        rest, slash, namespace = path.rpartition("/")
        if slash:
            host = rest.partition("://")[2] or rest
    if (
        _PART.fullmatch(model)
        and _PART.fullmatch(tag)
        and _NAMESPACE.fullmatch(namespace)
        and _HOST.fullmatch(host)
    ):
        return ParsedName(host, namespace, model, tag)
    return None


def without_source_suffix(text: str) -> str:
    """Return the name that pull and delete work on, once `:cloud` or `:local` has been obeyed.

    Raises:
        SuffixConflictError: both were asked for.
    """
    lower = text.lower()
    stem = text[: -len(":local")]
    if lower.endswith(":local"):
        if stem.lower().endswith((":cloud", "-cloud")):
            raise SuffixConflictError(text)
        return stem
    if lower.endswith(":cloud"):
        if stem.lower().endswith(":local"):
            raise SuffixConflictError(text)
        if ":" in stem.rpartition("/")[2]:
            return f"{stem}-cloud"
    return text
