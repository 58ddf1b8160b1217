"""The grammar of Ollama model names: parsing, canonical form, comparison, store path.

`[scheme://][host/][namespace/]model[:tag]`, parsed from the right; the defaults are
registry.ollama.ai, library and latest. Knows nothing of disks.

Source: Ollama's types/model/name.go and internal/modelref.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from ollm_tui.core.error import InvalidName

DEFAULT_SCHEME = "https"
DEFAULT_HOST = "registry.ollama.ai"
DEFAULT_NAMESPACE = "library"
DEFAULT_TAG = "latest"

_PART = {
    "host": re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,349}", re.ASCII),
    "namespace": re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,79}", re.ASCII),
    "model": re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}", re.ASCII),
    "tag": re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}", re.ASCII),
}
_LIMIT = {"host": 350, "namespace": 80, "model": 80, "tag": 80}
_ALLOWED = {
    "host": "letters, digits, '_', '-', '.' and ':'",
    "namespace": "letters, digits, '_' and '-'",
    "model": "letters, digits, '_', '-' and '.'",
    "tag": "letters, digits, '_', '-' and '.'",
}


@dataclass(frozen=True, slots=True)
class ModelName:
    """A valid name with every part filled in. Case is kept; compare by `key`."""

    host: str
    namespace: str
    model: str
    tag: str
    scheme: str = DEFAULT_SCHEME

    @property
    def short(self) -> str:
        """The shortest form that means the same, tag always present, as servers display it."""
        if self.host.lower() != DEFAULT_HOST:
            return f"{self.host}/{self.namespace}/{self.model}:{self.tag}"
        if self.namespace.lower() != DEFAULT_NAMESPACE:
            return f"{self.namespace}/{self.model}:{self.tag}"
        return f"{self.model}:{self.tag}"

    @property
    def canonical(self) -> str:
        """All four parts: host/namespace/model:tag."""
        return f"{self.host}/{self.namespace}/{self.model}:{self.tag}"

    @property
    def key(self) -> str:
        """Equal for two names that mean the same model: the canonical form without case."""
        return self.canonical.lower()

    @property
    def store_path(self) -> str:
        """Where its manifest lies below `manifests/`."""
        return f"{self.host}/{self.namespace}/{self.model}/{self.tag}"

    @property
    def is_plain_http(self) -> bool:
        """Whether the name asks for http to its registry. Source: ruling Z19."""
        return self.scheme == "http"


@lru_cache(maxsize=20_000)  # each name of a list is looked at by several parts in turn
def parse_name(text: str) -> ModelName:
    """Parse a name as servers do.

    Raises:
        InvalidName: which part is wrong and what it may hold.

    A digest (`@sha256:…`) is not part of the grammar.
    """
    rest = text
    scheme = DEFAULT_SCHEME
    if "://" in rest:
        scheme, rest = rest.split("://", 1)
        scheme = scheme.lower()
        if scheme not in ("http", "https"):
            raise _invalid(text, f"the scheme can be http or https, not {scheme!r}")
    if "@" in rest:
        raise _invalid(text, "a digest (@…) cannot be part of a name; name a tag instead")
    tag: str | None = None
    colon = rest.rfind(":")
    if colon > rest.rfind("/"):
        rest, tag = rest[:colon], rest[colon + 1 :]
    head, slash, model = rest.rpartition("/")
    namespace: str | None = None
    host: str | None = None
    if slash:
        host_part, host_slash, namespace = head.rpartition("/")
        if host_slash:
            host = host_part
    if "://" in text and host is None:
        raise _invalid(text, f"{scheme}:// needs a registry host and a namespace before the name")
    if host is None and namespace and ":" in namespace:
        raise _invalid(
            text, f"after the host {namespace!r} a namespace must come: host/namespace/model"
        )
    for part, value in (("host", host), ("namespace", namespace), ("model", model), ("tag", tag)):
        if value is not None:
            _check(text, part, value)
    return ModelName(
        host=host or DEFAULT_HOST,
        namespace=namespace or DEFAULT_NAMESPACE,
        model=model,
        tag=tag or DEFAULT_TAG,
        scheme=scheme,
    )


def parse_reference(text: str) -> ModelName:
    """Parse what a person types to pull.

    Blanks around it are trimmed; `:cloud` and `:local` are operators: `m:20b:cloud` means the
    tag `20b-cloud`, `m:8b:local` plain `m:8b`; both at once is an error.

    Raises:
        InvalidName: as `parse_name`, or conflicting suffixes.

    Source: Ollama's internal/modelref.
    """
    trimmed = text.strip()
    base, operator = _cut_operator(trimmed)
    if not operator:
        return parse_name(trimmed)
    if _cut_operator(base)[1]:
        raise _invalid(text, "use either :local or :cloud, not both")
    if operator == "local":
        return parse_name(base)
    has_tag = base.rfind(":") > base.rfind("/")
    return parse_name(f"{base}-cloud" if has_tag else f"{base}:cloud")


def _cut_operator(text: str) -> tuple[str, str]:
    """Split `m:8b:local` or `m:8b-cloud` into `m:8b` and the operator, which may be empty."""
    base, colon, suffix = text.rpartition(":")
    kind = suffix.lower()
    if colon and kind in ("cloud", "local"):
        return base, kind
    if colon and kind.endswith("-cloud") and "/" not in kind:
        return text[: -len("-cloud")], "cloud"
    return text, ""


def same_model(left: str, right: str) -> bool:
    """Whether two names mean the same model; names that do not parse are compared as they are."""
    return left == right or name_key(left) == name_key(right)


def name_key(text: str) -> str:
    """Equal for names that mean the same model; for one that does not parse, the text itself."""
    try:
        return parse_name(text).key
    except InvalidName:
        return text


def name_from_store_path(path: str) -> ModelName | None:
    """The name whose manifest lies at `path` (host/namespace/model/tag), else None."""
    parts = path.split("/")
    if len(parts) != 4:
        return None
    if not all(_PART[kind].fullmatch(part) for kind, part in zip(_PART, parts, strict=True)):
        return None
    return ModelName(*parts)


def _check(text: str, part: str, value: str) -> None:
    if _PART[part].fullmatch(value):
        return
    if not value:
        raise _invalid(text, f"the {part} is missing")
    if len(value) > _LIMIT[part]:
        raise _invalid(text, f"the {part} is longer than {_LIMIT[part]} characters")
    raise _invalid(
        text,
        f"the {part} {value!r} may hold {_ALLOWED[part]}, and starts with a letter, a digit or '_'",
    )


def _invalid(text: str, why: str) -> InvalidName:
    return InvalidName(f"Invalid model name format: {text!r}", cause=why)
