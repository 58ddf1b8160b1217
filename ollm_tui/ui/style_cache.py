"""Lets Textual forget what it has drawn of widgets that are gone.

Textual keeps the drawn lines of a widget in a `StylesCache`, one of whose methods is an `lru_cache`
that counts the object itself among its arguments. So the lines of the last 1,024 dialogs and toasts
stay in memory, some ten megabytes after half an hour. Knows nothing of this program's widgets.
"""

from functools import lru_cache
from typing import Any

from textual._styles_cache import StylesCache

_NAME = "get_inner_outer"


def forget_the_gone() -> None:
    """Share the two colours of a background among all widgets, which is all that was cached."""
    cached: Any = vars(StylesCache).get(_NAME)
    if not hasattr(cached, "cache_info"):
        return  # done already, or a version of Textual that needs none of it
    of_any = lru_cache(cached.cache_parameters()["maxsize"])(
        lambda base_background, background: cached.__wrapped__(None, base_background, background)
    )

    def get_inner_outer(_: StylesCache, base_background: Any, background: Any) -> Any:
        return of_any(base_background, background)

    setattr(StylesCache, _NAME, get_inner_outer)
