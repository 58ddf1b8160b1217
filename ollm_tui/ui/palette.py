"""The colours of rows, out of the theme. Computed once per theme.

Not component classes: each of those is a node that the stylesheet is applied to, twice at start,
for every list.
"""

from typing import NamedTuple

from rich.style import Style
from textual.app import App
from textual.color import Color


class Palette(NamedTuple):
    """Styles by the names that rows use; colours only, the background is the row's."""

    dim: Style
    good: Style
    warn: Style
    bad: Style
    accent: Style
    cursor: Style
    blurred: Style
    header: Style

    def named(self, name: str) -> Style:
        """The style of a piece; the empty name is plain."""
        style = getattr(self, name) if name else Style.null()
        assert isinstance(style, Style)
        return style


_palettes: dict[str, Palette] = {}


def palette_of(app: App[object]) -> Palette:
    """The palette of the app's current theme."""
    palette = _palettes.get(app.theme)
    if palette is None:
        palette = _TERMINAL if app.native_ansi_color else _make(app.theme_variables)
        _palettes[app.theme] = palette
    return palette


# In the sixteen colours that the terminal's owner has chosen, of which none is known here.
_TERMINAL = Palette(
    dim=Style(dim=True),
    good=Style(color="green"),
    warn=Style(color="yellow", bold=True),
    bad=Style(color="red", bold=True),
    accent=Style(color="cyan"),
    cursor=Style(reverse=True),
    blurred=Style(bold=True),
    header=Style(dim=True),
)


def _make(variables: dict[str, str]) -> Palette:
    foreground = Color.parse(variables["foreground"])
    background = Color.parse(variables["background"])
    primary = Color.parse(variables["primary"])

    def readable(name: str) -> Style:
        # Half-way to the foreground, since theme colours are made for areas and not for letters.
        return Style(color=Color.parse(variables[name]).blend(foreground, 0.35).rich_color)

    muted = Style(color=background.blend(foreground, 0.62).rich_color)
    return Palette(
        dim=muted,
        good=readable("success"),
        warn=readable("warning"),
        bad=readable("error"),
        accent=readable("accent"),
        cursor=Style(bgcolor=background.blend(primary, 0.4).rich_color, bold=True),
        blurred=Style(bgcolor=background.blend(foreground, 0.08).rich_color),
        header=muted,
    )
