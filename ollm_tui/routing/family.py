"""The family of a model by its name: the brand people choose by.

Names nest ("codellama" holds "llama") and lie ("dolphin" holds "phi"), so the longest keyword
wins and hides what lies under it. Knows nothing of the database.
"""

import re
from functools import lru_cache

from ollm_tui.core.model import UNKNOWN_FAMILY

EMBEDDING_FAMILY = "embedding"

_KEYWORDS: dict[str, tuple[str, ...]] = {
    # A dolphin is a fine-tune of anything: it hides its "phi" and says nothing itself.
    UNKNOWN_FAMILY: ("dolphin",),
    "codellama": ("codellama",),
    "command": ("command-r", "command-a"),
    "deepseek": ("deepseek",),
    "deepseek-coder": ("deepseek-coder",),
    EMBEDDING_FAMILY: (
        "embedding", "embed", "nomic-bert", "nomic", "minilm", "mxbai", "bge-", "rerank",
    ),
    "falcon": ("falcon",),
    "gemma": ("gemma", "codegemma"),
    "gpt-oss": ("gpt-oss", "gptoss"),
    "granite": ("granite",),
    "llama": ("llama",),
    "llava": ("llava",),
    "minicpm": ("minicpm",),
    "mistral": (
        "mistral", "mixtral", "ministral", "mathstral", "devstral", "magistral", "codestral",
        "pixtral",
    ),
    "moondream": ("moondream",),
    "olmo": ("olmo",),
    "phi": ("phi",),
    "qwen": ("qwen", "codeqwen", "qwq"),
    "smollm": ("smollm",),
    "starcoder": ("starcoder",),
}  # fmt: skip

_LONGEST_FIRST = sorted(
    ((word, family) for family, words in _KEYWORDS.items() for word in words),
    key=lambda pair: -len(pair[0]),
)

# Too short to be looked for inside other words ("playing").
_WHOLE_WORDS = re.compile(r"(?<![a-z])(?:(yi)|(bge|bert))(?![a-z])")


def detect_family(name: str) -> str:
    """Return the family that a name tells, or "unknown".

    Only the model part counts: a host, a namespace or a tag says nothing of the brand.

    Source: design, Property 20 and Family Detection.
    """
    return family_in(model_part(name))


@lru_cache(maxsize=10_000)  # the tags of one model have the same family
def family_in(text: str) -> str:
    """Return the family of the longest, then leftmost, keyword in `text`, or "unknown"."""
    text = text.lower()
    best: tuple[int, int, str] | None = None
    for word, family in _LONGEST_FIRST:
        if best and len(word) < -best[0]:
            break
        at = text.find(word)
        if at < 0:
            continue
        if family == UNKNOWN_FAMILY:
            text = text.replace(word, " " * len(word))
        elif best is None or at < best[1]:
            best = (-len(word), at, family)
    if best:
        return best[2]
    whole = _WHOLE_WORDS.search(text)
    if whole:
        return "yi" if whole[1] else EMBEDDING_FAMILY
    return UNKNOWN_FAMILY


def known_families() -> set[str]:
    """Every family that a name can tell."""
    return {*_KEYWORDS, "yi"} - {UNKNOWN_FAMILY}


def model_part(name: str) -> str:
    """What lies between the last "/" and the last ":" after it."""
    tail = name[name.rfind("/") + 1 :]
    colon = tail.rfind(":")
    return tail if colon < 0 else tail[:colon]
